// SPDX-License-Identifier: LGPL-2.1-or-later
#include "voice_bench.hpp"

#include "audio/mulaw.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "elevenlabs/output_format.hpp"
#include "fake_server.hpp"

#include <gst/gst.h>

#include <cmath>
#include <cstring>

using namespace patchcord;

namespace {

fakes::Script script_of(const std::string &elevenlabs) {
  fakes::Script script;
  script.elevenlabs = elevenlabs;
  return script;
}

// A voice and its provider, both on one virtual worker.
class Call {
public:
  explicit Call(const std::string &elevenlabs = "{}",
                const char *caps = nullptr, bool text_pad = true)
      : worker(Worker::create_virtual()),
        server(script_of(elevenlabs), *worker),
        bench("elevenlabssrc", worker, caps, text_pad) {
    g_object_set(bench.element(), "base-url", server.url().c_str(), "api-key",
                 "good", nullptr);
  }
  void set(const char *property, const char *value) {
    g_object_set(bench.element(), property, value, nullptr);
  }
  // The sum of a counter over the connections.
  std::int64_t counted(const char *counter) const {
    std::int64_t sum = 0;
    each_connection([&](JsonView connection) {
      sum += connection["counters"][counter].integer().value_or(0);
    });
    return sum;
  }
  std::size_t connections() const {
    std::size_t count = 0;
    each_connection([&](JsonView) { ++count; });
    return count;
  }
  std::vector<std::int64_t> event_times(const std::string &name) const {
    std::vector<std::int64_t> times;
    each_connection([&](JsonView connection) {
      const JsonView events = connection["events"];
      for (std::size_t i = 0; i < events.size(); ++i)
        if (events.at(i)["name"].string() == name)
          times.push_back(events.at(i)["t_ns"].integer().value_or(0));
    });
    return times;
  }

  std::shared_ptr<Worker> worker;
  fakes::FakeServer server;
  VoiceBench bench;

private:
  template <typename F> void each_connection(F &&visit) const {
    const auto document = JsonDocument::parse(server.stats());
    g_assert_true(document.ok());
    const JsonView connections = document->root()["connections"];
    for (std::size_t i = 0; i < connections.size(); ++i)
      if (connections.at(i)["kind"].string() == "tts")
        visit(connections.at(i));
  }
};

void assert_order(VoiceBench &bench, const std::string &expected) {
  assert_equal(bench.order(), expected);
}

// What the events said was spoken, as the sink puts it together.
std::string words(VoiceBench &bench) {
  std::string out;
  for (const auto &item : bench.items())
    if (item.name.starts_with("spoken:"))
      out += (out.empty() ? "" : " ") + item.name.substr(7);
  return out;
}

std::vector<std::int16_t> samples_of(const Bytes &audio, bool mulaw) {
  std::vector<std::int16_t> samples;
  for (std::size_t i = 0; i + (mulaw ? 0 : 1) < audio.size();
       i += mulaw ? 1 : 2)
    samples.push_back(
        mulaw ? audio::mulaw_to_linear(audio[i])
              : static_cast<std::int16_t>(audio[i] | audio[i + 1] << 8));
  return samples;
}

double rms(const std::vector<std::int16_t> &samples) {
  double energy = 0;
  for (const double sample : samples)
    energy += sample * sample;
  return std::sqrt(energy / static_cast<double>(samples.size()));
}

} // namespace

