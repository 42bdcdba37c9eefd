// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/peer_clock.hpp"

#include <algorithm>
#include <utility>

namespace patchcord::twilio {
namespace {

// Timers and reads are late by less.
constexpr Duration kUneven = 40ms;
// The peer's clock, and the timers that send, are off by up to this.
constexpr Duration kClocks = 5ms;
// Nobody plays by so much faster than real time.
constexpr Duration kHasty = 20ms;
// More is no jitter.
constexpr Duration kMost = 150ms;
constexpr int kMean = 8; // of marks

} // namespace

void PeerClock::sent(std::uint64_t samples, TimePoint now) {
  if (now >= end_) { // The peer ran dry: a new run begins.
    end_ = now;
    moved_ = last_excess_ = {};
    echoes_ = 0;
  }
  end_ += static_cast<std::int64_t>(samples) * kSampleTime;
  sent_ += samples;
}

void PeerClock::cleared(std::uint64_t position, TimePoint now) {
  sent_ = position;
  end_ = std::min(end_, now);
  moved_ = last_excess_ = {};
  echoes_ = 0;
}

std::uint64_t PeerClock::played(TimePoint now) const {
  if (now >= end_)
    return sent_;
  // A sample that is being played is not heard yet.
  const auto left = static_cast<std::uint64_t>(
      (end_ - now + kSampleTime - Duration{1}) / kSampleTime);
  return left < sent_ ? sent_ - left : 0;
}

bool PeerClock::may_have_played(TimePoint due, TimePoint now) const {
  return now + kClocks >= earliest(due);
}

bool PeerClock::is_hasty(TimePoint due, TimePoint now) const {
  return now + kHasty < earliest(due);
}

Duration PeerClock::echoed(TimePoint due, TimePoint now) {
  const Duration lag = std::max(now, earliest(due)) - due;
  if (!seen_echo_) {
    seen_echo_ = true;
    round_trip_ = lag;
    ++echoes_;
    return {};
  }
  const bool first = echoes_++ == 0;
  seen(lag - round_trip_);
  seen(round_trip_ - lag);
  if (first)
    usual_ +=
        (std::clamp(lag - round_trip_, Duration{}, kMost) - usual_) / kMean;
  if (lag < round_trip_) {
    // The peer is less far behind than was thought, or marks are faster than
    // any before.
    const Duration back = std::min(round_trip_ - lag, moved_);
    moved_ -= back;
    end_ -= back;
    round_trip_ = lag + back;
    last_excess_ = {};
    return -back;
  }
  // One late mark may be the network's; what two in a row have in common is
  // that the peer plays later.
  const Duration excess = lag - round_trip_;
  const Duration forward = std::min(excess, last_excess_);
  last_excess_ = excess - forward;
  moved_ += forward;
  end_ += forward;
  if (!first)
    jitter_ += (std::min(last_excess_, kMost) - jitter_) / kMean;
  return forward;
}

Duration PeerClock::answered(Duration took) {
  if (!std::exchange(seen_echo_, true))
    round_trip_ = took;
  const Duration late = took - round_trip_;
  seen(late);
  seen(-late);
  usual_ += (std::clamp(late, Duration{}, kMost) - usual_) / kMean;
  round_trip_ = std::min(round_trip_, took);
  return late;
}

void PeerClock::distrust() {
  seen_echo_ = false;
  echoes_ = 0;
  end_ -= moved_;
  moved_ = last_excess_ = jitter_ = spread_ = usual_ = {};
}

Duration PeerClock::behind() const {
  const bool jitter = echoes_ > 1 && last_excess_ <= kMost;
  return jitter ? Duration{} : std::max(last_excess_ - jitter_, Duration{});
}

bool PeerClock::uneven() const { return spread_ > kUneven; }

void PeerClock::seen(Duration late) {
  spread_ = std::clamp(late, spread_, std::max(spread_, kMost));
}

} // namespace patchcord::twilio
