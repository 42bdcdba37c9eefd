// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audio/mulaw.hpp"
#include "graph/events.hpp"
#include "graph/handles.hpp"

#include <gst/check/gstharness.h>
#include <gst/gst.h>

#include <cmath>
#include <cstring>
#include <string>

using namespace patchcord;

namespace {

void equal(const std::string &is, const std::string &expected) {
  if (is != expected)
    g_error("expected\n  %s\ngot\n  %s", expected.c_str(), is.c_str());
}

constexpr char kMulaw[] = "audio/x-mulaw,rate=8000,channels=1";

// The element in a harness; what leaves it as lines, in order: buffers by their
// stamp and speech by its time, in ms.
class Bench {
public:
  explicit Bench(const char *caps = kMulaw, const char *launch = "")
      : harness_(gst_harness_new_parse(
            ("voiceactivity " + std::string(launch)).c_str())) {
    g_object_get(harness_->element, "name", &name_, nullptr);
    begin(caps);
    probe_ = gst_pad_add_probe(
        harness_->sinkpad,
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM |
                                     GST_PAD_PROBE_TYPE_EVENT_FLUSH),
        [](GstPad *, GstPadProbeInfo *info, gpointer self) {
          static_cast<Bench *>(self)->saw(info);
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
  }
  ~Bench() {
    gst_pad_remove_probe(harness_->sinkpad, probe_);
    gst_harness_teardown(harness_);
    g_free(name_);
  }
  Bench(const Bench &) = delete;
  Bench &operator=(const Bench &) = delete;

  void begin(const char *caps) {
    gst_harness_set_src_caps_str(harness_, caps);
    const auto parsed = Ref<GstCaps>::adopt(gst_caps_from_string(caps));
    const GstStructure *structure = gst_caps_get_structure(parsed.get(), 0);
    mulaw_ = gst_structure_has_name(structure, "audio/x-mulaw") != 0;
    gst_structure_get_int(structure, "rate", &rate_);
  }
  GstHarness *harness() { return harness_; }
  void skip(int ms) {
    position_ += static_cast<GstClockTime>(ms) * GST_MSECOND;
  }

  // A tone of 440 Hz, or silence with a little noise; 20 ms a buffer.
  void audio(int ms, double level) {
    for (int left = ms; left > 0; left -= 20)
      g_assert_cmpint(gst_harness_push(harness_, piece(20, level)), ==,
                      GST_FLOW_OK);
  }
  void speech(int ms) { audio(ms, 8000); }
  void silence(int ms) { audio(ms, 0); }

  GstBuffer *piece(int ms, double level) {
    const std::size_t count = static_cast<std::size_t>(rate_ / 1000 * ms);
    Bytes bytes;
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = static_cast<std::int16_t>(
          level *
          std::sin(static_cast<double>(sample_++) * 2 * G_PI * 440 / rate_));
      if (mulaw_) {
        bytes.push_back(audio::linear_to_mulaw(value));
      } else {
        bytes.resize(bytes.size() + 2);
        std::memcpy(&bytes[bytes.size() - 2], &value, 2);
      }
    }
    GstBuffer *buffer = buffer_of(bytes).release();
    GST_BUFFER_PTS(buffer) = position_;
    GST_BUFFER_DURATION(buffer) = static_cast<GstClockTime>(ms) * GST_MSECOND;
    position_ += GST_BUFFER_DURATION(buffer);
    return buffer;
  }
  // Without the buffers.
  std::string take() {
    std::string all = std::exchange(log_, {});
    return all;
  }
  bool with_buffers = false;

private:
  void add(const std::string &line) {
    log_ += (log_.empty() ? "" : " ") + line;
  }
  void saw(GstPadProbeInfo *info) {
    const auto ms = [](GstClockTime time) {
      return GST_CLOCK_TIME_IS_VALID(time) ? std::to_string(time / GST_MSECOND)
                                           : std::string("?");
    };
    if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
      if (with_buffers)
        add(ms(GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info))));
      return;
    }
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
    if (const auto started = events::parse<events::SpeechStarted>(event))
      add("started:" + ms(started->time));
    else if (const auto stopped = events::parse<events::SpeechStopped>(event))
      add("stopped:" + ms(stopped->time));
    else if (GST_EVENT_TYPE(event) == GST_EVENT_EOS ||
             GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_START ||
             GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP)
      add(GST_EVENT_TYPE_NAME(event));
  }

  GstHarness *harness_;
  char *name_ = nullptr;
  gulong probe_ = 0;
  bool mulaw_ = true;
  int rate_ = 8000;
  std::uint64_t sample_ = 0;
  GstClockTime position_ = 0;
  std::string log_;
};

