// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stt_rows.hpp"

#include "../support/telephone.hpp"
#include "virtual_network.hpp"

#include <cmath>

using namespace patchcord;

namespace {

constexpr char kMulaw[] = "audio/x-mulaw,rate=8000,channels=1";
#define PCM(rate, channels)                                                    \
  "audio/x-raw,format=S16LE,layout=interleaved,rate=" #rate                    \
  ",channels=" #channels

template <const auto &kModel>
void configure_openai(GstElement *element, const std::string &url,
                      const char *key) {
  g_object_set(element, "base-url", (url + "/v1").c_str(), "api-key", key,
               "model", kModel, "language", "en", nullptr);
}
constexpr char kServerVad[] = "gpt-4o-transcribe";
constexpr char kLive[] = "gpt-live-transcribe";

// What the fake makes of it is in its script.
std::vector<std::int16_t> hum(SttBench &bench, const char *) {
  const auto caps =
      Ref<GstCaps>::adopt(gst_pad_get_current_caps(bench.audio_pad()));
  int rate = 8000;
  gst_structure_get_int(gst_caps_get_structure(caps.get(), 0), "rate", &rate);
  std::vector<std::int16_t> samples(static_cast<std::size_t>(rate));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double t = static_cast<double>(i) / rate;
    samples[i] = static_cast<std::int16_t>(
        12'000 * std::abs(std::sin(2 * M_PI * 3 * (t + 0.1))) *
        std::sin(2 * M_PI * 300 * t));
  }
  return samples;
}

// By a voice that is understood well, to a recogniser that has to be told what
// to listen for.
std::vector<std::int16_t> spoken(SttBench &bench, const char *text) {
  using Kind = agent::Expectation::Kind;
  agent::Expectation expected{Kind::kChoice, {kPlace, "sunnyvale"}, {}};
  if (std::string_view(text) == kYes)
    expected = {Kind::kYesNo, {}, {}};
  else if (std::string_view(text) == kPeople)
    expected = {Kind::kNumber, {"people"}, {}};
  gst_pad_push_event(bench.text_pad(), events::make(events::Expect{expected}));
  return test::over_telephone(test::say("en-us+f2", 160, text), 0).samples;
}

void openai_breaks(fakes::Script &script) {
  script.realtime_fault = "disconnect";
  script.realtime_fault_after_ms = 900;
  script.realtime_fault_times = 1;
  script.shared_transcripts = true;
}
void openai_mute(fakes::Script &script) {
  script.transcripts.front().fault = "never";
}
void openai_garbage(fakes::Script &script) {
  script.realtime_fault = "unknown_events";
}
void openai_down(fakes::Script &script) { script.realtime_fault = "http_500"; }

const Recogniser kRecognisers[] = {
    {"realtimestt",
     "realtimestt",
     kMulaw,
     {PCM(8000, 1), PCM(24000, 2), "audio/x-mulaw,rate=16000,channels=1"},
     configure_openai<kServerVad>,
     hum,
     openai_breaks,
     openai_mute,
     openai_garbage,
     openai_down},
    {"realtimestt-live",
     "realtimestt",
     PCM(24000, 1),
     {PCM(8000, 1), PCM(24000, 2), "audio/x-mulaw,rate=16000,channels=1"},
     configure_openai<kLive>,
     hum,
     openai_breaks,
     openai_mute,
     openai_garbage,
     openai_down},
    {"sphinxstt",
     "sphinxstt",
     PCM(16000, 1),
     {PCM(8000, 1), PCM(16000, 2),
      "audio/x-raw,format=F32LE,layout=interleaved,rate=16000,channels=1",
      kMulaw},
     nullptr,
     spoken,
     nullptr,
     nullptr,
     nullptr,
     nullptr},
};

} // namespace

SttCall::SttCall(const Recogniser &recogniser, std::vector<const char *> texts,
                 void (*fault)(fakes::Script &), std::shared_ptr<Worker> on)
    : row(recogniser), worker(std::move(on)), bench(row.factory, worker) {
  if (row.configure == nullptr)
    return;
  fakes::Script script;
  for (const char *text : texts)
    script.transcripts.push_back({text, ""});
  if (fault != nullptr)
    fault(script);
  if (worker->is_virtual())
    server.emplace(script, *worker);
  else
    server.emplace(script);
  row.configure(bench.element(), server->url(), "sk-test");
}

SttCall::Said SttCall::say(const char *text, int behind_ms, bool turns) {
  bench.silence(500, turns);
  Said said{bench.position(), 0};
  bench.samples(row.voice(bench, text), turns);
  said.to = bench.position();
  bench.silence(behind_ms, turns);
  return said;
}

void SttCall::run_for(Duration time) {
  fakes::run_networked_for(*worker, time);
}

void add_stt_cases(const char *area, std::initializer_list<SttCase> cases) {
  struct Bound {
    const Recogniser *recogniser;
    void (*test)(const Recogniser &);
  };
  for (const auto &[name, test] : cases)
    for (const Recogniser &recogniser : kRecognisers)
      g_test_add_data_func_full(
          (std::string(area) + name + "/" + recogniser.name).c_str(),
          new Bound{&recogniser, test},
          [](gconstpointer data) {
            const auto &bound = *static_cast<const Bound *>(data);
            bound.test(*bound.recogniser);
          },
          [](gpointer data) { delete static_cast<Bound *>(data); });
}
