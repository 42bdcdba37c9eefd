// SPDX-License-Identifier: LGPL-2.1-or-later

// `scenariovoice`: a voice whose sound costs nothing, with the timings of its
// words, which fails when its script says so. See docs/scenarios.md.
#include "scenario/elements.hpp"

#include "graph/voice_pads.hpp"
#include "scenario/sound.hpp"
#include "scenario/stage.hpp"

#include <list>
#include <memory>

using namespace patchcord;

namespace {

class Engine final : public graph::VoiceEngine,
                     public std::enable_shared_from_this<Engine> {
public:
  explicit Engine(graph::VoicePads &pads)
      : pads_(pads), stage_(pads.worker()->service<scenario::Stage>()) {}

  void speak(graph::VoiceQueue::Segment segment,
             const std::string &text) override;
  void end_utterance() override { stage_.in_reply = false; }
  void cancel() override {
    stage_.in_reply = false;
    stage_.unsaid_until = stage_.agent_words.size();
    timers_.clear();
  }

private:
  scenario::Sound sound_of(const std::string &text);
  void say(graph::VoiceQueue::Segment segment, const std::string &text,
           scenario::Sound sound);

  graph::VoicePads &pads_;
  scenario::Stage &stage_;
  std::list<Timer> timers_;
  int texts_ = 0;
  bool failed_ = false;
};

void Engine::speak(graph::VoiceQueue::Segment segment,
                   const std::string &text) {
  if (!std::exchange(stage_.in_reply, true))
    ++stage_.replies;
  const bool fails = ++texts_ == stage_.voice.fail_at;
  auto sound = std::make_shared<scenario::Sound>();
  failed_ = failed_ || fails;
  *sound = sound_of(text);
  timers_.push_back(pads_.worker()->after(
      stage_.voice.first_byte,
      [weak = weak_from_this(), segment, text, fails, sound] {
        const auto self = weak.lock();
        if (!self)
          return;
        const auto element = self->pads_.hold();
        if (fails)
          self->pads_.report_failure({"scenario-voice", "scripted",
                                      "the scenario says that it fails",
                                      false});
        self->say(segment, text, std::move(*sound));
      }));
}

scenario::Sound Engine::sound_of(const std::string &text) {
  auto sound = scenario::speak(
      text, failed_ ? scenario::Timbre::kStandIn : scenario::Timbre::kAgent,
      static_cast<std::uint32_t>(stage_.agent_words.size()));
  int index = 0;
  if (!stage_.agent_words.empty() &&
      stage_.agent_words.back().reply == stage_.replies)
    index = stage_.agent_words.back().index;
  for (const auto &word : sound.words)
    stage_.agent_words.push_back({stage_.replies, ++index, word.text,
                                  word.end - word.begin,
                                  &word == &sound.words.back()});
  return sound;
}

void Engine::say(graph::VoiceQueue::Segment segment, const std::string &text,
                 scenario::Sound sound) {
  std::vector<events::SpokenText::Timing> timings;
  if (stage_.voice.timings)
    for (const auto &word : sound.words)
      timings.push_back(
          {word.offset, static_cast<std::uint32_t>(word.begin / 8)});
  pads_.spoken(segment, text, std::move(timings));
  pads_.audio(segment, std::move(sound.mulaw));
  pads_.finished(segment);
}

} // namespace

struct ScenarioVoicePrivate {
  explicit ScenarioVoicePrivate(GstElement *element) : pads(element) {}
  graph::VoicePads pads;
};

struct _ScenarioVoice {
  GstElement parent;
  ScenarioVoicePrivate *priv;
};

G_DEFINE_TYPE(ScenarioVoice, scenario_voice, GST_TYPE_ELEMENT)

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("audio/x-mulaw, rate=8000, channels=1"));
static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_REQUEST,
                            GST_STATIC_CAPS("text/x-raw, format=utf8"));

static void scenario_voice_init(ScenarioVoice *self) {
  self->priv = new ScenarioVoicePrivate(GST_ELEMENT(self));
}

static void scenario_voice_finalize(GObject *object) {
  delete SCENARIO_VOICE(object)->priv;
  G_OBJECT_CLASS(scenario_voice_parent_class)->finalize(object);
}

static GstStateChangeReturn
scenario_voice_change_state(GstElement *element, GstStateChange transition) {
  graph::VoicePads &pads = SCENARIO_VOICE(element)->priv->pads;
  return pads.change_state(
      GST_ELEMENT_CLASS(scenario_voice_parent_class), transition, [&pads] {
        pads.start({true, 8000}, std::nullopt, "",
                   [&pads] { return std::make_shared<Engine>(pads); });
        return true;
      });
}

static GstPad *scenario_voice_request_new_pad(GstElement *element,
                                              GstPadTemplate *pad_template,
                                              const gchar *, const GstCaps *) {
  return SCENARIO_VOICE(element)->priv->pads.request_text_pad(pad_template);
}

static void scenario_voice_release_pad(GstElement *element, GstPad *pad) {
  SCENARIO_VOICE(element)->priv->pads.release_text_pad(pad);
}

static void scenario_voice_class_init(ScenarioVoiceClass *klass) {
  G_OBJECT_CLASS(klass)->finalize = scenario_voice_finalize;
  GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = scenario_voice_change_state;
  element_class->request_new_pad = scenario_voice_request_new_pad;
  element_class->release_pad = scenario_voice_release_pad;
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_set_static_metadata(
      element_class, "Voice of a scenario", "Source/Audio",
      "Makes speech-like sound as a scenario says", "The Patchcord developers");
}
