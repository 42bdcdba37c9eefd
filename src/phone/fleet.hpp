// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/guarded.hpp"
#include "phone/phone_call.hpp"
#include "worker/worker_pool.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace patchcord::phone {

// Some calls at once, on as many threads as cores. Each call lives on one of
// them; its 20 ms ticks are timers of that thread's wheel.
class Fleet {
public:
  struct Options {
    std::shared_ptr<const CallSetup> setup;
    int calls = 1;
    Duration ramp{}; // the starts are spread evenly over this
    // Of every call, on its worker; may be empty.
    std::function<void(Worker &, const PhoneEvent &)> event;
  };
  // `all_done` runs once, on one of the workers.
  Fleet(Options options, std::function<void()> all_done);
  ~Fleet(); // drops what is still alive
  Fleet(const Fleet &) = delete;
  Fleet &operator=(const Fleet &) = delete;

  // From any thread: all calls, and those not yet begun never begin.
  void hang_up(const std::string &why);
  // To the only call, from any thread: what REST would do to it.
  void update(const std::string &twiml);
  void complete();
  // For what else lives on the worker of an only call: runs `task` there and
  // waits.
  void on_first_worker(const std::function<void()> &task);
  struct Counts {
    int begun = 0, done = 0;
  };
  Counts counts();
  // When all are done; in the order in which they ended.
  std::vector<CallReport> take_reports();

private:
  // What lives on one worker and is touched there only.
  struct Lane {
    std::shared_ptr<Worker> worker;
    std::vector<Timer> starts;
    std::vector<std::shared_ptr<PhoneCall>> calls;
    bool stopped = false;
  };
  struct Shared {
    Counts counts;
    int expected = 0;
    std::vector<CallReport> reports;
  };

  void begin(Lane &lane);
  void to_first(const std::function<void(PhoneCall &)> &task);
  void done(CallReport report);

  const Options options_;
  const std::function<void()> all_done_;
  Guarded<Shared> shared_;
  WorkerPool pool_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

} // namespace patchcord::phone
