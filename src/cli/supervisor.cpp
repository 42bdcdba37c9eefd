// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/supervisor.hpp"

#include "base/log.hpp"

#include <atomic>
#include <csignal>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

namespace patchcord::cli {
namespace {

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

} // namespace

// Outlives the supervisor for those who still hold a waker.
struct Supervisor::Wakeup {
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  ~Wakeup() { close(fd); }
};

// How many workers have not answered the last round yet.
struct Supervisor::Pulse {
  std::atomic<std::size_t> missing{0};
};

Supervisor::Supervisor() : wakeup_(std::make_shared<Wakeup>()) {
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
#ifdef HAVE_SYSTEMD
  std::uint64_t interval_us = 0;
  if (sd_watchdog_enabled(0, &interval_us) > 0)
    watchdog_ = std::chrono::microseconds(interval_us / 2); // sd_notify(3)
#endif
}

Supervisor::~Supervisor() { close(signals_); }

std::function<void()> Supervisor::waker() const {
  return [wakeup = wakeup_] {
    const std::uint64_t one = 1;
    // A full counter wakes as well.
    [[maybe_unused]] const auto written = write(wakeup->fd, &one, sizeof one);
  };
}

void Supervisor::notify([[maybe_unused]] const std::string &state) {
#ifdef HAVE_SYSTEMD
  sd_notify(0, state.c_str());
#endif
}

// A worker that hangs takes its calls with it: systemd starts the daemon anew
// when it hears nothing for a whole interval.
void Supervisor::beat(const std::vector<std::shared_ptr<Worker>> &workers) {
  if (pulse_ && pulse_->missing != 0) {
    log::error(std::to_string(pulse_->missing) +
               " workers do not answer: the watchdog is not told");
    return;
  }
  notify("WATCHDOG=1");
  pulse_ = std::make_shared<Pulse>();
  pulse_->missing = workers.size();
  for (const auto &worker : workers)
    worker->post([pulse = pulse_] { --pulse->missing; });
}

Supervisor::Woken
Supervisor::wait(Duration timeout,
                 const std::vector<std::shared_ptr<Worker>> &workers) {
  const RealClock clock;
  const TimePoint deadline = clock.now() + timeout;
  for (;;) {
    const TimePoint now = clock.now();
    if (timeout.count() >= 0 && now >= deadline)
      return Woken::kTimeout;
    Duration left = timeout.count() < 0 ? Duration(-1) : deadline - now;
    if (watchdog_.count() > 0) {
      if (now >= next_beat_) {
        beat(workers);
        next_beat_ = now + watchdog_;
      }
      const Duration until = next_beat_ - now;
      left = left.count() < 0 ? until : std::min(left, until);
    }
    pollfd fds[] = {{signals_, POLLIN, 0}, {wakeup_->fd, POLLIN, 0}};
    const int wait_ms =
        left.count() < 0
            ? -1
            : static_cast<int>(left / std::chrono::milliseconds(1)) + 1;
    if (poll(fds, 2, wait_ms) <= 0)
      continue;
    signalfd_siginfo info{};
    if ((fds[0].revents & POLLIN) != 0 &&
        read(signals_, &info, sizeof info) == sizeof info)
      return Woken::kSignal;
    std::uint64_t count = 0;
    if ((fds[1].revents & POLLIN) != 0 &&
        read(wakeup_->fd, &count, sizeof count) == sizeof count)
      return Woken::kAsked;
  }
}

} // namespace patchcord::cli
