// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audio/voice_activity.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace patchcord::audio {

// Says whether anybody waits for the caller's audio. Much costs less in large
// pieces (a buffer through a graph, a read from a socket); what is lost is
// time, and time counts in one place only: where a recogniser is about to find
// that the caller has finished. So: small pieces from the caller's last voiced
// frame on for `attention`, large ones while he speaks and in longer silence;
// and when he begins to speak, what has been gathered goes at once. Pure.
//
// Noise that the voice activity takes for speech makes the pieces large: the
// end of the caller's turn is then known a piece later, and nothing is lost.
class Cadence {
public:
  // Longer than any silence after which a turn is taken to be over.
  static constexpr Duration kAttention = 1200ms;
  // Pauses between words are no ends: no recogniser takes a shorter one for it.
  static constexpr Duration kPause = 200ms;

  Cadence();
  void push_mulaw(std::span<const std::uint8_t> mulaw);
  // Small pieces, please.
  bool attentive() const { return attentive_until_ > activity_.position(); }
  // Whether speech began in what was pushed last.
  bool began() const { return began_; }

private:
  VoiceActivity activity_;
  std::vector<VoiceActivity::Event> events_;
  Duration attentive_until_{0};
  bool began_ = false;
};

} // namespace patchcord::audio
