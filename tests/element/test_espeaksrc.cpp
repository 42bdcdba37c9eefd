// SPDX-License-Identifier: LGPL-2.1-or-later
#include "voice_bench.hpp"

#include <gst/gst.h>

#include <atomic>
#include <cmath>

using namespace patchcord;

namespace {

constexpr int kRate = 22050;

std::int16_t sample_at(const Bytes &bytes, std::size_t index) {
  return static_cast<std::int16_t>(bytes[2 * index] | bytes[2 * index + 1]
                                                          << 8);
}

double seconds(const Bytes &bytes) {
  return static_cast<double>(bytes.size()) / 2 / kRate;
}

struct Level {
  double rms_db;
  int peak, steepest; // the latter: between neighbouring samples
};
Level level(const Bytes &bytes) {
  double energy = 0;
  Level out{};
  int last = 0;
  for (std::size_t i = 0; i < bytes.size() / 2; ++i) {
    const int sample = sample_at(bytes, i);
    energy += double{1} * sample * sample;
    out.peak = std::max(out.peak, std::abs(sample));
    out.steepest = std::max(out.steepest, std::abs(sample - last));
    last = sample;
  }
  out.rms_db =
      10 * std::log10(energy / (static_cast<double>(bytes.size()) / 2) /
                      (32768.0 * 32768.0));
  return out;
}

void assert_order(VoiceBench &bench, const char *expected) {
  assert_equal(bench.order(), expected);
}

} // namespace

static void test_contract() {
  VoiceBench bench("espeaksrc", Worker::create_virtual());
  bench.play();
  bench.start(1);
  bench.say("Good morning.");
  bench.say("How can I help you?");
  bench.end(1);
  bench.utterance(2, {"Goodbye."});
  bench.eos();
  bench.await("eos");
  assert_order(bench, "segment start:1 spoken:Good morning. audio "
                      "spoken:How can I help you? audio end:1 audio start:2 "
                      "spoken:Goodbye. audio end:2 audio eos");
  assert_equal(bench.caps(), "audio/x-raw, format=(string)S16LE, "
                             "layout=(string)interleaved, rate=(int)22050, "
                             "channels=(int)1");
  const auto items = bench.items();
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].name.starts_with("end:")) {
      // Behind it one buffer: 10 ms of silence.
      g_assert_cmpstr(items[i + 1].name.c_str(), ==, "audio");
      g_assert_cmpuint(items[i + 1].duration, >=, 10 * GST_MSECOND);
      g_assert_true(std::all_of(items[i + 1].bytes.begin(),
                                items[i + 1].bytes.end(),
                                [](std::uint8_t byte) { return byte == 0; }));
      g_assert_cmpstr(items[i + 2].name.c_str(), !=, "audio");
    } else if (items[i].name == "audio" &&
               !items[i - 1].name.starts_with("end:")) {
      g_assert_cmpuint(items[i].duration, >=, 20 * GST_MSECOND);
      g_assert_cmpuint(items[i].duration, <=, 100 * GST_MSECOND);
    } else if (items[i].name == "spoken:How can I help you?") {
      g_assert_cmpuint(items[i].timings.size(), ==, 5);
      g_assert_cmpuint(items[i].timings[4].offset, ==, 15);
    }
  }
}

static void test_stamps() {
  const auto worker = Worker::create_virtual();
  VoiceBench bench("espeaksrc", worker);
  bench.play();
  worker->run_for(3s);
  bench.utterance(1, {"One.", "Two."});
  bench.await("end:1");
  worker->run_for(10s);
  bench.utterance(2, {"Three."});
  bench.await("end:2");
  // At once behind it: its stamps follow, though the clock has not moved.
  bench.utterance(3, {"Four."});
  bench.eos();
  bench.await("eos");
  GstClockTime next = GST_CLOCK_TIME_NONE;
  std::vector<GstClockTime> jumps;
  for (const auto &item : bench.items()) {
    if (item.name != "audio")
      continue;
    if (item.pts != next) {
      jumps.push_back(item.pts);
      g_assert_true(item.discont);
    } else {
      g_assert_false(item.discont);
    }
    next = item.pts + item.duration;
  }
  g_assert_cmpuint(jumps.size(), ==, 2);
  g_assert_cmpuint(jumps[0], ==, 3 * GST_SECOND);
  g_assert_cmpuint(jumps[1], ==, 13 * GST_SECOND);
}

