// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "worker/worker.hpp"

#include <functional>

namespace patchcord::fakes {

// As Worker::run_until() and run_for() of a virtual worker, for tests whose
// sockets talk to one another within this process: time stands still while
// bytes are on their way. Loopback delivers at once on an idle machine only; on
// a busy one a jump to the next timer would come before the answer.
bool run_networked(Worker &worker, const std::function<bool()> &done,
                   TimePoint deadline);
void run_networked_for(Worker &worker, Duration duration);

} // namespace patchcord::fakes
