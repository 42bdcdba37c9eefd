// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"

#include <cstdint>

namespace patchcord::twilio {

// Makes one continuous line of 8 kHz samples of media messages, whose
// timestamps are in ms, start at about 100 to 170, and jitter by some ms around
// steps of 20. Where audio is missing the line has silence, so that a position
// on it is a time. Pure.
class InboundTimeline {
public:
  // What a message adds to the line, from `position` on: first `silence`
  // samples of 0xFF, then `audio`. Nothing when the message was dropped.
  struct Step {
    std::uint64_t position = 0;
    // The line goes back by so many samples of the silence that was made up:
    // what comes now was said while it lasted.
    std::uint32_t back = 0;
    std::uint32_t silence = 0;
    ByteSpan audio;
  };
  struct Counts {
    std::uint64_t gaps = 0;        // filled with silence
    std::uint64_t gap_samples = 0; // so much of it
    std::uint64_t shortened = 0;   // gaps of more than kMaxGap
    std::uint64_t dropped = 0;     // messages of times already covered
    std::uint64_t resyncs = 0;     // timestamps that began anew
    std::uint64_t made_up = 0; // times that no message came, and silence did
    std::uint64_t late = 0;    // of these, when messages were only late
  };

  // The longest silence for one gap, in samples: 10 s, by when the stream would
  // have been given up for lost.
  static constexpr std::int64_t kMaxGap = 80'000;

  Step push(std::int64_t timestamp_ms, ByteSpan mulaw);
  // No message has come for so many samples: they are silence, until the next
  // one tells what became of them. Lost, they stay that; late, the line goes
  // back to where it was.
  void make_up(std::uint32_t samples);
  // Silence that was made up since the last message, in samples.
  std::uint32_t made_up() const { return made_up_; }
  // Nobody listened for a while: the line goes on with the next message,
  // without silence for what was missed.
  void skip() {
    last_ms_ = -1;
    made_up_ = 0;
  }

  std::uint64_t position() const { return position_; }
  const Counts &counts() const { return counts_; }

private:
  bool in_order(std::int64_t timestamp_ms);

  std::uint64_t position_ = 0; // samples so far
  std::uint32_t made_up_ = 0;  // the last of them
  double origin_ = 0;          // sample time of position 0
  std::int64_t last_ms_ = -1;  // of the message before; -1: none
  int behind_ = 0;             // messages in a row that were not ahead of it
  Counts counts_;
};

} // namespace patchcord::twilio
