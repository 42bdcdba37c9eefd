// SPDX-License-Identifier: LGPL-2.1-or-later
#include "graph/voice_pads.hpp"

#include "agent/clause_splitter.hpp"
#include "base/text.hpp"
#include "graph/contexts.hpp"

#include <mutex>

GST_DEBUG_CATEGORY_STATIC(voice_debug);
#define GST_CAT_DEFAULT voice_debug

namespace patchcord::graph {
namespace {

// Of audio in one buffer: what a buffer costs the elements behind weighs more
// than its samples; more than this would make a barge-in coarse.
constexpr std::uint64_t kBufferMs = 100;
// What docs/events.md asks for behind UtteranceEnd.
constexpr std::uint64_t kClosingSilenceMs = 10;
// A voice that is so late within an utterance has left a pause: its stamps
// tell, instead of making all the rest late.
constexpr GstClockTime kLate = 100 * GST_MSECOND;

std::string text_of(GstBuffer *buffer) {
  const MappedBuffer mapped(buffer);
  std::string_view text = as_text(mapped.bytes());
  text = text.substr(0, text.find('\0'));
  if (valid_utf8(text))
    return std::string(trim(text));
  const GCharPtr valid(
      g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())));
  return std::string(trim(valid.get()));
}

Ref<GstBuffer> wrap(Bytes bytes) {
  auto *owned = new Bytes(std::move(bytes));
  return Ref<GstBuffer>::adopt(gst_buffer_new_wrapped_full(
      GST_MEMORY_FLAG_READONLY, owned->data(), owned->size(), 0, owned->size(),
      owned, [](gpointer data) { delete static_cast<Bytes *>(data); }));
}

} // namespace

VoicePads::VoicePads(GstElement *element) : element_(element) {
  static std::once_flag once;
  std::call_once(once, [] {
    GST_DEBUG_CATEGORY_INIT(voice_debug, "patchcordvoice", 0,
                            "What voice elements have in common");
  });
  src_ = gst_pad_new_from_template(
      gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(element), "src"),
      "src");
  gst_pad_set_element_private(src_, this);
  gst_pad_set_event_function(src_, src_event);
  gst_pad_set_query_function(src_, src_query);
  gst_pad_use_fixed_caps(src_);
  gst_element_add_pad(element, src_);
  // Until a text pad says otherwise.
  GST_OBJECT_FLAG_SET(element, GST_ELEMENT_FLAG_SOURCE);
}

VoicePads &VoicePads::of(GstPad *pad) {
  return *static_cast<VoicePads *>(gst_pad_get_element_private(pad));
}

GstPad *VoicePads::request_text_pad(GstPadTemplate *pad_template) {
  if (has_text_pad())
    return nullptr;
  GstPad *pad = gst_pad_new_from_template(pad_template, "sink");
  gst_pad_set_element_private(pad, this);
  gst_pad_set_chain_function(pad, chain);
  gst_pad_set_event_function(pad, sink_event);
  GST_OBJECT_FLAG_UNSET(element_, GST_ELEMENT_FLAG_SOURCE);
  gst_element_add_pad(element_, pad);
  return pad;
}

void VoicePads::release_text_pad(GstPad *pad) {
  gst_pad_set_active(pad, FALSE);
  gst_element_remove_pad(element_, pad);
  GST_OBJECT_FLAG_SET(element_, GST_ELEMENT_FLAG_SOURCE);
}

bool VoicePads::has_text_pad() const {
  GST_OBJECT_LOCK(element_);
  const bool has = element_->numsinkpads > 0;
  GST_OBJECT_UNLOCK(element_);
  return has;
}

bool VoicePads::can_speak(const std::string &text) const {
  if (!text.empty() || has_text_pad())
    return true;
  GST_ELEMENT_ERROR(element_, RESOURCE, SETTINGS,
                    ("There is nothing to say: set the property text, or link "
                     "text to the pad sink."),
                    (nullptr));
  return false;
}

