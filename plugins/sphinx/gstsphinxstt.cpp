// SPDX-License-Identifier: LGPL-2.1-or-later

/**
 * SECTION:element-sphinxstt
 * @title: sphinxstt
 * @short_description: understands short answers, offline
 *
 * Recognises what a caller says with libpocketsphinx, by a grammar of what the
 * agent expects to hear (the upstream event `patchcord-expect`): yes and no,
 * choices, numbers, digits, dates, times, names. Without an expectation it
 * knows all of these except digits. It cannot take dictation.
 *
 * Each utterance gives the events `patchcord-speech-started` and
 * `patchcord-speech-stopped`, one text buffer with the time and duration of the
 * speech, and the message `patchcord-transcript` (docs/events.md,
 * docs/messages.md). An utterance that was not understood gives an empty buffer
 * with the GAP flag, and a transcript without text.
 *
 * The text of an utterance comes when the silence behind it has lasted
 * #GstSphinxStt:silence-ms, a second or more behind its timestamp. This is no
 * latency that a sink could wait for: that query gets upstream's answer.
 *
 * Meant for telephone speech: what is above 4 kHz in the sound is replaced.
 * Silence costs next to nothing; speech some hundredths of a core, at its end.
 *
 * ## Example
 * |[
 * gst-launch-1.0 -m filesrc location=answer.wav ! wavparse ! audioconvert !
 * audioresample ! sphinxstt ! fakesink
 * ]| Prints what is said in a recording, as messages.
 */

#include "gstsphinxstt.hpp"

#include "recogniser_session.hpp"

#include "graph/element.hpp"
#include "graph/events.hpp"

#include <memory>
#include <string>

GST_DEBUG_CATEGORY(sphinxstt_debug);
#define GST_CAT_DEFAULT sphinxstt_debug

using namespace patchcord;

namespace {

struct Settings {
  std::string hmm = offline::SphinxDecoder::kDefaultHmm;
  std::string dict = offline::SphinxDecoder::kDefaultDict;
  guint silence_ms = 450;
  double min_score = offline::Recognition::kMinScore;
};

struct Private {
  Settings settings; // under the object lock
  GstPad *sink = nullptr, *src = nullptr;
  std::shared_ptr<Worker> worker;
  graph::Stopping stopping;
  std::shared_ptr<RecogniserSession> session; // on the worker
};

} // namespace

struct _GstSphinxStt {
  GstElement parent;
  Private *priv;
};

G_DEFINE_TYPE_WITH_CODE(GstSphinxStt, gst_sphinx_stt, GST_TYPE_ELEMENT,
                        GST_DEBUG_CATEGORY_INIT(sphinxstt_debug, "sphinxstt", 0,
                                                "offline recogniser"))

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-raw, format=S16LE, layout=interleaved, "
                    "rate=16000, channels=1"));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS("text/x-raw, format=utf8"));

enum { PROP_HMM = 1, PROP_DICT, PROP_SILENCE_MS, PROP_MIN_SCORE };

static Settings gst_sphinx_stt_settings(GstSphinxStt *self) {
  GST_OBJECT_LOCK(self);
  Settings settings = self->priv->settings;
  GST_OBJECT_UNLOCK(self);
  return settings;
}

// --- pads --------------------------------------------------------------------

static GstFlowReturn gst_sphinx_stt_chain(GstPad *, GstObject *parent,
                                          GstBuffer *buffer) {
  const auto owned = Ref<GstBuffer>::adopt(buffer);
  return graph::with_session(
      GST_ELEMENT(parent), *GST_SPHINX_STT(parent)->priv, GST_FLOW_FLUSHING,
      [&](RecogniserSession &session) { return session.audio(buffer); });
}

