// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "worker/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace patchcord::cli {

// What `patchcord dial --wait` makes of what the server says about a call that
// Twilio was asked to place: pure. Until the call is answered the server knows
// it from Twilio's status callbacks alone, so that it is looked for; after that
// its events tell when there is something to look at.
class CallWatch {
public:
  // It rings so long at most.
  CallWatch(Duration ring_timeout, TimePoint begun)
      : ring_timeout_(ring_timeout), begun_(begun) {}

  struct Step {
    std::string show;         // what it does by now; empty: what it did
    std::optional<bool> over; // whether it was answered, and ended in order
    std::string problem;      // it cannot be followed, and why
    bool answered = false;    // its events can be followed
  };
  // The answer to GET /api/calls/{sid}.
  Step looked(TimePoint now, int http_status, std::string_view body);
  // Its events have ended; `any`: there were some.
  void followed(bool any) { misses_ = any ? 0 : misses_ + 1; }
  // Whether one of them (JSON) makes another look worth while.
  static bool is_news(std::string_view event);
  // What was shown last.
  const std::string &state() const { return state_; }

private:
  const Duration ring_timeout_;
  const TimePoint begun_;
  std::optional<TimePoint> ringing_;
  std::string state_;
  int misses_ = 0;
};

} // namespace patchcord::cli
