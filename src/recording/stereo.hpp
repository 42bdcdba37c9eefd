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

// The way to the caller and back, by which what he hears is behind what was
// sent: that of the fastest mark, for a mark comes back when the audio before
// it was heard. Pure.
class WayMeter {
public:
  void take(const Event &event); // in their order
  std::int64_t samples() const;  // 0 when no mark tells

private:
  struct Mark {
    std::string name;
    std::int64_t due;
  };
  std::deque<Mark> marks_;
  std::int64_t end_ = 0, way_ = -1;
};

// Both sides of a call on one line of time, that of the caller's audio as it
// comes in: left the caller, right what he heard. What the agent sends is heard
// when the peer has played it, the way there and back later, and cut where a
// clear reached it. Pure.
class StereoMixer {
public:
  explicit StereoMixer(std::int64_t way) : way_(way) {}

  // In the order of the events; `audio` is that of kMedia and kSent.
  void take(const Event &event, ByteSpan audio);
  // Appends what cannot change any more, 16-bit samples, left and right in
  // turn; with `last` all of it. True when there is more, of which it appends
  // kMostAtOnce samples in a call. A caller's audio that comes later than
  // kMostLate is lost to it: nothing is kept for longer.
  bool mix(Bytes &pcm, bool last);
  static constexpr std::int64_t kMostLate = std::int64_t{8000} * 30;
  static constexpr std::int64_t kMostAtOnce = 16'000;

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

  const std::int64_t way_;
  std::int64_t now_ = 0, position_ = 0;
  twilio::InboundTimeline timeline_;
  std::int64_t left_base_ = -1; // where the timeline begins
  std::int64_t right_end_ = 0;
  Side left_, right_;
};

// Makes call.wav of a recording's other files, which it reads piece by piece:
// how long the call was costs no memory. When it fails there is none. Blocking.
Result<> write_stereo(const std::string &folder);

} // namespace patchcord::recording
