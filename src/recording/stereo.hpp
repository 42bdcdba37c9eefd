// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "recording/event.hpp"
#include "twilio/inbound_timeline.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace patchcord::recording {

// Both sides of a call on one line of time, that of the caller's audio as it
// comes in: left the caller, right what he heard. What the agent sends is heard
// when the peer has played it, and cut where a clear reached it. The way to the
// caller and back, by which what he hears is behind what was sent, is that of
// the fastest mark: a mark comes back when the audio before it was heard. Pure.
class StereoMixer {
public:
  explicit StereoMixer(const std::vector<Event> &events);

  // In the order of the events; `audio` is that of kMedia and kSent.
  void take(const Event &event, ByteSpan audio);
  // Appends what cannot change any more, 16-bit samples, left and right in
  // turn; with `last` all of it.
  void mix(Bytes &pcm, bool last);

  std::int64_t way() const { return way_; } // there and back, in samples

private:
  struct Run {
    std::int64_t begin = 0;
    Bytes audio;
    std::int64_t end() const {
      return begin + static_cast<std::int64_t>(audio.size());
    }
  };
  using Side = std::deque<Run>;
  void clear(std::int64_t position);
  std::int64_t end_of(const Side &side) const {
    return side.empty() ? position_ : side.back().end();
  }
  static std::uint8_t sample(Side &side, std::int64_t position);

  std::int64_t way_ = 0;
  std::int64_t now_ = 0, position_ = 0;
  twilio::InboundTimeline timeline_;
  std::int64_t left_base_ = -1; // where the timeline begins
  std::int64_t right_end_ = 0;
  Side left_, right_;
};

// Makes call.wav of a recording's other files. Blocking.
Result<> write_stereo(const std::string &folder);

} // namespace patchcord::recording
