// SPDX-License-Identifier: LGPL-2.1-or-later
// What a wake-up for one hot descriptor costs: on a worker, whose epoll set has
// the GMainContext nested in it, and as a source of a GMainContext itself.
#include "figures.hpp"

#include "worker/worker.hpp"

#include <glib-unix.h>

#include <condition_variable>
#include <mutex>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

using namespace patchcord;

namespace {

constexpr int kWakeUps = 100'000;

// Descriptors on which nothing ever happens.
class IdleFds {
public:
  explicit IdleFds(int count) {
    for (int i = 0; i < count; ++i)
      fds_.push_back(eventfd(0, EFD_CLOEXEC));
  }
  ~IdleFds() {
    for (const int fd : fds_)
      close(fd);
  }
  IdleFds(const IdleFds &) = delete;
  IdleFds &operator=(const IdleFds &) = delete;
  const std::vector<int> &all() const { return fds_; }

private:
  std::vector<int> fds_;
};

// Readable for ever: each turn of the loop wakes for it once.
class HotFd {
public:
  ~HotFd() { close(fd_); }
  HotFd() = default;
  HotFd(const HotFd &) = delete;
  HotFd &operator=(const HotFd &) = delete;
  int get() const { return fd_; }

private:
  const int fd_ = eventfd(1, EFD_CLOEXEC);
};

GSource *add_idle_source(GMainContext *context, int fd) {
  GSource *source = g_unix_fd_source_new(fd, G_IO_IN);
  g_source_set_callback(
      source,
      G_SOURCE_FUNC(static_cast<GUnixFDSourceFunc>(
          [](int, GIOCondition, void *) -> gboolean { return TRUE; })),
      nullptr, nullptr);
  g_source_attach(source, context);
  return source;
}

void remove_sources(const std::vector<GSource *> &sources) {
  for (GSource *source : sources) {
    g_source_destroy(source);
    g_source_unref(source);
  }
}

double on_worker(int idle_watches, int idle_sources) {
  const IdleFds watched(idle_watches), polled(idle_sources);
  const HotFd hot;
  const auto worker = Worker::start("bench");
  std::vector<FdWatch> watches;
  std::vector<GSource *> sources;
  std::mutex mutex;
  std::condition_variable ready;
  double seconds = -1;
  int count = 0;
  double start = 0;
  worker->call([&] {
    for (const int fd : watched.all())
      watches.push_back(worker->watch(fd, EPOLLIN, [](std::uint32_t) {}));
    for (const int fd : polled.all())
      sources.push_back(add_idle_source(worker->context(), fd));
    watches.push_back(worker->watch(hot.get(), EPOLLIN, [&](std::uint32_t) {
      if (count++ == 0)
        start = thread_cpu_seconds();
      if (count <= kWakeUps)
        return;
      watches.pop_back();
      const std::lock_guard lock(mutex);
      seconds = thread_cpu_seconds() - start;
      ready.notify_one();
    }));
  });
  {
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return seconds >= 0; });
  }
  worker->call([&] {
    watches.clear();
    remove_sources(sources);
  });
  worker->stop();
  return seconds / kWakeUps * 1e6;
}

double on_main_context(int idle_sources) {
  const IdleFds polled(idle_sources);
  const HotFd hot;
  GMainContext *context = g_main_context_new();
  std::vector<GSource *> sources;
  for (const int fd : polled.all())
    sources.push_back(add_idle_source(context, fd));
  sources.push_back(add_idle_source(context, hot.get()));
  g_main_context_iteration(context, TRUE);
  constexpr int kTurns = kWakeUps / 10;
  const double start = thread_cpu_seconds();
  for (int i = 0; i < kTurns; ++i)
    g_main_context_iteration(context, TRUE);
  const double seconds = thread_cpu_seconds() - start;
  remove_sources(sources);
  g_main_context_unref(context);
  return seconds / kTurns * 1e6;
}

// 20 ms on, as a paced stream does, among others far out.
double timer(int armed) {
  TimerWheel wheel(0ms);
  std::vector<TimerWheel::Entry> idle(static_cast<std::size_t>(armed));
  for (int i = 0; i < armed; ++i)
    wheel.arm(idle[static_cast<std::size_t>(i)], 3600s + i * 1ms);
  TimerWheel::Entry hot;
  TimePoint now{};
  hot.fire = [&] { wheel.arm(hot, now + 20ms); };
  wheel.arm(hot, 20ms);
  const double start = thread_cpu_seconds();
  for (int i = 0; i < kWakeUps; ++i)
    wheel.advance(now += 20ms);
  return (thread_cpu_seconds() - start) / kWakeUps * 1e6;
}

} // namespace

int main() {
  print_figure(on_worker(10, 0), "us",
               "a wake-up on a worker with 10 idle descriptors");
  print_figure(on_worker(1000, 0), "us",
               "a wake-up on a worker with 1,000 idle descriptors");
  print_figure(on_worker(10, 1000), "us",
               "a wake-up on a worker with 1,000 idle GLib sources");
  print_figure(on_main_context(10), "us",
               "a wake-up of a GMainContext with 10 idle sources");
  print_figure(on_main_context(1000), "us",
               "a wake-up of a GMainContext with 1,000 idle sources");
  print_figure(timer(10), "us", "a timer fired and armed again, 10 armed");
  print_figure(timer(10000), "us",
               "a timer fired and armed again, 10,000 armed");
  return 0;
}
