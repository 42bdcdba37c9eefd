// SPDX-License-Identifier: LGPL-2.1-or-later

/**
 * SECTION:element-twiliosink
 * @title: twiliosink
 * @short_description: speaks to the caller of a Twilio media stream
 *
 * Sends mu-law to the caller as fast as he can hear it and
 * #GstTwilioSink:send-ahead ahead, asks with marks how far he has heard, and
 * tells upstream (the event `patchcord-playout`, docs/events.md). FLUSH_START
 * silences Twilio at once, also when all was sent long ago; `patchcord-hold`
 * does the same and keeps what was not heard for `patchcord-resume`. EOS is
 * posted when all has been heard: when the last mark has come back, or is
 * overdue by 2 s.
 *
 * Never blocks: audio that comes faster than it is spoken waits here, up to ten
 * minutes of it. Audio also waits for the stream, which is the pipeline's
 * (the context "patchcord.media-stream"): the daemon's, or that of a #twiliosrc
 * in the same pipeline.
 *
 * Where nobody sends utterance events, all audio up to EOS is utterance 0.
 *
 * Twilio adds to the latency what nobody here can see: its jitter buffer and
 * the way to the caller, some 100 to 300 ms.
 *
 * ## Example
 * |[
 * gst-launch-1.0 twiliosrc ! fakesink audiotestsrc num-buffers=200 wave=ticks !
 * audio/x-raw,rate=8000,channels=1 ! mulawenc ! twiliosink
 * ]| A caller hears ticks.
 */

#include "gsttwiliosink.hpp"

#include "outbound_session.hpp"

#include "graph/element.hpp"

#include <memory>

GST_DEBUG_CATEGORY(twiliosink_debug);
#define GST_CAT_DEFAULT twiliosink_debug

using namespace patchcord;

namespace {

struct Settings {
  guint send_ahead = 400, message = 100, mark_interval = 500; // ms
};

struct Private {
  Settings settings; // under the object lock
  GstPad *pad = nullptr;
  std::shared_ptr<Worker> worker;
  graph::Stopping stopping;
  // On the worker.
  std::shared_ptr<OutboundSession> session;
  bool looking = false; // for the stream; the answer comes from within
};

} // namespace

struct _GstTwilioSink {
  GstElement parent;
  Private *priv;
};

G_DEFINE_TYPE_WITH_CODE(GstTwilioSink, gst_twilio_sink, GST_TYPE_ELEMENT,
                        GST_DEBUG_CATEGORY_INIT(twiliosink_debug, "twiliosink",
                                                0, "Twilio caller's ear"))

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-mulaw, rate=8000, channels=1"));

enum {
  PROP_SEND_AHEAD = 1,
  PROP_MESSAGE_MS,
  PROP_MARK_INTERVAL,
};

// --- pad ---------------------------------------------------------------------

static GstFlowReturn gst_twilio_sink_chain(GstPad *, GstObject *parent,
                                           GstBuffer *buffer) {
  const auto owned = Ref<GstBuffer>::adopt(buffer);
  const MappedBuffer mapped(buffer);
  return graph::with_session(GST_ELEMENT(parent),
                             *GST_TWILIO_SINK(parent)->priv, GST_FLOW_FLUSHING,
                             [&](OutboundSession &session) {
                               session.audio(mapped.bytes());
                               return GST_FLOW_OK;
                             });
}

