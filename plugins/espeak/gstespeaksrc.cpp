// SPDX-License-Identifier: LGPL-2.1-or-later

/**
 * SECTION:element-espeaksrc
 * @title: espeaksrc
 * @short_description: offline voice
 *
 * Speaks with libespeak-ng: no network, no key, a millisecond of CPU for a
 * second of speech. With its request pad `sink` it speaks each text buffer that
 * comes in, and follows the contract of a voice (docs/events.md). Without, it
 * speaks its property #GstEspeakSrc:text and ends.
 *
 * ## Example
 * |[
 * gst-launch-1.0 espeaksrc text="Hello" ! audioconvert ! wavenc ! filesink
 * location=hello.wav
 * ]|
 */

#include "gstespeaksrc.hpp"

#include "graph/element.hpp"
#include "graph/espeak_engine.hpp"
#include "graph/voice_pads.hpp"

#include <memory>
#include <string>

GST_DEBUG_CATEGORY_STATIC(espeak_src_debug);
#define GST_CAT_DEFAULT espeak_src_debug

using namespace patchcord;

namespace {

struct Settings {
  std::string text;
  offline::EspeakVoice::Settings voice;
};

struct Private {
  explicit Private(GstElement *element) : pads(element) {}
  Settings settings; // under the object lock
  graph::VoicePads pads;
};

} // namespace

struct _GstEspeakSrc {
  GstElement parent;
  Private *priv;
};

G_DEFINE_TYPE_WITH_CODE(GstEspeakSrc, gst_espeak_src, GST_TYPE_ELEMENT,
                        GST_DEBUG_CATEGORY_INIT(espeak_src_debug, "espeaksrc",
                                                0, "Offline voice"))

// espeak-ng's own rate first: where it is taken nothing is resampled here.
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-raw, format=S16LE, layout=interleaved, "
                    "rate=22050, channels=1; "
                    "audio/x-raw, format=S16LE, layout=interleaved, "
                    "rate=[ 8000, 48000 ], channels=1; "
                    "audio/x-mulaw, rate=8000, channels=1"));
static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_REQUEST,
                            GST_STATIC_CAPS("text/x-raw, format=utf8"));

enum { PROP_TEXT = 1, PROP_VOICE, PROP_RATE, PROP_PITCH, PROP_VOLUME };

static void gst_espeak_src_init(GstEspeakSrc *self) {
  self->priv = new Private(GST_ELEMENT(self));
}

static void gst_espeak_src_finalize(GObject *object) {
  delete GST_ESPEAK_SRC(object)->priv;
  G_OBJECT_CLASS(gst_espeak_src_parent_class)->finalize(object);
}

