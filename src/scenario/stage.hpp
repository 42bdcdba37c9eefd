// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "scenario/scenario.hpp"
#include "worker/worker.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace patchcord::scenario {

// What the scripted providers and the phone of one scenario share, as a service
// of its worker: the elements find it there.
struct Stage {
  explicit Stage(Worker &) {}

  SttScript stt;
  VoiceScript voice;

  // What the caller says, as the recogniser is to hear it; known from the
  // moment at which a line begins.
  struct CallerWord {
    std::string text;
    TimePoint begin{}, end{};
    bool taken = false; // in a turn's words
  };
  std::vector<CallerWord> caller_words;
  // Speech of which the recogniser understands nothing.
  struct Mumble {
    TimePoint begin{}, end{};
  };
  std::vector<Mumble> mumbles;

  // What the voice has been given to say. A reply is what is said in one
  // utterance; both count from 1. A word's number is its place here.
  struct AgentWord {
    int reply = 0;
    int index = 0; // within the reply, from 1
    std::string text;
    std::int64_t length = 0; // samples
    bool last = false;       // of the text that the voice was given
  };
  std::vector<AgentWord> agent_words;
  int replies = 0;
  bool in_reply = false;        // its text is not complete
  std::size_t unsaid_until = 0; // words before it that were not said are gone
};

// Makes the elements scenariostt and scenariovoice known to GStreamer, in this
// process only.
void register_elements();

} // namespace patchcord::scenario
