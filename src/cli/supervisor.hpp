// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "worker/worker.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace patchcord::cli {

// The main thread of the daemon: waits for signals, tells systemd that all is
// well (sd_notify(3)) while every worker answers, and wakes for the end.
class Supervisor {
public:
  // Blocks SIGINT and SIGTERM in this thread and in those it starts: made
  // before any other.
  Supervisor();
  ~Supervisor();
  Supervisor(const Supervisor &) = delete;
  Supervisor &operator=(const Supervisor &) = delete;

  enum class Woken { kSignal, kAsked, kTimeout };
  // Until a signal comes, wake() is called, or `timeout` (negative: none) has
  // passed. Keeps the watchdog quiet meanwhile.
  Woken wait(Duration timeout,
             const std::vector<std::shared_ptr<Worker>> &workers);
  // From any thread. Safe to call as long as its return value is held.
  std::function<void()> waker() const;

  // "READY=1", "STOPPING=1", "STATUS=..."
  static void notify(const std::string &state);

private:
  struct Wakeup;
  void beat(const std::vector<std::shared_ptr<Worker>> &workers);

  int signals_ = -1;
  const std::shared_ptr<Wakeup> wakeup_;
  Duration watchdog_{-1}; // how often to tell; negative: nobody wants to know
  TimePoint next_beat_{};
  struct Pulse;
  std::shared_ptr<Pulse> pulse_;
};

} // namespace patchcord::cli
