// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "cli/call_watch.hpp"
#include "net/http_client.hpp"
#include "phone/event_follower.hpp"
#include "worker/worker.hpp"

#include <functional>
#include <memory>
#include <string>

namespace patchcord::cli {

// A call that is placed, and followed to its end where that is wanted. On a
// worker.
class Dialling {
public:
  struct Order {
    net::HttpRequest place;  // Twilio's REST API
    net::HttpRequest record; // the server's, without the call's SID at its end
    Duration ring_timeout{};
    bool wait = false;
  };
  struct Handlers {
    std::function<void(const std::string &sid)> placed;
    std::function<void(Duration since, const std::string &state)> shown;
    // Once, last: whether all went well; an error says what went wrong here.
    std::function<void(const Result<bool> &)> done;
  };
  Dialling(Worker &worker, Order order, Handlers handlers);
  ~Dialling() { *alive_ = false; }
  Dialling(const Dialling &) = delete;
  Dialling &operator=(const Dialling &) = delete;

  // What is known of the call now, for who waits no longer.
  std::string fate() const;

private:
  void place();
  void placed(const Result<net::HttpResponse> &response);
  void look();
  void looked(const Result<net::HttpResponse> &response);
  void look_after(Duration pause);
  void follow();
  void show(const std::string &state);
  void finish(const Result<bool> &how);
  void fail(const std::string &problem);

  Worker &worker_;
  const Order order_;
  const Handlers handlers_;
  const TimePoint begun_;
  CallWatch watch_;
  int tries_ = 0;
  std::string sid_;
  bool told_ = false; // an event came
  std::unique_ptr<net::HttpClient::Transfer> transfer_;
  std::unique_ptr<phone::EventFollower> follower_;
  Timer timer_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace patchcord::cli