static gboolean gst_sphinx_stt_sink_event(GstPad *, GstObject *parent,
                                          GstEvent *raw) {
  GstSphinxStt *self = GST_SPHINX_STT(parent);
  auto event = Ref<GstEvent>::adopt(raw);
  const auto on_session = [&](auto &&use) {
    return graph::on_session(GST_ELEMENT(self), *self->priv, use);
  };
  const auto pass_on = [&]() -> gboolean {
    return gst_pad_push_event(self->priv->src, event.release());
  };
  switch (GST_EVENT_TYPE(raw)) {
  case GST_EVENT_CAPS: {
    const auto caps =
        Ref<GstCaps>::adopt(gst_static_pad_template_get_caps(&src_template));
    event = Ref<GstEvent>::adopt(gst_event_new_caps(caps.get()));
    return on_session(
        [&](RecogniserSession &session) { session.pass_on(std::move(event)); });
  }
  case GST_EVENT_SEGMENT: {
    GstSegment segment;
    event = graph::time_segment(std::move(event), segment);
    return on_session([&](RecogniserSession &session) {
      session.segment(segment);
      session.pass_on(std::move(event));
    });
  }
  case GST_EVENT_GAP: {
    GstClockTime pts = GST_CLOCK_TIME_NONE, duration = GST_CLOCK_TIME_NONE;
    gst_event_parse_gap(raw, &pts, &duration);
    return on_session(
        [&](RecogniserSession &session) { session.gap(pts, duration); });
  }
  case GST_EVENT_EOS:
    return on_session(
        [&](RecogniserSession &session) { session.eos(std::move(event)); });
  case GST_EVENT_FLUSH_START:
    (void)pass_on();
    return on_session([](RecogniserSession &session) { session.flush(); });
  case GST_EVENT_FLUSH_STOP:
    return on_session([&](RecogniserSession &session) {
      session.flush();
      pass_on();
    });
  default:
    return graph::with_session(
        GST_ELEMENT(self), *self->priv, FALSE,
        [&](RecogniserSession &session) -> gboolean {
          if ((gst_event_type_get_flags(GST_EVENT_TYPE(raw)) &
               GST_EVENT_TYPE_SERIALIZED) == 0)
            return pass_on();
          session.pass_on(std::move(event));
          return TRUE;
        });
  }
}

static gboolean gst_sphinx_stt_src_event(GstPad *pad, GstObject *parent,
                                         GstEvent *event) {
  const auto expect = events::parse<events::Expect>(event);
  if (!expect)
    return gst_pad_event_default(pad, parent, event);
  gst_event_unref(event);
  return graph::with_session(GST_ELEMENT(parent), *GST_SPHINX_STT(parent)->priv,
                             FALSE,
                             [&](RecogniserSession &session) -> gboolean {
                               session.expect(expect->expectation);
                               return TRUE;
                             });
}

// --- states ------------------------------------------------------------------

static bool gst_sphinx_stt_start(GstSphinxStt *self) {
  Private &priv = *self->priv;
  const Settings settings = gst_sphinx_stt_settings(self);
  const offline::SphinxDecoder::Model model{settings.hmm, settings.dict};
  const auto loaded =
      priv.worker->service<offline::SphinxRecogniser>().load(model);
  if (!loaded) {
    GST_ELEMENT_ERROR(self, RESOURCE, NOT_FOUND,
                      ("%s", loaded.error().message.c_str()),
                      ("Debian has it in the package pocketsphinx-en-us"));
    return false;
  }
  priv.session = std::make_shared<RecogniserSession>(
      GST_ELEMENT(self), priv.src, *priv.worker,
      RecogniserSession::Settings{
          model, std::chrono::milliseconds(settings.silence_ms),
          settings.min_score});
  return true;
}

static GstStateChangeReturn
gst_sphinx_stt_change_state(GstElement *element, GstStateChange transition) {
  GstSphinxStt *self = GST_SPHINX_STT(element);
  Private &priv = *self->priv;
  if (!graph::enter_state(element, priv, transition))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
      !graph::on_worker(*priv.worker,
                        [&] { return gst_sphinx_stt_start(self); }))
    return GST_STATE_CHANGE_FAILURE;

  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_sphinx_stt_parent_class)
          ->change_state(element, transition);

  graph::leave_state(element, priv, transition, result,
                     [&priv] { priv.session.reset(); });
  return result;
}

// --- the object --------------------------------------------------------------

static std::string string_or(const GValue *value, const char *otherwise) {
  const std::string text = graph::string_of(value);
  return text.empty() ? otherwise : text;
}

