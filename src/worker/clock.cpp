// SPDX-License-Identifier: LGPL-2.1-or-later
#include "worker/clock.hpp"

#include <algorithm>
#include <ctime>

namespace patchcord {

TimePoint RealClock::now() const {
  std::timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::chrono::seconds(now.tv_sec) +
         std::chrono::nanoseconds(now.tv_nsec);
}

void VirtualClock::advance_to(TimePoint time) {
  now_.store(std::max(now_.load(), time.count()));
}

} // namespace patchcord