static void test_sound() {
  VoiceBench bench("espeaksrc", Worker::create_virtual());
  bench.play();
  bench.utterance(1, {"Good morning, this is the booking line.",
                      "What can I do for you today?"});
  bench.eos();
  bench.await("eos");
  const Bytes audio = bench.audio();
  const Level loud = level(audio);
  g_test_message("%.2f s, %.1f dBFS, peak %d, steepest %d", seconds(audio),
                 loud.rms_db, loud.peak, loud.steepest);
  g_assert_cmpfloat(seconds(audio), >, 3.0);
  g_assert_cmpfloat(seconds(audio), <, 5.5);
  g_assert_cmpfloat(loud.rms_db, >, -28);
  g_assert_cmpfloat(loud.rms_db, <, -14);
  g_assert_cmpint(loud.peak, >, 10000);
  g_assert_cmpint(loud.peak, <, 32767);
  // A click at a border would be a step as high as the sound itself.
  const auto items = bench.items();
  for (std::size_t i = 1; i < items.size(); ++i)
    if (items[i].name == "audio" && items[i - 1].name != "audio")
      g_assert_cmpint(std::abs(int{sample_at(items[i].bytes, 0)}), <, 16);
  g_assert_cmpint(loud.steepest, <, 20000);
}

static void test_plain_source() {
  VoiceBench bench("espeaksrc", Worker::create_virtual(), nullptr, false);
  g_object_set(bench.element(), "text", "Hello there. This is a test.",
               nullptr);
  bench.play();
  bench.await("eos");
  assert_order(bench, "segment start:1 spoken:Hello there. audio "
                      "spoken:This is a test. audio end:1 audio eos");
  g_assert_cmpuint(bench.items().at(5).pts, ==, 0);
  // And once more from the start.
  const auto first = bench.audio().size();
  bench.set_state(GST_STATE_NULL);
  bench.clear();
  bench.play();
  bench.await("eos");
  g_assert_cmpfloat(std::abs(static_cast<double>(bench.audio().size()) -
                             static_cast<double>(first)),
                    <, 0.02 * static_cast<double>(first));
}

static void test_refused_caps() {
  VoiceBench bench("espeaksrc", Worker::create_virtual());
  bench.play();
  const auto caps = Ref<GstCaps>::adopt(
      gst_caps_from_string("text/x-raw, format=pango-markup"));
  bench.push(gst_event_new_caps(caps.get()));
  g_assert_cmpint(bench.say("<b>Hello.</b>"), ==, GST_FLOW_NOT_NEGOTIATED);
  bench.worker()->run_for(1s);
  assert_order(bench, "");
}

static void test_nothing_to_say() {
  VoiceBench bench("espeaksrc", Worker::create_virtual(), nullptr, false);
  g_assert_cmpint(bench.set_state(GST_STATE_PLAYING), ==,
                  GST_STATE_CHANGE_FAILURE);
  std::string text;
  g_assert_cmpuint(bench.messages(GST_MESSAGE_ERROR, &text), ==, 1);
  g_assert_nonnull(strstr(text.c_str(), "text"));
}

