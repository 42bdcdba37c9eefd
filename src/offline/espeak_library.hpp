// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "offline/espeak_voice.hpp"

#include <functional>

// libespeak-ng itself: one per process, for the process's life. From any
// thread.
namespace patchcord::offline {

// What came of a text, as the library puts it.
struct EspeakRecording {
  struct Word {
    int position; // characters, from 1
    int ms;
  };
  std::vector<std::int16_t> samples;
  std::vector<Word> words;
};

// Speaks in the caller's thread, when nobody else does. `cancelled` ends it
// early. Error codes: see EspeakVoice.
Result<EspeakRecording> espeak_speak(const std::string &text,
                                     const EspeakVoice::Settings &settings,
                                     const std::atomic<bool> &cancelled);

// Whether it would; error codes as above.
Result<Unit> espeak_find(const EspeakVoice::Settings &settings);

// Runs `task` on the library's own thread, in order.
void espeak_post(std::function<void()> task);

} // namespace patchcord::offline
