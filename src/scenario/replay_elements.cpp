// SPDX-License-Identifier: LGPL-2.1-or-later

// `replaystt` and `replayvoice`: stand for the recogniser and the voice of a
// call that is played again. See docs/recordings.md.
#include "scenario/elements.hpp"

#include "graph/contexts.hpp"
#include "graph/events.hpp"
#include "scenario/replay_script.hpp"
#include "scenario/replay_voice.hpp"

#include <memory>

using namespace patchcord;
using recording::Event;
using recording::Kind;

namespace {

// Which times the recording does not know, it has as 0.
GstClockTime clock_time(Duration time) {
  return time > Duration{} ? static_cast<GstClockTime>(time.count())
                           : GST_CLOCK_TIME_NONE;
}

GstBuffer *words_of(const Event &event) {
  GstBuffer *buffer = buffer_of(as_bytes(event.text)).release();
  if (event.flag)
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_GAP);
  if (event.to > Duration{}) {
    GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(event.from.count());
    GST_BUFFER_DURATION(buffer) =
        static_cast<GstClockTime>((event.to - event.from).count());
  }
  return buffer;
}

void hear(GstPad *src, const Event &event) {
  switch (event.kind) {
  case Kind::kSpeechStarted:
    gst_pad_push_event(
        src, events::make(events::SpeechStarted{clock_time(event.from)}));
    break;
  case Kind::kSpeechStopped:
    gst_pad_push_event(
        src, events::make(events::SpeechStopped{clock_time(event.to)}));
    break;
  case Kind::kPartial:
    gst_pad_push_event(src,
                       events::make(events::PartialTranscript{event.text}));
    break;
  case Kind::kWords:
    gst_pad_push(src, words_of(event));
    break;
  case Kind::kEarsFailed:
    gst_pad_push_event(
        src, events::make(events::ProviderFailed{event.detail, event.code,
                                                 event.text, event.flag}));
    break;
  case Kind::kEarsOver:
    gst_pad_push_event(src, gst_event_new_eos());
    break;
  default:
    break;
  }
}

} // namespace

// --- replaystt ---------------------------------------------------------------

struct ReplaySttPrivate {
  GstPad *sink = nullptr, *src = nullptr;
  std::shared_ptr<Worker> worker;
};

struct _ReplayStt {
  GstElement parent;
  ReplaySttPrivate *priv;
};

G_DEFINE_TYPE(ReplayStt, replay_stt, GST_TYPE_ELEMENT)

static GstStaticPadTemplate mulaw_sink = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-mulaw, rate=8000, channels=1"));
static GstStaticPadTemplate text_src =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS("text/x-raw, format=utf8"));
static GstStaticPadTemplate text_sink =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS("text/x-raw, format=utf8"));
static GstStaticPadTemplate mulaw_src = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-mulaw, rate=8000, channels=1"));

// What was heard in it is known.
static GstFlowReturn replay_stt_chain(GstPad *, GstObject *,
                                      GstBuffer *buffer) {
  gst_buffer_unref(buffer);
  return GST_FLOW_OK;
}

static gboolean replay_stt_sink_event(GstPad *, GstObject *parent,
                                      GstEvent *raw) {
  ReplaySttPrivate &priv = *REPLAY_STT(parent)->priv;
  GstPad *src = priv.src;
  auto event = Ref<GstEvent>::adopt(raw);
  if (GST_EVENT_TYPE(raw) == GST_EVENT_EOS) {
    // It comes when the recogniser was through with it.
    if (priv.worker)
      for (const Event &each :
           priv.worker->service<scenario::ReplayScript>().take_last_words())
        hear(src, each);
    return TRUE;
  }
  if (GST_EVENT_TYPE(raw) == GST_EVENT_CAPS) {
    const auto caps =
        Ref<GstCaps>::adopt(gst_static_pad_template_get_caps(&text_src));
    event = Ref<GstEvent>::adopt(gst_event_new_caps(caps.get()));
  }
  return gst_pad_push_event(src, event.release());
}

static GstStateChangeReturn replay_stt_change_state(GstElement *element,
                                                    GstStateChange transition) {
  ReplaySttPrivate &priv = *REPLAY_STT(element)->priv;
  if (transition == GST_STATE_CHANGE_NULL_TO_READY)
    priv.worker = graph::acquire_worker(element);
  else if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    priv.worker->service<scenario::ReplayScript>().ears =
        [src = priv.src](const Event &event) { hear(src, event); };
  const GstStateChangeReturn result = GST_ELEMENT_CLASS(replay_stt_parent_class)
                                          ->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    priv.worker->service<scenario::ReplayScript>().ears = nullptr;
  else if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    priv.worker.reset();
  return result;
}

static void replay_stt_init(ReplayStt *self) {
  self->priv = new ReplaySttPrivate();
  ReplaySttPrivate &priv = *self->priv;
  priv.sink = gst_pad_new_from_static_template(&mulaw_sink, "sink");
  gst_pad_set_chain_function(priv.sink, replay_stt_chain);
  gst_pad_set_event_function(priv.sink, replay_stt_sink_event);
  gst_element_add_pad(GST_ELEMENT(self), priv.sink);
  priv.src = gst_pad_new_from_static_template(&text_src, "src");
  gst_pad_use_fixed_caps(priv.src);
  gst_element_add_pad(GST_ELEMENT(self), priv.src);
}

