// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/peer_clock.hpp"

#include <algorithm>

namespace patchcord::twilio {

void PeerClock::sent(std::uint64_t samples, TimePoint now) {
  if (now >= end_) { // The peer ran dry: a new run begins.
    end_ = now;
    moved_ = last_excess_ = {};
  }
  end_ += static_cast<std::int64_t>(samples) * kSampleTime;
  sent_ += samples;
}

void PeerClock::cleared(std::uint64_t position, TimePoint now) {
  sent_ = position;
  end_ = std::min(end_, now);
  moved_ = last_excess_ = {};
}

std::uint64_t PeerClock::played(TimePoint now) const {
  if (now >= end_)
    return sent_;
  // A sample that is being played is not heard yet.
  const auto left = static_cast<std::uint64_t>(
      (end_ - now + kSampleTime - Duration{1}) / kSampleTime);
  return left < sent_ ? sent_ - left : 0;
}

Duration PeerClock::echoed(TimePoint due, TimePoint now) {
  const Duration lag = now - due;
  if (!seen_echo_) {
    seen_echo_ = true;
    round_trip_ = lag;
    return {};
  }
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
  return forward;
}

} // namespace patchcord::twilio
