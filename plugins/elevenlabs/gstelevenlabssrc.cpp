// SPDX-License-Identifier: LGPL-2.1-or-later

/**
 * SECTION:element-elevenlabssrc
 * @title: elevenlabssrc
 * @short_description: ElevenLabs speech
 *
 * Speaks with ElevenLabs over one WebSocket ("Multi-Context WebSocket" of their
 * API), opened at READY -> PAUSED and kept: a reply is heard as soon as its
 * first audio arrives. With its request pad `sink` it speaks each text buffer
 * that comes in, and follows the contract of a voice (docs/events.md). Without,
 * it speaks its property #GstElevenLabsSrc:text and ends. Where downstream
 * takes mu-law it asks for mu-law, so that a call needs no encoder; the
 * property #GstElevenLabsSrc:output-format asks for another format.
 *
 * When the key or the voice is refused, the quota is used up, or audio does not
 * come within #GstElevenLabsSrc:timeout, the offline voice
 * #GstElevenLabsSrc:fallback-voice goes on with the words that are missing.
 *
 * ## Example
 * |[
 * ELEVENLABS_API_KEY=... gst-launch-1.0 elevenlabssrc text="Hello" !
 * audioconvert ! wavenc ! filesink location=hello.wav
 * ]|
 */

#include "gstelevenlabssrc.hpp"

#include "socket_engine.hpp"

#include "elevenlabs/output_format.hpp"
#include "graph/element.hpp"
#include "graph/key_way.hpp"

#include <cstdlib>
#include <memory>
#include <string>

GST_DEBUG_CATEGORY(elevenlabs_src_debug);
#define GST_CAT_DEFAULT elevenlabs_src_debug

using namespace patchcord;

namespace {

constexpr double kStored = -1; // as stored with the voice
constexpr double kSlowest = 0.7;

struct Settings {
  std::string text;
  std::string api_key;
  std::string base_url = "https://api.elevenlabs.io";
  std::string voice_id = "21m00Tcm4TlvDq8ikWAM"; // "Rachel", on every account
  std::string model_id = "eleven_flash_v2_5";
  std::string language;
  std::string output_format; // empty: what downstream likes best
  double stability = kStored, similarity_boost = kStored, speed = kStored;
  std::string fallback_voice = "en-us";
  bool plain_http = false; // the key may go in the clear
  guint timeout_ms = 5000;
};

std::optional<double> unless_stored(double value) {
  return value < 0 ? std::nullopt : std::optional(value);
}

SocketEngine::Settings engine_settings(const Settings &settings) {
  SocketEngine::Settings out;
  out.api_key = settings.api_key;
  if (const char *key = std::getenv("ELEVENLABS_API_KEY");
      out.api_key.empty() && key != nullptr)
    out.api_key = key;
  out.fallback_voice = settings.fallback_voice;
  out.timeout = std::chrono::milliseconds(settings.timeout_ms);
  out.stream.base_url = settings.base_url;
  out.stream.voice_id = settings.voice_id;
  out.stream.model_id = settings.model_id;
  out.stream.language = settings.language;
  out.voice = {unless_stored(settings.stability),
               unless_stored(settings.similarity_boost),
               unless_stored(settings.speed)};
  return out;
}

struct Private {
  explicit Private(GstElement *element) : pads(element) {}
  Settings settings; // under the object lock
  graph::VoicePads pads;
};

} // namespace

struct _GstElevenLabsSrc {
  GstElement parent;
  Private *priv;
};

G_DEFINE_TYPE_WITH_CODE(GstElevenLabsSrc, gst_elevenlabs_src, GST_TYPE_ELEMENT,
                        GST_DEBUG_CATEGORY_INIT(elevenlabs_src_debug,
                                                "elevenlabssrc", 0,
                                                "ElevenLabs speech"))

// The formats of the API's WebSocket. 44.1 kHz, last, needs a dearer plan.
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-mulaw, rate=8000, channels=1; "
                    "audio/x-raw, format=S16LE, layout=interleaved, "
                    "rate={24000, 22050, 16000, 8000, 44100}, channels=1"));