void test_speech() {
  for (const char *caps :
       {kMulaw,
        "audio/x-raw,format=S16LE,layout=interleaved,rate=8000,"
        "channels=1",
        "audio/x-raw,format=S16LE,layout=interleaved,rate=24000,channels=1",
        "audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=1"}) {
    Bench bench(caps);
    bench.silence(1000);
    equal(bench.take(), "");
    bench.speech(60);
    equal(bench.take(), "started:1000"); // as soon as it is known
    bench.speech(440);
    bench.silence(180);
    equal(bench.take(), "");
    bench.silence(20);
    equal(bench.take(), "stopped:1500");
  }
}

void test_order() {
  // Before the buffer in which it became known.
  Bench bench;
  bench.silence(500);
  bench.with_buffers = true;
  bench.speech(100);
  bench.with_buffers = false;
  equal(bench.take(), "500 520 started:500 540 560 580");
}

void test_untouched() {
  Bench bench;
  for (const double level : {0.0, 8000.0, 8000.0, 8000.0, 8000.0}) {
    GstBuffer *buffer = bench.piece(20, level);
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_GAP);
    // Not writable: somebody else has it as well.
    const auto kept = Ref<GstBuffer>::share(buffer);
    g_assert_cmpint(gst_harness_push(bench.harness(), buffer), ==, GST_FLOW_OK);
    const auto out = Ref<GstBuffer>::adopt(gst_harness_pull(bench.harness()));
    g_assert_true(out.get() == kept.get());
    g_assert_true(GST_BUFFER_FLAG_IS_SET(out.get(), GST_BUFFER_FLAG_GAP));
  }
  equal(bench.take(), "started:20");
}

void test_caps() {
  const struct {
    const char *caps;
    bool taken;
  } cases[] = {
      {kMulaw, true},
      {"audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels=1",
       true},
      {"audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels=2",
       false},
      {"audio/x-raw,format=F32LE,layout=interleaved,rate=16000,channels=1",
       false},
      {"audio/x-mulaw,rate=16000,channels=1", false},
      {"audio/x-alaw,rate=8000,channels=1", false}};
  Bench bench;
  for (const auto &c : cases) {
    const auto caps = Ref<GstCaps>::adopt(gst_caps_from_string(c.caps));
    g_assert_true(
        (gst_pad_peer_query_accept_caps(bench.harness()->srcpad, caps.get()) !=
         FALSE) == c.taken);
  }
}

void test_settings() {
  Bench bench(kMulaw, "min-speech-ms=200 hangover-ms=100 threshold-db=6");
  bench.silence(500);
  bench.speech(180);
  bench.silence(500);
  equal(bench.take(), "");
  bench.speech(200);
  equal(bench.take(), "started:1180");
  bench.silence(100);
  equal(bench.take(), "stopped:1380");
}

void test_gap() {
  Bench bench;
  bench.silence(500);
  bench.speech(200);
  bench.take();
  // Where audio is missing there was silence; times behind it are the audio's.
  bench.skip(5000);
  bench.silence(20);
  equal(bench.take(), "stopped:700");
  bench.speech(100);
  equal(bench.take(), "started:5720");
  gst_harness_push_event(bench.harness(),
                         gst_event_new_gap(5820 * GST_MSECOND, GST_SECOND));
  equal(bench.take(), "stopped:5820");
}

