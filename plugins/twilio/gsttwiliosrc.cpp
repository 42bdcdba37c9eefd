// SPDX-License-Identifier: LGPL-2.1-or-later

/**
 * SECTION:element-twiliosrc
 * @title: twiliosrc
 * @short_description: the caller's audio of a Twilio media stream
 *
 * Pushes what the caller says, on one continuous line of time: gaps in Twilio's
 * timestamps become silence. As mu-law, which is what Twilio sends, where the
 * next element takes it; as 16-bit samples where it takes only those. Keys come
 * as events and bus messages, the beginning and the end of the stream as bus
 * messages (docs/messages.md) and as EOS.
 *
 * The stream is the pipeline's (the context "patchcord.media-stream"). Where
 * there is none, the element listens itself and answers the voice webhook, so
 * that a Twilio number can be pointed at one line of gst-launch. Twilio insists
 * on TLS: put a tunnel or a proxy in front, give the auth token (without one
 * only this machine may connect), and enter `https://HOST/voice` as the
 * webhook. A #twiliosink in the same pipeline speaks to the same caller.
 *
 * ## Example
 * |[
 * gst-launch-1.0 -m twiliosrc port=8080 ! audioconvert ! wavenc !
 * filesink location=caller.wav
 * ]| Records a caller.
 * |[
 * gst-launch-1.0 twiliosrc ! twiliosink
 * ]| Says back to the caller what he says.
 */

#include "gsttwiliosrc.hpp"

#include "inbound_session.hpp"

#include "graph/element.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <utility>

GST_DEBUG_CATEGORY(twiliosrc_debug);
#define GST_CAT_DEFAULT twiliosrc_debug

using namespace patchcord;

namespace {

constexpr guint kDefaultChunk = 20; // ms
constexpr guint kSamplesPerMs = 8;

struct Settings {
  guint chunk_ms = kDefaultChunk;
  bool steady = false;
  server::SingleCallServer::Options server;
};

struct Private {
  Settings settings; // under the object lock
  GstPad *pad = nullptr;
  std::shared_ptr<Worker> worker;
  graph::Stopping stopping;
  std::shared_ptr<InboundSession> session; // on the worker
  std::atomic<int> current_port{0};
};

} // namespace

struct _GstTwilioSrc {
  GstElement parent;
  Private *priv;
};

G_DEFINE_TYPE_WITH_CODE(GstTwilioSrc, gst_twilio_src, GST_TYPE_ELEMENT,
                        GST_DEBUG_CATEGORY_INIT(twiliosrc_debug, "twiliosrc", 0,
                                                "Twilio caller's audio"))

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-mulaw, rate=8000, channels=1; "
                    "audio/x-raw, format=S16LE, layout=interleaved, rate=8000, "
                    "channels=1"));

enum {
  PROP_CHUNK_MS = 1,
  PROP_STEADY,
  PROP_PORT,
  PROP_CURRENT_PORT,
  PROP_PATH,
  PROP_PUBLIC_URL,
  PROP_AUTH_TOKEN,
};

static Settings gst_twilio_src_settings(GstTwilioSrc *self) {
  GST_OBJECT_LOCK(self);
  Settings settings = self->priv->settings;
  GST_OBJECT_UNLOCK(self);
  return settings;
}

// --- pad ---------------------------------------------------------------------

static gboolean gst_twilio_src_event(GstPad *pad, GstObject *parent,
                                     GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_LATENCY) {
    gst_event_unref(event);
    return TRUE;
  }
  // Nothing upstream: a live source cannot seek, and what the sink says of its
  // playout is for elements before us.
  gst_event_unref(event);
  return FALSE;
}

static gboolean gst_twilio_src_query(GstPad *pad, GstObject *parent,
                                     GstQuery *query) {
  switch (GST_QUERY_TYPE(query)) {
  case GST_QUERY_LATENCY: {
    // A buffer leaves when its last sample has been read. How long it took from
    // the caller's mouth to us (some 100 to 300 ms) nobody can tell.
    const Settings settings = gst_twilio_src_settings(GST_TWILIO_SRC(parent));
    const Duration unread =
        settings.steady ? Duration{0} : audio::Cadence::kPeriod;
    gst_query_set_latency(query, TRUE,
                          settings.chunk_ms * GST_MSECOND +
                              static_cast<GstClockTime>(unread.count()),
                          GST_CLOCK_TIME_NONE);
    return TRUE;
  }
  case GST_QUERY_SCHEDULING:
    gst_query_set_scheduling(query, GST_SCHEDULING_FLAG_BANDWIDTH_LIMITED, 1,
                             -1, 0);
    gst_query_add_scheduling_mode(query, GST_PAD_MODE_PUSH);
    return TRUE;
  default:
    return gst_pad_query_default(pad, parent, query);
  }
}