GstStateChangeReturn
VoicePads::change_state(GstElementClass *parent_class,
                        GstStateChange transition,
                        const std::function<bool()> &start) {
  if ((transition == GST_STATE_CHANGE_NULL_TO_READY ||
       transition == GST_STATE_CHANGE_READY_TO_PAUSED) &&
      !stopping_.settled(element_))
    return GST_STATE_CHANGE_FAILURE;
  // Kept in NULL: the worker may still be on its way out of a push.
  if (transition == GST_STATE_CHANGE_NULL_TO_READY)
    worker_ = acquire_worker(element_);
  const GstStateChangeReturn result =
      parent_class->change_state(element_, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    stopping_.run(*worker_, element_, [this] { stop(); });
  if (result == GST_STATE_CHANGE_FAILURE)
    return result;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start())
    return GST_STATE_CHANGE_FAILURE;
  return result;
}

std::optional<VoiceFormat>
VoicePads::negotiate(const std::optional<VoiceFormat> &wanted) const {
  const auto offered =
      wanted ? wanted->caps()
             : Ref<GstCaps>::adopt(gst_pad_get_pad_template_caps(src_));
  const auto peer =
      Ref<GstCaps>::adopt(gst_pad_peer_query_caps(src_, offered.get()));
  // Our first choice where it can be had at all; else downstream's own order,
  // which puts first what passes through it without work.
  const auto first = Ref<GstCaps>::adopt(gst_caps_copy_nth(offered.get(), 0));
  auto common = Ref<GstCaps>::adopt(gst_caps_intersect_full(
      peer.get(), first.get(), GST_CAPS_INTERSECT_FIRST));
  if (gst_caps_is_empty(common.get()))
    common = Ref<GstCaps>::adopt(gst_caps_intersect_full(
        peer.get(), offered.get(), GST_CAPS_INTERSECT_FIRST));
  if (gst_caps_is_empty(common.get()))
    return std::nullopt;
  common = Ref<GstCaps>::adopt(gst_caps_fixate(common.release()));
  return VoiceFormat::from_caps(common.get());
}

void VoicePads::start(const VoiceFormat &format, const Wanted &wanted,
                      const std::string &text, const MakeEngine &make_engine) {
  const bool plain = !has_text_pad();
  (void)gst_pad_check_reconfigure(src_); // it has been asked just now
  soon_on_worker(
      *worker_, element_, [this, format, wanted, text, make_engine, plain] {
        format_ = format;
        wanted_ = wanted;
        choice_due_ = false;
        queue_.flush();
        flow_ = GST_FLOW_OK;
        failure_.reset();
        in_utterance_ = stream_started_ = false;
        need_segment_ = fresh_ = discont_ = true;
        anchor_ = 0;
        samples_ = 0;
        running_ = std::make_shared<int>();
        engine_ = make_engine();
        if (!plain || !engine_)
          return;
        // Not from within the state change: what is pushed may block in a sink
        // that waits for PLAYING.
        worker_->post([this, text, alive = std::weak_ptr<int>(running_)] {
          if (!alive.expired())
            speak_property(text);
        });
      });
}

void VoicePads::stop() {
  ++generation_;
  running_.reset();
  queue_.flush();
  if (const auto engine = std::exchange(engine_, nullptr))
    engine->stop();
}

void VoicePads::speak_property(const std::string &text) {
  queue_.start({1, true});
  const auto engine = engine_;
  for (const std::string &sentence : agent::split_sentences(text))
    engine->speak(queue_.text(sentence), sentence);
  engine->end_utterance();
  queue_.end({1});
  queue_.pass(Ref<GstEvent>::adopt(gst_event_new_eos()));
  pump();
}

bool VoicePads::end_plain_source() {
  if (has_text_pad() || GST_STATE(element_) == GST_STATE_NULL)
    return false;
  // Must not wait for a worker that may be blocked in a sink.
  worker_->post([this, keep = hold()] {
    if (!engine_)
      return;
    flush();
    queue_.pass(Ref<GstEvent>::adopt(gst_event_new_eos()));
    pump();
  });
  return true;
}

// --- the text pad

