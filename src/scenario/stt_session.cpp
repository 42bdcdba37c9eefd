// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/stt_session.hpp"

#include "base/text.hpp"
#include "graph/contexts.hpp"
#include "graph/events.hpp"
#include "graph/messages.hpp"

#include <cstdlib>

namespace patchcord::scenario {
namespace {

using audio::VoiceActivity;

// By so much speech may be known to begin too late.
constexpr Duration kLateBegin = 100ms;

VoiceActivity::Settings detector(const SttScript &script) {
  VoiceActivity::Settings settings;
  settings.hangover = script.silence;
  return settings;
}

} // namespace

SttSession::SttSession(GstElement *element, GstPad *src, Worker &worker)
    : element_(element), src_(src), worker_(worker),
      stage_(worker.service<Stage>()), activity_(detector(stage_.stt)) {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
}

// --- time --------------------------------------------------------------------

GstClockTime SttSession::pts_of(Duration audio_time) const {
  const auto since = (audio_time - anchored_at_).count();
  return static_cast<GstClockTime>(static_cast<gint64>(anchor_) + since);
}

GstClockTime SttSession::running(GstClockTime pts) const {
  return gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, pts);
}

TimePoint SttSession::on_worker(GstClockTime pts) const {
  const GstClockTime now = graph::running_time(element_);
  return worker_.now() + Duration(static_cast<Duration::rep>(running(pts)) -
                                  static_cast<Duration::rep>(now));
}

// --- audio in ----------------------------------------------------------------

// The next sample has this stamp: where stamps jump nobody speaks on.
void SttSession::follow(GstClockTime pts) {
  if (GST_CLOCK_TIME_IS_VALID(anchor_)) {
    const auto off = GST_CLOCK_DIFF(pts_of(activity_.position()), pts);
    if (std::abs(off) < static_cast<GstClockTimeDiff>(GST_MSECOND))
      return;
    events_.clear();
    activity_.finish(events_);
    for (const VoiceActivity::Event &event : events_)
      handle(event);
  }
  anchor_ = pts;
  anchored_at_ = activity_.position();
}

GstFlowReturn SttSession::audio(GstBuffer *buffer) {
  const MappedBuffer mapped(buffer);
  if (failed_)
    return flow_;
  follow(GST_BUFFER_PTS(buffer));
  events_.clear();
  activity_.push_mulaw(mapped.bytes(), events_);
  for (const VoiceActivity::Event &event : events_)
    handle(event);
  if (activity_.speaking())
    partial();
  return flow_;
}

void SttSession::handle(const VoiceActivity::Event &event) {
  const GstClockTime pts = pts_of(event.time);
  if (event.kind == VoiceActivity::Event::Kind::kStarted) {
    speech_begin_ = pts;
    partial_.clear();
    gst_pad_push_event(src_, events::make(events::SpeechStarted{running(pts)}));
    return;
  }
  gst_pad_push_event(src_, events::make(events::SpeechStopped{running(pts)}));
  const Turn turn{speech_begin_, pts};
  std::vector<std::string> texts;
  for (auto *word : words_in(turn)) {
    word->taken = true;
    texts.push_back(word->text);
  }
  results_.push_back(
      worker_.after(stage_.stt.delay, [this, turn, text = join(texts, " ")] {
        result(turn, text);
      }));
}

// A word that a cut goes through is of the turn that has its middle: of one of
// the two, always.
std::vector<Stage::CallerWord *> SttSession::words_in(const Turn &turn) {
  const TimePoint begin = on_worker(turn.begin) - kLateBegin;
  const TimePoint end = on_worker(turn.end);
  std::vector<Stage::CallerWord *> words;
  for (auto &word : stage_.caller_words)
    if (!word.taken && word.end > begin && (word.begin + word.end) / 2 <= end)
      words.push_back(&word);
  return words;
}

bool SttSession::mumbled(const Turn &turn) const {
  const TimePoint begin = on_worker(turn.begin), end = on_worker(turn.end);
  for (const auto &mumble : stage_.mumbles)
    if (mumble.begin < end && mumble.end > begin)
      return true;
  return false;
}

// --- words out ---------------------------------------------------------------

void SttSession::partial() {
  std::vector<std::string> texts;
  for (const auto *word :
       words_in({speech_begin_, pts_of(activity_.voiced_until())}))
    texts.push_back(word->text);
  const std::string text = join(texts, " ");
  if (text == partial_)
    return;
  partial_ = text;
  messages::post(element_, messages::Transcript{text, false});
  gst_pad_push_event(src_, events::make(events::PartialTranscript{text}));
}

void SttSession::result(const Turn &turn, const std::string &text) {
  if (failed_)
    return;
  if (++turns_ == stage_.stt.fail_at)
    return fail();
  messages::post(element_, messages::Transcript{text, true, running(turn.begin),
                                                running(turn.end)});
  GstBuffer *buffer = buffer_of(as_bytes(text)).release();
  if (text.empty() && mumbled(turn))
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_GAP);
  GST_BUFFER_PTS(buffer) = turn.begin;
  GST_BUFFER_DURATION(buffer) = turn.end - turn.begin;
  flow_ = gst_pad_push(src_, buffer);
}

void SttSession::fail() {
  failed_ = true;
  gst_pad_push_event(src_, events::make(events::ProviderFailed{
                               "scenario-stt", "scripted",
                               "the scenario says that it fails", false}));
}

void SttSession::eos(Ref<GstEvent> event) {
  results_.clear();
  gst_pad_push_event(src_, event.release());
}

} // namespace patchcord::scenario