static void gst_sphinx_stt_set_property(GObject *object, guint id,
                                        const GValue *value, GParamSpec *spec) {
  Settings &settings = GST_SPHINX_STT(object)->priv->settings;
  GST_OBJECT_LOCK(object);
  switch (id) {
  case PROP_HMM:
    settings.hmm = string_or(value, offline::SphinxDecoder::kDefaultHmm);
    break;
  case PROP_DICT:
    settings.dict = string_or(value, offline::SphinxDecoder::kDefaultDict);
    break;
  case PROP_SILENCE_MS:
    settings.silence_ms = g_value_get_uint(value);
    break;
  case PROP_MIN_SCORE:
    settings.min_score = g_value_get_double(value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

static void gst_sphinx_stt_get_property(GObject *object, guint id,
                                        GValue *value, GParamSpec *spec) {
  const Settings &settings = GST_SPHINX_STT(object)->priv->settings;
  GST_OBJECT_LOCK(object);
  switch (id) {
  case PROP_HMM:
    g_value_set_string(value, settings.hmm.c_str());
    break;
  case PROP_DICT:
    g_value_set_string(value, settings.dict.c_str());
    break;
  case PROP_SILENCE_MS:
    g_value_set_uint(value, settings.silence_ms);
    break;
  case PROP_MIN_SCORE:
    g_value_set_double(value, settings.min_score);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

static void gst_sphinx_stt_init(GstSphinxStt *self) {
  self->priv = new Private();
  Private &priv = *self->priv;
  priv.sink = gst_pad_new_from_static_template(&sink_template, "sink");
  gst_pad_set_chain_function(priv.sink, gst_sphinx_stt_chain);
  gst_pad_set_event_function(priv.sink, gst_sphinx_stt_sink_event);
  gst_element_add_pad(GST_ELEMENT(self), priv.sink);
  priv.src = gst_pad_new_from_static_template(&src_template, "src");
  gst_pad_set_event_function(priv.src, gst_sphinx_stt_src_event);
  gst_pad_use_fixed_caps(priv.src);
  gst_element_add_pad(GST_ELEMENT(self), priv.src);
}

static void gst_sphinx_stt_finalize(GObject *object) {
  delete GST_SPHINX_STT(object)->priv;
  G_OBJECT_CLASS(gst_sphinx_stt_parent_class)->finalize(object);
}

static void gst_sphinx_stt_class_init(GstSphinxSttClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstElementClass *element = GST_ELEMENT_CLASS(klass);
  object->set_property = gst_sphinx_stt_set_property;
  object->get_property = gst_sphinx_stt_get_property;
  object->finalize = gst_sphinx_stt_finalize;
  element->change_state = gst_sphinx_stt_change_state;

  const Settings defaults;
  const auto flags = static_cast<GParamFlags>(
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      object, PROP_HMM,
      g_param_spec_string("hmm", "Acoustic model",
                          "Folder of an acoustic model of pocketsphinx for "
                          "16 kHz",
                          defaults.hmm.c_str(), flags));
  g_object_class_install_property(
      object, PROP_DICT,
      g_param_spec_string("dict", "Dictionary",
                          "Pronouncing dictionary in the format of "
                          "pocketsphinx",
                          defaults.dict.c_str(), flags));
  g_object_class_install_property(
      object, PROP_SILENCE_MS,
      g_param_spec_uint(
          "silence-ms", "Silence",
          "Silence that ends an utterance, in ms (default 450); twice "
          "as much where digits are dictated, two thirds of it for yes or no",
          100, 5000, defaults.silence_ms, flags));
  g_object_class_install_property(
      object, PROP_MIN_SCORE,
      g_param_spec_double(
          "min-score", "Least score",
          "Mean score of a 10 ms frame below which an utterance "
          "counts as not understood, in the decoder's units; 0 "
          "is a perfect match",
          -1000.0, 0.0, defaults.min_score, flags));

  graph::mark_on_worker(element);
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(
      element, "Offline recogniser", "Converter/Audio/Text",
      "Understands short spoken answers with pocketsphinx",
      "The Patchcord developers");
  gst_element_class_add_static_metadata(
      element, "example",
      "gst-launch-1.0 -m filesrc location=answer.wav ! wavparse ! audioconvert "
      "! audioresample ! sphinxstt ! fakesink");
}
