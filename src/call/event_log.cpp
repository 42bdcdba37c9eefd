// SPDX-License-Identifier: LGPL-2.1-or-later
#include "call/event_log.hpp"

namespace patchcord::call {

void EventLog::publish(std::string json) {
  state_.with([&](State &state) {
    if (state.closed)
      return;
    for (const auto &[id, handler] : state.followers)
      handler(json);
    state.bytes += json.size();
    state.kept.push_back(std::move(json));
    std::size_t drop = 0;
    while (state.bytes > kMaxBytes)
      state.bytes -= state.kept[drop++].size();
    state.kept.erase(state.kept.begin(),
                     state.kept.begin() + static_cast<std::ptrdiff_t>(drop));
  });
}

void EventLog::publish_passing(const std::function<std::string()> &make) {
  state_.with([&](State &state) {
    if (state.closed || state.followers.empty())
      return;
    const std::string json = make();
    for (const auto &[id, handler] : state.followers)
      handler(json);
  });
}

void EventLog::close() {
  state_.with([](State &state) {
    if (state.closed)
      return;
    state.closed = true;
    for (const auto &[id, handler] : state.followers)
      handler(std::nullopt);
    state.followers.clear();
  });
}

std::function<void()> EventLog::follow(Handler handler) {
  const auto id = state_.with([&](State &state) {
    for (const std::string &json : state.kept)
      handler(json);
    if (state.closed)
      handler(std::nullopt);
    else
      state.followers.emplace(state.next_id, std::move(handler));
    return state.next_id++;
  });
  return [weak = weak_from_this(), id] {
    if (const auto log = weak.lock())
      log->state_.with([&](State &state) { state.followers.erase(id); });
  };
}

} // namespace patchcord::call