GstFlowReturn VoicePads::chain(GstPad *pad, GstObject *, GstBuffer *buffer) {
  const auto owned = Ref<GstBuffer>::adopt(buffer);
  VoicePads &self = of(pad);
  if (turns_away_thread(self.element_, *self.worker_))
    return GST_FLOW_ERROR;
  return on_worker(*self.worker_, [&] { return self.take_text(buffer); });
}

GstFlowReturn VoicePads::take_text(GstBuffer *buffer) {
  const auto engine = engine_;
  if (!engine)
    return GST_FLOW_FLUSHING;
  tell_agent();
  const std::string text = text_of(buffer);
  if (flow_ != GST_FLOW_OK || text.empty())
    return flow_;
  engine->speak(queue_.text(text), text);
  pump();
  return flow_;
}

gboolean VoicePads::sink_event(GstPad *pad, GstObject *, GstEvent *event) {
  auto owned = Ref<GstEvent>::adopt(event);
  VoicePads &self = of(pad);
  if (turns_away_thread(self.element_, *self.worker_))
    return FALSE;
  switch (GST_EVENT_TYPE(event)) {
  case GST_EVENT_FLUSH_START: {
    // First, on this thread: the worker may be blocked in a push that only
    // this ends.
    const gboolean passed = gst_pad_push_event(self.src_, owned.release());
    on_worker(*self.worker_, [&] { self.flush(); });
    return passed;
  }
  case GST_EVENT_FLUSH_STOP:
    return on_worker(*self.worker_, [&] {
      self.flush();
      self.flow_ = GST_FLOW_OK;
      self.need_segment_ = true;
      return gst_pad_push_event(self.src_, owned.release());
    });
  case GST_EVENT_STREAM_START: // The voice's stream has its own.
  case GST_EVENT_CAPS:
  case GST_EVENT_SEGMENT:
  case GST_EVENT_TAG:
  case GST_EVENT_GAP:
    return TRUE;
  default:
    if ((gst_event_type_get_flags(GST_EVENT_TYPE(event)) &
         GST_EVENT_TYPE_SERIALIZED) == 0)
      return gst_pad_push_event(self.src_, owned.release());
    return on_worker(*self.worker_, [&] { return self.take_event(event); })
               ? TRUE
               : FALSE;
  }
}

bool VoicePads::take_event(GstEvent *event) {
  if (!engine_)
    return false;
  tell_agent();
  if (const auto start = events::parse<events::UtteranceStart>(event)) {
    end_utterance();
    in_utterance_ = true;
    queue_.start(*start);
  } else if (const auto end = events::parse<events::UtteranceEnd>(event)) {
    in_utterance_ = true; // Ended even if its start was lost.
    end_utterance();
    queue_.end(*end);
  } else {
    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
      in_utterance_ = true; // Texts without events around them, too.
      end_utterance();
    }
    queue_.pass(Ref<GstEvent>::share(event));
  }
  pump();
  return true;
}

void VoicePads::end_utterance() {
  const auto engine = engine_;
  if (std::exchange(in_utterance_, false) && engine)
    engine->end_utterance();
}

void VoicePads::flush() {
  ++generation_;
  queue_.flush();
  in_utterance_ = false;
  fresh_ = discont_ = true;
  if (engine_)
    engine_->cancel();
}

// --- the engine's reports

void VoicePads::spoken(VoiceQueue::Segment segment, std::string text,
                       std::vector<events::SpokenText::Timing> timings) {
  queue_.spoken(segment, std::move(text), std::move(timings));
  pump();
}

void VoicePads::audio(VoiceQueue::Segment segment, Bytes audio) {
  queue_.audio(segment, std::move(audio));
  pump();
}

void VoicePads::finished(VoiceQueue::Segment segment) {
  queue_.finished(segment);
  pump();
}

void VoicePads::report_failure(const events::VoiceFailed &failure) {
  GST_ELEMENT_WARNING(
      element_, RESOURCE, FAILED, ("%s", failure.message.c_str()),
      ("%s: %s", failure.provider.c_str(), failure.code.c_str()));
  failure_ = failure;
  tell_agent();
}

