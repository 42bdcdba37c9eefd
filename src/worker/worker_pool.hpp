// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "worker/worker.hpp"

namespace patchcord {

// The daemon's workers: as many as cores unless told otherwise.
class WorkerPool {
public:
  explicit WorkerPool(unsigned count); // 0: the cores this process may use
  ~WorkerPool();
  const std::vector<std::shared_ptr<Worker>> &workers() const {
    return workers_;
  }
  std::size_t size() const { return workers_.size(); }

private:
  std::vector<std::shared_ptr<Worker>> workers_;
};

} // namespace patchcord
