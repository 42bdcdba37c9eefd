// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/speech_detector.hpp"

#include "audio/mulaw.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace patchcord::phone {
namespace {

constexpr int kVadFrame = 80; // 10 ms
// One voiced frame is a click; two are the start of a word.
constexpr int kVoicedFrames = 2;
// -45 dBFS: 32768 * 10^(-45/20). A frame of this RMS has a sample that is at
// least as loud.
constexpr std::int32_t kLoud = 184 * 184;
constexpr std::int64_t kVoicedEnergy = std::int64_t{kLoud} * kVadFrame;

constexpr std::array<std::int32_t, 256> make_squares() {
  std::array<std::int32_t, 256> squares{};
  for (std::size_t i = 0; i < squares.size(); ++i) {
    const std::int32_t sample =
        audio::mulaw_to_linear(static_cast<std::uint8_t>(i));
    squares[i] = sample * sample;
  }
  return squares;
}
constexpr std::array<std::int32_t, 256> kSquares = make_squares();

} // namespace

SpeechDetector::SpeechDetector(Duration hangover)
    : hangover_(to_samples(hangover)) {}

void SpeechDetector::push(ByteSpan mulaw, std::vector<Event> &events) {
  for (const std::uint8_t code : mulaw) {
    const std::int32_t square = kSquares[code];
    if (first_loud_ < 0 && square >= kLoud)
      first_loud_ = position_;
    energy_ += square;
    ++position_;
    if (++in_frame_ == kVadFrame)
      end_frame(events);
  }
}

void SpeechDetector::end_frame(std::vector<Event> &events) {
  const bool voiced = energy_ >= kVoicedEnergy;
  const Samples first_loud = std::exchange(first_loud_, -1);
  energy_ = 0;
  in_frame_ = 0;
  if (voiced) {
    if (voiced_run_++ == 0)
      first_voiced_ = first_loud;
    if (speaking_ || voiced_run_ >= kVoicedFrames)
      last_voiced_ = position_;
    if (!speaking_ && voiced_run_ >= kVoicedFrames) {
      speaking_ = true;
      events.push_back({true, first_voiced_, position_});
    }
    return;
  }
  voiced_run_ = 0;
  if (speaking_ && position_ - last_voiced_ >= hangover_) {
    speaking_ = false;
    events.push_back({false, last_voiced_, position_});
  }
}

void SpeechDetector::finish(std::vector<Event> &events) {
  voiced_run_ = 0;
  if (!speaking_)
    return;
  speaking_ = false;
  events.push_back({false, last_voiced_, position_});
}

bool audible(ByteSpan mulaw) {
  return std::any_of(mulaw.begin(), mulaw.end(), [](std::uint8_t code) {
    return std::abs(audio::mulaw_to_linear(code)) > 8;
  });
}

} // namespace patchcord::phone
