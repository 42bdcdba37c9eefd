// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "worker/time.hpp"

namespace patchcord {

// What may as well happen a little earlier or later happens on the beat, which
// all calls of a worker share: one wake-up serves many of them.
constexpr Duration kBeat = 10ms;

// The last beat at or before `time`, and the first one at or behind it.
constexpr TimePoint beat_before(TimePoint time) { return time / kBeat * kBeat; }
constexpr TimePoint beat_after(TimePoint time) {
  return beat_before(time + kBeat - Duration{1});
}

} // namespace patchcord
