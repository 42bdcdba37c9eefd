// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/task_thread.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <utility>

namespace patchcord {

TaskThread::TaskThread(const char *name, Priority priority)
    : thread_([this, priority] { run(priority); }) {
  pthread_setname_np(thread_.native_handle(), name);
}

TaskThread::~TaskThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void TaskThread::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void TaskThread::flush() {
  const auto done = std::make_shared<std::promise<void>>();
  auto waits = done->get_future();
  post([done] { done->set_value(); });
  waits.wait();
}

void TaskThread::run(Priority priority) {
  // On Linux a thread has a niceness of its own. Without it all goes as well.
  constexpr int kNiceness = 10;
  if (priority == Priority::kBackground)
    (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceness);
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty())
        return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

} // namespace patchcord
