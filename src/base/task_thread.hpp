// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace patchcord {

// Tasks for one thread, in the order in which they were posted, from any.
class TaskQueue {
public:
  void post(std::function<void()> task);
  // Of the thread: runs tasks until close(), and those before it.
  void run();
  void close();

private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool closed_ = false;
};

// A thread for what blocks. Its end waits for all that was posted.
class TaskThread {
public:
  // `name` is seen in debuggers, 15 characters at most. A `background` thread
  // gives way to others when processors are short.
  enum class Priority { kNormal, kBackground };
  explicit TaskThread(const char *name, Priority priority = Priority::kNormal);
  ~TaskThread();
  TaskThread(const TaskThread &) = delete;
  TaskThread &operator=(const TaskThread &) = delete;

  void post(std::function<void()> task) { queue_.post(std::move(task)); }
  void flush(); // blocks until all that was posted is done

private:
  TaskQueue queue_;
  std::thread thread_; // last: it uses the queue
};

} // namespace patchcord
