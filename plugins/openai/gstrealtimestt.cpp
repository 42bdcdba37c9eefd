// SPDX-License-Identifier: LGPL-2.1-or-later

/**
 * SECTION:element-realtimestt
 * @title: realtimestt
 * @short_description: understands speech, by OpenAI's Realtime transcription
 *
 * Streams a caller's speech to OpenAI, or to a server with the same interface,
 * and gives what was said: one text buffer a turn, with the time and duration
 * of its speech, in the order in which it was spoken. On the way there are the
 * events `patchcord-speech-started`, `patchcord-speech-stopped` and
 * `patchcord-partial-transcript`, and the messages `patchcord-transcript`
 * (docs/events.md, docs/messages.md).
 *
 * The text of a turn comes when the silence behind it has lasted and the server
 * has answered, a second or more behind its timestamp. This is no latency that
 * a sink could wait for: that query gets upstream's answer.
 *
 * Where turns end is found by the server, or, for the models that leave it to
 * the client, by a voice activity detector here. The connection is made on the
 * way to PAUSED, and made again when it is lost; what was not understood by
 * then is sent again.
 *
 * When the provider fails for good (a wrong key, no credit, no connection),
 * there is a warning message and the event `patchcord-provider-failed`; the
 * stream goes on without text, so that what is downstream can end it.
 *
 * Mu-law goes to the server as it is, PCM as 24 kHz: the caps decide. The
 * server hears audio as fast as it comes: pace a file with clocksync.
 *
 * ## Example
 * |[
 * gst-launch-1.0 -m filesrc location=question.wav ! wavparse ! clocksync !
 * audioconvert ! audioresample ! realtimestt ! fdsink
 * ]| Prints what is said in a recording (with OPENAI_API_KEY set).
 */

#include "gstrealtimestt.hpp"

#include "stt_session.hpp"

#include "graph/element.hpp"
#include "graph/key_way.hpp"

#include <memory>
#include <string>

GST_DEBUG_CATEGORY(realtimestt_debug);
#define GST_CAT_DEFAULT realtimestt_debug

using namespace patchcord;

namespace {

using Realtime = openai::RealtimeTranscription::Settings;

struct Settings {
  Realtime realtime;
  std::string api_key;
  bool plain_http = false; // the key may go in the clear
  guint result_deadline_ms = 0;
};

struct Private {
  Settings settings; // under the object lock
  GstPad *sink = nullptr, *src = nullptr;
  std::shared_ptr<Worker> worker;
  graph::Stopping stopping;
  std::shared_ptr<SttSession> session; // on the worker
};

} // namespace

struct _GstRealtimeStt {
  GstElement parent;
  Private *priv;
};

G_DEFINE_TYPE_WITH_CODE(GstRealtimeStt, gst_realtime_stt, GST_TYPE_ELEMENT,
                        GST_DEBUG_CATEGORY_INIT(realtimestt_debug,
                                                "realtimestt", 0,
                                                "OpenAI transcription"))

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-raw, format=S16LE, layout=interleaved, "
                    "rate=24000, channels=1; "
                    "audio/x-mulaw, rate=8000, channels=1"));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS("text/x-raw, format=utf8"));

enum {
  PROP_API_KEY = 1,
  PROP_BASE_URL,
  PROP_REALTIME_URL,
  PROP_PLAIN_HTTP,
  PROP_MODEL,
  PROP_LANGUAGE,
  PROP_VAD_SILENCE_MS,
  PROP_VAD_THRESHOLD,
  PROP_APPEND_MS,
  PROP_RESULT_DEADLINE_MS,
};

// --- pads --------------------------------------------------------------------

static GstFlowReturn gst_realtime_stt_chain(GstPad *, GstObject *parent,
                                            GstBuffer *buffer) {
  const auto owned = Ref<GstBuffer>::adopt(buffer);
  return graph::with_session(
      GST_ELEMENT(parent), *GST_REALTIME_STT(parent)->priv, GST_FLOW_FLUSHING,
      [&](SttSession &session) { return session.audio(buffer); });
}