static void test_unknown_voice() {
  {
    VoiceBench plain("espeaksrc", Worker::create_virtual(), nullptr, false);
    g_object_set(plain.element(), "voice", "klingon-opera", "text", "Hi. Ho.",
                 nullptr);
    plain.play();
    plain.worker()->run_for(1s);
    std::string text;
    g_assert_cmpuint(plain.messages(GST_MESSAGE_ERROR, &text), ==, 1);
    g_assert_nonnull(strstr(text.c_str(), "klingon-opera"));
    g_assert_true(plain.audio().empty());
  }
  // In a call: never silent.
  VoiceBench call("espeaksrc", Worker::create_virtual());
  g_object_set(call.element(), "voice", "klingon-opera", nullptr);
  call.play();
  call.utterance(1, {"One.", "Two."});
  call.eos();
  call.await("eos");
  assert_order(call, "segment start:1 spoken:One. audio spoken:Two. audio "
                     "end:1 audio eos");
  g_assert_cmpuint(call.messages(GST_MESSAGE_WARNING), ==, 1);
  g_assert_cmpuint(call.failures().size(), ==, 1);
  assert_equal(call.failures()[0].code, "voice_not_found");
}

static void test_empty_utterances() {
  VoiceBench bench("espeaksrc", Worker::create_virtual());
  bench.play();
  bench.utterance(1, {});
  bench.utterance(2, {"...", " ", ""});
  bench.say("Without events.");
  bench.eos();
  bench.await("eos");
  assert_order(bench, "segment start:1 end:1 audio start:2 end:2 audio "
                      "spoken:Without events. audio eos");
}

static void test_flush() {
  const auto worker = Worker::create_virtual();
  VoiceBench bench("espeaksrc", worker);
  bench.play();
  bench.start(1);
  bench.say("This will be cut.");
  bench.await("audio", 3);
  bench.say("This was never heard.");
  bench.end(1);
  bench.clear();
  bench.flush_start();
  // On its way at once, not behind the speech.
  assert_order(bench, "flush-start");
  worker->run_for(5s);
  bench.flush_stop();
  worker->run_for(5s);
  assert_order(bench, "flush-start flush-stop");
  bench.utterance(2, {"After it."});
  bench.await("end:2");
  bench.eos();
  bench.await("eos");
  assert_order(bench, "flush-start flush-stop segment start:2 "
                      "spoken:After it. audio end:2 audio eos");
  // Stamps start at now, not behind what was thrown away.
  for (const auto &item : bench.items())
    if (item.name == "audio") {
      g_assert_cmpuint(item.pts, ==, 10 * GST_SECOND);
      g_assert_true(item.discont);
      break;
    }
}

// An interruption that may be none: the sink keeps what comes, so that the
// voice goes on; and the word of it overtakes all texts that wait.
static void test_hold_overtakes() {
  const auto worker = Worker::create_virtual();
  VoiceBench bench("espeaksrc", worker);
  bench.play();
  bench.on_audio([&] { bench.push(events::make(events::Hold{})); });
  bench.utterance(1, {"One sentence.", "Another one."});
  bench.await("end:1");
  bench.push(events::make(events::Resume{}));
  bench.await("patchcord-resume");
  assert_order(bench, "segment start:1 spoken:One sentence. audio "
                      "patchcord-hold audio spoken:Another one. audio end:1 "
                      "audio patchcord-resume");
  VoiceBench other("espeaksrc", worker);
  other.play();
  other.utterance(1, {"One sentence.", "Another one."});
  other.await("end:1");
  // A sample more or less: the synthesizer's, from run to run.
  g_assert_cmpfloat_with_epsilon(seconds(bench.audio()), seconds(other.audio()),
                                 0.01);
}

// The sink's events may bring the agent to flush while a buffer is being
// pushed.
static void test_flush_from_within_a_push() {
  const auto worker = Worker::create_virtual();
  VoiceBench bench("espeaksrc", worker);
  bench.play();
  bench.on_audio([&] {
    bench.flush_start();
    bench.flush_stop();
    bench.utterance(2, {"Next."});
  });
  bench.utterance(1, {"A sentence of more than one buffer."});
  bench.await("end:2");
  bench.await([](const auto &items) { return items.back().name == "audio"; });
  worker->run_for(5s);
  assert_order(bench,
               "segment start:1 spoken:A sentence of more than one buffer. "
               "audio flush-start flush-stop segment start:2 spoken:Next. "
               "audio end:2 audio");
}