static gboolean gst_twilio_sink_event(GstPad *, GstObject *parent,
                                      GstEvent *event) {
  const auto owned = Ref<GstEvent>::adopt(event);
  const auto on_session = [&](auto &&use) {
    return graph::on_session(GST_ELEMENT(parent),
                             *GST_TWILIO_SINK(parent)->priv, use);
  };
  switch (GST_EVENT_TYPE(event)) {
  case GST_EVENT_FLUSH_START:
    return on_session([](OutboundSession &s) { s.flush_start(); });
  case GST_EVENT_FLUSH_STOP:
    return on_session([](OutboundSession &s) { s.flush_stop(); });
  case GST_EVENT_EOS:
    return on_session(
        [event](OutboundSession &s) { s.eos(gst_event_get_seqnum(event)); });
  case GST_EVENT_CUSTOM_DOWNSTREAM:
  case GST_EVENT_CUSTOM_DOWNSTREAM_OOB:
    return on_session(
        [event](OutboundSession &s) { s.downstream_event(event); });
  default: // Nothing that a caller could hear.
    return TRUE;
  }
}

// --- states ------------------------------------------------------------------

static void gst_twilio_sink_look_for_stream(GstTwilioSink *self) {
  Private &priv = *self->priv;
  if (!priv.session || priv.session->attached() ||
      std::exchange(priv.looking, true))
    return;
  priv.session->attach(graph::find_media_stream(GST_ELEMENT(self)));
  priv.looking = false;
}

static void gst_twilio_sink_start(GstTwilioSink *self) {
  Private &priv = *self->priv;
  GST_OBJECT_LOCK(self);
  const Settings settings = priv.settings;
  GST_OBJECT_UNLOCK(self);
  using std::chrono::milliseconds;
  priv.session = std::make_shared<OutboundSession>(
      GST_ELEMENT(self), priv.pad, *priv.worker,
      twilio::Playout::Settings{milliseconds(settings.send_ahead),
                                milliseconds(settings.message),
                                milliseconds(settings.mark_interval)});
  gst_twilio_sink_look_for_stream(self);
}

static GstStateChangeReturn
gst_twilio_sink_change_state(GstElement *element, GstStateChange transition) {
  GstTwilioSink *self = GST_TWILIO_SINK(element);
  Private &priv = *self->priv;
  if (!graph::enter_state(element, priv, transition))
    return GST_STATE_CHANGE_FAILURE;
  const auto on_worker = [&](auto &&work) {
    graph::on_worker(*priv.worker, work);
  };
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    on_worker([&] { gst_twilio_sink_start(self); });
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    graph::soon_on_worker(*priv.worker, element, [&priv] {
      if (priv.session)
        priv.session->pause();
    });

  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_twilio_sink_parent_class)
          ->change_state(element, transition);

  graph::leave_state(element, priv, transition, result,
                     [&priv] { priv.session.reset(); });
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING &&
      result != GST_STATE_CHANGE_FAILURE)
    graph::soon_on_worker(*priv.worker, element, [&priv] {
      if (priv.session)
        priv.session->play();
    });
  return result;
}

// A stream that comes after us: twiliosrc has a caller.
static void gst_twilio_sink_set_context(GstElement *element,
                                        GstContext *context) {
  GST_ELEMENT_CLASS(gst_twilio_sink_parent_class)
      ->set_context(element, context);
  if (!gst_context_has_context_type(context, graph::kMediaStreamContext))
    return;
  GstTwilioSink *self = GST_TWILIO_SINK(element);
  // The worker may be blocked in a sink.
  if (const auto worker = self->priv->worker)
    graph::soon_on_worker(*worker, element,
                          [self] { gst_twilio_sink_look_for_stream(self); });
}

// Upstream events of the application or the pipeline (latency).
static gboolean gst_twilio_sink_send_event(GstElement *element,
                                           GstEvent *event) {
  // Not GST_EVENT_IS_UPSTREAM: it mixes two enumerations, which C++20
  // deprecates.
  if ((gst_event_type_get_flags(GST_EVENT_TYPE(event)) &
       GST_EVENT_TYPE_UPSTREAM) != 0)
    return gst_pad_push_event(GST_TWILIO_SINK(element)->priv->pad, event);
  return GST_ELEMENT_CLASS(gst_twilio_sink_parent_class)
      ->send_event(element, event);
}

// --- the object --------------------------------------------------------------

