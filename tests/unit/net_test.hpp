// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "net/websocket.hpp"

#include <glib.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

// What happened, in order; written on a worker, awaited by the test.
class EventLog {
public:
  void add(std::string event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    changed_.notify_all();
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  std::size_t count(std::string_view event) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count(events_.begin(), events_.end(), event));
  }
  // Waits for an event that starts with `start` and returns it; fails the test
  // after 20 s of real time.
  std::string await(std::string_view start) {
    std::unique_lock lock(mutex_);
    std::string found;
    const bool came = changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      for (const auto &event : events_)
        if (event.substr(0, start.size()) == start)
          found = event;
      return !found.empty();
    });
    if (!came)
      g_error("no '%.*s' within 20 s; events: %s",
              static_cast<int>(start.size()), start.data(),
              joined_locked().c_str());
    return found;
  }
  // "open|text hello|closed 1000 bye 0"
  std::string joined() const {
    const std::lock_guard lock(mutex_);
    return joined_locked();
  }

private:
  std::string joined_locked() const {
    std::string out;
    for (const auto &event : events_)
      out += (out.empty() ? "" : "|") + event;
    return out;
  }
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> events_;
};

// Handlers that write a line for each call.
inline patchcord::net::WebSocket::Handlers logging_handlers(EventLog &log) {
  patchcord::net::WebSocket::Handlers handlers;
  handlers.open = [&log] { log.add("open"); };
  handlers.text = [&log](std::string_view text) {
    log.add("text " + (text.size() <= 200
                           ? std::string(text)
                           : std::to_string(text.size()) + " bytes"));
  };
  handlers.binary = [&log](patchcord::ByteSpan bytes) {
    log.add("binary " + (bytes.size() <= 200
                             ? std::string(patchcord::as_text(bytes))
                             : std::to_string(bytes.size()) + " bytes"));
  };
  handlers.closed = [&log](const patchcord::net::WebSocket::Closed &closed) {
    log.add("closed " + std::to_string(closed.code) + " " + closed.reason +
            " " + std::to_string(closed.http_status));
  };
  handlers.drained = [&log] { log.add("drained"); };
  return handlers;
}
