// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audio/cadence.hpp"

namespace patchcord::audio {
namespace {

VoiceActivity::Settings settings() {
  VoiceActivity::Settings settings;
  settings.hangover = Cadence::kPause;
  return settings;
}

} // namespace

Cadence::Cadence() : activity_(settings()) {}

void Cadence::push_mulaw(std::span<const std::uint8_t> mulaw) {
  events_.clear();
  began_ = false;
  activity_.push_mulaw(mulaw, events_);
  for (const VoiceActivity::Event &event : events_) {
    began_ = event.kind == VoiceActivity::Event::Kind::kStarted;
    attentive_until_ = began_ ? Duration{0} : event.time + kAttention;
  }
}

} // namespace patchcord::audio