static void gst_twilio_sink_set_property(GObject *object, guint id,
                                         const GValue *value,
                                         GParamSpec *spec) {
  GstTwilioSink *self = GST_TWILIO_SINK(object);
  Settings &settings = self->priv->settings;
  GST_OBJECT_LOCK(self);
  switch (id) {
  case PROP_SEND_AHEAD:
    settings.send_ahead = g_value_get_uint(value);
    break;
  case PROP_MESSAGE_MS:
    settings.message = g_value_get_uint(value);
    break;
  case PROP_MARK_INTERVAL:
    settings.mark_interval = g_value_get_uint(value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(self);
}

static void gst_twilio_sink_get_property(GObject *object, guint id,
                                         GValue *value, GParamSpec *spec) {
  GstTwilioSink *self = GST_TWILIO_SINK(object);
  const Settings &settings = self->priv->settings;
  GST_OBJECT_LOCK(self);
  switch (id) {
  case PROP_SEND_AHEAD:
    g_value_set_uint(value, settings.send_ahead);
    break;
  case PROP_MESSAGE_MS:
    g_value_set_uint(value, settings.message);
    break;
  case PROP_MARK_INTERVAL:
    g_value_set_uint(value, settings.mark_interval);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(self);
}

static void gst_twilio_sink_init(GstTwilioSink *self) {
  self->priv = new Private();
  Private &priv = *self->priv;
  priv.pad = gst_pad_new_from_static_template(&sink_template, "sink");
  gst_pad_set_chain_function(priv.pad, gst_twilio_sink_chain);
  gst_pad_set_event_function(priv.pad, gst_twilio_sink_event);
  gst_element_add_pad(GST_ELEMENT(self), priv.pad);
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SINK);
}

static void gst_twilio_sink_finalize(GObject *object) {
  delete GST_TWILIO_SINK(object)->priv;
  G_OBJECT_CLASS(gst_twilio_sink_parent_class)->finalize(object);
}

static void gst_twilio_sink_class_init(GstTwilioSinkClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstElementClass *element = GST_ELEMENT_CLASS(klass);
  object->set_property = gst_twilio_sink_set_property;
  object->get_property = gst_twilio_sink_get_property;
  object->finalize = gst_twilio_sink_finalize;
  element->change_state = gst_twilio_sink_change_state;
  element->set_context = gst_twilio_sink_set_context;
  element->send_event = gst_twilio_sink_send_event;

  const auto number = [&](guint id, const char *name, const char *nick,
                          const char *blurb, guint least, guint most,
                          guint value) {
    g_object_class_install_property(
        object, id,
        g_param_spec_uint(name, nick, blurb, least, most, value,
                          static_cast<GParamFlags>(G_PARAM_READWRITE |
                                                   G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_READY)));
  };
  const Settings defaults;
  number(PROP_SEND_AHEAD, "send-ahead", "Send ahead",
         "How much Twilio is given ahead of what the caller hears, in ms "
         "(default 400): what late timers and the network may take",
         40, 10'000, defaults.send_ahead);
  number(PROP_MESSAGE_MS, "message-ms", "Message",
         "Audio in a media message, in ms (default 100)", 20, 1000,
         defaults.message);
  number(PROP_MARK_INTERVAL, "mark-interval", "Mark interval",
         "Audio between marks, in ms (default 500): how often it is certain "
         "what was heard",
         20, 10'000, defaults.mark_interval);

  graph::mark_on_worker(element);
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_set_static_metadata(
      element, "Twilio caller's ear", "Sink/Audio/Network",
      "Speaks to the caller of a Twilio media stream and tells what he heard",
      "Patchcord");
  gst_element_class_add_static_metadata(
      element, "example",
      "gst-launch-1.0 twiliosrc ! fakesink audiotestsrc num-buffers=200 "
      "wave=ticks ! audio/x-raw,rate=8000,channels=1 ! mulawenc ! twiliosink");
}