static void test_stop_from_within_a_push() {
  VoiceBench bench("espeaksrc", Worker::create_virtual());
  bench.play();
  bench.on_audio([&] { bench.set_state(GST_STATE_NULL); });
  bench.utterance(1, {"A sentence of more than one buffer."});
  bench.await("audio");
  bench.worker()->run_for(1s);
  assert_order(bench,
               "segment start:1 spoken:A sentence of more than one buffer. "
               "audio");
  g_assert_cmpuint(bench.messages(GST_MESSAGE_ERROR), ==, 0);
}

static void test_state_cycling() {
  VoiceBench bench("espeaksrc", Worker::create_virtual());
  for (int i = 0; i < 3; ++i) {
    bench.clear();
    bench.play();
    bench.utterance(1, {"Hello."});
    bench.eos();
    bench.await("eos");
    assert_order(bench, "segment start:1 spoken:Hello. audio end:1 audio eos");
    // Stopped in the middle of a sentence.
    bench.set_state(GST_STATE_NULL);
    bench.play();
    bench.start(2);
    bench.say("Not to be heard.");
    bench.set_state(GST_STATE_READY);
    bench.worker()->run_for(1s);
    bench.set_state(GST_STATE_NULL);
  }
  g_assert_cmpuint(bench.worker()->armed_timers(), ==, 0);
  g_assert_cmpuint(bench.worker()->watched_fds(), ==, 0);
}

static void test_other_events() {
  VoiceBench bench("espeaksrc", Worker::create_virtual());
  bench.play();
  bench.start(1);
  bench.say("Hello.");
  bench.push(events::make(events::Dtmf{"5"}));
  bench.end(1);
  bench.await("end:1");
  assert_order(bench, "segment start:1 spoken:Hello. audio patchcord-dtmf "
                      "end:1 audio");
  bench.push_upstream(events::make(events::Playout{}));
  g_assert_cmpuint(bench.upstream().size(), ==, 1);
  assert_equal(bench.upstream()[0], events::Playout::kName);
  // Latency: none of its own.
  GstQuery *query = gst_query_new_latency();
  g_assert_true(gst_pad_peer_query(bench.audio_pad(), query));
  GstClockTime min = 1;
  gst_query_parse_latency(query, nullptr, &min, nullptr);
  g_assert_cmpuint(min, ==, 0);
  gst_query_unref(query);
}

static void test_flow_errors() {
  static const struct {
    GstFlowReturn flow;
    unsigned errors;
  } kRows[] = {
      {GST_FLOW_EOS, 0}, {GST_FLOW_NOT_NEGOTIATED, 1}, {GST_FLOW_FLUSHING, 0}};
  for (const auto &row : kRows) {
    g_test_message("%s", gst_flow_get_name(row.flow));
    VoiceBench bench("espeaksrc", Worker::create_virtual());
    bench.play();
    bench.set_flow(row.flow);
    bench.utterance(1, {"Hello."});
    bench.worker()->run_for(1s);
    g_assert_cmpuint(bench.messages(GST_MESSAGE_ERROR), ==, row.errors);
    // Downstream that is being stopped is no reason to stay silent for ever.
    g_assert_cmpint(bench.say("More."), ==,
                    row.flow == GST_FLOW_FLUSHING ? GST_FLOW_OK : row.flow);
  }
}

