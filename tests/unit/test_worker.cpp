// SPDX-License-Identifier: LGPL-2.1-or-later
#include "worker/worker_pool.hpp"

#include <glib-unix.h>

#include <algorithm>
#include <condition_variable>
#include <random>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace patchcord;

static void test_wheel_fires_in_order() {
  TimerWheel wheel(0ms);
  std::mt19937 random(7);
  std::uniform_int_distribution<std::int64_t> spread(0, 3'000'000);
  constexpr int kCount = 3000;
  std::vector<TimerWheel::Entry> entries(kCount);
  std::vector<TimePoint> fired;
  TimePoint now{};
  for (auto &entry : entries) {
    entry.fire = [&] { fired.push_back(entry.deadline()); };
    wheel.arm(entry, std::chrono::milliseconds(spread(random)));
  }
  while (const auto next = wheel.next()) {
    g_assert_true(*next > now || fired.empty());
    now = *next;
    wheel.advance(now);
    for (const auto deadline : fired)
      g_assert_true(deadline <= now);
  }
  g_assert_cmpuint(fired.size(), ==, kCount);
  g_assert_true(std::is_sorted(fired.begin(), fired.end()));
}

static void test_wheel_never_early() {
  TimerWheel wheel(0ms);
  TimerWheel::Entry entry;
  bool fired = false;
  entry.fire = [&] { fired = true; };
  wheel.arm(entry, 10ms + 1us);
  wheel.advance(10ms + 249us);
  g_assert_false(fired);
  wheel.advance(10ms + 250us);
  g_assert_true(fired);
}

static void test_wheel_rearm_and_disarm() {
  TimerWheel wheel(5ms);
  TimerWheel::Entry a, b;
  int ran = 0;
  b.fire = [&] { ran += 100; };
  a.fire = [&] {
    if (++ran < 5)
      wheel.arm(a, 0ms); // the past: fires on the next tick
    b.disarm();
  };
  wheel.arm(a, 7ms);
  wheel.arm(b, 7ms); // same tick, armed later, disarmed by a
  wheel.advance(100ms);
  g_assert_cmpint(ran, ==, 5);
  g_assert_cmpuint(wheel.armed(), ==, 0);
  // Far out: past the top wheel's turn.
  wheel.arm(a, std::chrono::hours(24 * 40));
  TimePoint now = 100ms;
  while (const auto next = wheel.next()) {
    now = *next;
    wheel.advance(now);
  }
  g_assert_true(now >= std::chrono::hours(24 * 40));
  g_assert_cmpint(ran, ==, 6);
}

static void test_virtual_time_jumps() {
  const auto worker = Worker::create_virtual();
  std::vector<int> order;
  const TimePoint start = worker->now();
  Timer a = worker->after(3600s, [&] { order.push_back(2); });
  Timer b = worker->after(10ms, [&] {
    order.push_back(1);
    worker->post([&] { order.push_back(11); });
  });
  Timer c = worker->after(20ms, [&] { order.push_back(99); });
  c.cancel();
  g_assert_true(
      worker->run_until([&] { return order.size() == 3; }, start + 7200s));
  g_assert_true(worker->now() == start + 3600s);
  g_assert_true((order == std::vector<int>{1, 11, 2}));
  g_assert_cmpuint(worker->armed_timers(), ==, 0);
}

static void test_virtual_sockets() {
  const auto worker = Worker::create_virtual();
  int pair[2];
  g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), ==,
                  0);
  std::string got;
  FdWatch watch = worker->watch(pair[0], EPOLLIN, [&](std::uint32_t) {
    char buffer[16];
    const auto n = read(pair[0], buffer, sizeof buffer);
    if (n <= 0) {
      watch.reset(); // from within its own callback
      return;
    }
    got.append(buffer, static_cast<std::size_t>(n));
  });
  Timer timer = worker->after(1s, [&] {
    g_assert_cmpint(write(pair[1], "hello", 5), ==, 5);
    close(pair[1]);
  });
  worker->run_for(2s);
  g_assert_cmpstr(got.c_str(), ==, "hello");
  g_assert_cmpuint(worker->watched_fds(), ==, 0);
  close(pair[0]);
}

static void test_call_from_elsewhere() {
  const auto worker = Worker::start("test");
  int value = 0;
  for (int i = 0; i < 1000; ++i)
    worker->post([&] { ++value; });
  worker->call([&] {
    g_assert_true(worker->on_thread());
    worker->call([&] { value += 1; }); // nested: at once
  });
  g_assert_cmpint(value, ==, 1001);
  worker->post([&] { ++value; });
  worker->stop(); // what was posted before still runs
  g_assert_cmpint(value, ==, 1002);
  worker->call([&] { ++value; }); // stopped: runs here
  g_assert_cmpint(value, ==, 1003);
}

