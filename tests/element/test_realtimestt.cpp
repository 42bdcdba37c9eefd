// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fake_server.hpp"
#include "stt_bench.hpp"
#include "virtual_network.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <cstring>

using namespace patchcord;
using fakes::FakeServer;
using fakes::Script;

namespace {

constexpr char kMulaw[] = "audio/x-mulaw,rate=8000,channels=1";
constexpr char kPcm[] =
    "audio/x-raw,format=S16LE,layout=interleaved,rate=24000,channels=1";
constexpr char kServerVad[] = "gpt-4o-transcribe";
constexpr char kLive[] = "gpt-live-transcribe";

// g_assert_cmpstr keeps pointers: a temporary string would be gone by then.
void equal(const std::string &got, const std::string &expected) {
  g_assert_cmpstr(got.c_str(), ==, expected.c_str());
}
void about(GstClockTime got, GstClockTime expected_ms) {
  const double ms = static_cast<double>(got) / GST_MSECOND;
  g_assert_cmpfloat_with_epsilon(ms, static_cast<double>(expected_ms), 70);
}

Script script_of(std::vector<Script::Transcript> transcripts) {
  Script script;
  script.transcripts = std::move(transcripts);
  return script;
}

// The element with the fake of its provider, both on one virtual worker.
struct Call {
  explicit Call(const Script &script, const char *model = kServerVad,
                const char *key = "sk-test")
      : server(script, *worker), bench("realtimestt", worker) {
    set(model, key);
  }
  void set(const char *model, const char *key) {
    g_object_set(bench.element(), "base-url", (server.url() + "/v1").c_str(),
                 "api-key", key, "model", model, "language", "en", nullptr);
  }
  std::int64_t counter(const char *name) const {
    const auto document = JsonDocument::parse(server.stats());
    return document->root()["counters"][name].integer().value_or(0);
  }
  // Of the last connection.
  std::int64_t appended_ms() const {
    const auto document = JsonDocument::parse(server.stats());
    const auto connections = document->root()["connections"];
    return connections.at(connections.size() - 1)["counters"]["appended_ms"]
        .integer()
        .value_or(0);
  }
  // A second of speech between silences.
  void turn() {
    bench.silence(500);
    bench.speech(1000);
    bench.silence(900);
  }

