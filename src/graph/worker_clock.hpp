// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "graph/handles.hpp"
#include "worker/worker.hpp"

namespace patchcord::graph {

// A GstClock that reads the worker's clock, so that a pipeline in virtual time
// stands still with it. It offers no clock ids to wait on: our elements wait on
// their worker's timers, never on a GstClock.
Ref<GstClock> make_worker_clock(const std::shared_ptr<Worker> &worker);

} // namespace patchcord::graph
