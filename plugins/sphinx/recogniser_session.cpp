// SPDX-License-Identifier: LGPL-2.1-or-later
#include "recogniser_session.hpp"

#include "agent/turn_policy.hpp"
#include "base/text.hpp"
#include "graph/events.hpp"
#include "graph/messages.hpp"
#include "offline/grammar.hpp"

#include <algorithm>

GST_DEBUG_CATEGORY_EXTERN(sphinxstt_debug);
#define GST_CAT_DEFAULT sphinxstt_debug

namespace patchcord {
namespace {

using audio::VoiceActivity;

constexpr int kRate = offline::SphinxDecoder::kRate;
// Around what the detector found: soft beginnings and ends, and some silence
// for the recogniser to begin and end with.
constexpr Duration kBefore = 200ms, kAfter = 300ms;
// A caller who talks longer is cut into utterances: this bounds memory (32 KB a
// second) and the time to decode.
constexpr Duration kLongest = 15s;
// Timestamps may wander by this before it is a gap.
constexpr GstClockTime kTolerance = 60 * GST_MSECOND;
constexpr Duration kLongestGap = 5s;

std::int64_t samples_in(Duration duration) {
  return duration.count() / (1'000'000'000 / kRate);
}

VoiceActivity::Settings detector(Duration silence) {
  VoiceActivity::Settings settings;
  settings.rate = kRate;
  settings.hangover = silence;
  return settings;
}

} // namespace

RecogniserSession::RecogniserSession(GstElement *element, GstPad *src,
                                     Worker &worker, const Settings &settings)
    : element_(element), src_(src),
      recogniser_(worker.service<offline::SphinxRecogniser>()),
      settings_(settings), activity_(detector(settings.silence)) {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  expect(agent::Expectation{});
}

// --- time --------------------------------------------------------------------

GstClockTime RecogniserSession::pts_of(Duration audio_time) const {
  const std::int64_t since = (audio_time - anchor_).count();
  const std::int64_t pts = static_cast<std::int64_t>(anchor_pts_) + since;
  return static_cast<GstClockTime>(std::max<std::int64_t>(0, pts));
}

GstClockTime RecogniserSession::running_time(GstClockTime pts) const {
  return gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, pts);
}

void RecogniserSession::set_time(GstClockTime pts, bool discontinuous) {
  if (!GST_CLOCK_TIME_IS_VALID(anchor_pts_)) {
    anchor_pts_ = GST_CLOCK_TIME_IS_VALID(pts) ? pts : segment_.start;
    anchor_ = activity_.position();
  }
  if (!GST_CLOCK_TIME_IS_VALID(pts))
    return;
  const GstClockTime expected = pts_of(activity_.position());
  const auto off =
      static_cast<GstClockTime>(std::abs(GST_CLOCK_DIFF(expected, pts)));
  if (off > kTolerance || (discontinuous && off > 0)) {
    // Nobody speaks through a hole in the audio.
    if (off > kTolerance)
      end_speech();
    anchor_pts_ = pts;
    anchor_ = activity_.position();
  }
}

// --- audio in ----------------------------------------------------------------

GstFlowReturn RecogniserSession::audio(GstBuffer *buffer) {
  set_time(GST_BUFFER_PTS(buffer), GST_BUFFER_IS_DISCONT(buffer));
  const MappedBuffer mapped(buffer);
  const ByteSpan bytes = mapped.bytes();
  feed({reinterpret_cast<const std::int16_t *>(bytes.data()),
        bytes.size() / sizeof(std::int16_t)});
  return flow_;
}

void RecogniserSession::gap(GstClockTime pts, GstClockTime duration) {
  set_time(pts, false);
  const Duration length =
      GST_CLOCK_TIME_IS_VALID(duration)
          ? std::min(Duration(static_cast<std::int64_t>(duration)), kLongestGap)
          : Duration{};
  feed(std::vector<std::int16_t>(static_cast<std::size_t>(samples_in(length))));
}

void RecogniserSession::feed(std::span<const std::int16_t> samples) {
  samples_.insert(samples_.end(), samples.begin(), samples.end());
  events_.clear();
  activity_.push(samples, events_);
  for (const VoiceActivity::Event &event : events_)
    handle(event);
  if (activity_.speaking() && activity_.position() - speech_start_ > kLongest)
    end_speech();
  forget_old();
}

void RecogniserSession::forget_old() {
  if (activity_.speaking())
    return;
  // What may yet turn out to be before the beginning of speech.
  const auto wanted = static_cast<std::size_t>(
      samples_in(kBefore + VoiceActivity::Settings().min_speech + 20ms));
  if (samples_.size() < 2 * wanted)
    return;
  const std::size_t old = samples_.size() - wanted;
  samples_.erase(samples_.begin(),
                 samples_.begin() + static_cast<std::ptrdiff_t>(old));
  forgotten_ += static_cast<std::int64_t>(old);
  if (samples_.capacity() > 8 * wanted) // after an utterance
    samples_.shrink_to_fit();
}

std::vector<std::int16_t> RecogniserSession::cut(Duration start,
                                                 Duration end) const {
  // Where there is no audio (at the beginning and at EOS) it is silence: the
  // scores mean something for this much of it.
  const std::int64_t from = samples_in(start - kBefore) - forgotten_;
  const std::int64_t to = samples_in(end + kAfter) - forgotten_;
  const auto size = static_cast<std::int64_t>(samples_.size());
  const std::int64_t first = std::clamp<std::int64_t>(from, 0, size);
  const std::int64_t last = std::clamp<std::int64_t>(to, first, size);
  std::vector<std::int16_t> cut(static_cast<std::size_t>(to - from));
  std::copy(samples_.begin() + first, samples_.begin() + last,
            cut.begin() + (first - from));
  return cut;
}

// --- speech ------------------------------------------------------------------

void RecogniserSession::handle(const VoiceActivity::Event &event) {
  if (event.kind == VoiceActivity::Event::Kind::kStarted) {
    speech_start_ = event.time;
    const GstClockTime time = running_time(pts_of(event.time));
    GST_DEBUG_OBJECT(element_, "speech from %" GST_TIME_FORMAT,
                     GST_TIME_ARGS(time));
    pass_on(Ref<GstEvent>::adopt(events::make(events::SpeechStarted{time})));
    return;
  }
  Speech speech{pts_of(speech_start_), pts_of(event.time)};
  speech.began = running_time(speech.start);
  speech.ended = running_time(speech.end);
  GST_DEBUG_OBJECT(element_, "speech to %" GST_TIME_FORMAT,
                   GST_TIME_ARGS(speech.ended));
  put(Ref<GstEvent>::adopt(events::make(events::SpeechStopped{speech.ended})));
  outputs_.push_back(
      {{},
       recogniser_.recognise(
           {settings_.model, grammar_, cut(speech_start_, event.time)},
           [weak = weak_from_this(),
            speech](const offline::Recognition &result) {
             if (const auto self = weak.lock())
               self->recognised(result, speech);
           })});
}

void RecogniserSession::put(Ref<GstEvent> event) {
  outputs_.push_back({std::move(event), {}});
  put_waiting();
}

// A push may come back to us.
void RecogniserSession::put_waiting() {
  while (!outputs_.empty() && outputs_.front().event) {
    auto event = std::move(outputs_.front().event);
    outputs_.pop_front();
    gst_pad_push_event(src_, event.release());
  }
}

void RecogniserSession::end_speech() {
  events_.clear();
  activity_.finish(events_);
  for (const VoiceActivity::Event &event : events_)
    handle(event);
}

void RecogniserSession::recognised(const offline::Recognition &result,
                                   const Speech &speech) {
  outputs_.pop_front(); // its job: they are done in order
  const bool understood = result.understood(settings_.min_score);
  GST_DEBUG_OBJECT(element_, "%s: %d frames, score %.1f, worst word %.1f",
                   understood ? "understood" : "not understood", result.frames,
                   result.score, result.worst_word);
  const std::string text = understood ? result.text : "";
  messages::post(element_,
                 messages::Transcript{text, true, speech.began, speech.ended});
  GstBuffer *buffer = buffer_of(as_bytes(text)).release();
  if (!understood)
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_GAP);
  GST_BUFFER_PTS(buffer) = speech.start;
  GST_BUFFER_DURATION(buffer) = speech.end - speech.start;
  flow_ = gst_pad_push(src_, buffer);
  put_waiting();
}