// Silence that stood for audio which was only late.
void test_stamps_go_back() {
  Bench bench(kMulaw, "hangover-ms=1000");
  bench.silence(500);
  bench.speech(200);
  bench.silence(800);
  equal(bench.take(), "started:500");
  bench.skip(-800);
  bench.speech(100);
  equal(bench.take(), "stopped:700 started:700");
  bench.silence(1000);
  equal(bench.take(), "stopped:800");
}

void test_eos() {
  Bench bench;
  bench.silence(500);
  bench.speech(200);
  bench.take();
  gst_harness_push_event(bench.harness(), gst_event_new_eos());
  equal(bench.take(), "stopped:700 eos");
}

void test_flush() {
  Bench bench;
  bench.silence(500);
  bench.speech(200);
  bench.take();
  gst_harness_push_event(bench.harness(), gst_event_new_flush_start());
  gst_harness_push_event(bench.harness(), gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.time = 700 * GST_MSECOND;
  gst_harness_push_event(bench.harness(), gst_event_new_segment(&segment));
  equal(bench.take(), "flush-start flush-stop");
  bench.silence(500);
  equal(bench.take(), "");
  bench.speech(60);
  equal(bench.take(), "started:500"); // running time begins again
}

void test_states() {
  auto *element = gst_element_factory_make("voiceactivity", nullptr);
  gst_object_ref_sink(element);
  for (int i = 0; i < 3; ++i)
    for (const GstState state :
         {GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING,
          GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_NULL})
      g_assert_cmpint(gst_element_set_state(element, state), ==,
                      GST_STATE_CHANGE_SUCCESS);
  g_assert_cmpint(GST_OBJECT_REFCOUNT_VALUE(element), ==, 1);
  gst_object_unref(element);
  // What it has heard is forgotten.
  Bench bench;
  bench.silence(500);
  bench.speech(200);
  bench.take();
  gst_element_set_state(bench.harness()->element, GST_STATE_READY);
  gst_element_set_state(bench.harness()->element, GST_STATE_PLAYING);
  bench.begin(kMulaw);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(bench.harness(), gst_event_new_segment(&segment));
  bench.take();
  bench.silence(1000);
  equal(bench.take(), "");
  bench.speech(60);
  equal(bench.take(), "started:1700");
}

void test_latency() {
  Bench bench;
  gst_harness_set_upstream_latency(bench.harness(), 20 * GST_MSECOND);
  g_assert_cmpuint(gst_harness_query_latency(bench.harness()), ==,
                   20 * GST_MSECOND);
}

void test_no_leak() {
  GstBuffer *watched = nullptr;
  bool gone = false;
  {
    Bench bench;
    watched = bench.piece(20, 8000);
    gst_mini_object_weak_ref(
        GST_MINI_OBJECT(watched),
        [](gpointer flag, GstMiniObject *) {
          *static_cast<bool *>(flag) = true;
        },
        &gone);
    gst_harness_push(bench.harness(), watched);
    bench.speech(200);
  }
  g_assert_true(gone);
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  gst_init(&argc, &argv);
  const std::pair<const char *, void (*)()> tests[] = {
      {"speech-is-told-as-soon-as-it-is-known", test_speech},
      {"events-come-before-the-buffer-that-decided", test_order},
      {"buffers-pass-untouched", test_untouched},
      {"takes-mu-law-and-mono-s16-of-any-rate", test_caps},
      {"properties-set-lengths-and-threshold", test_settings},
      {"a-gap-is-silence", test_gap},
      {"stamps-may-go-back", test_stamps_go_back},
      {"eos-ends-speech", test_eos},
      {"a-flush-forgets-speech", test_flush},
      {"states-come-and-go", test_states},
      {"adds-no-latency", test_latency},
      {"keeps-no-buffer", test_no_leak},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func((std::string("/voiceactivity/") + name).c_str(), test);
  const int result = g_test_run();
  gst_deinit();
  return result;
}
