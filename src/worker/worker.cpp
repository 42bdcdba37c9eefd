// SPDX-License-Identifier: LGPL-2.1-or-later
#include "worker/worker.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace patchcord {
namespace {

// Marks in epoll_event.data: what the descriptor is. Watches carry their
// generation so that an event of a descriptor number that was closed and opened
// again within one batch finds nothing.
constexpr std::uint32_t kMailbox = 0xffffffff;
constexpr std::uint32_t kGlib = 0xfffffffe;

std::uint64_t pack(int fd, std::uint32_t mark) {
  return static_cast<std::uint64_t>(mark) << 32 |
         static_cast<std::uint32_t>(fd);
}

std::uint32_t to_epoll(gushort events) {
  return ((events & G_IO_IN) != 0 ? EPOLLIN : 0U) |
         ((events & G_IO_OUT) != 0 ? EPOLLOUT : 0U) |
         ((events & G_IO_PRI) != 0 ? EPOLLPRI : 0U);
}

} // namespace

FdWatch::FdWatch(FdWatch &&other) noexcept
    : worker_(std::exchange(other.worker_, nullptr)),
      fd_(std::exchange(other.fd_, -1)) {}

FdWatch &FdWatch::operator=(FdWatch &&other) noexcept {
  if (this != &other) {
    reset();
    worker_ = std::exchange(other.worker_, nullptr);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void FdWatch::reset() {
  if (Worker *worker = std::exchange(worker_, nullptr))
    worker->unwatch(fd_);
}

void FdWatch::set_events(std::uint32_t events) {
  if (worker_ == nullptr)
    return;
  auto &watch = *worker_->watches_.at(fd_);
  if (watch.events == events)
    return;
  watch.events = events;
  epoll_event event{};
  event.events = events;
  event.data.u64 = pack(fd_, watch.generation);
  epoll_ctl(worker_->epoll_, EPOLL_CTL_MOD, fd_, &event);
}

Worker::Worker(Passkey, bool is_virtual)
    : clock_(is_virtual ? std::static_pointer_cast<Clock>(
                              std::make_shared<VirtualClock>())
                        : std::static_pointer_cast<Clock>(
                              std::make_shared<RealClock>())),
      virtual_clock_(is_virtual ? static_cast<VirtualClock *>(clock_.get())
                                : nullptr),
      // Without "ownerless polling" a source attached from this thread outside
      // of an iteration would not wake the context.
      context_(Ref<GMainContext>::adopt(g_main_context_new_with_flags(
          G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING))),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      mail_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), wheel_(clock_->now()) {
  if (epoll_ < 0 || mail_fd_ < 0)
    std::abort(); // Out of descriptors at start: nothing could work.
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = pack(mail_fd_, kMailbox);
  epoll_ctl(epoll_, EPOLL_CTL_ADD, mail_fd_, &event);
}

std::shared_ptr<Worker> Worker::start(const std::string &name) {
  // The last reference may go on the worker itself, which cannot join itself:
  // then somebody else has to.
  const auto destroy = [](Worker *worker) {
    if (worker->on_thread())
      std::thread([worker] { delete worker; }).detach();
    else
      delete worker;
  };
  std::shared_ptr<Worker> worker(new Worker(Passkey{}, false), destroy);
  worker->thread_ = std::thread([raw = worker.get()] { raw->loop(); });
  pthread_setname_np(worker->thread_.native_handle(),
                     name.substr(0, 15).c_str());
  return worker;
}

std::shared_ptr<Worker> Worker::create_virtual() {
  auto worker = std::make_shared<Worker>(Passkey{}, true);
  worker->thread_id_ = std::this_thread::get_id();
  return worker;
}

Worker::~Worker() {
  stop();
  services_.clear();
  close(mail_fd_);
  close(epoll_);
}

bool Worker::on_thread() const {
  return thread_id_.load(std::memory_order_relaxed) ==
         std::this_thread::get_id();
}

void Worker::stop() {
  stopping_ = true;
  if (thread_.joinable()) {
    wake();
    thread_.join();
  }
}

void Worker::wake() {
  const std::uint64_t one = 1;
  // A full counter means that the worker is awake already.
  [[maybe_unused]] const auto written = write(mail_fd_, &one, sizeof one);
}

void Worker::post(std::function<void()> task) {
  bool first = false;
  {
    const std::lock_guard lock(mail_mutex_);
    if (mail_closed_)
      return;
    first = mail_.empty();
    mail_.push_back(std::move(task));
  }
  if (first)
    wake();
}

void Worker::call(const std::function<void()> &task) {
  if (on_thread()) {
    task();
    return;
  }
  struct Sync {
    std::mutex mutex;
    std::condition_variable ready;
    bool done = false;
  };
  const auto sync = std::make_shared<Sync>();
  bool nobody_runs_it = false;
  {
    const std::lock_guard lock(mail_mutex_);
    nobody_runs_it = mail_closed_ || virtual_clock_ != nullptr;
    if (!nobody_runs_it)
      mail_.emplace_back([&task, sync] {
        task();
        const std::lock_guard done_lock(sync->mutex);
        sync->done = true;
        sync->ready.notify_one();
      });
  }
  if (nobody_runs_it) {
    task(); // It may post.
    return;
  }
  wake();
  std::unique_lock lock(sync->mutex);
  sync->ready.wait(lock, [&] { return sync->done; });
}

Timer Worker::at(TimePoint deadline, std::function<void()> fire) {
  Timer timer;
  timer.entry_ = std::make_unique<TimerWheel::Entry>();
  timer.entry_->fire = std::move(fire);
  wheel_.arm(*timer.entry_, deadline);
  return timer;
}

void Worker::rearm(Timer &timer, TimePoint deadline) {
  if (timer.entry_)
    wheel_.arm(*timer.entry_, deadline);
}

FdWatch Worker::watch(int fd, std::uint32_t events,
                      std::function<void(std::uint32_t)> ready) {
  generation_ = (generation_ + 1) & 0x7fffffff;
  epoll_event event{};
  event.events = events;
  event.data.u64 = pack(fd, generation_);
  FdWatch handle;
  // The descriptor may be known from GLib: a connection taken over from libsoup
  // within its own dispatch, or a closed number used again. It is ours now.
  const bool was_glib = glib_registered_.erase(fd) != 0;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0 &&
      !(was_glib && epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0))
    return handle; // Empty: the descriptor cannot be watched.
  watches_[fd] =
      std::make_shared<Watch>(Watch{std::move(ready), events, generation_});
  handle.worker_ = this;
  handle.fd_ = fd;
  return handle;
}

