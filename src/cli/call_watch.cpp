// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/call_watch.hpp"

#include "base/json.hpp"

#include <utility>

namespace patchcord::cli {
namespace {

// Calls queue at Twilio: one a second leaves an account by default.
constexpr Duration kUnheard = 60s;
// What Twilio takes beside the ringing until it says that nobody answered, and
// between an answer and the media stream.
constexpr Duration kRingingSlack = 30s;
// The call's end is in its record a moment after its events have ended; a
// server that was started anew has records of calls that have none.
constexpr int kMostMisses = 5;

std::string text(JsonView record, const char *key) {
  return record[key].string().value_or("");
}

std::string how_it_ended(JsonView record) {
  // Of a call that nobody answered both are one word.
  std::string words = text(record, "status");
  if (const std::string why = text(record, "end_reason"); why != words)
    words += ": " + why;
  if (const std::string detail = text(record, "end_detail"); !detail.empty())
    words += " (" + detail + ")";
  if (const std::string who = text(record, "answered_by"); !who.empty())
    words += ", answered by " + who;
  if (const std::string to = text(record, "transfer_to"); !to.empty())
    words += ", transfer to " + to + ": " + text(record, "transfer_outcome");
  return words;
}

std::string seconds(Duration duration) {
  return std::to_string(duration / 1s) + " s";
}

} // namespace

bool CallWatch::is_news(std::string_view event) {
  const auto document = JsonDocument::parse(event);
  if (!document)
    return false;
  const std::string kind = text(document->root(), "event");
  return kind == "transfer" || kind == "transfer-ended" ||
         kind == "answered-by";
}

CallWatch::Step CallWatch::looked(TimePoint now, int http_status,
                                  std::string_view body) {
  Step step;
  if (http_status != 200 && http_status != 404) {
    step.problem = "placed, but the server's API answers HTTP " +
                   std::to_string(http_status) + " (server.api_token?)";
    return step;
  }
  const auto document = JsonDocument::parse(body);
  if (http_status == 404 || !document) {
    if (now - begun_ > ring_timeout_ + kUnheard)
      step.problem = "the server has heard nothing of the call for " +
                     seconds(now - begun_) +
                     ": does server.public_url lead to it?";
    return step;
  }
  const JsonView record = document->root();
  std::string state = text(record, "status");
  if (record["ended_ms"].integer().value_or(0) != 0) {
    step.over = state == "completed" &&
                record["answered_ms"].integer().value_or(0) != 0;
    state = how_it_ended(record);
  } else if (state == "ringing") {
    if (!ringing_)
      ringing_ = now;
    if (now - *ringing_ > ring_timeout_ + kRingingSlack)
      step.problem = "the server was told " + seconds(now - *ringing_) +
                     " ago that it rings, and nothing since; Twilio lets it "
                     "ring for " +
                     seconds(ring_timeout_) +
                     ". How it ended says Twilio's console";
  } else {
    step.answered = true;
    if (misses_ >= kMostMisses)
      step.problem = "the server does not know the call any more: it was "
                     "started anew. How it ended says Twilio's console";
    if (const std::string who = text(record, "answered_by"); !who.empty())
      state += ", answered by " + who;
    if (text(record, "transfer_outcome") == "asked")
      state += ", being put through to " + text(record, "transfer_to");
  }
  if (state != std::exchange(state_, state))
    step.show = state;
  return step;
}

} // namespace patchcord::cli
