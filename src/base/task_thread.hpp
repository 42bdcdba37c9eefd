// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace patchcord {

// A thread for what blocks: runs tasks one after another, in the order in which
// they were posted, from any thread. Its end waits for all of them.
class TaskThread {
public:
  // `name` is seen in debuggers, 15 characters at most. A `background` thread
  // gives way to others when processors are short.
  enum class Priority { kNormal, kBackground };
  explicit TaskThread(const char *name, Priority priority = Priority::kNormal);
  ~TaskThread();
  TaskThread(const TaskThread &) = delete;
  TaskThread &operator=(const TaskThread &) = delete;

  void post(std::function<void()> task);
  void flush(); // blocks until all that was posted is done

private:
  void run(Priority priority);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_; // last: it uses all of the above
};

} // namespace patchcord
