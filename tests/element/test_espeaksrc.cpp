// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream_group.hpp"
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

static void test_words_and_format() {
  VoiceBench bench("espeaksrc", Worker::create_virtual());
  bench.play();
  bench.utterance(1, {"How can I help you?"});
  bench.await("end:1");
  check_stream_has_group(bench.element());
  // Its own rate, where nothing else is asked for.
  assert_equal(bench.caps(), "audio/x-raw, format=(string)S16LE, "
                             "layout=(string)interleaved, rate=(int)22050, "
                             "channels=(int)1");
  for (const auto &item : bench.items())
    if (item.name == "spoken:How can I help you?") {
      g_assert_cmpuint(item.timings.size(), ==, 5);
      g_assert_cmpuint(item.timings[4].offset, ==, 15);
    }
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
  g_test_add_func("/espeaksrc/each-word-has-its-time", test_words_and_format);
  g_test_add_func("/espeaksrc/sounds-clear-without-clicks", test_sound);
  g_test_add_func("/espeaksrc/unknown-voice-is-an-error-but-not-in-a-call",
                  test_unknown_voice);
  g_test_add_func("/espeaksrc/in-a-pipeline-of-system-elements",
                  test_launch_line);
  const int result = g_test_run();
  gst_deinit();
  return result;
}
