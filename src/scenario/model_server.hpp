// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "scenario/scenario.hpp"
#include "worker/worker.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace patchcord::scenario {

// The chat model and the tools of a scenario: a server on the loopback
// interface that gives the answers of its script, so that all of the agent's
// own HTTP is real. On the scenario's worker.
//
// Virtual time must stand still while bytes are on their way, which the kernel
// decides in real time: settle() before each step.
class ModelServer {
public:
  ModelServer(Worker &worker, const ModelScript &script,
              const std::vector<ToolReply> &tools);
  ~ModelServer();
  ModelServer(const ModelServer &) = delete;
  ModelServer &operator=(const ModelServer &) = delete;

  // "http://127.0.0.1:PORT"; empty when there is no loopback interface.
  std::string origin() const;
  std::string url() const { return origin() + "/v1"; }
  void settle();
  // The bodies of all requests.
  const std::vector<std::string> &requests() const { return requests_; }
  // Of the tools: "GET /path", or "POST /path BODY".
  const std::vector<std::string> &tool_requests() const {
    return tool_requests_;
  }

private:
  struct Connection {
    FdWatch watch;
    std::string in;
    std::vector<std::string> pieces; // to be written, one at a time
    std::size_t next = 0;
    bool answering = false, close_behind = false;
    bool unread = false; // as far as is known, of what was written
    Timer timer;
    int other_end = -1;
    bool is_under_way(int fd);
  };
  void accept();
  void readable(int fd);
  void take_request(int fd, Connection &connection);
  void answer_as_model(int fd, Connection &connection);
  void answer_as_tool(int fd, Connection &connection,
                      const std::string &request);
  void begin(int fd, Connection &connection, std::vector<std::string> pieces,
             Duration delay);
  void write_piece(int fd);
  void drop(int fd);
  bool in_flight();

  Worker &worker_;
  const ModelScript script_;
  std::vector<ToolReply> tools_; // those that were not given yet
  int listener_ = -1, port_ = 0;
  FdWatch watch_;
  std::map<int, std::unique_ptr<Connection>> connections_;
  bool wrote_ = false; // since time stood still
  std::vector<std::string> requests_, tool_requests_;
};

} // namespace patchcord::scenario