static void test_glib_sources() {
  const auto worker = Worker::start("test");
  std::mutex mutex;
  std::condition_variable ready;
  int seen = 0;
  const auto bump = [&] {
    const std::lock_guard lock(mutex);
    ++seen;
    ready.notify_one();
  };
  int pipe_fds[2];
  g_assert_true(g_unix_open_pipe(pipe_fds, 0, nullptr));
  struct Shared {
    std::function<void()> bump;
  } shared{bump};
  worker->call([&] {
    // A timeout, an idle and a descriptor, attached from the worker's thread
    // outside of an iteration.
    GSource *timeout = g_timeout_source_new(5);
    g_source_set_callback(
        timeout,
        [](gpointer data) -> gboolean {
          static_cast<Shared *>(data)->bump();
          return G_SOURCE_REMOVE;
        },
        &shared, nullptr);
    g_source_attach(timeout, worker->context());
    g_source_unref(timeout);
    GSource *fd = g_unix_fd_source_new(pipe_fds[0], G_IO_IN);
    g_source_set_callback(
        fd, G_SOURCE_FUNC(+[](gint, GIOCondition, gpointer data) -> gboolean {
          static_cast<Shared *>(data)->bump();
          return G_SOURCE_REMOVE;
        }),
        &shared, nullptr);
    g_source_attach(fd, worker->context());
    g_source_unref(fd);
  });
  g_main_context_invoke(
      worker->context(),
      [](gpointer data) -> gboolean {
        static_cast<Shared *>(data)->bump();
        return G_SOURCE_REMOVE;
      },
      &shared);
  g_assert_cmpint(write(pipe_fds[1], "x", 1), ==, 1);
  {
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return seen == 3; });
  }
  worker->stop();
  close(pipe_fds[0]);
  close(pipe_fds[1]);
}

static void test_service_dies_on_worker() {
  struct Service {
    explicit Service(Worker &owner) : worker(owner) {}
    ~Service() { g_assert_true(worker.on_thread()); }
    Worker &worker;
  };
  const auto worker = Worker::start("test");
  Service *first = nullptr, *second = nullptr;
  worker->call([&] { first = &worker->service<Service>(); });
  worker->call([&] { second = &worker->service<Service>(); });
  g_assert_true(first == second);
  worker->stop();
}

// The last reference goes with a task on the worker itself.
static void test_last_reference_on_worker() {
  std::mutex mutex;
  std::condition_variable ready;
  bool gone = false;
  struct Witness {
    std::function<void()> tell;
    ~Witness() { tell(); }
  };
  struct Service {
    explicit Service(Worker &) {}
    std::shared_ptr<Witness> witness;
  };
  {
    auto worker = Worker::start("test");
    worker->call([&] {
      worker->service<Service>().witness =
          std::shared_ptr<Witness>(new Witness{[&] {
            const std::lock_guard lock(mutex);
            gone = true;
            ready.notify_one();
          }});
    });
    Worker *raw = worker.get();
    raw->post([last = std::move(worker)] {});
  }
  std::unique_lock lock(mutex);
  ready.wait(lock, [&] { return gone; });
}

static void test_pool() {
  WorkerPool pool(3);
  g_assert_cmpuint(pool.size(), ==, 3);
  g_assert_cmpuint(WorkerPool(0).size(), >=, 1);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/timer-wheel/fires-in-order", test_wheel_fires_in_order);
  g_test_add_func("/timer-wheel/never-early", test_wheel_never_early);
  g_test_add_func("/timer-wheel/rearm-and-disarm-while-running",
                  test_wheel_rearm_and_disarm);
  g_test_add_func("/worker/virtual-time-jumps", test_virtual_time_jumps);
  g_test_add_func("/worker/virtual-time-with-sockets", test_virtual_sockets);
  g_test_add_func("/worker/call-from-another-thread", test_call_from_elsewhere);
  g_test_add_func("/worker/glib-sources-run", test_glib_sources);
  g_test_add_func("/worker/services-die-on-the-worker",
                  test_service_dies_on_worker);
  g_test_add_func("/worker/the-last-reference-may-go-on-the-worker",
                  test_last_reference_on_worker);
  g_test_add_func("/worker/pool", test_pool);
  return g_test_run();
}