static void test_contract() {
  Call call;
  call.bench.play();
  call.bench.utterance(1, {"Good **morning**.", "How are you?"});
  call.bench.utterance(2, {"Bye."});
  call.bench.eos();
  call.bench.await("eos");
  assert_order(call.bench,
               "segment start:1 spoken:Good audio spoken:morning. audio "
               "spoken:How are audio spoken:you? audio end:1 audio start:2 "
               "spoken:Bye. audio end:2 audio eos");
  assert_equal(call.bench.caps(),
               "audio/x-mulaw, rate=(int)8000, channels=(int)1");
  // 60 ms a character, the space behind each text included; 10 ms a closing.
  g_assert_cmpuint(call.bench.audio().size(), ==,
                   (14 + 13 + 5) * 60 * 8 + 2 * 10 * 8);
  g_assert_cmpint(call.counted("contexts"), ==, 2);
  g_assert_cmpint(call.counted("closes"), ==, 2);
  for (const char *fault : {"phantoms", "text_after_close",
                            "texts_without_space", "texts_with_marks"})
    g_assert_cmpint(call.counted(fault), ==, 0);
  g_assert_cmpuint(call.connections(), ==, 1);
  g_assert_cmpuint(call.bench.messages(GST_MESSAGE_WARNING), ==, 0);
  // It waits for the provider, not for more text: no latency of its own.
  GstQuery *query = gst_query_new_latency();
  g_assert_true(gst_pad_peer_query(call.bench.audio_pad(), query));
  GstClockTime min = 1;
  gst_query_parse_latency(query, nullptr, &min, nullptr);
  g_assert_cmpuint(min, ==, 0);
  gst_query_unref(query);
  // Its leave is a clean one.
  call.bench.set_state(GST_STATE_NULL);
  call.worker->run_for(3s);
  g_assert_cmpuint(call.event_times("close_socket").size(), ==, 1);
  g_assert_cmpuint(call.event_times("closed").size(), ==, 1);
  g_assert_nonnull(strstr(call.server.stats().c_str(), "\"value\":1000"));
}

// The first audio goes out when it comes, not when the sentence is complete.
static void test_streams() {
  Call call(R"({"tts_first_byte_ms":200,"tts_speed":1,"chunk_ms":300})");
  call.bench.play();
  call.worker->run_for(1s); // connected in advance
  const auto asked = call.worker->now();
  call.bench.start(1);
  call.bench.say("A sentence of a certain length.");
  call.bench.await("audio");
  const auto waited = call.worker->now() - asked;
  g_test_message("first audio after %.0f ms", to_ms(waited));
  g_assert_cmpfloat(to_ms(waited), >=, 200);
  g_assert_cmpfloat(to_ms(waited), <=, 203);
  for (const auto &item : call.bench.items())
    if (item.name == "audio") {
      // Running time of the first audio.
      g_assert_cmpuint(item.pts, >=, 1200 * GST_MSECOND);
      g_assert_cmpuint(item.pts, <=, 1203 * GST_MSECOND);
      g_assert_cmpuint(item.duration, <=, 100 * GST_MSECOND);
      g_assert_cmpuint(item.duration, >=, 20 * GST_MSECOND);
      break;
    }
  call.bench.end(1);
  call.bench.await("end:1");
}

static void test_formats() {
  static const struct {
    const char *caps, *format;
    int rate;
  } kRows[] = {
      {"audio/x-raw,format=S16LE,rate=8000,channels=1,layout=interleaved",
       "pcm_8000", 8000},
      {"audio/x-raw,rate=16000", "pcm_16000", 16000},
      {"audio/x-raw,rate=22050", "pcm_22050", 22050},
      {"audio/x-raw", "pcm_24000", 24000},
      {"audio/x-raw,rate=44100", "pcm_44100", 44100},
      {"audio/x-raw,rate=16000;audio/x-raw", "pcm_16000", 16000},
      {"audio/x-raw,rate=16000;audio/x-mulaw", "ulaw_8000", 8000},
  };
  for (const auto &row : kRows) {
    g_test_message("%s", row.caps);
    Call call("{}", row.caps);
    call.bench.play();
    call.bench.utterance(1, {"Hello."});
    call.bench.await("end:1");
    call.worker->run_ready();
    const bool mulaw = strstr(row.format, "ulaw") != nullptr;
    g_assert_true(call.bench.caps().find(mulaw ? "audio/x-mulaw" : "S16LE") !=
                  std::string::npos);
    const auto samples = samples_of(call.bench.audio(), mulaw);
    g_assert_cmpuint(samples.size(), ==,
                     static_cast<std::size_t>(row.rate) * (7 * 60 + 10) / 1000 +
                         (row.rate == 22050 ? 1 : 0));
    // The fake's tone as it was made: amplitude 8000.
    g_assert_cmpfloat(rms(samples), >, 5300);
    g_assert_cmpfloat(rms(samples), <, 5700);
  }
}

