// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "worker/time.hpp"

#include <cstdint>

// Line time: everything that a simulated call hears, says and measures has a
// place on one axis, in samples at 8 kHz since its media stream began. Sample 0
// is the first of both channels of the recording.
namespace patchcord::phone {

using Samples = std::int64_t;

inline constexpr Samples kRate = 8000;
// Twilio sends and plays 20 ms a packet.
inline constexpr Samples kFrame = 160;
inline constexpr Duration kFrameTime = 20ms;

constexpr Samples to_samples(Duration duration) {
  return duration.count() / (1'000'000'000 / kRate);
}
constexpr Duration to_duration(Samples samples) {
  return Duration(samples * (1'000'000'000 / kRate));
}
using patchcord::to_ms;
constexpr double to_ms(Samples samples) {
  return static_cast<double>(samples) * 1000.0 / static_cast<double>(kRate);
}

} // namespace patchcord::phone