static void test_real_worker() {
  const auto worker = Worker::start("call");
  {
    VoiceBench bench("espeaksrc", worker);
    bench.play();
    bench.utterance(1, {"One.", "Two.", "Three."});
    bench.await("end:1");
    bench.start(2);
    bench.say("To be cut.");
    bench.flush_start();
    bench.flush_stop();
    bench.utterance(3, {"Last."});
    bench.eos();
    bench.await("eos");
    const std::string order = bench.order();
    g_test_message("came out: %s", order.c_str());
    g_assert_true(order.starts_with("segment start:1 spoken:One. audio "
                                    "spoken:Two. audio spoken:Three. audio "
                                    "end:1 audio start:2 "));
    g_assert_true(order.ends_with("flush-start flush-stop segment start:3 "
                                  "spoken:Last. audio end:3 audio eos"));
  }
  worker->stop();
}

// As a user would: no worker given, system elements around it.
static void test_launch_line() {
  GErrorHolder error;
  GstElement *pipeline = gst_parse_launch(
      "espeaksrc text=\"Hello. This is a pipeline.\" ! audioconvert ! "
      "audioresample ! mulawenc ! audio/x-mulaw,rate=8000 ! fakesink name=sink "
      "signal-handoffs=true",
      error.out());
  g_assert_nonnull(pipeline);
  GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  std::atomic<std::size_t> bytes{0}; // counted on the pipeline's worker
  g_signal_connect(sink, "handoff",
                   G_CALLBACK(+[](GstElement *, GstBuffer *buffer, GstPad *,
                                  gpointer count) {
                     *static_cast<std::atomic<std::size_t> *>(count) +=
                         gst_buffer_get_size(buffer);
                   }),
                   &bytes);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus *bus = gst_element_get_bus(pipeline);
  const auto message = Ref<GstMessage>::adopt(gst_bus_timed_pop_filtered(
      bus, 20 * GST_SECOND,
      static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  g_assert_true(static_cast<bool>(message));
  g_assert_cmpint(GST_MESSAGE_TYPE(message.get()), ==, GST_MESSAGE_EOS);
  g_test_message("%zu bytes of mu-law", bytes.load());
  g_assert_cmpuint(bytes, >, 10000);
  g_assert_cmpuint(bytes, <, 18000);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(bus);
  gst_object_unref(sink);
  gst_object_unref(pipeline);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  gst_init(&argc, &argv);
  g_test_add_func("/espeaksrc/events-and-audio-in-the-promised-order",
                  test_contract);
  g_test_add_func("/espeaksrc/stamps-are-running-time-then-contiguous",
                  test_stamps);
  g_test_add_func("/espeaksrc/sounds-clear-without-clicks", test_sound);
  g_test_add_func("/espeaksrc/text-property-makes-a-plain-source",
                  test_plain_source);
  g_test_add_func("/espeaksrc/other-caps-of-text-are-refused",
                  test_refused_caps);
  g_test_add_func("/espeaksrc/nothing-to-say-is-an-error", test_nothing_to_say);
  g_test_add_func("/espeaksrc/unknown-voice-is-an-error-but-not-in-a-call",
                  test_unknown_voice);
  g_test_add_func("/espeaksrc/silent-utterances-still-end",
                  test_empty_utterances);
  g_test_add_func("/espeaksrc/flush-leaves-no-late-audio", test_flush);
  g_test_add_func("/espeaksrc/a-hold-overtakes-and-loses-nothing",
                  test_hold_overtakes);
  g_test_add_func("/espeaksrc/flush-from-within-a-push",
                  test_flush_from_within_a_push);
  g_test_add_func("/espeaksrc/stop-from-within-a-push",
                  test_stop_from_within_a_push);
  g_test_add_func("/espeaksrc/starts-again-after-each-stop",
                  test_state_cycling);
  g_test_add_func("/espeaksrc/passes-other-events-both-ways",
                  test_other_events);
  g_test_add_func("/espeaksrc/one-error-when-downstream-refuses",
                  test_flow_errors);
  g_test_add_func("/espeaksrc/on-a-worker-of-its-own-thread", test_real_worker);
  g_test_add_func("/espeaksrc/in-a-pipeline-of-system-elements",
                  test_launch_line);
  const int result = g_test_run();
  gst_deinit();
  return result;
}
