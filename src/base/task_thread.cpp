// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/task_thread.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <utility>

namespace patchcord {

void TaskQueue::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void TaskQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  wake_.notify_one();
}

void TaskQueue::run() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return closed_ || !tasks_.empty(); });
      if (tasks_.empty())
        return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

TaskThread::TaskThread(const char *name, Priority priority)
    : thread_([this, priority] {
        // On Linux a thread has a niceness of its own. Without it all goes as
        // well.
        constexpr int kNiceness = 10;
        if (priority == Priority::kBackground)
          (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()),
                            kNiceness);
        queue_.run();
      }) {
  pthread_setname_np(thread_.native_handle(), name);
}

TaskThread::~TaskThread() {
  queue_.close();
  thread_.join();
}

void TaskThread::flush() {
  const auto done = std::make_shared<std::promise<void>>();
  auto waits = done->get_future();
  post([done] { done->set_value(); });
  waits.wait();
}

} // namespace patchcord
