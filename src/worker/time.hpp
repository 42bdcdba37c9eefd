// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>

namespace patchcord {

// Durations, and points on a worker's clock, in nanoseconds. The clock's zero
// is arbitrary; only differences mean anything.
using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::nanoseconds;

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""us;

inline double to_ms(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}
inline double to_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

} // namespace patchcord
