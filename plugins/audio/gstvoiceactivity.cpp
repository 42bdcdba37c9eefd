// SPDX-License-Identifier: LGPL-2.1-or-later

/**
 * SECTION:element-voiceactivity
 * @title: voiceactivity
 * @short_description: tells where speech begins and ends
 *
 * Passes audio on untouched, and with it the events
 * `patchcord-speech-started` and `patchcord-speech-stopped` (docs/events.md),
 * each before the buffer in which it became certain. Energy against an adaptive
 * noise floor, in frames of 10 ms: no model, no delay.
 *
 * A recogniser in the cloud tells the same some 200 ms later. Behind
 * #twiliosrc, which lets go of what it has gathered when a caller begins to
 * speak, a #agent knows 60 to 80 ms after the first voiced sample that it is
 * being interrupted.
 *
 * A flush forgets speech that is under way; at EOS it is told to have stopped.
 *
 * ## Example
 * |[
 * gst-launch-1.0 -v audiotestsrc num-buffers=38 samplesperbuffer=800
 * wave=ticks tick-interval=2000000000 sine-periods-per-tick=400 !
 * audio/x-raw,format=S16LE,rate=8000,channels=1 ! voiceactivity ! fakesink
 * silent=false
 * ]| Two beeps of 0.9 s, and the events around them.
 */

#include "gstvoiceactivity.hpp"

#include "audio/voice_activity.hpp"
#include "graph/events.hpp"
#include "graph/handles.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

GST_DEBUG_CATEGORY_STATIC(voice_activity_debug);
#define GST_CAT_DEFAULT voice_activity_debug

using namespace patchcord;

namespace {

using audio::VoiceActivity;

// Stamps may wander by this much before it is a gap; what is longer than the
// second says no more than that speech is over.
constexpr GstClockTime kTolerance = 60 * GST_MSECOND;
constexpr GstClockTime kLongestGap = GST_SECOND;

struct Settings {
  guint min_speech_ms = 60, hangover_ms = 200;
  double threshold_db = 10.0;
};

struct Private {
  Settings settings; // under the object lock
  // Of the stream, under its lock.
  VoiceActivity activity;
  std::vector<VoiceActivity::Event> events;
  int rate = 0;
  bool mulaw = false;
  bool anchored = false;
  GstClockTime anchor = 0; // stamp of the sample at:
  Duration anchored_at{};  // a position of `activity`
};

} // namespace

struct _GstVoiceActivity {
  GstBaseTransform parent;
  Private *priv;
};

G_DEFINE_TYPE_WITH_CODE(GstVoiceActivity, gst_voice_activity,
                        GST_TYPE_BASE_TRANSFORM,
                        GST_DEBUG_CATEGORY_INIT(voice_activity_debug,
                                                "voiceactivity", 0,
                                                "Voice activity"))

#define AUDIO_CAPS                                                             \
  "audio/x-mulaw, rate=8000, channels=1; "                                     \
  "audio/x-raw, format=S16LE, layout=interleaved, rate=[ 8000, 192000 ], "     \
  "channels=1"
static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(AUDIO_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(AUDIO_CAPS));

enum { PROP_MIN_SPEECH_MS = 1, PROP_HANGOVER_MS, PROP_THRESHOLD_DB };

// --- the stream --------------------------------------------------------------

// The running time of a position of the activity.
static GstClockTime gst_voice_activity_time(GstVoiceActivity *self,
                                            Duration position) {
  const Private &priv = *self->priv;
  const GstSegment &segment = GST_BASE_TRANSFORM(self)->segment;
  if (!priv.anchored || segment.format != GST_FORMAT_TIME)
    return GST_CLOCK_TIME_NONE;
  const auto from_anchor = (position - priv.anchored_at).count();
  const auto stamp = static_cast<gint64>(priv.anchor) + from_anchor;
  return gst_segment_to_running_time(
      &segment, GST_FORMAT_TIME,
      static_cast<guint64>(std::max<gint64>(stamp, 0)));
}

static void gst_voice_activity_tell(GstVoiceActivity *self) {
  Private &priv = *self->priv;
  GstPad *src = GST_BASE_TRANSFORM_SRC_PAD(self);
  for (const auto &event : priv.events) {
    const GstClockTime time = gst_voice_activity_time(self, event.time);
    const bool started = event.kind == VoiceActivity::Event::Kind::kStarted;
    GST_DEBUG_OBJECT(self, "speech %s at %" GST_TIME_FORMAT,
                     started ? "started" : "stopped", GST_TIME_ARGS(time));
    gst_pad_push_event(src, started
                                ? events::make(events::SpeechStarted{time})
                                : events::make(events::SpeechStopped{time}));
  }
  priv.events.clear();
}

