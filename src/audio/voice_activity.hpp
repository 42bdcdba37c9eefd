// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "worker/time.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace patchcord::audio {

// Finds where speech begins and ends in telephone audio, by energy in 10 ms
// frames against an adaptive noise floor. Pure: samples in, events out; all
// times are audio time since the first sample. About 1 us a 20 ms frame.
class VoiceActivity {
public:
  struct Settings {
    int rate = 8000;              // Hz, mono
    Duration min_speech = 60ms;   // voiced this long before `started`
    Duration hangover = 500ms;    // unvoiced this long before `stopped`
    double threshold_db = 10.0;   // over the noise floor
    double floor_db = -50.0;      // dBFS below which nothing is voice
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

  bool speaking() const { return speaking_; }
  Duration position() const; // audio time pushed so far
  double level_db() const { return level_db_; } // of the last frame, dBFS
  void set_hangover(Duration hangover) { settings_.hangover = hangover; }

private:
  void end_frame(std::vector<Event> &events);

  Settings settings_;
  std::int64_t samples_ = 0; // pushed so far
  int frame_size_ = 80, in_frame_ = 0;
  std::int64_t energy_ = 0;
  double level_db_ = -96.0, noise_db_ = -60.0;
  bool speaking_ = false;
  std::int64_t candidate_ = -1; // first sample of a run of voiced frames
  std::int64_t last_voiced_ = -1;
};

} // namespace patchcord::audio