void Worker::unwatch(int fd) {
  if (watches_.erase(fd) != 0)
    epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

bool Worker::drain_mailbox() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mail_mutex_);
    tasks.swap(mail_);
  }
  for (const auto &task : tasks)
    task();
  return !tasks.empty();
}

// Brings the epoll set up to what GLib's sources want polled now.
void Worker::sync_glib_fds() {
  int priority = 0;
  g_main_context_prepare(context_.get(), &priority);
  int timeout = -1;
  int count = 0;
  for (;;) {
    count = g_main_context_query(context_.get(), priority, &timeout,
                                 glib_fds_.data(),
                                 static_cast<int>(glib_fds_.size()));
    if (count <= static_cast<int>(glib_fds_.size()))
      break;
    glib_fds_.resize(static_cast<std::size_t>(count));
  }
  glib_fds_.resize(static_cast<std::size_t>(count));
  glib_has_deadline_ = timeout >= 0;
  if (timeout >= 0)
    glib_deadline_ = now() + std::chrono::milliseconds(timeout);
  std::unordered_map<int, std::uint32_t> wanted;
  for (const GPollFD &poll : glib_fds_)
    if (!watches_.contains(poll.fd))
      wanted[poll.fd] |= to_epoll(poll.events);
  for (auto it = glib_registered_.begin(); it != glib_registered_.end();) {
    if (wanted.contains(it->first)) {
      ++it;
    } else {
      epoll_ctl(epoll_, EPOLL_CTL_DEL, it->first, nullptr);
      it = glib_registered_.erase(it);
    }
  }
  for (const auto &[fd, events] : wanted) {
    const auto known = glib_registered_.find(fd);
    if (known != glib_registered_.end() && known->second == events)
      continue;
    epoll_event event{};
    event.events = events;
    event.data.u64 = pack(fd, kGlib);
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0)
      epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
    glib_registered_[fd] = events;
  }
}

