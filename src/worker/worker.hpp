// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/handles.hpp"
#include "worker/clock.hpp"
#include "worker/timer_wheel.hpp"

#include <any>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <typeindex>
#include <unordered_map>
#include <vector>

namespace patchcord {

class Worker;

// A timer that belongs to its owner: destroying or cancelling it means that the
// callback will not run. Use it on its worker only.
class Timer {
public:
  Timer() = default;
  Timer(Timer &&) = default;
  Timer &operator=(Timer &&) = default;
  bool armed() const { return entry_ && entry_->armed(); }
  bool has_task() const { return entry_ != nullptr; }
  void cancel() {
    if (entry_)
      entry_->disarm();
  }

private:
  friend class Worker;
  std::unique_ptr<TimerWheel::Entry> entry_;
};

// A file descriptor watched on the worker's epoll set, level-triggered. The
// descriptor stays the owner's; destroy the watch before closing it.
class FdWatch {
public:
  FdWatch() = default;
  FdWatch(FdWatch &&other) noexcept;
  FdWatch &operator=(FdWatch &&other) noexcept;
  ~FdWatch() { reset(); }
  void reset();
  // EPOLLIN, EPOLLOUT ...; errors and hang-ups are always reported.
  void set_events(std::uint32_t events);
  explicit operator bool() const { return worker_ != nullptr; }

private:
  friend class Worker;
  Worker *worker_ = nullptr;
  int fd_ = -1;
};

// One thread that runs calls: an epoll set for sockets, a timer wheel, a
// mailbox for other threads, and a GMainContext for libsoup and GLib's own
// sources, which is nested in the epoll set (docs/architecture.md says why not
// the other way round). Everything a call does happens on its worker.
class Worker : public std::enable_shared_from_this<Worker> {
public:
  struct Passkey {
    explicit Passkey() = default;
  };

  // Starts a thread that runs until stop() or the last reference goes.
  static std::shared_ptr<Worker> start(const std::string &name);
  // No thread and no real time: the caller drives it with run_until*() on its
  // own thread, which counts as the worker's.
  static std::shared_ptr<Worker> create_virtual();

  Worker(Passkey, bool is_virtual);
  ~Worker();
  Worker(const Worker &) = delete;
  Worker &operator=(const Worker &) = delete;

  // Ends the thread after what was posted has run. Idempotent. Not from the
  // worker itself.
  void stop();

  const Clock &clock() const { return *clock_; }
  TimePoint now() const { return clock_->now(); }
  GMainContext *context() const { return context_.get(); }
  bool on_thread() const;
  bool is_virtual() const { return virtual_clock_ != nullptr; }

  // From any thread: runs `task` on the worker, in order, soon.
  void post(std::function<void()> task);
  // From any thread: runs `task` on the worker and returns when it has run; at
  // once when this is the worker already, or when the worker has stopped.
  void call(const std::function<void()> &task);

  // The rest: on the worker only.
  Timer at(TimePoint deadline, std::function<void()> fire);
  Timer after(Duration delay, std::function<void()> fire) {
    return at(now() + delay, std::move(fire));
  }
  // Arms `timer` again without a new allocation; keeps its callback.
  void rearm(Timer &timer, TimePoint deadline);
  [[nodiscard]] FdWatch watch(int fd, std::uint32_t events,
                              std::function<void(std::uint32_t)> ready);

  // A service of which each worker has one (the HTTP client, for instance):
  // made at first use on the worker, destroyed with it on its thread.
  template <typename T> T &service() {
    auto &slot = services_[std::type_index(typeid(T))];
    if (!slot)
      slot = std::make_shared<T>(*this);
    return *static_cast<T *>(slot.get());
  }

  // Virtual workers only. Runs what is ready, then jumps to the next timer, and
  // so on until `done()` holds or nothing is left before `deadline`. Returns
  // whether done() held.
  bool run_until(const std::function<bool()> &done, TimePoint deadline);
  void run_for(Duration duration);
  // Runs what is ready now and lets no time pass.
  void run_ready();

  // Counts for tests that look for leaks.
  std::size_t armed_timers() const { return wheel_.armed(); }
  std::size_t watched_fds() const { return watches_.size(); }

private:
  friend class FdWatch;
  struct Watch {
    std::function<void(std::uint32_t)> ready;
    std::uint32_t events;
    std::uint32_t generation;
  };

  void loop();
  // Waits at most `timeout` (negative: for ever) and dispatches. Returns
  // whether anything ran.
  bool iterate(Duration timeout);
  bool drain_mailbox();
  bool run_glib();
  void sync_glib_fds();
  void unwatch(int fd);
  void wake();

  const std::shared_ptr<Clock> clock_;
  VirtualClock *virtual_clock_ = nullptr;
  Ref<GMainContext> context_;
  int epoll_ = -1, mail_fd_ = -1;
  TimerWheel wheel_;
  std::unordered_map<int, std::shared_ptr<Watch>> watches_;
  std::uint32_t generation_ = 0;
  std::unordered_map<std::type_index, std::shared_ptr<void>> services_;

  // GLib's sources as of the last query.
  std::vector<GPollFD> glib_fds_;
  std::unordered_map<int, std::uint32_t> glib_registered_;
  TimePoint glib_deadline_{};
  bool glib_has_deadline_ = false;
  bool glib_ready_ = true;

  std::mutex mail_mutex_;
  std::vector<std::function<void()>> mail_;
  bool mail_closed_ = false;
  std::atomic<bool> stopping_{false};
  std::atomic<std::thread::id> thread_id_{};
  std::thread thread_;
};

} // namespace patchcord