// --- the rest ----------------------------------------------------------------

void RecogniserSession::expect(const agent::Expectation &expectation) {
  grammar_ = offline::grammar_text(expectation);
  activity_.set_hangover(
      agent::silence_for(expectation.kind, settings_.silence));
  GST_DEBUG_OBJECT(element_, "expecting %s",
                   agent::to_string(expectation.kind));
  const auto guessed = recogniser_.prepare(settings_.model, grammar_);
  if (!guessed) {
    GST_ELEMENT_WARNING(element_, STREAM, DECODE,
                        ("%s", guessed.error().message.c_str()), (nullptr));
    return;
  }
  std::vector<std::string> unknown;
  for (const std::string &word : *guessed)
    if (reported_words_.insert(word).second)
      unknown.push_back(word);
  if (!unknown.empty())
    GST_ELEMENT_WARNING(
        element_, STREAM, DECODE,
        ("Not in the pronouncing dictionary, so their sound was guessed from "
         "the spelling: %s",
         join(unknown, ", ").c_str()),
        ("dictionary %s", settings_.model.dict.c_str()));
}

void RecogniserSession::eos(Ref<GstEvent> event) {
  end_speech();
  put(std::move(event));
}

void RecogniserSession::pass_on(Ref<GstEvent> event) {
  if (events::parse<events::SpeechStarted>(event.get()))
    gst_pad_push_event(src_, event.release());
  else
    put(std::move(event));
}

void RecogniserSession::flush() {
  outputs_.clear();
  activity_.reset();
  samples_.clear();
  forgotten_ = 0;
  anchor_pts_ = GST_CLOCK_TIME_NONE;
  anchor_ = Duration{};
  flow_ = GST_FLOW_OK;
  gst_segment_init(&segment_, GST_FORMAT_TIME);
}

} // namespace patchcord
