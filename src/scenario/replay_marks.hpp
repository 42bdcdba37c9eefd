// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "recording/event.hpp"
#include "twilio/peer_messages.hpp"

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace patchcord::scenario {

// When a replayed call's marks come back: as soon as the recording had heard as
// far. Not by their names: where marks are set depends on when others came
// back, to the millisecond, and so does how many there are. Pure.
class ReplayMarks {
public:
  // Of the recording: what was sent then, and the marks that came back.
  void recorded(const recording::Event &event);
  // What the call sends now.
  void sent(const twilio::peer::Message &message);
  // The marks that come back now, in order; each once.
  std::vector<std::string> take();
  bool due() const { return !out_.empty() && out_.front().place <= heard_; }

private:
  // Of the audio: samples since the last clear.
  struct Place {
    std::int64_t clears = 0, samples = 0;
    auto operator<=>(const Place &) const = default;
  };
  struct Mark {
    std::string name;
    Place place;
  };

  Place then_, now_, heard_{-1, 0};
  std::map<std::string, Place> recorded_; // marks that are out, by name
  std::deque<Mark> out_;
};

} // namespace patchcord::scenario
