// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/dialling.hpp"

#include "twilio/rest.hpp"

#include <utility>

namespace patchcord::cli {
namespace {

// Twilio takes no request that was one too many; it may be made again.
constexpr int kTries = 4;
constexpr Duration kFirstPause = 400ms; // then twice as long each time
constexpr Duration kLook = 500ms;
// The server says that it is there every 15 s.
constexpr Duration kNoEvents = 45s;

} // namespace

Dialling::Dialling(Worker &worker, Order order, Handlers handlers)
    : worker_(worker), order_(std::move(order)), handlers_(std::move(handlers)),
      begun_(worker.now()), watch_(order_.ring_timeout, begun_) {
  place();
}

void Dialling::finish(const Result<bool> &how) {
  follower_.reset();
  timer_.cancel();
  handlers_.done(how);
}

void Dialling::fail(const std::string &problem) {
  finish(make_error("dial", problem));
}

// --- to place it -------------------------------------------------------------

void Dialling::place() {
  ++tries_;
  transfer_ = worker_.service<net::HttpClient>().fetch(
      order_.place,
      [this](const Result<net::HttpResponse> &response) { placed(response); });
}

void Dialling::placed(const Result<net::HttpResponse> &response) {
  const std::string not_placed = "the call was not placed: ";
  if (!response)
    return fail(not_placed +
                "Twilio cannot be reached: " + response.error().message);
  const auto answer =
      twilio::classify_placing(response->status, response->body);
  if (answer.outcome == twilio::RestOutcome::kRetry && tries_ < kTries) {
    timer_ =
        worker_.after(kFirstPause * (1 << (tries_ - 1)), [this] { place(); });
    return;
  }
  if (answer.outcome != twilio::RestOutcome::kDone)
    return fail(not_placed + answer.message);
  sid_ = twilio::placed_call_sid(response->body);
  if (sid_.empty())
    return fail(not_placed + "Twilio's answer holds no call SID");
  handlers_.placed(sid_);
  if (!order_.wait)
    return finish(true);
  show("queued");
  look();
}

// --- to follow it ------------------------------------------------------------

void Dialling::look() {
  net::HttpRequest request = order_.record;
  request.url += sid_;
  transfer_ = worker_.service<net::HttpClient>().fetch(
      request,
      [this](const Result<net::HttpResponse> &response) { looked(response); });
}

void Dialling::look_after(Duration pause) {
  timer_ = worker_.after(pause, [this] { look(); });
}

void Dialling::looked(const Result<net::HttpResponse> &response) {
  if (!response)
    return fail(
        "placed, but the server's API cannot be reached to follow it: " +
        response.error().message);
  const CallWatch::Step step =
      watch_.looked(worker_.now(), response->status, response->body);
  if (!step.show.empty())
    show(step.show);
  if (!step.problem.empty())
    return fail(step.problem);
  if (step.over)
    return finish(*step.over);
  if (!step.answered)
    look_after(kLook);
  else if (!follower_)
    follow();
}

// Until the call is over; what is worth while is looked at meanwhile.
void Dialling::follow() {
  net::HttpRequest request = order_.record;
  request.url += sid_ + "/events";
  request.timeout = 0s;
  request.idle_timeout = kNoEvents;
  told_ = false;
  follower_ = std::make_unique<phone::EventFollower>(
      worker_, request,
      [this](std::string_view event) {
        told_ = true;
        if (CallWatch::is_news(event))
          look_after(0s);
      },
      [this] {
        watch_.followed(told_);
        look_after(told_ ? 0s : kLook);
        // Not from within itself.
        worker_.post([this, alive = alive_] {
          if (*alive)
            follower_.reset();
        });
      });
}

void Dialling::show(const std::string &state) {
  handlers_.shown(worker_.now() - begun_, state);
}

std::string Dialling::fate() const {
  if (sid_.empty())
    return "Twilio may place the call all the same: its console lists it then";
  return "the call goes on without being followed: " + sid_ + ", " +
         (watch_.state().empty() ? "queued" : watch_.state());
}

} // namespace patchcord::cli