// The server is asked for the new format as soon as nothing is being said, so
// that nothing need be converted any more.
static void test_asks_anew() {
  Call call("{}", "audio/x-raw,rate=16000");
  call.bench.play();
  call.bench.utterance(1, {"Hello."});
  call.bench.await("end:1");
  call.worker->run_for(1s);
  call.bench.take("audio/x-mulaw,rate=8000");
  call.worker->run_for(1s);
  g_assert_cmpuint(call.connections(), ==, 2); // before there is any text
  call.bench.clear();
  call.bench.utterance(2, {"Hello."});
  call.bench.await("end:2");
  call.worker->run_ready();
  // As the fake makes it, byte by byte: the first context's tone, 300 Hz.
  const auto samples = samples_of(call.bench.audio(), true);
  g_assert_cmpuint(samples.size(), ==, 7 * 60 * 8 + 80);
  for (std::size_t i = 0; i < 100; ++i)
    g_assert_cmpint(
        std::abs(samples[i] -
                 static_cast<int>(8000 * std::sin(2 * G_PI * 300 * i / 8000))),
        <, 400);
  call.bench.take("audio/x-mulaw,rate=8000"); // that is what it has
  call.worker->run_for(1s);
  g_assert_cmpuint(call.connections(), ==, 2);
  g_assert_cmpuint(call.bench.failures().size(), ==, 0);
}

// The property decides, where downstream agrees.
static void test_output_format() {
  for (const auto &format : elevenlabs::kOutputFormats) {
    Call call("{}", "audio/x-mulaw;audio/x-raw");
    call.set("output-format", std::string(format.name).c_str());
    call.bench.play();
    call.bench.utterance(1, {"Hello."});
    call.bench.await("end:1");
    const std::string rate = "rate=(int)" + std::to_string(format.rate);
    g_assert_nonnull(strstr(call.bench.caps().c_str(), rate.c_str()));
    g_assert_nonnull(strstr(call.bench.caps().c_str(),
                            format.mulaw ? "audio/x-mulaw" : "S16LE"));
  }
  for (const char *refused : {"pcm_16000", "mp3_44100_128"}) {
    Call call("{}", "audio/x-mulaw");
    call.set("output-format", refused);
    g_assert_cmpint(call.bench.set_state(GST_STATE_PLAYING), ==,
                    GST_STATE_CHANGE_FAILURE);
    g_assert_cmpuint(call.bench.messages(GST_MESSAGE_ERROR), ==, 1);
    // And is none the worse.
    call.bench.set_state(GST_STATE_NULL);
    call.set("output-format", "");
    call.bench.play();
    call.bench.utterance(1, {"Hello."});
    call.bench.await("end:1");
  }
}

static void test_speed() {
  for (const double speed : {-1.0, 0.0, 0.69, 0.7, 1.2}) {
    Call call("{}", "audio/x-mulaw");
    g_object_set(call.bench.element(), "speed", speed, nullptr);
    const bool good = speed < 0 || speed >= 0.7;
    const auto change = call.bench.set_state(GST_STATE_PLAYING);
    g_assert_cmpint(change == GST_STATE_CHANGE_FAILURE, ==, !good);
    g_assert_cmpuint(call.bench.messages(GST_MESSAGE_ERROR), ==, good ? 0 : 1);
  }
}

// Word times stay the same in all the server's ways to tell them.
static void test_alignment() {
  for (const char *elevenlabs :
       {R"({"alignment":"relative"})", R"({"alignment":"absolute"})",
        R"({"alignment":"relative","spelling":"snake"})"}) {
    g_test_message("%s", elevenlabs);
    Call call(elevenlabs);
    call.bench.play();
    call.bench.utterance(1, {"One two three.", "Four."});
    call.bench.await("end:1");
    assert_equal(words(call.bench), "One two three. Four.");
    std::uint64_t ms = 0; // of audio before
    std::vector<std::uint64_t> times;
    for (const auto &item : call.bench.items()) {
      for (const auto &timing : item.timings)
        times.push_back(ms + timing.ms);
      ms += item.bytes.size() / 8;
    }
    g_assert_cmpuint(times.size(), ==, 4);
    g_assert_cmpuint(times[0], ==, 0);
    g_assert_cmpuint(times[1], ==, 4 * 60);
    g_assert_cmpuint(times[2], ==, 8 * 60);
    g_assert_cmpuint(times[3], ==, 15 * 60);
  }
  for (const char *elevenlabs :
       {R"({"alignment":"null"})", R"({"alignment":"foreign"})",
        R"({"fault":"garbage"})"}) {
    g_test_message("%s", elevenlabs);
    Call call(elevenlabs);
    call.bench.play();
    call.bench.utterance(1, {"One two three.", "Four."});
    call.bench.eos();
    call.bench.await("eos");
    assert_equal(words(call.bench), "One two three. Four.");
    g_assert_cmpuint(call.bench.audio().size(), ==, 21 * 60 * 8 + 80);
    g_assert_cmpuint(call.bench.failures().size(), ==, 0);
  }
}

