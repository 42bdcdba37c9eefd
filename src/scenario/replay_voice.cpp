// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/replay_voice.hpp"

#include "graph/events.hpp"
#include "scenario/sound.hpp"

#include <utility>

namespace patchcord::scenario {
namespace {

using recording::Event;
using recording::Kind;

// Silence behind an utterance, as every voice has it.
constexpr std::size_t kTail = 80;
constexpr std::uint8_t kSilence = 0xff;

} // namespace

ReplayVoiceSession::ReplayVoiceSession(GstElement *element, GstPad *sink,
                                       GstPad *src, Worker &worker)
    : element_(element), sink_(sink), src_(src),
      script_(worker.service<ReplayScript>()) {
  script_.mouth = [this](const Event &event) { due(event); };
}

// --- from the agent ----------------------------------------------------------

bool ReplayVoiceSession::event(GstEvent *event) {
  if (const auto start = events::parse<events::UtteranceStart>(event)) {
    utterance_ = start->utterance;
    interruptible_ = start->interruptible;
    texts_ = 0;
    begun_ = false;
    otherwise_ = script_.texts(utterance_).empty();
    if (!early_.empty() && early_.front().number <= utterance_)
      for (const Event &each : std::exchange(early_, {}))
        due(each);
    return true;
  }
  if (events::parse<events::UtteranceEnd>(event)) {
    if (otherwise_ && begun_) {
      gst_pad_push_event(src_, events::make(events::UtteranceEnd{
                                   static_cast<std::uint32_t>(utterance_)}));
      push_audio(kTail);
    }
    return true;
  }
  return false;
}

void ReplayVoiceSession::text(const std::string &text) {
  const auto &texts = script_.texts(utterance_);
  if (!otherwise_ && (texts_ >= texts.size() || texts[texts_] != text))
    otherwise_ = true;
  ++texts_;
  if (otherwise_)
    speak_otherwise(text);
}

void ReplayVoiceSession::flush() {
  need_segment_ = true;
  utterance_ = speaking_ = 0;
  early_.clear();
  eos_ = false;
}

// As soon as it was then, where all is as it was. It is asked for when the
// first sound is heard, in whose moment more of it may have come.
void ReplayVoiceSession::eos() {
  eos_ = true;
  if (otherwise_ || over_ || script_.mouth_over() < script_.now())
    push_eos();
}

void ReplayVoiceSession::push_eos() {
  if (!std::exchange(eos_, false))
    return;
  begin_stream();
  gst_pad_push_event(src_, gst_event_new_eos());
}

// --- as recorded -------------------------------------------------------------

void ReplayVoiceSession::due(const Event &event) {
  if (event.kind == Kind::kMouthFailed) {
    gst_pad_push_event(
        sink_, events::make(events::VoiceFailed{event.detail, event.code,
                                                event.text, event.flag}));
    return;
  }
  if (event.kind == Kind::kMouthOver) {
    over_ = true;
    return push_eos();
  }
  // In the moment at which it was asked for, but before.
  if (!early_.empty() ||
      (event.kind == Kind::kUtterance && event.number > utterance_)) {
    early_.push_back(event);
    return;
  }
  if (otherwise_ || utterance_ == 0)
    return;
  if (event.kind == Kind::kUtterance) {
    speaking_ = event.number;
    begin_stream();
    gst_pad_push_event(
        src_, events::make(events::UtteranceStart{
                  static_cast<std::uint32_t>(event.number), event.flag}));
  }
  if (speaking_ == 0)
    return;
  if (event.kind == Kind::kSpoken) {
    events::SpokenText spoken;
    spoken.utterance = static_cast<std::uint32_t>(event.number);
    spoken.text = event.text;
    for (std::size_t i = 0; i + 1 < event.numbers.size(); i += 2)
      spoken.timings.push_back(
          {static_cast<std::uint32_t>(event.numbers[i]),
           static_cast<std::uint32_t>(event.numbers[i + 1])});
    gst_pad_push_event(src_, events::make(spoken));
  } else if (event.kind == Kind::kVoice) {
    push_audio(static_cast<std::size_t>(event.count));
  } else if (event.kind == Kind::kUtteranceEnd) {
    gst_pad_push_event(src_, events::make(events::UtteranceEnd{
                                 static_cast<std::uint32_t>(event.number)}));
  }
}

// --- otherwise ---------------------------------------------------------------

void ReplayVoiceSession::speak_otherwise(const std::string &text) {
  const auto id = static_cast<std::uint32_t>(utterance_);
  begin_stream();
  if (!std::exchange(begun_, true))
    gst_pad_push_event(
        src_, events::make(events::UtteranceStart{id, interruptible_}));
  const Sound sound = speak(text, Timbre::kStandIn, 0);
  events::SpokenText spoken;
  spoken.utterance = id;
  spoken.text = text;
  for (const WordAt &word : sound.words)
    spoken.timings.push_back(
        {word.offset, static_cast<std::uint32_t>(word.begin / 8)});
  gst_pad_push_event(src_, events::make(spoken));
  push_audio(sound.mulaw.size());
}

// --- the stream --------------------------------------------------------------

void ReplayVoiceSession::begin_stream() {
  if (!std::exchange(stream_begun_, true)) {
    const GCharPtr id(gst_pad_create_stream_id(src_, element_, "voice"));
    gst_pad_push_event(src_, gst_event_new_stream_start(id.get()));
    const auto caps = Ref<GstCaps>::adopt(
        gst_caps_new_simple("audio/x-mulaw", "rate", G_TYPE_INT, 8000,
                            "channels", G_TYPE_INT, 1, nullptr));
    gst_pad_push_event(src_, gst_event_new_caps(caps.get()));
  }
  if (std::exchange(need_segment_, false)) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(src_, gst_event_new_segment(&segment));
  }
}

// How it sounds does not matter to anybody who decides.
void ReplayVoiceSession::push_audio(std::size_t samples) {
  gst_pad_push(src_, buffer_of(Bytes(samples, kSilence)).release());
}

} // namespace patchcord::scenario