// --- states ------------------------------------------------------------------

static gboolean gst_twilio_src_start(GstTwilioSrc *self) {
  Private &priv = *self->priv;
  const Settings settings = gst_twilio_src_settings(self);
  auto session = std::make_shared<InboundSession>(
      GST_ELEMENT(self), priv.pad, *priv.worker,
      std::size_t{settings.chunk_ms} * kSamplesPerMs, settings.steady);
  if (!session->find_stream()) {
    const auto listening = session->listen(settings.server);
    if (!listening) {
      GST_ELEMENT_ERROR(
          self, RESOURCE, OPEN_READ,
          ("Cannot listen for calls: %s", listening.error().message.c_str()),
          ("%s", listening.error().code.c_str()));
      return FALSE;
    }
  }
  priv.current_port = session->port();
  priv.session = std::move(session);
  return TRUE;
}

static GstStateChangeReturn
gst_twilio_src_change_state(GstElement *element, GstStateChange transition) {
  GstTwilioSrc *self = GST_TWILIO_SRC(element);
  Private &priv = *self->priv;
  if (!graph::enter_state(element, priv, transition))
    return GST_STATE_CHANGE_FAILURE;
  const auto on_worker = [&](auto &&work) {
    return graph::on_worker(*priv.worker, work);
  };
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
      !on_worker([&] { return gst_twilio_src_start(self); }))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    graph::soon_on_worker(*priv.worker, element, [&priv] {
      if (priv.session)
        priv.session->pause();
    });

  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_twilio_src_parent_class)
          ->change_state(element, transition);

  graph::leave_state(element, priv, transition, result, [&priv] {
    if (const auto session = std::exchange(priv.session, nullptr))
      session->close();
    priv.current_port = 0;
  });
  if (result == GST_STATE_CHANGE_FAILURE)
    return result;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    graph::soon_on_worker(*priv.worker, element, [&priv] {
      if (priv.session)
        priv.session->play();
    });
  // A live source: no data in PAUSED.
  const bool to_paused = transition == GST_STATE_CHANGE_READY_TO_PAUSED ||
                         transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED;
  return to_paused ? GST_STATE_CHANGE_NO_PREROLL : result;
}

// EOS of the application (gst-launch -e, or a daemon that ends the call).
static gboolean gst_twilio_src_send_event(GstElement *element,
                                          GstEvent *event) {
  GstTwilioSrc *self = GST_TWILIO_SRC(element);
  if (GST_EVENT_TYPE(event) != GST_EVENT_EOS)
    return GST_ELEMENT_CLASS(gst_twilio_src_parent_class)
        ->send_event(element, event);
  gst_event_unref(event);
  const auto worker = self->priv->worker;
  if (!worker)
    return FALSE;
  // Not waited for: the worker may be in a push into a sink that blocks in
  // PAUSED.
  const auto ended = std::make_shared<gboolean>(TRUE);
  graph::soon_on_worker(*worker, element, [self, ended] {
    const auto session = self->priv->session;
    *ended = session && session->end();
  });
  return worker->on_thread() ? *ended : TRUE;
}

// --- the object --------------------------------------------------------------

