// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/json.hpp"
#include "phone/phone_event.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace patchcord::phone {

// Prints a call while it happens: who speaks, what was recognised, what was
// decided, how long each turn took. Two sources: the phone's own events, and
// the agent's (docs/api.md, live events) when its API can be reached. Pure:
// text comes out through `write`, whole lines, plain ASCII unless words are
// not.
class LiveView {
public:
  struct Style {
    bool color = false;    // ANSI colours
    bool partials = false; // show partial transcripts in place (a terminal)
  };
  LiveView(const Style &style, std::function<void(std::string_view)> write);

  void phone(const PhoneEvent &event);
  // A live event of the agent's, at `at` since the call began. Anything that is
  // not one is passed over.
  void agent(Duration at, std::string_view json);

private:
  void agent_heard(const PhoneEvent &event);
  void agent_decided(Duration at, JsonView event);
  void turn_latency(Duration at, JsonView event);
  void line(Duration at, const char *color, std::string_view who,
            std::string_view text);

  const Style style_;
  const std::function<void(std::string_view)> write_;
  bool agent_known_ = false; // its events come
  bool partial_shown_ = false;
};

} // namespace patchcord::phone
