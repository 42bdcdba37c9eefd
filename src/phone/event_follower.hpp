// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "net/http_client.hpp"
#include "openai/chat.hpp"

#include <functional>
#include <memory>
#include <string>

namespace patchcord::phone {

// Follows the agent's live events of one call (docs/api.md) on a worker. A
// server without that API, or one that does not let us in, is simply silent.
class EventFollower {
public:
  // `ended` runs once, last; the follower may be destroyed in it.
  EventFollower(Worker &worker, const net::HttpRequest &request,
                std::function<void(std::string_view json)> event,
                std::function<void()> ended);

private:
  void open();

  Worker &worker_;
  const net::HttpRequest request_;
  const std::function<void(std::string_view)> event_;
  const std::function<void()> ended_;
  openai::SseParser parser_;
  std::unique_ptr<net::HttpClient::Transfer> transfer_;
  Timer retry_;
  int status_ = 0, tries_ = 0;
};

} // namespace patchcord::phone
