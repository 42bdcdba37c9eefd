// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <mutex>
#include <utility>

namespace patchcord {

// Data that can only be reached with its lock held. std::mutex, not GMutex: the
// thread sanitizer does not see GMutex's futexes.
template <typename T> class Guarded {
public:
  Guarded() = default;
  explicit Guarded(T data) : data_(std::move(data)) {}

  template <typename F> decltype(auto) with(F &&use) {
    const std::lock_guard lock(mutex_);
    return use(data_);
  }

private:
  std::mutex mutex_;
  T data_{};
};

} // namespace patchcord