bool Worker::run_glib() {
  if (!g_main_context_acquire(context_.get()))
    return false;
  bool ran = false;
  // Bounded: a source that is always ready must not starve the calls.
  for (int i = 0; i < 16 && g_main_context_iteration(context_.get(), FALSE);
       ++i)
    ran = true;
  glib_ready_ = false;
  // A descriptor closed during the dispatch left the epoll set by itself, and
  // its number may be another's by now: register all anew.
  for (const auto &[fd, events] : glib_registered_)
    epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  glib_registered_.clear();
  sync_glib_fds();
  g_main_context_release(context_.get());
  return ran;
}

bool Worker::iterate(Duration timeout) {
  constexpr int kBatch = 128;
  epoll_event events[kBatch];
  std::timespec wait{};
  if (timeout.count() >= 0) {
    wait.tv_sec = timeout.count() / 1'000'000'000;
    wait.tv_nsec = timeout.count() % 1'000'000'000;
  }
  int count = epoll_pwait2(epoll_, events, kBatch,
                           timeout.count() >= 0 ? &wait : nullptr, nullptr);
  if (count < 0 && errno == ENOSYS) // Linux before 5.11
    count = epoll_wait(
        epoll_, events, kBatch,
        timeout.count() < 0
            ? -1
            : static_cast<int>((timeout.count() + 999'999) / 1'000'000));
  bool ran = false;
  bool mail = false;
  for (int i = 0; i < count; ++i) {
    const auto mark = static_cast<std::uint32_t>(events[i].data.u64 >> 32);
    const int fd = static_cast<int>(events[i].data.u64 & 0xffffffff);
    if (mark == kMailbox) {
      std::uint64_t counter = 0;
      [[maybe_unused]] const auto got =
          read(mail_fd_, &counter, sizeof counter);
      mail = true;
    } else if (mark == kGlib) {
      glib_ready_ = true;
    } else if (const auto it = watches_.find(fd);
               it != watches_.end() && it->second->generation == mark) {
      // A copy: the callback may end its own watch.
      const auto watch = it->second;
      watch->ready(events[i].events);
      ran = true;
    }
  }
  ran = wheel_.advance(now()) != 0 || ran;
  if (mail)
    ran = drain_mailbox() || ran;
  if (glib_ready_ || (glib_has_deadline_ && now() >= glib_deadline_))
    ran = run_glib() || ran;
  return ran;
}

void Worker::loop() {
  thread_id_ = std::this_thread::get_id();
  g_main_context_push_thread_default(context_.get());
  while (!stopping_) {
    // Forever, or until the next timer or GLib's next timeout.
    Duration timeout{-1};
    const auto until = [&](TimePoint deadline) {
      const Duration left = std::max(deadline - now(), Duration::zero());
      timeout = timeout.count() < 0 ? left : std::min(timeout, left);
    };
    if (const auto next = wheel_.next())
      until(*next);
    if (glib_has_deadline_)
      until(glib_deadline_);
    if (glib_ready_)
      timeout = Duration::zero();
    iterate(timeout);
  }
  // What others posted before stop() still runs: they may wait for it.
  while (drain_mailbox()) {
  }
  services_.clear();
  while (g_main_context_iteration(context_.get(), FALSE)) {
  }
  for (;;) {
    {
      const std::lock_guard lock(mail_mutex_);
      if (mail_.empty()) {
        mail_closed_ = true;
        break;
      }
    }
    drain_mailbox();
  }
  g_main_context_pop_thread_default(context_.get());
}

void Worker::run_ready() {
  thread_id_ = std::this_thread::get_id();
  g_main_context_push_thread_default(context_.get());
  while (iterate(Duration::zero())) { // as loop() does
  }
  g_main_context_pop_thread_default(context_.get());
}

bool Worker::run_until(const std::function<bool()> &done, TimePoint deadline) {
  for (;;) {
    run_ready();
    if (done())
      return true;
    const auto next = wheel_.next();
    if (!next || *next > deadline) {
      virtual_clock_->advance_to(deadline);
      run_ready();
      return done();
    }
    virtual_clock_->advance_to(*next);
  }
}

void Worker::run_for(Duration duration) {
  run_until([] { return false; }, now() + duration);
}

} // namespace patchcord