// An agent that is not running yet cannot hear it: then with the next thing it
// sends.
void VoicePads::tell_agent() {
  GstPad *sink =
      failure_ ? gst_element_get_static_pad(element_, "sink") : nullptr;
  if (sink == nullptr)
    return;
  const events::VoiceFailed failure = *std::exchange(failure_, std::nullopt);
  if (!gst_pad_push_event(sink, events::make(failure)) && !failure_)
    failure_ = failure;
  gst_object_unref(sink);
}

void VoicePads::abort() {
  ++generation_;
  flow_ = GST_FLOW_ERROR;
  queue_.flush();
  if (engine_)
    engine_->cancel();
}

// --- the source pad

gboolean VoicePads::src_event(GstPad *pad, GstObject *parent, GstEvent *event) {
  VoicePads &self = of(pad);
  // Soon, so that a provider can be asked before there is something to say; and
  // not from within a push. The pad keeps note of it.
  if (GST_EVENT_TYPE(event) == GST_EVENT_RECONFIGURE && self.worker_)
    self.worker_->post([&self, keep = self.hold()] {
      if (self.engine_ && !self.pumping_)
        self.renegotiate();
    });
  return gst_pad_event_default(pad, parent, event);
}

bool VoicePads::takes(const VoiceFormat &format) const {
  const auto caps = format.caps();
  const auto taken =
      Ref<GstCaps>::adopt(gst_pad_peer_query_caps(src_, caps.get()));
  return gst_caps_is_empty(taken.get()) == FALSE;
}

// What waits is converted; the engine is told.
void VoicePads::renegotiate() {
  choice_due_ = gst_pad_check_reconfigure(src_) != FALSE || choice_due_;
  if (!choice_due_ || (!fresh_ && takes(format_)))
    return;
  choice_due_ = false;
  auto format = negotiate(wanted_);
  if (!format && wanted_) // rather than be silent
    format = negotiate();
  if (!format || *format == format_)
    return;
  GST_INFO_OBJECT(element_, "downstream asks for another format: %s, %d Hz",
                  format->mulaw ? "mu-law" : "S16LE", format->rate);
  const VoiceFormat before = std::exchange(format_, *format);
  queue_.change_audio(
      [&](Bytes &audio) { audio = convert_speech(audio, before, format_); });
  anchor_ += before.duration(std::exchange(samples_, 0));
  if (stream_started_)
    gst_pad_push_event(src_, gst_event_new_caps(format_.caps().get()));
  if (const auto engine = engine_)
    engine->format_changed();
}

void VoicePads::pump() {
  if (pumping_)
    return; // A push came back to us: the loop below goes on with it.
  const auto alive = hold();
  pumping_ = true;
  while (engine_) {
    renegotiate();
    auto output = queue_.next();
    if (!output)
      break;
    std::visit([this](auto &value) { put(value); }, *output);
  }
  pumping_ = false;
}

void VoicePads::put(const events::UtteranceStart &event) {
  fresh_ = true;
  push_event(events::make(event));
}

void VoicePads::put(events::SpokenText &event) {
  anchor();
  push_event(events::make(event));
}

void VoicePads::put(Bytes &audio) { push_audio(std::move(audio)); }

void VoicePads::put(const events::UtteranceEnd &event) {
  const std::uint64_t generation = generation_;
  push_event(events::make(event));
  if (generation == generation_)
    push_audio(format_.silence(kClosingSilenceMs));
  fresh_ = true;
}

void VoicePads::put(Ref<GstEvent> &event) { push_event(event.release()); }

void VoicePads::prepare_stream() {
  if (!stream_started_) {
    stream_started_ = true;
    const GCharPtr id(gst_pad_create_stream_id(src_, element_, nullptr));
    GstEvent *start = gst_event_new_stream_start(id.get());
    gst_event_set_group_id(start, gst_util_group_id_next());
    gst_pad_push_event(src_, start);
    gst_pad_push_event(src_, gst_event_new_caps(format_.caps().get()));
  }
  if (need_segment_) {
    need_segment_ = false;
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(src_, gst_event_new_segment(&segment));
  }
}

