// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server/surface.hpp"

namespace patchcord::server {
namespace {

// Proxies drop what is silent for a minute, and without writing nobody notices
// that the client has gone.
constexpr Duration kKeepAlive = 15s;

// The live events of one call for one client (HTML, "Server-sent events").
class EventStream : public std::enable_shared_from_this<EventStream> {
public:
  EventStream(std::shared_ptr<Worker> worker, std::weak_ptr<Exchange> exchange)
      : worker_(std::move(worker)), exchange_(std::move(exchange)) {}
  ~EventStream() {
    if (unsubscribe_)
      unsubscribe_();
  }
  EventStream(const EventStream &) = delete;
  EventStream &operator=(const EventStream &) = delete;

  // False: there is no such call.
  bool start(CallDesk &desk, const std::string &call_sid) {
    // Events come from any thread, the first ones from within subscribe().
    auto subscription =
        desk.subscribe(call_sid, [weak = weak_from_this(), worker = worker_](
                                     std::optional<std::string> event) {
          worker->post([weak, event = std::move(event)] {
            if (const auto self = weak.lock())
              self->pass_on(event);
          });
        });
    if (!subscription)
      return false;
    unsubscribe_ = std::move(*subscription);
    keep_alive_ = worker_->after(kKeepAlive, [this] {
      write(":\n\n"); // a comment
      worker_->rearm(keep_alive_, worker_->now() + kKeepAlive);
    });
    return true;
  }

private:
  void pass_on(const std::optional<std::string> &event) {
    if (event)
      write("data: " + *event + "\n\n");
    else if (const auto exchange = exchange_.lock())
      exchange->end_stream();
  }
  void write(const std::string &text) {
    if (const auto exchange = exchange_.lock())
      exchange->write(text);
  }

  const std::shared_ptr<Worker> worker_;
  const std::weak_ptr<Exchange> exchange_;
  std::function<void()> unsubscribe_;
  Timer keep_alive_;
};

} // namespace

void serve_events(const Context &context, const ExchangePtr &exchange,
                  const std::string &call_sid) {
  auto stream = std::make_shared<EventStream>(context.worker, exchange);
  if (!stream->start(context.surface.desk, call_sid)) {
    exchange->respond_error(404, "not_found",
                            "no such call is alive; its record is at "
                            "/api/calls/" +
                                call_sid);
    return;
  }
  exchange->begin_stream("text/event-stream");
  exchange->keep(std::move(stream));
}

} // namespace patchcord::server
