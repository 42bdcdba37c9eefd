// SPDX-License-Identifier: LGPL-2.1-or-later
#include "graph/espeak_engine.hpp"

namespace patchcord::graph {

using offline::EspeakVoice;

EspeakEngine::EspeakEngine(VoicePads &pads, EspeakVoice::Settings settings)
    : pads_(pads), settings_(std::move(settings)), voice_(pads.worker()) {}

void EspeakEngine::speak(VoiceQueue::Segment segment, const std::string &text) {
  voice_.speak(
      text, settings_,
      [weak = weak_from_this(), segment, text,
       voice = settings_.voice](const Result<EspeakVoice::Speech> &speech) {
        const auto self = weak.lock();
        if (!self)
          return;
        const auto element = self->pads_.hold();
        if (speech)
          self->made(segment, text, *speech);
        else
          self->failed(segment, text, voice, speech.error());
      });
}

void EspeakEngine::made(VoiceQueue::Segment segment, const std::string &text,
                        const EspeakVoice::Speech &speech) {
  if (!speech.samples.empty()) {
    std::vector<events::SpokenText::Timing> timings;
    timings.reserve(speech.timings.size());
    for (const auto &timing : speech.timings)
      timings.push_back({timing.offset, timing.ms});
    pads_.spoken(segment, text, std::move(timings));
    pads_.audio(segment, convert_speech(speech.samples, EspeakVoice::kRate,
                                        pads_.format()));
  }
  pads_.finished(segment);
}

void EspeakEngine::failed(VoiceQueue::Segment segment, const std::string &text,
                          const std::string &voice, const Error &error) {
  if (!pads_.has_text_pad()) {
    if (!std::exchange(told_, true))
      GST_ELEMENT_ERROR(pads_.element(), RESOURCE, NOT_FOUND,
                        ("%s", error.message.c_str()),
                        ("espeak-ng: %s", error.code.c_str()));
    pads_.abort();
    return;
  }
  if (!std::exchange(told_, true))
    pads_.report_failure({"espeak-ng", error.code, error.message, false});
  const EspeakVoice::Settings defaults;
  settings_.voice = defaults.voice;
  // Texts that were under way with the missing voice come here one by one; the
  // queue keeps their order.
  if (error.code == "voice_not_found" && voice != defaults.voice)
    speak(segment, text);
  else
    pads_.finished(segment);
}

} // namespace patchcord::graph
