// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/event_follower.hpp"

namespace patchcord::phone {
namespace {

// The call appears in the API with its media stream, which may be a moment
// after the phone has seen it open.
constexpr int kMaxTries = 10;
constexpr Duration kRetryAfter = 100ms;

} // namespace

EventFollower::EventFollower(Worker &worker, const net::HttpRequest &request,
                             std::function<void(std::string_view)> event,
                             std::function<void()> ended)
    : worker_(worker), request_(request), event_(std::move(event)),
      ended_(std::move(ended)) {
  open();
}

void EventFollower::open() {
  ++tries_;
  parser_ = {};
  net::HttpClient::StreamHandlers handlers;
  handlers.response = [this](int status, const net::Headers &) {
    status_ = status;
  };
  const auto event = [this](std::optional<std::string_view> data) {
    if (data && status_ == 200)
      event_(*data);
  };
  handlers.data = [this, event](ByteSpan bytes) {
    (void)parser_.feed(bytes, event);
  };
  handlers.done = [this](const Result<Unit> &) {
    if (status_ == 404 && tries_ < kMaxTries)
      retry_ = worker_.after(kRetryAfter, [this] { open(); });
    else
      ended_();
  };
  transfer_ =
      worker_.service<net::HttpClient>().stream(request_, std::move(handlers));
}

} // namespace patchcord::phone