static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_REQUEST,
                            GST_STATIC_CAPS("text/x-raw, format=utf8"));

enum {
  PROP_TEXT = 1,
  PROP_API_KEY,
  PROP_BASE_URL,
  PROP_PLAIN_HTTP,
  PROP_VOICE_ID,
  PROP_MODEL_ID,
  PROP_LANGUAGE,
  PROP_OUTPUT_FORMAT,
  PROP_STABILITY,
  PROP_SIMILARITY_BOOST,
  PROP_SPEED,
  PROP_FALLBACK_VOICE,
  PROP_TIMEOUT
};

static void gst_elevenlabs_src_init(GstElevenLabsSrc *self) {
  self->priv = new Private(GST_ELEMENT(self));
}

static void gst_elevenlabs_src_finalize(GObject *object) {
  delete GST_ELEVENLABS_SRC(object)->priv;
  G_OBJECT_CLASS(gst_elevenlabs_src_parent_class)->finalize(object);
}

// Where a text or number property is kept; null for others.
static std::string *text_setting(Settings &settings, guint id) {
  switch (id) {
  case PROP_TEXT:
    return &settings.text;
  case PROP_API_KEY:
    return &settings.api_key;
  case PROP_BASE_URL:
    return &settings.base_url;
  case PROP_VOICE_ID:
    return &settings.voice_id;
  case PROP_MODEL_ID:
    return &settings.model_id;
  case PROP_LANGUAGE:
    return &settings.language;
  case PROP_OUTPUT_FORMAT:
    return &settings.output_format;
  case PROP_FALLBACK_VOICE:
    return &settings.fallback_voice;
  default:
    return nullptr;
  }
}

static double *number_setting(Settings &settings, guint id) {
  switch (id) {
  case PROP_STABILITY:
    return &settings.stability;
  case PROP_SIMILARITY_BOOST:
    return &settings.similarity_boost;
  case PROP_SPEED:
    return &settings.speed;
  default:
    return nullptr;
  }
}

