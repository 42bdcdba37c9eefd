// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audio/voice_activity.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace patchcord::audio {

// Says whether anybody waits for the caller's audio. Much costs less in large
// pieces (a buffer through a graph, a read from a socket); what is lost is
// time, and time counts in two places only: where a recogniser is about to find
// that the caller has finished, and where the caller speaks into the agent's
// words. So: small pieces from the caller's last voiced frame on for
// `attention` unless the agent speaks again, large ones while the caller speaks
// and in longer silence; and when he begins to speak, what has been gathered
// goes at once. Pure.
//
// Noise that the voice activity takes for speech makes the pieces large: the
// end of the caller's turn is then known a piece later, and nothing is lost.
class Cadence {
public:
  // Longer than any silence after which a turn is taken to be over.
  static constexpr Duration kAttention = 1200ms;
  // Pauses between words are no ends: no recogniser takes a shorter one for it.
  static constexpr Duration kPause = 200ms;
  static constexpr Duration kPeriodHeard = 60ms;
  static constexpr Duration kPeriod = 160ms;

  Cadence();
  void push_mulaw(std::span<const std::uint8_t> mulaw);
  // Small pieces, please. While the agent is heard the turn was taken already.
  bool attentive(bool agent_is_heard) const {
    return !agent_is_heard && attentive_until_ > activity_.position();
  }
  // Whether anybody waits for what comes next: for the rest of what the caller
  // says, or for the silence that ends it.
  bool awaited() const {
    return activity_.speaking() || attentive_until_ > activity_.position();
  }
  // How often what has come is to be read; 0: at once. Into the agent's words,
  // as often as speech needs to be one (VoiceActivity::Settings::min_speech):
  // that comes to light about as soon as if each packet were read by itself,
  // for behind a voiced frame each is. Else as much as an end of speech may
  // come late without being missed within kPause of the shortest turn.
  Duration period(bool agent_is_heard) const {
    if (attentive(agent_is_heard) || activity_.may_begin())
      return Duration{0};
    return agent_is_heard ? kPeriodHeard : kPeriod;
  }
  // Whether speech began in what was pushed last.
  bool began() const { return began_; }

private:
  VoiceActivity activity_;
  std::vector<VoiceActivity::Event> events_;
  Duration attentive_until_{0};
  bool began_ = false;
};

} // namespace patchcord::audio
