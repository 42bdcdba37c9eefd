// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "worker/time.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace patchcord::audio {

// Finds where speech begins and ends in telephone audio, by energy in 10 ms
// frames against an adaptive noise floor. Pure: samples in, events out; all
// times are audio time since the first sample. About 0.2 us for 20 ms at 8 kHz.
//
// The floor is the lowest (smoothed) level of the last 1.5 s: speech falls
// silent for some hundredths of a second several times in that span, noise and
// tones do not. So noise that begins or grows is taken for speech for 1.5 s at
// most, and so is a steady tone such as ringback.
class VoiceActivity {
public:
  struct Settings {
    int rate = 8000;            // Hz, mono
    Duration min_speech = 60ms; // voiced this long before `started`
    Duration hangover = 500ms;  // unvoiced this long before `stopped`
    double threshold_db = 10.0; // over the noise floor
    double floor_db = -50.0;    // dBFS below which nothing is voice
  };
  struct Event {
    enum class Kind { kStarted, kStopped } kind;
    // kStarted: the first voiced sample; kStopped: the end of the last voiced
    // frame.
    Duration time;
    // When it was known: the end of the frame that decided it.
    Duration decided;
  };

  VoiceActivity();
  explicit VoiceActivity(const Settings &settings);

  // Appends what the samples bring about to `events`.
  void push(std::span<const std::int16_t> samples, std::vector<Event> &events);
  void push_mulaw(std::span<const std::uint8_t> mulaw,
                  std::vector<Event> &events);
  // The audio ended: speech under way stops here.
  void finish(std::vector<Event> &events);
  // Back to the first sample: forgets the noise floor and speech under way.
  void reset();

  bool speaking() const { return speaking_; }
  // The end of the last voiced frame; of use while somebody speaks.
  Duration voiced_until() const { return time_of(last_voiced_); }
  // Voiced, but not yet for long enough.
  bool may_begin() const { return !speaking_ && candidate_ >= 0; }
  Duration position() const;                    // audio time pushed so far
  double level_db() const { return level_db_; } // of the last frame, dBFS
  double noise_db() const { return noise_db_; } // the floor, dBFS
  void set_hangover(Duration hangover) { settings_.hangover = hangover; }

private:
  static constexpr int kSlots = 5;       // of the span of the noise floor
  static constexpr int kSlotFrames = 30; // 10 ms each

  template <typename Sample, typename Linear>
  void consume(std::span<const Sample> samples, Linear linear,
               std::vector<Event> &events);
  void end_frame(std::vector<Event> &events);
  void follow_noise();
  Duration time_of(std::int64_t sample) const;

  Settings settings_;
  int frame_size_ = 80, in_frame_ = 0;
  std::int64_t samples_ = 0; // pushed so far
  std::int64_t sum_ = 0, squares_ = 0;
  double level_db_ = -96.0, smooth_db_ = -96.0, noise_db_ = -60.0;
  std::array<double, kSlots> lowest_{}; // level of each 300 ms, a ring
  int slot_ = 0, slot_frames_ = 0;
  bool speaking_ = false;
  std::int64_t candidate_ = -1;   // first sample of a run of voiced frames
  std::int64_t last_voiced_ = -1; // end of the last voiced frame
};

} // namespace patchcord::audio