static void gst_elevenlabs_src_set_property(GObject *object, guint id,
                                            const GValue *value,
                                            GParamSpec *pspec) {
  Settings &settings = GST_ELEVENLABS_SRC(object)->priv->settings;
  GST_OBJECT_LOCK(object);
  if (std::string *text = text_setting(settings, id)) {
    *text = graph::string_of(value);
  } else if (double *number = number_setting(settings, id)) {
    *number = g_value_get_double(value);
  } else if (id == PROP_TIMEOUT) {
    settings.timeout_ms = g_value_get_uint(value);
  } else if (id == PROP_PLAIN_HTTP) {
    settings.plain_http = g_value_get_boolean(value) != FALSE;
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
  GST_OBJECT_UNLOCK(object);
}

static void gst_elevenlabs_src_get_property(GObject *object, guint id,
                                            GValue *value, GParamSpec *pspec) {
  Settings &settings = GST_ELEVENLABS_SRC(object)->priv->settings;
  GST_OBJECT_LOCK(object);
  if (const std::string *text = text_setting(settings, id))
    g_value_set_string(value, text->c_str());
  else if (const double *number = number_setting(settings, id))
    g_value_set_double(value, *number);
  else if (id == PROP_TIMEOUT)
    g_value_set_uint(value, settings.timeout_ms);
  else if (id == PROP_PLAIN_HTTP)
    g_value_set_boolean(value, settings.plain_http ? TRUE : FALSE);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  GST_OBJECT_UNLOCK(object);
}

// What the property output-format asks for, if anything; false when that
// cannot be.
static bool gst_elevenlabs_src_format(GstElevenLabsSrc *self,
                                      const std::string &wanted,
                                      graph::VoicePads::Wanted &asked,
                                      graph::VoiceFormat &format) {
  graph::VoicePads &pads = self->priv->pads;
  if (wanted.empty()) {
    // A downstream that cannot take it says so at the first buffer.
    format = pads.negotiate().value_or(graph::VoiceFormat{true, 8000});
    return true;
  }
  const auto *known = elevenlabs::find_output_format(wanted);
  if (known == nullptr) {
    GST_ELEMENT_ERROR(self, RESOURCE, SETTINGS,
                      ("output-format: expected %s, got \"%s\"",
                       elevenlabs::kOutputFormatsExpected, wanted.c_str()),
                      (nullptr));
    return false;
  }
  format = {known->mulaw, known->rate};
  asked = format;
  if (pads.negotiate(format))
    return true;
  GST_ELEMENT_ERROR(self, STREAM, FORMAT,
                    ("The element behind this one does not take the "
                     "output-format %s",
                     wanted.c_str()),
                    (nullptr));
  return false;
}

// A range of numbers cannot say "or -1".
static bool gst_elevenlabs_src_speed(GstElevenLabsSrc *self, double speed) {
  if (!unless_stored(speed) || speed >= kSlowest)
    return true;
  GST_ELEMENT_ERROR(self, RESOURCE, SETTINGS,
                    ("speed: expected 0.7 to 1.2, or -1 (as stored with the "
                     "voice), got %g",
                     speed),
                    (nullptr));
  return false;
}

static bool gst_elevenlabs_src_start(GstElevenLabsSrc *self) {
  GST_OBJECT_LOCK(self);
  const Settings settings = self->priv->settings;
  GST_OBJECT_UNLOCK(self);
  const SocketEngine::Settings engine = engine_settings(settings);
  if (!graph::key_may_go(GST_ELEMENT(self), "base-url", engine.stream.base_url,
                         engine.api_key, settings.plain_http))
    return false;
  graph::VoicePads &pads = self->priv->pads;
  graph::VoicePads::Wanted wanted;
  graph::VoiceFormat format;
  if (!pads.can_speak(settings.text) ||
      !gst_elevenlabs_src_speed(self, settings.speed) ||
      !gst_elevenlabs_src_format(self, settings.output_format, wanted, format))
    return false;
  pads.start(format, wanted, settings.text, [&pads, engine] {
    auto opened = std::make_shared<SocketEngine>(pads, engine);
    opened->open();
    return opened;
  });
  return true;
}

static GstStateChangeReturn
gst_elevenlabs_src_change_state(GstElement *element,
                                GstStateChange transition) {
  return GST_ELEVENLABS_SRC(element)->priv->pads.change_state(
      GST_ELEMENT_CLASS(gst_elevenlabs_src_parent_class), transition,
      [element] {
        return gst_elevenlabs_src_start(GST_ELEVENLABS_SRC(element));
      });
}

static GstPad *gst_elevenlabs_src_request_new_pad(GstElement *element,
                                                  GstPadTemplate *pad_template,
                                                  const gchar *,
                                                  const GstCaps *) {
  return GST_ELEVENLABS_SRC(element)->priv->pads.request_text_pad(pad_template);
}

static void gst_elevenlabs_src_release_pad(GstElement *element, GstPad *pad) {
  GST_ELEVENLABS_SRC(element)->priv->pads.release_text_pad(pad);
}

static gboolean gst_elevenlabs_src_send_event(GstElement *element,
                                              GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS &&
      GST_ELEVENLABS_SRC(element)->priv->pads.end_plain_source()) {
    gst_event_unref(event);
    return TRUE;
  }
  return GST_ELEMENT_CLASS(gst_elevenlabs_src_parent_class)
      ->send_event(element, event);
}

static void install_text(GObjectClass *object_class, guint id, const char *name,
                         const char *nick, const char *blurb,
                         const std::string &fallback) {
  g_object_class_install_property(
      object_class, id,
      g_param_spec_string(
          name, nick, blurb, fallback.c_str(),
          static_cast<GParamFlags>(
              (id == PROP_API_KEY ? G_PARAM_WRITABLE : G_PARAM_READWRITE) |
              G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)));
}

static void install_number(GObjectClass *object_class, guint id,
                           const char *name, const char *nick,
                           const char *blurb, double most) {
  g_object_class_install_property(
      object_class, id,
      g_param_spec_double(name, nick, blurb, kStored, most, kStored,
                          static_cast<GParamFlags>(G_PARAM_READWRITE |
                                                   G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_READY)));
}

