// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchcord::fakes {

// What the fakes saw, for tests and benchmarks. GET /fake/stats gives
//
//   {"now_ns": N, "counters": {"NAME": N, ...},
//    "connections": [{"kind": "realtime", "id": 1, "closed": false,
//      "counters": {...},
//      "events": [{"name": "speech_stopped", "t_ns": N, "value": N}, ...]}],
//    "requests": [{"path": "...", "body": "..."}]}
//
// Times are CLOCK_MONOTONIC, so that they compare with those of other processes
// on the machine. POST /fake/reset forgets it all.
class Stats {
public:
  struct Event {
    std::string name;
    std::int64_t t_ns;
    std::int64_t value;
  };
  // A connection or an exchange. Shared: it may outlive its socket here.
  struct Connection {
    std::string kind; // "realtime", "chat", "tts" ...
    std::uint64_t id = 0;
    bool closed = false;
    std::map<std::string, std::int64_t> counters;
    std::vector<Event> events;
    void event(std::string_view name, std::int64_t t_ns,
               std::int64_t value = 0) {
      events.push_back({std::string(name), t_ns, value});
    }
  };

  void count(const std::string &name, std::int64_t by = 1) {
    counters_[name] += by;
  }
  // Also counts "KIND".
  std::shared_ptr<Connection> open(const std::string &kind);
  // A request worth reading in a test; not for hot paths.
  void request(std::string_view path, std::string_view body);
  void reset();
  std::string json(std::int64_t now_ns) const;

private:
  // The oldest are forgotten: a long benchmark must not fill the memory.
  static constexpr std::size_t kMaxConnections = 20'000;
  std::map<std::string, std::int64_t> counters_;
  std::deque<std::shared_ptr<Connection>> connections_;
  std::deque<std::pair<std::string, std::string>> requests_;
  std::uint64_t next_id_ = 1;
};

} // namespace patchcord::fakes
