// SPDX-License-Identifier: LGPL-2.1-or-later
#include "worker/worker_pool.hpp"

#include <algorithm>
#include <sched.h>

namespace patchcord {
namespace {

unsigned usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
  return std::max(1U, std::thread::hardware_concurrency());
}

} // namespace

WorkerPool::WorkerPool(unsigned count) {
  if (count == 0)
    count = usable_cores();
  for (unsigned i = 0; i < count; ++i)
    workers_.push_back(Worker::start("worker-" + std::to_string(i)));
}

WorkerPool::~WorkerPool() {
  for (const auto &worker : workers_)
    worker->stop();
}

} // namespace patchcord
