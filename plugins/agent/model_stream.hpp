// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/conversation.hpp"
#include "net/http_client.hpp"
#include "worker/worker.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace patchcord {

// Where the model is.
struct ModelEndpoint {
  std::string base_url; // with its "/v1"
  std::string api_key;
  std::shared_ptr<net::HttpObserver> observer; // of the call's requests
};

// One streamed chat completion. Destroying it aborts the request; it may be
// destroyed from within its own handlers. After `done` or `failed` nothing
// comes.
class ModelStream {
public:
  struct Handlers {
    // Empty while it writes calls of tools.
    std::function<void(const std::string &text)> text;
    std::function<void(const std::string &finish_reason,
                       const std::string &refusal,
                       const std::vector<openai::ToolCall> &calls)>
        done;
    std::function<void(const agent::Failure &failure)> failed;
    // Behind one of these two: the server has nothing more to say.
    std::function<void()> ended;
  };
  ModelStream(Worker &worker, const ModelEndpoint &endpoint, std::string body,
              Handlers handlers);
  ~ModelStream();
  ModelStream(const ModelStream &) = delete;
  ModelStream &operator=(const ModelStream &) = delete;

private:
  class Answer;
  void send();
  // Asks again without a field that the server refused. False: there is no
  // other way to ask.
  bool ask_otherwise(const std::string &parameter);

  std::shared_ptr<Answer> answer_;
  Worker &worker_;
  net::HttpRequest request_;
  std::unique_ptr<net::HttpClient::Transfer> transfer_;
};

} // namespace patchcord
