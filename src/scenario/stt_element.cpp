// SPDX-License-Identifier: LGPL-2.1-or-later

// `scenariostt`: a recogniser that is told the words. See docs/scenarios.md.
#include "scenario/elements.hpp"

#include "graph/contexts.hpp"
#include "scenario/replay_script.hpp"
#include "scenario/stt_session.hpp"

#include <memory>

using namespace patchcord;

struct ScenarioSttPrivate {
  GstPad *sink = nullptr, *src = nullptr;
  std::shared_ptr<Worker> worker;
  std::unique_ptr<scenario::SttSession> session;
};

struct _ScenarioStt {
  GstElement parent;
  ScenarioSttPrivate *priv;
};

G_DEFINE_TYPE(ScenarioStt, scenario_stt, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-mulaw, rate=8000, channels=1"));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS("text/x-raw, format=utf8"));

static GstFlowReturn scenario_stt_chain(GstPad *, GstObject *parent,
                                        GstBuffer *buffer) {
  const auto owned = Ref<GstBuffer>::adopt(buffer);
  ScenarioSttPrivate &priv = *SCENARIO_STT(parent)->priv;
  return priv.session ? priv.session->audio(buffer) : GST_FLOW_FLUSHING;
}

static gboolean scenario_stt_sink_event(GstPad *, GstObject *parent,
                                        GstEvent *raw) {
  ScenarioSttPrivate &priv = *SCENARIO_STT(parent)->priv;
  auto event = Ref<GstEvent>::adopt(raw);
  if (!priv.session)
    return FALSE;
  switch (GST_EVENT_TYPE(raw)) {
  case GST_EVENT_CAPS: {
    const auto caps =
        Ref<GstCaps>::adopt(gst_static_pad_template_get_caps(&src_template));
    event = Ref<GstEvent>::adopt(gst_event_new_caps(caps.get()));
    break;
  }
  case GST_EVENT_SEGMENT: {
    const GstSegment *segment = nullptr;
    gst_event_parse_segment(raw, &segment);
    priv.session->segment(*segment);
    break;
  }
  case GST_EVENT_EOS:
    priv.session->eos(std::move(event));
    return TRUE;
  default:
    break;
  }
  return gst_pad_push_event(priv.src, event.release());
}

static GstStateChangeReturn
scenario_stt_change_state(GstElement *element, GstStateChange transition) {
  ScenarioStt *self = SCENARIO_STT(element);
  ScenarioSttPrivate &priv = *self->priv;
  if (transition == GST_STATE_CHANGE_NULL_TO_READY)
    priv.worker = graph::acquire_worker(element);
  else if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    priv.session =
        std::make_unique<scenario::SttSession>(element, priv.src, *priv.worker);
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(scenario_stt_parent_class)
          ->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    priv.session.reset();
  else if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    priv.worker.reset();
  return result;
}

static void scenario_stt_init(ScenarioStt *self) {
  self->priv = new ScenarioSttPrivate();
  ScenarioSttPrivate &priv = *self->priv;
  priv.sink = gst_pad_new_from_static_template(&sink_template, "sink");
  gst_pad_set_chain_function(priv.sink, scenario_stt_chain);
  gst_pad_set_event_function(priv.sink, scenario_stt_sink_event);
  gst_element_add_pad(GST_ELEMENT(self), priv.sink);
  priv.src = gst_pad_new_from_static_template(&src_template, "src");
  gst_pad_use_fixed_caps(priv.src);
  gst_element_add_pad(GST_ELEMENT(self), priv.src);
}

static void scenario_stt_finalize(GObject *object) {
  delete SCENARIO_STT(object)->priv;
  G_OBJECT_CLASS(scenario_stt_parent_class)->finalize(object);
}

static void scenario_stt_class_init(ScenarioSttClass *klass) {
  G_OBJECT_CLASS(klass)->finalize = scenario_stt_finalize;
  GstElementClass *element = GST_ELEMENT_CLASS(klass);
  element->change_state = scenario_stt_change_state;
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(
      element, "Recogniser of a scenario", "Converter/Audio/Text",
      "Hears the words that a scenario says", "The Patchcord developers");
}

namespace patchcord::scenario {

void register_elements() {
  gst_element_register(nullptr, "scenariostt", GST_RANK_NONE,
                       SCENARIO_TYPE_STT);
  gst_element_register(nullptr, "scenariovoice", GST_RANK_NONE,
                       SCENARIO_TYPE_VOICE);
  register_replay_elements();
}

} // namespace patchcord::scenario