static gboolean gst_realtime_stt_caps(GstRealtimeStt *self, GstEvent *event) {
  return graph::with_session(
      GST_ELEMENT(self), *self->priv, FALSE,
      [&](SttSession &session) -> gboolean {
        GstCaps *caps = nullptr;
        gst_event_parse_caps(event, &caps);
        const auto text = Ref<GstCaps>::adopt(
            gst_static_pad_template_get_caps(&src_template));
        gst_pad_push_event(self->priv->src, gst_event_new_caps(text.get()));
        return session.caps(caps);
      });
}

static gboolean gst_realtime_stt_sink_event(GstPad *, GstObject *parent,
                                            GstEvent *raw) {
  GstRealtimeStt *self = GST_REALTIME_STT(parent);
  auto event = Ref<GstEvent>::adopt(raw);
  const auto on_session = [&](auto &&use) {
    return graph::on_session(GST_ELEMENT(self), *self->priv, use);
  };
  const auto pass_on = [&]() -> gboolean {
    return gst_pad_push_event(self->priv->src, event.release());
  };
  switch (GST_EVENT_TYPE(raw)) {
  case GST_EVENT_CAPS:
    return gst_realtime_stt_caps(self, raw);
  case GST_EVENT_SEGMENT: {
    GstSegment segment;
    event = graph::time_segment(std::move(event), segment);
    return on_session([&](SttSession &session) {
      pass_on();
      session.segment(segment);
    });
  }
  case GST_EVENT_GAP: {
    GstClockTime pts = GST_CLOCK_TIME_NONE, duration = GST_CLOCK_TIME_NONE;
    gst_event_parse_gap(raw, &pts, &duration);
    return on_session([&](SttSession &session) { session.gap(pts, duration); });
  }
  case GST_EVENT_EOS:
    return on_session(
        [&](SttSession &session) { session.eos(std::move(event)); });
  case GST_EVENT_FLUSH_START:
    // Before the hop to the worker: it may be what the worker waits for.
    (void)pass_on();
    return on_session([](SttSession &session) { session.flush_start(); });
  case GST_EVENT_FLUSH_STOP:
    return on_session([&](SttSession &session) {
      session.flush_stop();
      pass_on();
    });
  default:
    return graph::with_session(GST_ELEMENT(self), *self->priv, FALSE,
                               [&](SttSession &) { return pass_on(); });
  }
}

// --- states ------------------------------------------------------------------

static std::string environment(const char *name) {
  const char *value = g_getenv(name);
  return value != nullptr ? value : "";
}

static bool gst_realtime_stt_start(GstRealtimeStt *self) {
  Private &priv = *self->priv;
  GST_OBJECT_LOCK(self);
  Settings settings = priv.settings;
  GST_OBJECT_UNLOCK(self);
  if (settings.api_key.empty())
    settings.api_key = environment("OPENAI_API_KEY");
  if (settings.realtime.base_url.empty())
    settings.realtime.base_url = environment("OPENAI_BASE_URL");
  if (settings.realtime.base_url.empty())
    settings.realtime.base_url = Realtime().base_url;
  const Realtime &realtime = settings.realtime;
  const bool own = !realtime.realtime_url.empty();
  if (!graph::key_may_go(GST_ELEMENT(self), own ? "realtime-url" : "base-url",
                         own ? realtime.realtime_url : realtime.base_url,
                         settings.api_key, settings.plain_http))
    return false;
  settings.realtime.result_deadline =
      std::chrono::milliseconds(settings.result_deadline_ms);
  // The same each time where the time is, too.
  settings.realtime.seed = priv.worker->is_virtual() ? 1 : g_random_int();
  priv.session = std::make_shared<SttSession>(
      GST_ELEMENT(self), priv.src, priv.worker,
      SttSession::Settings{settings.realtime, settings.api_key});
  priv.session->start();
  return true;
}

static void gst_realtime_stt_stop(GstRealtimeStt *self) {
  if (const auto session = std::exchange(self->priv->session, nullptr))
    session->close();
}

