// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

namespace patchcord::fakes {

// A server VAD of the plainest kind: 5 ms frames louder than a fixed level.
// Written apart from the project's own, so that they do not share an error.
class FakeVad {
public:
  enum class Event { kNone, kStarted, kStopped };

  void configure(bool mulaw, int silence_ms) {
    mulaw_ = mulaw;
    silence_frames_ = (silence_ms + kFrameMs - 1) / kFrameMs;
  }
  std::int64_t bytes_per_ms() const { return mulaw_ ? 8 : 48; }
  static constexpr int kStartMs = 60; // voiced before it counts

  // Forgets what it was hearing.
  void reset() {
    filled_ = sum_ = 0;
    voiced_run_ = silent_run_ = 0;
    speaking_ = false;
  }
  bool speaking() const { return speaking_; }
  std::int64_t position_ms() const {
    return frames_ * kFrameMs;
  } // since the start

  // Feeds bytes and calls on_frame(Event, bool voiced) at the end of each
  // frame.
  template <typename F> void push(ByteSpan bytes, F &&on_frame) {
    const std::int64_t frame = bytes_per_ms() * kFrameMs;
    for (std::size_t i = 0; i < bytes.size(); ++i, ++filled_) {
      if (filled_ == frame) {
        const bool voiced = is_voiced();
        on_frame(end_frame(voiced), voiced);
      }
      add(bytes, i);
    }
    if (filled_ == frame) {
      const bool voiced = is_voiced();
      on_frame(end_frame(voiced), voiced);
    }
  }

private:
  static constexpr int kFrameMs = 5;
  static constexpr std::int64_t kLevel = 300; // mean magnitude, of 32768

  static constexpr std::array<std::uint16_t, 256> kMagnitude = [] {
    std::array<std::uint16_t, 256> table{};
    for (unsigned code = 0; code < 256; ++code) { // G.711, table 2a
      const unsigned bits = ~code & 0xffU;
      const unsigned segment = bits >> 4 & 7U, step = bits & 15U;
      table[code] =
          static_cast<std::uint16_t>((((2 * step + 33) << segment) - 33) * 4);
    }
    return table;
  }();

  void add(ByteSpan bytes, std::size_t i) {
    if (mulaw_) {
      sum_ += kMagnitude[bytes[i]];
    } else if (filled_ % 2 == 0) {
      low_ = bytes[i];
    } else {
      const auto sample = static_cast<std::int16_t>(low_ | bytes[i] << 8);
      sum_ += std::abs(int{sample});
    }
  }
  bool is_voiced() const {
    return sum_ / (bytes_per_ms() * kFrameMs / (mulaw_ ? 1 : 2)) > kLevel;
  }

  Event end_frame(bool voiced) {
    filled_ = sum_ = 0;
    ++frames_;
    // A frame between two periods of a low voice may be a soft one.
    voiced_run_ = voiced ? voiced_run_ + 1 : std::max(0, voiced_run_ - 2);
    silent_run_ = voiced ? 0 : silent_run_ + 1;
    if (!speaking_ && voiced_run_ * kFrameMs >= kStartMs) {
      speaking_ = true;
      return Event::kStarted;
    }
    if (speaking_ && silent_run_ >= silence_frames_) {
      speaking_ = false;
      return Event::kStopped;
    }
    return Event::kNone;
  }

  bool mulaw_ = false, speaking_ = false;
  int silence_frames_ = 40, voiced_run_ = 0, silent_run_ = 0;
  std::int64_t filled_ = 0, sum_ = 0, frames_ = 0;
  unsigned low_ = 0;
};

} // namespace patchcord::fakes