  std::shared_ptr<Worker> worker = Worker::create_virtual();
  FakeServer server;
  SttBench bench;
};

void test_two_turns(const char *caps, const char *model) {
  Call call(script_of({{"A table for four.", ""}, {"On Friday.", ""}}), model);
  SttBench &bench = call.bench;
  bench.play(caps);
  call.turn();
  bench.await("text");
  const GstClockTime second = bench.position();
  call.turn();
  bench.await("text", 2);
  bench.eos();
  bench.await("eos");
  const bool live = std::string_view(model) == kLive;
  equal(bench.order(),
        live ? "caps segment started partial stopped partial "
               "text:A table for four. started partial stopped partial "
               "text:On Friday. eos"
             : "caps segment started stopped partial text:A table for four. "
               "started stopped partial text:On Friday. eos");
  std::vector<SttBench::Item> started, stopped, texts;
  for (const auto &item : bench.items()) {
    if (item.name == "started")
      started.push_back(item);
    if (item.name == "stopped")
      stopped.push_back(item);
    if (item.name == "text")
      texts.push_back(item);
  }
  const GstClockTime second_ms = second / GST_MSECOND;
  about(started[0].time, 500);
  about(stopped[0].time, 1500);
  about(texts[0].time, 500);
  about(texts[0].duration, 1000);
  about(started[1].time, second_ms + 500);
  about(stopped[1].time, second_ms + 1500);
  about(texts[1].time, second_ms + 500);
  const auto transcripts = bench.transcripts();
  g_assert_true(std::find(transcripts.begin(), transcripts.end(),
                          "A table for four.") != transcripts.end());
  equal(transcripts.back(), "On Friday.");
  g_assert_cmpint(call.counter("realtime"), ==, 1);
  g_assert_cmpint(call.counter("realtime.early_appends"), ==, 0);
  g_assert_cmpint(call.counter("realtime.errors"), ==, 0);
  g_assert_true(bench.warnings().empty());
}

// Not like one whose network broke down.
void test_takes_its_leave() {
  Call call(script_of({}), kServerVad);
  call.bench.play(kMulaw);
  call.bench.silence(1000);
  call.bench.set_state(GST_STATE_NULL);
  call.worker->run_for(3s);
  g_assert_nonnull(std::strstr(call.server.stats().c_str(), "\"value\":1000"));
  g_assert_null(std::strstr(call.server.stats().c_str(), "\"value\":1006"));
}

void test_server_vad_mulaw() { test_two_turns(kMulaw, kServerVad); }
void test_server_vad_pcm() { test_two_turns(kPcm, kServerVad); }
void test_live_mulaw() { test_two_turns(kMulaw, kLive); }
void test_live_pcm() { test_two_turns(kPcm, kLive); }

void test_warm_before_the_first_word() {
  Call call(script_of({}));
  call.bench.set_state(GST_STATE_PAUSED);
  fakes::run_networked_for(*call.worker, 1s);
  g_assert_cmpint(call.counter("realtime"), ==, 1);
  call.bench.begin_stream(kMulaw);
  fakes::run_networked_for(*call.worker, 100ms);
  call.bench.silence(100);
  g_assert_cmpint(call.appended_ms(), ==, 100); // no wait any more
}

// voiceactivity before it tells of the same speech, sooner.
void test_events_of_another_stage() {
  Call call(script_of({{"Hi.", ""}}));
  SttBench &bench = call.bench;
  bench.play(kMulaw);
  bench.silence(500);
  bench.speech(20);
  bench.push(events::make(events::SpeechStarted{511 * GST_MSECOND}));
  bench.speech(980);
  bench.silence(300);
  bench.push(events::make(events::SpeechStopped{1499 * GST_MSECOND}));
  bench.silence(600);
  bench.await("text");
  equal(bench.order(), "caps segment started started stopped stopped partial "
                       "text:Hi.");
  std::vector<GstClockTime> times;
  for (const auto &item : bench.items())
    if (item.name == "started" || item.name == "stopped")
      times.push_back(item.time / GST_MSECOND);
  g_assert_cmpuint(times[0], ==, 511);
  g_assert_cmpuint(times[2], ==, 1499);
}

void test_only_speech_goes_to_a_live_model() {
  Call call(script_of({{"Hi.", ""}}), kLive);
  call.bench.play(kMulaw);
  call.bench.silence(5000);
  call.turn();
  call.bench.await("text");
  call.bench.silence(5000);
  g_assert_cmpint(call.appended_ms(), <, 2500);
}

void test_results_keep_their_order() {
  Call call(script_of({{"One.", "late_first"}, {"Two.", ""}, {"Three.", ""}}));
  call.bench.play(kMulaw);
  call.turn();
  call.turn();
  call.turn();
  call.bench.await("text", 3);
  std::string texts;
  for (const auto &item : call.bench.items())
    if (item.name == "text")
      texts += item.text + " ";
  equal(texts, "One. Two. Three. ");
}

void test_what_comes_of_odd_results() {
  const struct {
    const char *fault;
    const char *texts;
  } cases[] = {
      {"empty", " Two. "}, // told, for somebody may wait for words
      {"failed", "Two. "},
      {"never", "Two. "},
      {"several", "One and a half. Two. "},
  };
  for (const auto &test : cases) {
    Script script = script_of({{"One and a half.", test.fault}, {"Two.", ""}});
    Call call(script);
    call.bench.play(kMulaw);
    call.turn();
    call.turn();
    call.bench.await([](const SttBench::Items &items) {
      return !items.empty() && items.back().name == "text" &&
             items.back().text == "Two.";
    });
    std::string texts;
    for (const auto &item : call.bench.items())
      if (item.name == "text")
        texts += item.text + " ";
    g_test_message("%s", test.fault);
    equal(texts, test.texts);
  }
}

void test_odd_servers() {
  for (const char *key : {"fault-unknown_events", "fault-beta",
                          "fault-fragments", "fault-slow_update"}) {
    Call call(script_of({{"Süß, 日本 😀.", ""}}), kServerVad, key);
    call.bench.play(kMulaw);
    call.turn();
    call.bench.await("text");
    g_test_message("%s", key);
    equal(call.bench.items().back().text, "Süß, 日本 😀.");
    about(call.bench.items().back().time, 500);
  }
}

void test_gateway() {
  Script script = script_of({{"Hi.", ""}});
  script.gateway = true;
  Call call(script);
  call.bench.play(kMulaw);
  call.turn();
  call.bench.await("text");
  equal(call.bench.items().back().text, "Hi.");
}

// The provider is gone for good: one warning, one event, and the stream goes on
// to its end.
void test_failure(const char *key, const char *code, const char *advice) {
  Call call(script_of({{"Hi.", ""}}), kServerVad, key);
  call.bench.play(kMulaw);
  fakes::run_networked_for(*call.worker, 100ms);
  g_assert_cmpint(call.bench.speech(1000), ==, GST_FLOW_OK);
  g_assert_cmpint(call.bench.silence(1000), ==, GST_FLOW_OK);
  call.bench.eos();
  call.bench.await("eos");
  equal(call.bench.order(),
        std::string("caps segment failed:") + code + " eos");
  const auto warnings = call.bench.warnings();
  g_assert_cmpuint(warnings.size(), ==, 1);
  g_assert_true(warnings[0].find(advice) != std::string::npos);
  g_assert_true(warnings[0].find(key) == std::string::npos);
  g_assert_cmpuint(call.bench.errors(), ==, 0);
  g_assert_cmpint(call.counter("realtime"), ==, 1);
}

void test_failures() {
  test_failure("bad", "invalid_api_key", "check OPENAI_API_KEY");
  test_failure("fault-error_on_update", "invalid_value", "refused");
  test_failure("fault-quota", "insufficient_quota", "credit");
}

void test_missing_key() {
  const auto worker = Worker::create_virtual();
  g_unsetenv("OPENAI_API_KEY");
  g_unsetenv("OPENAI_BASE_URL");
  SttBench bench("realtimestt", worker);
  bench.set_state(GST_STATE_PAUSED);
  g_assert_cmpuint(bench.warnings().size(), ==, 1);
  bench.play(kMulaw);
  bench.speech(100);
  bench.eos();
  equal(bench.order(), "caps segment failed:missing_api_key eos");
  g_assert_true(bench.warnings()[0].find("OPENAI_API_KEY") !=
                std::string::npos);
}

void test_unreachable() {
  const auto worker = Worker::create_virtual();
  SttBench bench("realtimestt", worker);
  // Port 9 of this host: nobody listens there.
  g_object_set(bench.element(), "base-url", "http://127.0.0.1:9/v1", "api-key",
               "x", nullptr);
  bench.play(kMulaw);
  bench.silence(4500);
  equal(bench.order(), "caps segment");
  bench.silence(1000);
  equal(bench.order(), "caps segment failed:connection_lost");
  g_assert_true(bench.items().back().retryable);
  g_assert_cmpuint(bench.warnings().size(), ==, 1);
}

// The connection breaks while the caller speaks; the server hears it all once
// more on the next one.
void test_reconnects(const char *fault) {
  Script script = script_of({{"All of it.", ""}, {"And more.", ""}});
  script.realtime_fault = fault;
  script.realtime_fault_after_ms = 1200;
  script.realtime_fault_times = 1;
  script.shared_transcripts = true;
  for (const char *model : {kServerVad, kLive}) {
    Call call(script, model);
    call.bench.play(kMulaw);
    call.bench.silence(500);
    call.bench.speech(2000);
    call.bench.silence(1500);
    call.bench.await("text");
    const auto first = call.bench.items().back();
    equal(first.text, "All of it.");
    about(first.time, 500);
    about(first.duration, 2000);
    call.turn();
    call.bench.await("text", 2);
    equal(call.bench.items().back().text, "And more.");
    // The refused upgrade is not counted as a connection.
    const bool refused = std::string_view(fault) == "http_500";
    g_assert_cmpint(call.counter("realtime"), ==, refused ? 1 : 2);
    g_assert_true(call.bench.warnings().empty());
  }
}

void test_reconnects_after_an_hour() { test_reconnects("expire"); }
void test_reconnects_after_http_500() { test_reconnects("http_500"); }

void test_end_before_there_is_a_session() {
  Call call(script_of({{"Short.", ""}}), kServerVad, "fault-slow_update");
  call.bench.play(kMulaw);
  call.bench.speech(600);
  call.bench.eos();
  call.bench.await("eos");
  const auto items = call.bench.items();
  equal(items[items.size() - 2].text, "Short.");
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  gst_init(&argc, &argv);
  const std::pair<const char *, void (*)()> tests[] = {
      {"/realtimestt/two-turns-of-mulaw", test_server_vad_mulaw},
      {"/realtimestt/two-turns-of-pcm", test_server_vad_pcm},
      {"/realtimestt/live-model-with-mulaw", test_live_mulaw},
      {"/realtimestt/live-model-with-pcm", test_live_pcm},
      {"/realtimestt/takes-its-leave", test_takes_its_leave},
      {"/realtimestt/warm-before-the-first-word",
       test_warm_before_the_first_word},
      {"/realtimestt/only-speech-goes-to-a-live-model",
       test_only_speech_goes_to_a_live_model},
      {"/realtimestt/events-of-another-stage-pass-in-order",
       test_events_of_another_stage},
      {"/realtimestt/results-keep-their-order", test_results_keep_their_order},
      {"/realtimestt/odd-results", test_what_comes_of_odd_results},
      {"/realtimestt/odd-servers", test_odd_servers},
      {"/realtimestt/gateway-that-routes-by-model", test_gateway},
      {"/realtimestt/failures-are-told-once-and-the-stream-goes-on",
       test_failures},
      {"/realtimestt/missing-key", test_missing_key},
      {"/realtimestt/unreachable", test_unreachable},
      {"/realtimestt/reconnects-after-an-hour", test_reconnects_after_an_hour},
      {"/realtimestt/reconnects-after-http-500",
       test_reconnects_after_http_500},
      {"/realtimestt/end-before-there-is-a-session",
       test_end_before_there_is_a_session},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func(name, test);
  const int result = g_test_run();
  gst_deinit();
  return result;
}