static void gst_twilio_src_set_property(GObject *object, guint id,
                                        const GValue *value, GParamSpec *spec) {
  GstTwilioSrc *self = GST_TWILIO_SRC(object);
  Settings &settings = self->priv->settings;
  const auto text = [value] { return graph::string_of(value); };
  GST_OBJECT_LOCK(self);
  switch (id) {
  case PROP_CHUNK_MS:
    settings.chunk_ms = g_value_get_uint(value);
    break;
  case PROP_STEADY:
    settings.steady = g_value_get_boolean(value) != FALSE;
    break;
  case PROP_PORT:
    settings.server.port = g_value_get_int(value);
    break;
  case PROP_PATH:
    settings.server.path = text();
    break;
  case PROP_PUBLIC_URL:
    settings.server.public_url = text();
    break;
  case PROP_AUTH_TOKEN:
    settings.server.auth_token = text();
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(self);
}

static void gst_twilio_src_get_property(GObject *object, guint id,
                                        GValue *value, GParamSpec *spec) {
  const Settings settings = gst_twilio_src_settings(GST_TWILIO_SRC(object));
  switch (id) {
  case PROP_CHUNK_MS:
    g_value_set_uint(value, settings.chunk_ms);
    break;
  case PROP_STEADY:
    g_value_set_boolean(value, settings.steady ? TRUE : FALSE);
    break;
  case PROP_PORT:
    g_value_set_int(value, settings.server.port);
    break;
  case PROP_CURRENT_PORT:
    g_value_set_int(value, GST_TWILIO_SRC(object)->priv->current_port);
    break;
  case PROP_PATH:
    g_value_set_string(value, settings.server.path.c_str());
    break;
  case PROP_PUBLIC_URL:
    g_value_set_string(value, settings.server.public_url.c_str());
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void gst_twilio_src_init(GstTwilioSrc *self) {
  self->priv = new Private();
  Private &priv = *self->priv;
  if (const char *token = g_getenv("TWILIO_AUTH_TOKEN"))
    priv.settings.server.auth_token = token;
  priv.pad = gst_pad_new_from_static_template(&src_template, "src");
  gst_pad_set_event_function(priv.pad, gst_twilio_src_event);
  gst_pad_set_query_function(priv.pad, gst_twilio_src_query);
  gst_pad_use_fixed_caps(priv.pad);
  gst_element_add_pad(GST_ELEMENT(self), priv.pad);
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
}

static void gst_twilio_src_finalize(GObject *object) {
  delete GST_TWILIO_SRC(object)->priv;
  G_OBJECT_CLASS(gst_twilio_src_parent_class)->finalize(object);
}

static void gst_twilio_src_class_init(GstTwilioSrcClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstElementClass *element = GST_ELEMENT_CLASS(klass);
  object->set_property = gst_twilio_src_set_property;
  object->get_property = gst_twilio_src_get_property;
  object->finalize = gst_twilio_src_finalize;
  element->change_state = gst_twilio_src_change_state;
  element->send_event = gst_twilio_src_send_event;

  const auto flags = static_cast<GParamFlags>(
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  const auto write_only = static_cast<GParamFlags>(
      G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      object, PROP_CHUNK_MS,
      g_param_spec_uint("chunk-ms", "Chunk",
                        "Longest buffer in ms (default 20, as Twilio sends "
                        "it). Longer ones cost less; where the caller may be "
                        "about to finish they are 20 ms all the same",
                        10, 1000, kDefaultChunk, flags));
  g_object_class_install_property(
      object, PROP_STEADY,
      g_param_spec_boolean("steady", "Steady",
                           "All buffers of chunk-ms, and every message read "
                           "when it comes (default false)",
                           FALSE, flags));
  g_object_class_install_property(
      object, PROP_PORT,
      g_param_spec_int("port", "Port",
                       "TCP port to listen on when the pipeline has no media "
                       "stream (default 8080; 0: any free one)",
                       0, 65535, 8080, flags));
  g_object_class_install_property(
      object, PROP_CURRENT_PORT,
      g_param_spec_int(
          "current-port", "Current port", "TCP port listened on, or 0", 0,
          65535, 0,
          static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  g_object_class_install_property(
      object, PROP_PATH,
      g_param_spec_string("path", "Path",
                          "Of the voice webhook, when listening (default "
                          "/voice); the media stream is at PATH/stream",
                          "/voice", flags));
  g_object_class_install_property(
      object, PROP_PUBLIC_URL,
      g_param_spec_string("public-url", "Public URL",
                          "How Twilio reaches this host, such as "
                          "https://voice.example.com (default: from the "
                          "request's Host)",
                          nullptr, flags));
  g_object_class_install_property(
      object, PROP_AUTH_TOKEN,
      g_param_spec_string("auth-token", "Auth token",
                          "Checks Twilio's signatures when listening (default: "
                          "TWILIO_AUTH_TOKEN; without one they are not "
                          "checked); cannot be read",
                          nullptr, write_only));

  graph::mark_on_worker(element);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(
      element, "Twilio caller's audio", "Source/Audio/Network",
      "Receives the caller's side of a Twilio media stream", "Patchcord");
  gst_element_class_add_static_metadata(
      element, "example",
      "gst-launch-1.0 -m twiliosrc port=8080 ! audioconvert ! "
      "wavenc ! filesink location=caller.wav");
}
