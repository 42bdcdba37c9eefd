// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "graph/voice_pads.hpp"
#include "offline/espeak_voice.hpp"

#include <memory>
#include <string>

namespace patchcord::graph {

// The offline voice behind a voice element's pads, in whatever format these
// have: espeaksrc itself, and the voice that stands in for a provider's.
//
// A voice that espeak-ng does not have is an error of the element where it is a
// plain source; in a call it is a warning, and the default voice speaks.
class EspeakEngine final : public VoiceEngine,
                           public std::enable_shared_from_this<EspeakEngine> {
public:
  EspeakEngine(VoicePads &pads, offline::EspeakVoice::Settings settings);

  void speak(VoiceQueue::Segment segment, const std::string &text) override;
  void end_utterance() override {} // Each text is finished by itself.
  void cancel() override { voice_.cancel(); }

private:
  void made(VoiceQueue::Segment segment, const std::string &text,
            const offline::EspeakVoice::Speech &speech);
  void failed(VoiceQueue::Segment segment, const std::string &text,
              const std::string &voice, const Error &error);

  VoicePads &pads_;
  offline::EspeakVoice::Settings settings_;
  offline::EspeakVoice voice_;
  bool told_ = false; // of a failure
};

} // namespace patchcord::graph