static void test_cut_samples() {
  Call call(R"({"fault":"odd"})", "audio/x-raw,rate=16000");
  call.bench.play();
  call.bench.utterance(1, {"One two three four."});
  call.bench.await("end:1");
  call.worker->run_ready();
  // Shifted by a byte, the tone would be noise.
  const auto samples = samples_of(call.bench.audio(), false);
  g_assert_cmpuint(samples.size(), ==, 20 * 60 * 16 + 160);
  int steepest = 0;
  for (std::size_t i = 1; i + 160 < samples.size(); ++i)
    steepest = std::max(steepest, std::abs(samples[i] - samples[i - 1]));
  g_assert_cmpint(steepest, <, 1500);
}

static void test_barge_in() {
  Call call(R"({"tts_speed":1})");
  call.bench.play();
  call.bench.start(1);
  call.bench.say("This sentence is going to be cut by the caller.");
  call.bench.await("audio", 5);
  call.bench.clear();
  call.bench.flush_start();
  assert_order(call.bench, "flush-start");
  call.bench.flush_stop();
  call.bench.utterance(2, {"Yes?"});
  call.bench.await("end:2");
  call.worker->run_for(10s);
  assert_order(call.bench, "flush-start flush-stop segment start:2 "
                           "spoken:Yes? audio end:2 audio");
  // The tone of the second context alone: 400 Hz.
  const auto samples = samples_of(call.bench.audio(), true);
  g_assert_cmpuint(samples.size(), ==, 5 * 60 * 8 + 80);
  for (std::size_t i = 0; i < 20; ++i)
    g_assert_cmpint(
        std::abs(samples[i] -
                 static_cast<int>(8000 * std::sin(2 * G_PI * 400 * i / 8000))),
        <, 400);
  g_assert_cmpuint(call.connections(), ==, 1);
  g_assert_cmpint(call.counted("contexts"), ==, 2);
  g_assert_cmpint(call.counted("phantoms"), ==, 0);
}

// Before the first text, and many times: the server's limit is not touched.
static void test_rapid_barge_in() {
  Call call(R"({"tts_speed":1})");
  call.bench.play();
  for (std::uint32_t i = 1; i <= 12; ++i) {
    call.bench.start(i);
    if (i % 3 != 0)
      call.bench.say("Word by word by word.");
    call.worker->run_for(20ms);
    call.bench.flush_start();
    call.bench.flush_stop();
  }
  call.bench.clear();
  call.bench.utterance(20, {"Still here."});
  call.bench.await("end:20");
  assert_equal(words(call.bench), "Still here.");
  g_assert_cmpuint(call.connections(), ==, 1);
  g_assert_cmpint(call.counted("phantoms"), ==, 0);
  g_assert_cmpint(call.counted("most_contexts"), <=, 5);
  g_assert_cmpuint(call.bench.failures().size(), ==, 0);
}

static void test_silent_utterances() {
  Call call;
  call.bench.play();
  call.bench.utterance(1, {});
  call.bench.utterance(2, {"👍", "..."});
  call.bench.utterance(3, {"Yes."});
  call.bench.eos();
  call.bench.await("eos");
  assert_order(call.bench, "segment start:1 end:1 audio start:2 end:2 audio "
                           "start:3 spoken:Yes. audio end:3 audio eos");
  g_assert_cmpint(call.counted("contexts"), ==, 1);
}

