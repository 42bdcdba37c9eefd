// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "call/call_registry.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

// An element that waits keeps its worker, and with it all the worker's calls.
// What can be known of that is checked before any call (call/threads.hpp); this
// names the culprit of what cannot.
namespace patchcord::call {

// The elements of `graph` that take a push just now, the last of each row:
// "filesink (mine)", with commas between them; empty: none. From any thread.
std::string elements_in_push(GstElement *graph);

// Asks each worker for a sign of life, from another thread.
class StallWatch {
public:
  StallWatch(CallRegistry &registry,
             std::vector<std::shared_ptr<Worker>> workers);
  // Every second or more: who has not turned since the last time is told of in
  // the log, once, with its calls that are in a push.
  void look();

private:
  struct Watched {
    std::shared_ptr<Worker> worker;
    std::shared_ptr<std::atomic<bool>> turned; // since it was asked
    TimePoint asked{};
    bool told = false;
  };
  void tell(const Watched &stalled, Duration since);

  CallRegistry &registry_;
  std::vector<Watched> watched_;
};

} // namespace patchcord::call
