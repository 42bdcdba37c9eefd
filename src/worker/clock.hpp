// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "worker/time.hpp"

#include <atomic>

namespace patchcord {

// The one source of time of a worker and of every call on it. now() may be read
// from any thread.
class Clock {
public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
};

// CLOCK_MONOTONIC, as GstSystemClock has it by default.
class RealClock final : public Clock {
public:
  TimePoint now() const override;
};

// Stands still until told to move.
class VirtualClock final : public Clock {
public:
  TimePoint now() const override { return TimePoint(now_.load()); }
  void advance_to(TimePoint time);

private:
  // Not 0: a zero running time hides bugs that a base time would show.
  std::atomic<TimePoint::rep> now_{1'000'000'000};
};

} // namespace patchcord