// What is left of the words is spoken by the offline voice, in the same format,
// and so is all that follows.
static void assert_falls_back(const char *elevenlabs, const char *key,
                              const char *voice, const char *code,
                              bool retryable) {
  g_test_message("%s key %s voice %s", elevenlabs, key, voice);
  Call call(elevenlabs);
  call.set("api-key", key);
  call.set("voice-id", voice);
  call.bench.play();
  call.bench.utterance(1, {"One two three four five.", "And six."});
  call.bench.utterance(2, {"Seven."});
  call.bench.eos();
  call.bench.await("eos");
  assert_equal(words(call.bench), "One two three four five. And six. Seven.");
  const std::string order = call.bench.order();
  g_assert_true(order.find("end:1 audio start:2 spoken:Seven. audio end:2 "
                           "audio eos") != std::string::npos);
  const auto failures = call.bench.failures();
  g_assert_cmpuint(failures.size(), ==, 1);
  assert_equal(failures[0].provider, "elevenlabs");
  assert_equal(failures[0].code, code);
  g_assert_true(failures[0].retryable == retryable);
  g_assert_cmpuint(call.bench.messages(GST_MESSAGE_WARNING), ==, 1);
  g_assert_cmpuint(call.bench.messages(GST_MESSAGE_ERROR), ==, 0);
  // It speaks: about 0.3 s a word, as loud as a voice is.
  const auto samples = samples_of(call.bench.audio(), true);
  g_assert_cmpuint(samples.size(), >, 8000 * 2);
  g_assert_cmpuint(samples.size(), <, 8000 * 8);
  g_assert_cmpfloat(rms(samples), >, 1000);
}

static void test_fallback() {
  assert_falls_back("{}", "bad", "v", "http_401", false);
  assert_falls_back("{}", "good", "missing", "voice_id_does_not_exist", false);
  assert_falls_back(R"({"fault":"quota","fault_after_chars":8,"chunk_ms":240})",
                    "good", "v", "quota_exceeded", false);
  assert_falls_back(R"({"fault":"late_key"})", "good", "v", "invalid_api_key",
                    false);
  assert_falls_back(
      R"({"fault":"policy","fault_after_chars":8,"chunk_ms":240})", "good", "v",
      "closed_1008", false);
  assert_falls_back(R"({"fault":"stall","fault_after_chars":8,"chunk_ms":240})",
                    "good", "v", "no_audio", true);
  assert_falls_back(R"({"fault":"silent"})", "good", "v", "no_audio", false);
  assert_falls_back(R"({"fault":"disconnect"})", "good", "v", "closed_1006",
                    true);
  assert_falls_back(R"({"fault":"http_500"})", "good", "v", "http_500", true);
}

static void test_no_key() {
  g_unsetenv("ELEVENLABS_API_KEY");
  {
    Call call;
    call.set("api-key", nullptr);
    call.bench.play();
    call.bench.utterance(1, {"One two three."});
    call.bench.eos();
    call.bench.await("eos");
    assert_equal(words(call.bench), "One two three.");
    assert_equal(call.bench.failures().at(0).code, "missing_api_key");
    g_assert_cmpuint(call.connections(), ==, 0);
  }
  // No fallback: the error of a plain source names what to set.
  Call plain("{}", nullptr, false);
  plain.set("api-key", nullptr);
  plain.set("fallback-voice", "");
  plain.set("text", "Hello.");
  plain.bench.play();
  plain.worker->run_for(1s);
  std::string text;
  g_assert_cmpuint(plain.bench.messages(GST_MESSAGE_ERROR, &text), ==, 1);
  g_assert_nonnull(strstr(text.c_str(), "ELEVENLABS_API_KEY"));
  g_assert_nonnull(strstr(text.c_str(), "api-key"));
  g_assert_true(plain.bench.audio().empty());
  // From the environment.
  g_setenv("ELEVENLABS_API_KEY", "good", TRUE);
  Call call;
  call.set("api-key", nullptr);
  call.bench.play();
  call.bench.utterance(1, {"Hello."});
  call.bench.await("end:1");
  g_assert_cmpuint(call.connections(), ==, 1);
  g_unsetenv("ELEVENLABS_API_KEY");
}