static void gst_voice_activity_push(Private &priv, ByteSpan bytes) {
  if (priv.mulaw) {
    priv.activity.push_mulaw(bytes, priv.events);
    return;
  }
  std::array<std::int16_t, 480> samples;
  while (bytes.size() >= 2) {
    const std::size_t count = std::min(bytes.size() / 2, samples.size());
    std::memcpy(samples.data(), bytes.data(), 2 * count);
    priv.activity.push({samples.data(), count}, priv.events);
    bytes = bytes.subspan(2 * count);
  }
}

// The next sample has this stamp: where stamps jump ahead there was silence,
// and nobody speaks on where they jump back.
static void gst_voice_activity_anchor(GstVoiceActivity *self,
                                      GstClockTime stamp) {
  Private &priv = *self->priv;
  if (priv.anchored) {
    const auto since = priv.activity.position() - priv.anchored_at;
    const GstClockTime next =
        priv.anchor + static_cast<GstClockTime>(since.count());
    if (stamp <= next + kTolerance && next <= stamp + kTolerance)
      return;
    if (stamp > next) {
      const GstClockTime gap = std::min(stamp - next, kLongestGap);
      const std::vector<std::int16_t> silence(gst_util_uint64_scale(
          gap, static_cast<guint64>(priv.rate), GST_SECOND));
      priv.activity.push(silence, priv.events);
    } else {
      priv.activity.finish(priv.events);
    }
    gst_voice_activity_tell(self); // by the stamps before the gap
  }
  priv.anchored = true;
  priv.anchor = stamp;
  priv.anchored_at = priv.activity.position();
}

static GstFlowReturn gst_voice_activity_transform_ip(GstBaseTransform *base,
                                                     GstBuffer *buffer) {
  GstVoiceActivity *self = GST_VOICE_ACTIVITY(base);
  if (GST_BUFFER_PTS_IS_VALID(buffer))
    gst_voice_activity_anchor(self, GST_BUFFER_PTS(buffer));
  const MappedBuffer mapped(buffer);
  gst_voice_activity_push(*self->priv, mapped.bytes());
  gst_voice_activity_tell(self);
  return GST_FLOW_OK;
}

static void gst_voice_activity_restart(GstVoiceActivity *self) {
  Private &priv = *self->priv;
  priv.activity.reset();
  priv.events.clear();
  priv.anchored = false;
}

static gboolean gst_voice_activity_sink_event(GstBaseTransform *base,
                                              GstEvent *event) {
  GstVoiceActivity *self = GST_VOICE_ACTIVITY(base);
  Private &priv = *self->priv;
  switch (GST_EVENT_TYPE(event)) {
  case GST_EVENT_GAP: {
    GstClockTime stamp = 0, duration = 0;
    gst_event_parse_gap(event, &stamp, &duration);
    if (priv.anchored && GST_CLOCK_TIME_IS_VALID(duration))
      gst_voice_activity_anchor(self, stamp + duration);
    break;
  }
  case GST_EVENT_EOS:
    priv.activity.finish(priv.events);
    gst_voice_activity_tell(self);
    break;
  case GST_EVENT_FLUSH_STOP:
    gst_voice_activity_restart(self);
    break;
  default:
    break;
  }
  return GST_BASE_TRANSFORM_CLASS(gst_voice_activity_parent_class)
      ->sink_event(base, event);
}

static gboolean gst_voice_activity_set_caps(GstBaseTransform *base,
                                            GstCaps *caps, GstCaps *) {
  GstVoiceActivity *self = GST_VOICE_ACTIVITY(base);
  Private &priv = *self->priv;
  const GstStructure *structure = gst_caps_get_structure(caps, 0);
  const bool mulaw = gst_structure_has_name(structure, "audio/x-mulaw") != 0;
  int rate = 0;
  if (gst_structure_get_int(structure, "rate", &rate) == FALSE)
    return FALSE;
  if (rate == priv.rate && mulaw == priv.mulaw)
    return TRUE;
  priv.rate = rate;
  priv.mulaw = mulaw;
  GST_OBJECT_LOCK(self);
  const Settings given = priv.settings;
  GST_OBJECT_UNLOCK(self);
  VoiceActivity::Settings settings;
  settings.rate = rate;
  settings.min_speech = std::chrono::milliseconds(given.min_speech_ms);
  settings.hangover = std::chrono::milliseconds(given.hangover_ms);
  settings.threshold_db = given.threshold_db;
  priv.activity = VoiceActivity(settings);
  gst_voice_activity_restart(self);
  return TRUE;
}