static void gst_elevenlabs_src_install_properties(GObjectClass *object_class) {
  const Settings settings;
  install_text(object_class, PROP_TEXT, "text", "Text",
               "What a plain source (pad sink not linked) speaks; default: "
               "none",
               settings.text);
  install_text(object_class, PROP_API_KEY, "api-key", "API key",
               "Key of the ElevenLabs account; default: the variable "
               "ELEVENLABS_API_KEY",
               settings.api_key);
  install_text(object_class, PROP_BASE_URL, "base-url", "Base URL",
               "Server of the API; https and http stand for wss and ws",
               settings.base_url);
  install_text(object_class, PROP_VOICE_ID, "voice-id", "Voice ID",
               "Voice of ElevenLabs, by its ID", settings.voice_id);
  install_text(object_class, PROP_MODEL_ID, "model-id", "Model ID",
               "Model of ElevenLabs that works over its WebSocket",
               settings.model_id);
  install_text(object_class, PROP_LANGUAGE, "language", "Language",
               "Language of the text (ISO 639-1, such as en); default: found "
               "by the model",
               settings.language);
  install_text(object_class, PROP_OUTPUT_FORMAT, "output-format",
               "Output format",
               "Audio to ask for, as the API names it (ulaw_8000, pcm_8000, "
               "pcm_16000, pcm_22050, pcm_24000, pcm_44100); default: what "
               "downstream likes best",
               settings.output_format);
  install_number(object_class, PROP_STABILITY, "stability", "Stability",
                 "0 (expressive) to 1 (even); -1: as stored with the voice", 1);
  install_number(object_class, PROP_SIMILARITY_BOOST, "similarity-boost",
                 "Similarity boost",
                 "Likeness to the original voice, 0 to 1; -1: as stored with "
                 "the voice",
                 1);
  install_number(object_class, PROP_SPEED, "speed", "Speed",
                 "Speed as a factor, 0.7 to 1.2; -1: as stored with the voice",
                 1.2);
  install_text(object_class, PROP_FALLBACK_VOICE, "fallback-voice",
               "Fallback voice",
               "Voice of espeak-ng that speaks when ElevenLabs does not; "
               "empty: none",
               settings.fallback_voice);
  constexpr auto kFlags = static_cast<GParamFlags>(
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      object_class, PROP_PLAIN_HTTP,
      g_param_spec_boolean("plain-http", "Plain HTTP",
                           "Let api-key go to another machine in the clear",
                           FALSE, kFlags));
  g_object_class_install_property(
      object_class, PROP_TIMEOUT,
      g_param_spec_uint(
          "timeout", "Timeout",
          "How long to wait for audio before the fallback voice speaks, in "
          "milliseconds",
          100, 600'000, settings.timeout_ms, kFlags));
}

static void gst_elevenlabs_src_class_init(GstElevenLabsSrcClass *klass) {
  GObjectClass *object_class = G_OBJECT_CLASS(klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
  object_class->finalize = gst_elevenlabs_src_finalize;
  object_class->set_property = gst_elevenlabs_src_set_property;
  object_class->get_property = gst_elevenlabs_src_get_property;
  element_class->change_state = gst_elevenlabs_src_change_state;
  element_class->request_new_pad = gst_elevenlabs_src_request_new_pad;
  element_class->release_pad = gst_elevenlabs_src_release_pad;
  element_class->send_event = gst_elevenlabs_src_send_event;
  gst_elevenlabs_src_install_properties(object_class);

  graph::mark_on_worker(element_class);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_set_static_metadata(
      element_class, "ElevenLabs voice", "Source/Audio/Network",
      "Speaks text with ElevenLabs, or with the offline voice when that fails",
      "The Patchcord developers");
  gst_element_class_add_static_metadata(
      element_class, "example",
      "ELEVENLABS_API_KEY=... gst-launch-1.0 elevenlabssrc text=\"Hello\" ! "
      "audioconvert ! wavenc ! filesink location=hello.wav");
}