static void test_no_fallback_in_a_call() {
  Call call;
  call.set("api-key", "bad");
  call.set("fallback-voice", "");
  call.bench.play();
  call.bench.utterance(1, {"One."});
  call.bench.eos();
  call.bench.await("eos");
  assert_order(call.bench, "segment start:1 end:1 audio eos");
  g_assert_cmpuint(call.bench.failures().size(), ==, 1);
  g_assert_cmpuint(call.bench.messages(GST_MESSAGE_ERROR), ==, 0);
}

// Within an utterance: said to its end on a new connection.
static void test_reconnects() {
  for (
      const char *elevenlabs :
      {R"({"fault":"disconnect","fault_after_chars":8,"chunk_ms":240,"fault_times":1})",
       R"({"fault":"internal","fault_after_chars":8,"chunk_ms":240,"fault_times":1})",
       R"({"fault":"http_500","fault_times":1})",
       R"({"fault":"busy","fault_times":1})"}) {
    g_test_message("%s", elevenlabs);
    Call call(elevenlabs);
    call.bench.play();
    call.bench.utterance(1, {"One two three four.", "Five six seven."});
    call.bench.eos();
    call.bench.await("eos");
    assert_equal(words(call.bench), "One two three four. Five six seven.");
    g_assert_cmpuint(call.bench.failures().size(), ==, 0);
    g_assert_cmpuint(call.bench.messages(GST_MESSAGE_WARNING), ==, 0);
    // Not a word twice, and none lost.
    g_assert_cmpuint(call.bench.audio().size(), ==, 36 * 60 * 8 + 80);
  }
}

// Between utterances: opened again in the background.
static void test_reopens_when_idle() {
  Call call(R"({"fault":"internal","fault_after_chars":8,"fault_times":1})");
  call.bench.play();
  call.bench.utterance(1, {"One."});
  call.bench.await("end:1");
  call.bench.start(2); // closes on the first characters of this
  call.bench.say("Two.");
  call.bench.end(2);
  call.bench.await("end:2");
  g_assert_cmpuint(call.connections(), ==, 2);
  // A context that has nothing to say for minutes.
  call.bench.start(3);
  call.bench.say("Three.");
  call.worker->run_for(400s);
  call.bench.say("Four.");
  call.bench.end(3);
  call.bench.await("end:3");
  assert_equal(words(call.bench), "One. Two. Three. Four.");
  g_assert_cmpuint(call.connections(), ==, 2);
  g_assert_cmpuint(call.event_times("input_timeout_exceeded").size(), ==, 0);
}

static void test_final_marker_lost() {
  Call call(R"({"fault":"no_final"})");
  call.bench.play();
  call.bench.utterance(1, {"One two."});
  call.bench.utterance(2, {"Three."});
  call.bench.eos();
  call.bench.await("eos");
  assert_equal(words(call.bench), "One two. Three.");
  g_assert_cmpuint(call.bench.failures().size(), ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  gst_init(&argc, &argv);
  const auto add = [](const char *name, GTestFunc test) {
    g_test_add_func((std::string("/elevenlabssrc/") + name).c_str(), test);
  };
  add("events-and-audio-in-the-promised-order", test_contract);
  add("first-audio-goes-out-when-it-comes", test_streams);
  add("asks-for-what-downstream-takes", test_formats);
  add("asks-for-what-it-is-told-to", test_output_format);
  add("asks-anew-when-downstream-changes-its-mind", test_asks_anew);
  add("words-have-their-times-in-every-dialect", test_alignment);
  add("cut-samples-are-joined", test_cut_samples);
  add("barge-in-leaves-no-late-audio", test_barge_in);
  add("rapid-barge-ins-keep-the-socket", test_rapid_barge_in);
  add("silent-utterances-still-end", test_silent_utterances);
  add("what-fails-is-spoken-offline", test_fallback);
  add("a-speed-that-is-not-offered-is-an-error", test_speed);
  add("without-a-key", test_no_key);
  add("without-a-fallback-a-call-still-ends", test_no_fallback_in_a_call);
  add("a-new-connection-says-the-rest", test_reconnects);
  add("opens-again-and-stays-open", test_reopens_when_idle);
  add("a-lost-final-marker-loses-nothing", test_final_marker_lost);
  const int result = g_test_run();
  gst_deinit();
  return result;
}