static void gst_espeak_src_set_property(GObject *object, guint id,
                                        const GValue *value,
                                        GParamSpec *pspec) {
  Settings &settings = GST_ESPEAK_SRC(object)->priv->settings;
  GST_OBJECT_LOCK(object);
  switch (id) {
  case PROP_TEXT:
    settings.text = graph::string_of(value);
    break;
  case PROP_VOICE:
    settings.voice.voice = graph::string_of(value);
    break;
  case PROP_RATE:
    settings.voice.words_per_minute = g_value_get_int(value);
    break;
  case PROP_PITCH:
    settings.voice.pitch = g_value_get_int(value);
    break;
  case PROP_VOLUME:
    settings.voice.volume = g_value_get_int(value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    break;
  }
  GST_OBJECT_UNLOCK(object);
}

static void gst_espeak_src_get_property(GObject *object, guint id,
                                        GValue *value, GParamSpec *pspec) {
  const Settings &settings = GST_ESPEAK_SRC(object)->priv->settings;
  GST_OBJECT_LOCK(object);
  switch (id) {
  case PROP_TEXT:
    g_value_set_string(value, settings.text.c_str());
    break;
  case PROP_VOICE:
    g_value_set_string(value, settings.voice.voice.c_str());
    break;
  case PROP_RATE:
    g_value_set_int(value, settings.voice.words_per_minute);
    break;
  case PROP_PITCH:
    g_value_set_int(value, settings.voice.pitch);
    break;
  case PROP_VOLUME:
    g_value_set_int(value, settings.voice.volume);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    break;
  }
  GST_OBJECT_UNLOCK(object);
}

static bool gst_espeak_src_start(GstEspeakSrc *self) {
  GST_OBJECT_LOCK(self);
  const Settings settings = self->priv->settings;
  GST_OBJECT_UNLOCK(self);
  graph::VoicePads &pads = self->priv->pads;
  if (!pads.can_speak(settings.text))
    return false;
  // A downstream that cannot take it says so at the first buffer.
  const auto format = pads.negotiate().value_or(graph::VoiceFormat{});
  pads.start(format, std::nullopt, settings.text,
             [&pads, voice = settings.voice] {
               return std::make_shared<graph::EspeakEngine>(pads, voice);
             });
  return true;
}

static GstStateChangeReturn
gst_espeak_src_change_state(GstElement *element, GstStateChange transition) {
  return GST_ESPEAK_SRC(element)->priv->pads.change_state(
      GST_ELEMENT_CLASS(gst_espeak_src_parent_class), transition,
      [element] { return gst_espeak_src_start(GST_ESPEAK_SRC(element)); });
}

static GstPad *gst_espeak_src_request_new_pad(GstElement *element,
                                              GstPadTemplate *pad_template,
                                              const gchar *, const GstCaps *) {
  return GST_ESPEAK_SRC(element)->priv->pads.request_text_pad(pad_template);
}

static void gst_espeak_src_release_pad(GstElement *element, GstPad *pad) {
  GST_ESPEAK_SRC(element)->priv->pads.release_text_pad(pad);
}

static gboolean gst_espeak_src_send_event(GstElement *element,
                                          GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS &&
      GST_ESPEAK_SRC(element)->priv->pads.end_plain_source()) {
    gst_event_unref(event);
    return TRUE;
  }
  return GST_ELEMENT_CLASS(gst_espeak_src_parent_class)
      ->send_event(element, event);
}

static void gst_espeak_src_class_init(GstEspeakSrcClass *klass) {
  GObjectClass *object_class = G_OBJECT_CLASS(klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
  object_class->finalize = gst_espeak_src_finalize;
  object_class->set_property = gst_espeak_src_set_property;
  object_class->get_property = gst_espeak_src_get_property;
  element_class->change_state = gst_espeak_src_change_state;
  element_class->request_new_pad = gst_espeak_src_request_new_pad;
  element_class->release_pad = gst_espeak_src_release_pad;
  element_class->send_event = gst_espeak_src_send_event;

  const offline::EspeakVoice::Settings voice;
  const auto flags = static_cast<GParamFlags>(
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      object_class, PROP_TEXT,
      g_param_spec_string("text", "Text",
                          "What a plain source (pad sink not linked) speaks; "
                          "default: none",
                          "", flags));
  g_object_class_install_property(
      object_class, PROP_VOICE,
      g_param_spec_string("voice", "Voice",
                          "Voice of espeak-ng (espeak-ng --voices), with an "
                          "optional variant such as en-us+f3",
                          voice.voice.c_str(), flags));
  g_object_class_install_property(
      object_class, PROP_RATE,
      g_param_spec_int("rate", "Rate", "Speed in words per minute", 80, 450,
                       voice.words_per_minute, flags));
  g_object_class_install_property(
      object_class, PROP_PITCH,
      g_param_spec_int("pitch", "Pitch",
                       "Base pitch, on espeak-ng's scale from 0 to 100", 0, 100,
                       voice.pitch, flags));
  g_object_class_install_property(
      object_class, PROP_VOLUME,
      g_param_spec_int("volume", "Volume",
                       "Volume in per cent; above about 120 the loudest sounds "
                       "are clipped",
                       0, 200, voice.volume, flags));

  graph::mark_on_worker(element_class);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_set_static_metadata(
      element_class, "espeak-ng voice", "Source/Audio",
      "Speaks text with the offline voice espeak-ng",
      "The Patchcord developers");
  gst_element_class_add_static_metadata(
      element_class, "example",
      "gst-launch-1.0 espeaksrc text=\"Hello\" ! audioconvert ! wavenc ! "
      "filesink location=hello.wav");
}
