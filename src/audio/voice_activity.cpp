// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audio/voice_activity.hpp"

#include "audio/mulaw.hpp"

#include <algorithm>
#include <cmath>

namespace patchcord::audio {
namespace {

constexpr double kSilenceDb = -96.0;
// A lowest level lies below the mean level of the same noise: by about this
// much for the smoothed levels of 1.5 s of white or telephone noise.
constexpr double kLowestBiasDb = 1.5;
// Speech under way goes on down to this far below the level that began it, so
// that its soft ends belong to it.
constexpr double kHysteresisDb = 4.0;
// A line may be this noisy from its first sample (dB over `floor_db`) without
// being taken for speech; louder than that, and the caller is speaking already.
constexpr double kInitialNoiseDb = 10.0;
constexpr double kSmoothing = 0.4; // weight of the newest frame

constexpr std::array<std::int16_t, 256> make_linear_table() {
  std::array<std::int16_t, 256> table{};
  for (unsigned code = 0; code < 256; ++code)
    table[code] = mulaw_to_linear(static_cast<std::uint8_t>(code));
  return table;
}
constexpr auto kLinear = make_linear_table();

} // namespace

VoiceActivity::VoiceActivity() : VoiceActivity(Settings{}) {}

VoiceActivity::VoiceActivity(const Settings &settings)
    : settings_(settings), frame_size_(std::max(1, settings.rate / 100)) {
  reset();
}

void VoiceActivity::reset() {
  in_frame_ = 0;
  samples_ = sum_ = squares_ = 0;
  level_db_ = smooth_db_ = kSilenceDb;
  lowest_.fill(settings_.floor_db + kInitialNoiseDb);
  slot_ = slot_frames_ = 0;
  noise_db_ = settings_.floor_db - settings_.threshold_db;
  speaking_ = false;
  candidate_ = last_voiced_ = -1;
}

Duration VoiceActivity::time_of(std::int64_t sample) const {
  // In two parts: hours of samples times 1e9 would not fit.
  const std::int64_t rate = std::max(1, settings_.rate);
  return Duration(sample / rate * 1'000'000'000 +
                  sample % rate * 1'000'000'000 / rate);
}

Duration VoiceActivity::position() const { return time_of(samples_); }

template <typename Sample, typename Linear>
void VoiceActivity::consume(std::span<const Sample> samples, Linear linear,
                            std::vector<Event> &events) {
  while (!samples.empty()) {
    const std::size_t count = std::min(
        samples.size(), static_cast<std::size_t>(frame_size_ - in_frame_));
    std::int64_t sum = 0, squares = 0;
    for (const Sample sample : samples.first(count)) {
      const std::int32_t value = linear(sample);
      sum += value;
      squares += std::int64_t{value} * value;
    }
    sum_ += sum;
    squares_ += squares;
    in_frame_ += static_cast<int>(count);
    samples_ += static_cast<std::int64_t>(count);
    samples = samples.subspan(count);
    if (in_frame_ == frame_size_)
      end_frame(events);
  }
}

void VoiceActivity::push(std::span<const std::int16_t> samples,
                         std::vector<Event> &events) {
  consume(
      samples, [](std::int16_t sample) { return sample; }, events);
}

void VoiceActivity::push_mulaw(std::span<const std::uint8_t> mulaw,
                               std::vector<Event> &events) {
  consume(
      mulaw, [](std::uint8_t code) { return kLinear[code]; }, events);
}

void VoiceActivity::follow_noise() {
  if (slot_frames_ == kSlotFrames) {
    slot_ = (slot_ + 1) % kSlots;
    slot_frames_ = 0;
    lowest_[slot_] = smooth_db_;
  }
  ++slot_frames_;
  lowest_[slot_] = std::min(lowest_[slot_], smooth_db_);
  // Not below what nothing is voice under: digital silence is no noise floor.
  noise_db_ = std::max(*std::min_element(lowest_.begin(), lowest_.end()) +
                           kLowestBiasDb,
                       settings_.floor_db - settings_.threshold_db);
}

void VoiceActivity::end_frame(std::vector<Event> &events) {
  // The variance: converters and synthesisers put a constant on the line.
  const double mean = static_cast<double>(sum_) / frame_size_;
  const double power =
      static_cast<double>(squares_) / frame_size_ - mean * mean;
  constexpr double kFullScale = 32768.0 * 32768.0;
  level_db_ = power < 1.0
                  ? kSilenceDb
                  : std::max(kSilenceDb, 10.0 * std::log10(power / kFullScale));
  const bool first = samples_ == frame_size_;
  smooth_db_ += (first ? 1.0 : kSmoothing) * (level_db_ - smooth_db_);
  sum_ = squares_ = 0;
  in_frame_ = 0;
  follow_noise();

  const double threshold =
      noise_db_ + settings_.threshold_db - (speaking_ ? kHysteresisDb : 0.0);
  const bool voiced = level_db_ > settings_.floor_db && level_db_ > threshold;
  if (voiced)
    last_voiced_ = samples_;
  if (!speaking_) {
    if (!voiced) {
      candidate_ = -1;
      return;
    }
    if (candidate_ < 0)
      candidate_ = samples_ - frame_size_;
    if (time_of(samples_ - candidate_) < settings_.min_speech)
      return;
    speaking_ = true;
    events.push_back({Event::Kind::kStarted, time_of(candidate_), position()});
  } else if (time_of(samples_ - last_voiced_) >= settings_.hangover) {
    speaking_ = false;
    candidate_ = -1;
    events.push_back(
        {Event::Kind::kStopped, time_of(last_voiced_), position()});
  }
}

void VoiceActivity::finish(std::vector<Event> &events) {
  if (speaking_)
    events.push_back(
        {Event::Kind::kStopped, time_of(last_voiced_), position()});
  speaking_ = false;
  candidate_ = -1;
}

} // namespace patchcord::audio