void VoicePads::push_event(GstEvent *event) {
  prepare_stream();
  gst_pad_push_event(src_, event);
}

// In equal parts, so that no buffer is too short to be worth its cost.
void VoicePads::push_audio(Bytes audio) {
  const std::uint64_t generation = generation_;
  const VoiceFormat made = format_;
  const std::size_t sample = format_.sample_bytes();
  const std::size_t samples = audio.size() / sample;
  if (samples == 0)
    return;
  const std::size_t most = format_.bytes_in_ms(kBufferMs) / sample;
  const std::size_t parts = (samples + most - 1) / most;
  audio.resize(samples * sample);
  const auto whole = wrap(std::move(audio));
  for (std::size_t i = 0; i < parts; ++i) {
    const std::size_t begin = samples * i / parts * sample;
    const std::size_t end = samples * (i + 1) / parts * sample;
    push_buffer(Ref<GstBuffer>::adopt(gst_buffer_copy_region(
        whole.get(), GST_BUFFER_COPY_MEMORY, begin, end - begin)));
    if (generation != generation_)
      return;
    renegotiate(); // asked for from within that push
    if (format_ != made) {
      const MappedBuffer mapped(whole.get());
      return push_audio(
          convert_speech(mapped.bytes().subspan(end), made, format_));
    }
  }
}

void VoicePads::push_buffer(Ref<GstBuffer> buffer) {
  if (flow_ != GST_FLOW_OK)
    return;
  prepare_stream();
  if (fresh_)
    anchor();
  const std::uint64_t samples =
      gst_buffer_get_size(buffer.get()) / format_.sample_bytes();
  const GstClockTime begin = anchor_ + format_.duration(samples_);
  samples_ += samples;
  GST_BUFFER_PTS(buffer.get()) = begin;
  GST_BUFFER_DURATION(buffer.get()) =
      anchor_ + format_.duration(samples_) - begin;
  if (std::exchange(discont_, false))
    GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
  check_flow(gst_pad_push(src_, buffer.release()));
}

// Decides whether the stamps jump here. They never go back but after a flush.
void VoicePads::anchor() {
  const bool fresh = std::exchange(fresh_, false);
  const GstClockTime next = anchor_ + format_.duration(samples_);
  const GstClockTime now =
      has_text_pad() ? running_time(element_) : GST_CLOCK_TIME_NONE;
  if (!GST_CLOCK_TIME_IS_VALID(now))
    return;
  if (discont_ || now > next + (fresh ? 0 : kLate)) {
    anchor_ = now;
    samples_ = 0;
    discont_ = true;
  }
}

void VoicePads::check_flow(GstFlowReturn flow) {
  // Downstream is being flushed or stopped, and will say so.
  if (flow == GST_FLOW_OK || flow == GST_FLOW_FLUSHING)
    return;
  GST_DEBUG_OBJECT(element_, "downstream: %s", gst_flow_get_name(flow));
  ++generation_;
  flow_ = flow;
  queue_.flush();
  if (engine_)
    engine_->cancel();
  if (flow != GST_FLOW_EOS) {
    GST_ELEMENT_FLOW_ERROR(element_, flow);
    gst_pad_push_event(src_, gst_event_new_eos());
  }
}

gboolean VoicePads::src_query(GstPad *pad, GstObject *parent, GstQuery *query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
    return gst_pad_query_default(pad, parent, query);
  // Not on the worker: it may be blocked in a sink that waits for this answer.
  gboolean live = FALSE;
  if (GstPad *sink = gst_element_get_static_pad(of(pad).element_, "sink")) {
    // As live as the conversation. Stamps are taken when audio goes out, so
    // that upstream's latency is not the voice's.
    if (gst_pad_peer_query(sink, query))
      gst_query_parse_latency(query, &live, nullptr, nullptr);
    gst_object_unref(sink);
  }
  gst_query_set_latency(query, live, 0, GST_CLOCK_TIME_NONE);
  return TRUE;
}

} // namespace patchcord::graph