static void replay_stt_finalize(GObject *object) {
  delete REPLAY_STT(object)->priv;
  G_OBJECT_CLASS(replay_stt_parent_class)->finalize(object);
}

static void replay_stt_class_init(ReplaySttClass *klass) {
  G_OBJECT_CLASS(klass)->finalize = replay_stt_finalize;
  GstElementClass *element = GST_ELEMENT_CLASS(klass);
  element->change_state = replay_stt_change_state;
  gst_element_class_add_static_pad_template(element, &mulaw_sink);
  gst_element_class_add_static_pad_template(element, &text_src);
  gst_element_class_set_static_metadata(
      element, "Recogniser of a recording", "Converter/Audio/Text",
      "Hears what was heard in a recorded call", "The Patchcord developers");
}

// --- replayvoice -------------------------------------------------------------

struct ReplayVoicePrivate {
  GstPad *sink = nullptr, *src = nullptr;
  std::shared_ptr<Worker> worker;
  std::unique_ptr<scenario::ReplayVoiceSession> session;
};

struct _ReplayVoice {
  GstElement parent;
  ReplayVoicePrivate *priv;
};

G_DEFINE_TYPE(ReplayVoice, replay_voice, GST_TYPE_ELEMENT)

static GstFlowReturn replay_voice_chain(GstPad *, GstObject *parent,
                                        GstBuffer *buffer) {
  const auto owned = Ref<GstBuffer>::adopt(buffer);
  const MappedBuffer mapped(buffer);
  auto &session = REPLAY_VOICE(parent)->priv->session;
  if (session)
    session->text(std::string(as_text(mapped.bytes())));
  return session ? GST_FLOW_OK : GST_FLOW_FLUSHING;
}

static gboolean replay_voice_sink_event(GstPad *pad, GstObject *parent,
                                        GstEvent *raw) {
  ReplayVoicePrivate &priv = *REPLAY_VOICE(parent)->priv;
  const auto event = Ref<GstEvent>::adopt(raw);
  if (!priv.session)
    return FALSE;
  switch (GST_EVENT_TYPE(raw)) {
  case GST_EVENT_STREAM_START:
  case GST_EVENT_CAPS:
  case GST_EVENT_SEGMENT:
    return TRUE; // Its own stream has its own.
  case GST_EVENT_EOS:
    priv.session->eos();
    return TRUE;
  case GST_EVENT_FLUSH_START:
    priv.session->flush();
    break;
  default:
    if (priv.session->event(raw))
      return TRUE;
    break;
  }
  return gst_pad_event_default(pad, parent,
                               Ref<GstEvent>::share(raw).release());
}

static GstStateChangeReturn
replay_voice_change_state(GstElement *element, GstStateChange transition) {
  ReplayVoicePrivate &priv = *REPLAY_VOICE(element)->priv;
  if (transition == GST_STATE_CHANGE_NULL_TO_READY)
    priv.worker = graph::acquire_worker(element);
  else if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    priv.session = std::make_unique<scenario::ReplayVoiceSession>(
        element, priv.sink, priv.src, *priv.worker);
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(replay_voice_parent_class)
          ->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    priv.session.reset();
  else if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    priv.worker.reset();
  return result;
}

static void replay_voice_init(ReplayVoice *self) {
  self->priv = new ReplayVoicePrivate();
  ReplayVoicePrivate &priv = *self->priv;
  priv.sink = gst_pad_new_from_static_template(&text_sink, "sink");
  gst_pad_set_chain_function(priv.sink, replay_voice_chain);
  gst_pad_set_event_function(priv.sink, replay_voice_sink_event);
  gst_element_add_pad(GST_ELEMENT(self), priv.sink);
  priv.src = gst_pad_new_from_static_template(&mulaw_src, "src");
  gst_pad_use_fixed_caps(priv.src);
  gst_element_add_pad(GST_ELEMENT(self), priv.src);
}

static void replay_voice_finalize(GObject *object) {
  delete REPLAY_VOICE(object)->priv;
  G_OBJECT_CLASS(replay_voice_parent_class)->finalize(object);
}

static void replay_voice_class_init(ReplayVoiceClass *klass) {
  G_OBJECT_CLASS(klass)->finalize = replay_voice_finalize;
  GstElementClass *element = GST_ELEMENT_CLASS(klass);
  element->change_state = replay_voice_change_state;
  gst_element_class_add_static_pad_template(element, &mulaw_src);
  gst_element_class_add_static_pad_template(element, &text_sink);
  gst_element_class_set_static_metadata(
      element, "Voice of a recording", "Filter/Audio/Text",
      "Speaks as long as was spoken in a recorded call",
      "The Patchcord developers");
}

namespace patchcord::scenario {

void register_replay_elements() {
  gst_element_register(nullptr, "replaystt", GST_RANK_NONE, REPLAY_TYPE_STT);
  gst_element_register(nullptr, "replayvoice", GST_RANK_NONE,
                       REPLAY_TYPE_VOICE);
}

} // namespace patchcord::scenario
