// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/guarded.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace patchcord::call {

// The live events of one call, for whoever follows it: what already happened
// comes first. Bounded: a long call forgets its oldest events for followers who
// come late; its record keeps all.
class EventLog : public std::enable_shared_from_this<EventLog> {
public:
  using Handler = std::function<void(std::optional<std::string>)>;

  void publish(std::string json);
  // For what only followers of the moment care about (partial transcripts):
  // not kept. `make` runs only when somebody follows.
  void publish_passing(const std::function<std::string()> &make);
  void close(); // followers get nullopt

  // Handlers run on whichever thread publishes, with the log locked: they hand
  // the event on and nothing else.
  std::function<void()> follow(Handler handler);

private:
  static constexpr std::size_t kMaxBytes = std::size_t{64} << 10;
  struct State {
    std::vector<std::string> kept;
    std::size_t bytes = 0;
    std::map<std::uint64_t, Handler> followers;
    std::uint64_t next_id = 0;
    bool closed = false;
  };
  Guarded<State> state_;
};

} // namespace patchcord::call
