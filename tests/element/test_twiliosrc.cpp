// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/add_tests.hpp"
#include "../support/captured_log.hpp"
#include "../support/check_text.hpp"
#include "stream_group.hpp"
#include "twiliosrc_bench.hpp"

#include <string>

// What comes out of it, of which frames.
using namespace patchcord;
using namespace patchcord::test;

namespace {

void test_whole_stream() {
  Bench b;
  g_assert_cmpint(b.set_state(GST_STATE_PAUSED), ==,
                  GST_STATE_CHANGE_NO_PREROLL);
  b.stream->begin();
  CHECK_TEXT(b.take(), ""); // live: nothing in PAUSED
  b.play();
  CHECK_TEXT(b.messages(), "call-started CA1 MZ1 AC1 en\n");
  CHECK_TEXT(b.take(), "stream-start\ncaps\nsegment\n");
  check_stream_has_group(b.element);
  b.frames(2);
  b.stream->source->on_dtmf("7");
  b.frames(1, 195);
  b.stream->finish();
  CHECK_TEXT(b.take(), "buffer 160\nbuffer 160\ndtmf 7\nbuffer 160\neos\n");
  CHECK_TEXT(b.messages(), "dtmf 7\nstream-ended stop\n");
  b.stream->media(500, kFrame);
  CHECK_TEXT(b.take(), "");
}

void test_caps() {
  Bench b;
  b.stream->begin();
  b.play();
  GstPad *src = gst_element_get_static_pad(b.element, "src");
  const auto caps = Ref<GstCaps>::adopt(gst_pad_get_current_caps(src));
  const auto expected = Ref<GstCaps>::adopt(
      gst_caps_from_string("audio/x-mulaw, rate=8000, channels=1"));
  g_assert_true(gst_caps_is_equal(caps.get(), expected.get()));
  gst_object_unref(src);
}

// Where mu-law is not taken. The values are of ITU-T G.711.
void test_samples() {
  Bench b;
  gst_pad_set_query_function(
      b.pad, [](GstPad *, GstObject *, GstQuery *query) -> gboolean {
        if (GST_QUERY_TYPE(query) != GST_QUERY_CAPS)
          return FALSE;
        const auto caps = Ref<GstCaps>::adopt(gst_caps_from_string(
            "audio/x-raw, format={ S16LE, F32LE }, rate=[ 1, 48000 ]"));
        gst_query_set_caps_result(query, caps.get());
        return TRUE;
      });
  b.stream->begin();
  b.play();
  Bytes frame(160, 0xff);
  frame[1] = 0x00;
  frame[2] = 0x80;
  frame[3] = 0x7f;
  b.stream->media(155, frame);
  b.stream->media(195, frame); // twenty milliseconds are missing
  g_assert_cmpuint(b.buffers.size(), ==, 3);
  gint16 samples[160];
  for (const std::size_t number : {0, 2}) {
    g_assert_cmpuint(
        gst_buffer_extract(b.buffers[number].get(), 0, samples, sizeof samples),
        ==, sizeof samples);
    g_assert_cmpint(GINT16_FROM_LE(samples[0]), ==, 0);
    g_assert_cmpint(GINT16_FROM_LE(samples[1]), ==, -32124);
    g_assert_cmpint(GINT16_FROM_LE(samples[2]), ==, 32124);
    g_assert_cmpint(GINT16_FROM_LE(samples[3]), ==, 0);
  }
  gst_buffer_extract(b.buffers[1].get(), 0, samples, sizeof samples);
  g_assert_cmpint(samples[80], ==, 0);
  g_assert_cmpuint(GST_BUFFER_DURATION(b.buffers[0].get()), ==,
                   20 * GST_MSECOND);
  GstPad *src = gst_element_get_static_pad(b.element, "src");
  const auto caps = Ref<GstCaps>::adopt(gst_pad_get_current_caps(src));
  const GCharPtr text(gst_caps_to_string(caps.get()));
  CHECK_TEXT(text.get(), "audio/x-raw, format=(string)S16LE, "
                         "layout=(string)interleaved, rate=(int)8000, "
                         "channels=(int)1");
  gst_object_unref(src);
}

void test_times() {
  Bench b;
  b.stream->begin();
  b.play();
  b.worker->run_for(3s);
  b.frames(3);                  // at 3.02, 3.04, 3.06 s
  b.stream->media(335, kFrame); // 155 + 60 + 120: six frames are missing
  g_assert_cmpuint(b.buffers.size(), ==, 3 + 6 + 1);
  GstClockTime next = 3 * GST_SECOND;
  for (const auto &buffer : b.buffers) {
    g_assert_cmpuint(GST_BUFFER_PTS(buffer.get()), ==, next);
    next += GST_BUFFER_DURATION(buffer.get());
  }
  g_assert_cmpuint(next, ==, 3 * GST_SECOND + 200 * GST_MSECOND);
  guint8 silent = 0;
  gst_buffer_extract(b.buffers[4].get(), 80, &silent, 1);
  g_assert_cmpuint(silent, ==, 0xff);
}

void test_chunks() {
  Bench b;
  g_object_set(b.element, "chunk-ms", 60U, nullptr);
  b.stream->begin();
  b.play();
  b.frames(7);
  b.stream->media(155 + 140, Bytes(1000, 1)); // 125 ms in one message
  b.stream->finish();
  b.take();
  std::size_t total = 0;
  for (std::size_t i = 0; i < b.buffers.size(); ++i) {
    const auto size = gst_buffer_get_size(b.buffers[i].get());
    // The rest comes when the stream ends.
    g_assert_cmpuint(size, ==, i + 1 < b.buffers.size() ? 480 : 200);
    total += size;
  }
  g_assert_cmpuint(total, ==, 7 * 160 + 1000);
}

void check_latency(gboolean steady, GstClockTime expected) {
  Bench b;
  g_object_set(b.element, "chunk-ms", 40U, "steady", steady, nullptr);
  b.play();
  const auto query = Ref<GstQuery>::adopt(gst_query_new_latency());
  g_assert_true(gst_pad_peer_query(b.pad, query.get()));
  gboolean live = FALSE;
  GstClockTime least = 0, most = 0;
  gst_query_parse_latency(query.get(), &live, &least, &most);
  g_assert_true(live);
  g_assert_cmpuint(least, ==, expected);
  g_assert_cmpuint(most, ==, GST_CLOCK_TIME_NONE);
}

void test_latency() {
  check_latency(TRUE, 40 * GST_MSECOND);
  // What nobody waits for is read every 160 ms.
  check_latency(FALSE, 200 * GST_MSECOND);
}

// What downstream answers, and what becomes of it.
void test_flow_returns() {
  const struct {
    GstFlowReturn answer;
    const char *log, *messages;
  } cases[] = {
      {GST_FLOW_FLUSHING, "buffer 160\nbuffer 160\neos\n",
       "stream-ended stop\n"},
      {GST_FLOW_EOS, "buffer 160\n", "stream-ended stop\n"},
      {GST_FLOW_ERROR, "buffer 160\neos\n", "error\nstream-ended stop\n"},
      {GST_FLOW_NOT_NEGOTIATED, "buffer 160\neos\n",
       "error\nstream-ended stop\n"},
  };
  for (const auto &c : cases) {
    g_test_message("%s", gst_flow_get_name(c.answer));
    Bench b;
    b.stream->begin();
    b.play();
    b.take();
    b.messages();
    b.answer = c.answer;
    b.frames(2);
    b.stream->finish();
    CHECK_TEXT(b.take(), c.log);
    CHECK_TEXT(b.messages(), c.messages);
  }
}

void test_anomalies() {
  Bench b;
  b.stream->begin();
  b.play();
  b.messages();
  b.stream->odd["bad_json"] = 3;
  b.frames(2);
  b.frames(1);           // again
  b.frames(1, 155 + 80); // two frames later than due
  b.stream->finish(twilio::StreamEnd::kLost);
  CHECK_TEXT(b.messages(),
             "anomalies bad_json=3 timestamp_gap=1 timestamp_repeated=1\n"
             "stream-ended lost\n");
}

// When it first happens, and once: a call may go on for long, and its end may
// never come.
void test_anomalies_are_logged_at_once() {
  Bench b;
  b.stream->begin();
  b.play();
  const test::CapturedLog log;
  const auto logged = [&](const char *kind) {
    return log.count("call=CA1 stream=MZ1 media stream: " + std::string(kind) +
                     " (first of its kind)");
  };
  b.frames(2);
  g_assert_cmpuint(log.count("media stream"), ==, 0);
  b.stream->media(295, kFrame); // 175 to 295
  g_assert_cmpuint(logged("timestamp_gap"), ==, 1);
  b.stream->media(295, kFrame);
  g_assert_cmpuint(logged("timestamp_repeated"), ==, 1);
  b.stream->media(395, kFrame);
  b.stream->media(395, kFrame);
  b.stream->finish();
  g_assert_cmpuint(log.count("(first of its kind)"), ==, 2);
}

void test_ends_before_it_began() {
  Bench b;
  b.play();
  b.stream->finish(twilio::StreamEnd::kProtocol);
  CHECK_TEXT(b.take(), "stream-start\ncaps\nsegment\neos\n");
  CHECK_TEXT(b.messages(), "stream-ended protocol\n");
}

void test_eos_of_the_application() {
  Bench b;
  b.stream->begin();
  b.play();
  b.frames(1);
  b.take();
  b.messages();
  g_assert_true(gst_element_send_event(b.element, gst_event_new_eos()));
  CHECK_TEXT(b.take(), "eos\n");
  g_assert_false(gst_element_send_event(b.element, gst_event_new_eos()));
  b.frames(1, 175);
  b.stream->finish();
  CHECK_TEXT(b.take(), "");
  CHECK_TEXT(b.messages(), "stream-ended stop\n");
}

// Figures for the documentation; `-m perf` runs it.
void test_speed() {
  if (!g_test_perf()) {
    g_test_skip("run with -m perf");
    return;
  }
  Bench b;
  b.stream->begin();
  b.play();
  constexpr int kFrames = 200'000;
  const gint64 begin = g_get_monotonic_time();
  for (int i = 0; i < kFrames; ++i) {
    b.stream->media(155 + i * std::int64_t{20}, kFrame);
    b.buffers.clear();
    b.log.clear();
  }
  const double ns =
      static_cast<double>(g_get_monotonic_time() - begin) * 1000 / kFrames;
  g_test_minimized_result(ns, "a frame through twiliosrc: %.0f ns", ns);
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  gst_init(&argc, &argv);
  add_tests({
      {"/twiliosrc/a-whole-stream", test_whole_stream},
      {"/twiliosrc/caps-are-mulaw-8-khz-mono", test_caps},
      {"/twiliosrc/samples-where-mu-law-is-not-taken", test_samples},
      {"/twiliosrc/times-are-continuous", test_times},
      {"/twiliosrc/chunks-merge-and-split-messages", test_chunks},
      {"/twiliosrc/latency-is-live-and-counts-what-is-unread", test_latency},
      {"/twiliosrc/flow-returns", test_flow_returns},
      {"/twiliosrc/anomalies-are-told-at-the-end", test_anomalies},
      {"/twiliosrc/anomalies-are-logged-at-once",
       test_anomalies_are_logged_at_once},
      {"/twiliosrc/a-stream-that-ends-before-it-began",
       test_ends_before_it_began},
      {"/twiliosrc/eos-of-the-application", test_eos_of_the_application},
      {"/twiliosrc/speed", test_speed},
  });
  add_twiliosrc_states();
  add_twiliosrc_ceasing();
  add_twiliosrc_server();
  const int result = g_test_run();
  gst_deinit();
  return result;
}
