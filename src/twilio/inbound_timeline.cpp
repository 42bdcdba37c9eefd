// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/inbound_timeline.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace patchcord::twilio {
namespace {

constexpr double kSamplesPerMs = 8;
// What is lost is whole packets of 20 ms: a gap filled to the ms would take the
// jitter of each for time, and a lossy call would lose its place.
constexpr double kPacket = 160;
// Jitter stays under this.
constexpr double kGapThreshold = 15 * kSamplesPerMs;
// More than jitter, less than a loss: the next message will tell which.
constexpr double kDoubt = 10 * kSamplesPerMs;
// How fast the origin follows what timestamps and samples drift apart, per
// message: in about a second of messages. So a drift never adds up to a "gap"
// in the middle of a word, which even 100 ppm would bring about every 150 s.
constexpr double kFollow = 1.0 / 64;
// So many messages in a row from the past are no repeats but a new count: half
// a second of them.
constexpr int kResyncAfter = 25;
// Beyond this (30 years) no arithmetic need be exact.
constexpr std::int64_t kMaxTimestamp = 1'000'000'000'000;

} // namespace

InboundTimeline::Step InboundTimeline::push(std::int64_t timestamp_ms,
                                            ByteSpan mulaw) {
  Step step{position_, 0, 0, {}};
  if (mulaw.empty() || timestamp_ms < 0 || timestamp_ms > kMaxTimestamp ||
      !in_order(timestamp_ms)) {
    counts_.dropped += mulaw.empty() ? 0 : 1;
    return step;
  }
  last_ms_ = timestamp_ms;
  double ahead = static_cast<double>(timestamp_ms) * kSamplesPerMs - origin_ -
                 static_cast<double>(position_);
  const auto made_up = static_cast<double>(std::exchange(made_up_, 0));
  if (made_up > 0 && ahead <= -kGapThreshold) {
    const double late =
        std::min(std::round(-ahead / kPacket) * kPacket, made_up);
    step.back = static_cast<std::uint32_t>(late);
    position_ -= step.back;
    step.position = position_;
    ahead += late;
    ++counts_.late;
  }
  if (ahead >= kGapThreshold) {
    const double lost = std::round(ahead / kPacket) * kPacket;
    step.silence = static_cast<std::uint32_t>(
        std::min(lost, static_cast<double>(kMaxGap)));
    origin_ += lost - step.silence;
    ++counts_.gaps;
    counts_.gap_samples += step.silence;
    counts_.shortened += lost > step.silence ? 1 : 0;
  } else if (ahead < kDoubt) {
    origin_ += ahead * kFollow;
  }
  step.audio = mulaw;
  position_ += step.silence + mulaw.size();
  return step;
}

void InboundTimeline::make_up(std::uint32_t samples) {
  counts_.made_up += samples != 0 && made_up_ == 0 ? 1 : 0;
  made_up_ += samples;
  position_ += samples;
}

// Whether a message is later than the one before. Sets the origin where a count
// begins.
bool InboundTimeline::in_order(std::int64_t timestamp_ms) {
  if (last_ms_ >= 0 && timestamp_ms <= last_ms_) {
    if (++behind_ < kResyncAfter)
      return false;
    ++counts_.resyncs;
    last_ms_ = -1;
  }
  behind_ = 0;
  if (last_ms_ < 0)
    origin_ = static_cast<double>(timestamp_ms) * kSamplesPerMs -
              static_cast<double>(position_);
  return true;
}

} // namespace patchcord::twilio
