// SPDX-License-Identifier: LGPL-2.1-or-later
#include "voice_rows.hpp"

using namespace patchcord;

namespace {

constexpr Voice kVoices[] = {
    {"elevenlabssrc", "elevenlabs", "audio/x-mulaw,rate=8000,channels=1",
     [](GstElement *element, const std::string &url, const char *key) {
       g_object_set(element, "base-url", url.c_str(), "api-key", key, nullptr);
     },
     [](GstElement *element) {
       g_object_set(element, "voice-id", "missing", nullptr);
     },
     "voice_id_does_not_exist",
     R"({"fault":"disconnect","fault_after_chars":8,"chunk_ms":240,"fault_times":1})",
     R"({"fault":"stall","fault_after_chars":8,"chunk_ms":240})",
     R"({"fault":"garbage"})", R"({"fault":"http_500"})"},
    {"espeaksrc", "espeak-ng",
     "audio/x-raw,format=S16LE,layout=interleaved,rate=22050,channels=1",
     nullptr,
     [](GstElement *element) {
       g_object_set(element, "voice", "klingon-opera", nullptr);
     },
     "voice_not_found", nullptr, nullptr, nullptr, nullptr},
};

} // namespace

VoiceCall::VoiceCall(const Voice &voice, const char *script, const char *caps,
                     bool text_pad, std::shared_ptr<Worker> on)
    : worker(std::move(on)), bench(voice.factory, worker, caps, text_pad) {
  if (voice.configure == nullptr)
    return;
  fakes::Script plays;
  plays.elevenlabs = script == nullptr ? "{}" : script;
  if (worker->is_virtual())
    server.emplace(plays, *worker);
  else
    server.emplace(plays);
  voice.configure(bench.element(), server->url(), "good");
}

void VoiceCall::expect(const std::string &shape) {
  bench.eos();
  bench.await("eos");
  assert_equal(bench.shape(), shape);
}

void VoiceCall::did_not_fail() {
  g_assert_cmpuint(bench.failures().size(), ==, 0);
  g_assert_cmpuint(bench.messages(GST_MESSAGE_WARNING), ==, 0);
  g_assert_cmpuint(bench.messages(GST_MESSAGE_ERROR), ==, 0);
}

void add_voice_cases(const char *area, std::initializer_list<VoiceCase> cases) {
  struct Bound {
    const Voice *voice;
    void (*test)(const Voice &);
  };
  for (const auto &[name, test] : cases)
    for (const Voice &voice : kVoices)
      g_test_add_data_func_full(
          (std::string(area) + name + "/" + voice.factory).c_str(),
          new Bound{&voice, test},
          [](gconstpointer data) {
            const auto &bound = *static_cast<const Bound *>(data);
            bound.test(*bound.voice);
          },
          [](gpointer data) { delete static_cast<Bound *>(data); });
}