static GstStateChangeReturn
gst_realtime_stt_change_state(GstElement *element, GstStateChange transition) {
  GstRealtimeStt *self = GST_REALTIME_STT(element);
  Private &priv = *self->priv;
  if (!graph::enter_state(element, priv, transition))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
      !graph::on_worker(*priv.worker,
                        [&] { return gst_realtime_stt_start(self); }))
    return GST_STATE_CHANGE_FAILURE;

  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_realtime_stt_parent_class)
          ->change_state(element, transition);

  graph::leave_state(element, priv, transition, result,
                     [self] { gst_realtime_stt_stop(self); });
  return result;
}

// --- the object --------------------------------------------------------------

static void gst_realtime_stt_set_property(GObject *object, guint id,
                                          const GValue *value,
                                          GParamSpec *spec) {
  Settings &settings = GST_REALTIME_STT(object)->priv->settings;
  Realtime &realtime = settings.realtime;
  GST_OBJECT_LOCK(object);
  switch (id) {
  case PROP_API_KEY:
    settings.api_key = graph::string_of(value);
    break;
  case PROP_BASE_URL:
    realtime.base_url = graph::string_of(value);
    break;
  case PROP_REALTIME_URL:
    realtime.realtime_url = graph::string_of(value);
    break;
  case PROP_PLAIN_HTTP:
    settings.plain_http = g_value_get_boolean(value) != FALSE;
    break;
  case PROP_MODEL:
    realtime.model = graph::string_of(value);
    break;
  case PROP_LANGUAGE:
    realtime.language = graph::string_of(value);
    break;
  case PROP_VAD_SILENCE_MS:
    realtime.vad_silence_ms = static_cast<int>(g_value_get_uint(value));
    break;
  case PROP_VAD_THRESHOLD:
    realtime.vad_threshold = g_value_get_double(value);
    break;
  case PROP_APPEND_MS:
    realtime.append_ms = static_cast<int>(g_value_get_uint(value));
    break;
  case PROP_RESULT_DEADLINE_MS:
    settings.result_deadline_ms = g_value_get_uint(value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

static void gst_realtime_stt_get_property(GObject *object, guint id,
                                          GValue *value, GParamSpec *spec) {
  const Settings &settings = GST_REALTIME_STT(object)->priv->settings;
  const Realtime &realtime = settings.realtime;
  GST_OBJECT_LOCK(object);
  switch (id) {
  case PROP_BASE_URL:
    g_value_set_string(value, realtime.base_url.c_str());
    break;
  case PROP_REALTIME_URL:
    g_value_set_string(value, realtime.realtime_url.c_str());
    break;
  case PROP_PLAIN_HTTP:
    g_value_set_boolean(value, settings.plain_http ? TRUE : FALSE);
    break;
  case PROP_MODEL:
    g_value_set_string(value, realtime.model.c_str());
    break;
  case PROP_LANGUAGE:
    g_value_set_string(value, realtime.language.c_str());
    break;
  case PROP_VAD_SILENCE_MS:
    g_value_set_uint(value, static_cast<guint>(realtime.vad_silence_ms));
    break;
  case PROP_VAD_THRESHOLD:
    g_value_set_double(value, realtime.vad_threshold);
    break;
  case PROP_APPEND_MS:
    g_value_set_uint(value, static_cast<guint>(realtime.append_ms));
    break;
  case PROP_RESULT_DEADLINE_MS:
    g_value_set_uint(value, settings.result_deadline_ms);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

static void gst_realtime_stt_init(GstRealtimeStt *self) {
  self->priv = new Private();
  Private &priv = *self->priv;
  priv.settings.realtime.base_url.clear(); // the environment, or OpenAI's
  priv.sink = gst_pad_new_from_static_template(&sink_template, "sink");
  gst_pad_set_chain_function(priv.sink, gst_realtime_stt_chain);
  gst_pad_set_event_function(priv.sink, gst_realtime_stt_sink_event);
  gst_element_add_pad(GST_ELEMENT(self), priv.sink);
  priv.src = gst_pad_new_from_static_template(&src_template, "src");
  gst_pad_use_fixed_caps(priv.src);
  gst_element_add_pad(GST_ELEMENT(self), priv.src);
}

static void gst_realtime_stt_finalize(GObject *object) {
  delete GST_REALTIME_STT(object)->priv;
  G_OBJECT_CLASS(gst_realtime_stt_parent_class)->finalize(object);
}

static void install_properties(GObjectClass *object) {
  const Realtime defaults;
  const auto flags = static_cast<GParamFlags>(
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  const auto install = [&](guint id, GParamSpec *spec) {
    g_object_class_install_property(object, id, spec);
  };
  install(
      PROP_API_KEY,
      g_param_spec_string(
          "api-key", "API key",
          "OpenAI API key; by default that of the environment variable "
          "OPENAI_API_KEY. Can be set, not read",
          nullptr,
          static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS |
                                   GST_PARAM_MUTABLE_READY)));
  install(PROP_BASE_URL,
          g_param_spec_string(
              "base-url", "Base URL",
              "Where the API is, such as https://api.openai.com/v1; empty: "
              "the environment variable OPENAI_BASE_URL, else OpenAI's",
              "", flags));
  install(PROP_REALTIME_URL,
          g_param_spec_string(
              "realtime-url", "Realtime URL",
              "WebSocket URL, used as it is, where it does not follow from "
              "base-url",
              "", flags));
  install(PROP_PLAIN_HTTP,
          g_param_spec_boolean("plain-http", "Plain HTTP",
                               "Let api-key go to another machine in the clear",
                               FALSE, flags));
  install(PROP_MODEL,
          g_param_spec_string("model", "Model", "Transcription model",
                              defaults.model.c_str(), flags));
  install(PROP_LANGUAGE,
          g_param_spec_string(
              "language", "Language",
              "Language of the speech (ISO 639-1), several with commas for "
              "models that take a list; empty: found by the model",
              "", flags));
  install(PROP_VAD_SILENCE_MS,
          g_param_spec_uint("vad-silence-ms", "VAD silence",
                            "Silence that ends a turn, in ms", 100, 5000,
                            static_cast<guint>(defaults.vad_silence_ms),
                            flags));
  install(PROP_VAD_THRESHOLD,
          g_param_spec_double(
              "vad-threshold", "VAD threshold",
              "How sure it must be that something is speech, 0 to 1; higher "
              "in noise",
              0.0, 1.0, defaults.vad_threshold, flags));
  install(PROP_APPEND_MS,
          g_param_spec_uint(
              "append-ms", "Append",
              "Least audio sent at a time, in ms (default 20: buffers as they "
              "come); less costs more CPU time, more delays the result",
              20, 1000, static_cast<guint>(defaults.append_ms), flags));
  install(PROP_RESULT_DEADLINE_MS,
          g_param_spec_uint(
              "result-deadline-ms", "Result deadline",
              "How long the text of a finished turn is waited for, in ms, "
              "before what is known of it must do; 0: by the model, 1000 where "
              "words come while the caller speaks, else 3000",
              0, 30'000, 0, flags));
}

static void gst_realtime_stt_class_init(GstRealtimeSttClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstElementClass *element = GST_ELEMENT_CLASS(klass);
  object->set_property = gst_realtime_stt_set_property;
  object->get_property = gst_realtime_stt_get_property;
  object->finalize = gst_realtime_stt_finalize;
  element->change_state = gst_realtime_stt_change_state;
  install_properties(object);
  graph::mark_on_worker(element);
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(
      element, "OpenAI transcription", "Converter/Audio/Text",
      "Understands speech with OpenAI's Realtime transcription",
      "The Patchcord developers");
  gst_element_class_add_static_metadata(
      element, "example",
      "gst-launch-1.0 -m filesrc location=question.wav ! wavparse ! clocksync "
      "! audioconvert ! audioresample ! realtimestt ! fdsink");
}