static gboolean gst_voice_activity_stop(GstBaseTransform *base) {
  GstVoiceActivity *self = GST_VOICE_ACTIVITY(base);
  gst_voice_activity_restart(self);
  self->priv->rate = 0; // Properties may change before the next caps.
  return TRUE;
}

// --- the object --------------------------------------------------------------

static void gst_voice_activity_set_property(GObject *object, guint id,
                                            const GValue *value,
                                            GParamSpec *spec) {
  Settings &settings = GST_VOICE_ACTIVITY(object)->priv->settings;
  GST_OBJECT_LOCK(object);
  switch (id) {
  case PROP_MIN_SPEECH_MS:
    settings.min_speech_ms = g_value_get_uint(value);
    break;
  case PROP_HANGOVER_MS:
    settings.hangover_ms = g_value_get_uint(value);
    break;
  case PROP_THRESHOLD_DB:
    settings.threshold_db = g_value_get_double(value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

static void gst_voice_activity_get_property(GObject *object, guint id,
                                            GValue *value, GParamSpec *spec) {
  const Settings &settings = GST_VOICE_ACTIVITY(object)->priv->settings;
  GST_OBJECT_LOCK(object);
  switch (id) {
  case PROP_MIN_SPEECH_MS:
    g_value_set_uint(value, settings.min_speech_ms);
    break;
  case PROP_HANGOVER_MS:
    g_value_set_uint(value, settings.hangover_ms);
    break;
  case PROP_THRESHOLD_DB:
    g_value_set_double(value, settings.threshold_db);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

static void gst_voice_activity_init(GstVoiceActivity *self) {
  self->priv = new Private();
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);
  gst_base_transform_set_gap_aware(GST_BASE_TRANSFORM(self), TRUE);
}

static void gst_voice_activity_finalize(GObject *object) {
  delete GST_VOICE_ACTIVITY(object)->priv;
  G_OBJECT_CLASS(gst_voice_activity_parent_class)->finalize(object);
}

static void gst_voice_activity_class_init(GstVoiceActivityClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstElementClass *element = GST_ELEMENT_CLASS(klass);
  GstBaseTransformClass *base = GST_BASE_TRANSFORM_CLASS(klass);
  object->set_property = gst_voice_activity_set_property;
  object->get_property = gst_voice_activity_get_property;
  object->finalize = gst_voice_activity_finalize;
  base->set_caps = gst_voice_activity_set_caps;
  base->sink_event = gst_voice_activity_sink_event;
  base->transform_ip = gst_voice_activity_transform_ip;
  base->stop = gst_voice_activity_stop;

  const auto flags = static_cast<GParamFlags>(
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      object, PROP_MIN_SPEECH_MS,
      g_param_spec_uint("min-speech-ms", "Minimum speech",
                        "Voice for so long is speech (default 60)", 10, 1000,
                        60, flags));
  g_object_class_install_property(
      object, PROP_HANGOVER_MS,
      g_param_spec_uint("hangover-ms", "Hangover",
                        "Silence for so long ends speech (default 200)", 10,
                        5000, 200, flags));
  g_object_class_install_property(
      object, PROP_THRESHOLD_DB,
      g_param_spec_double("threshold-db", "Threshold",
                          "How far voice is above the noise, in dB (default "
                          "10)",
                          1.0, 60.0, 10.0, flags));

  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(
      element, "Voice activity", "Filter/Analyzer/Audio",
      "Tells where speech begins and ends", "Patchcord");
  gst_element_class_add_static_metadata(
      element, "example",
      "gst-launch-1.0 -v audiotestsrc num-buffers=38 samplesperbuffer=800 "
      "wave=ticks tick-interval=2000000000 sine-periods-per-tick=400 ! "
      "audio/x-raw,format=S16LE,rate=8000,channels=1 ! voiceactivity ! "
      "fakesink silent=false");
}
