// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/captured_log.hpp"
#include "media_bench.hpp"
#include "phone_client.hpp"
#include "stream_group.hpp"

#include "audio/voice_activity.hpp"
#include "graph/contexts.hpp"

#include <atomic>
#include <utility>

using namespace patchcord;

namespace {

const Bytes kFrame(160, 0x55);

#define assert_text(actual, expected)                                          \
  do {                                                                         \
    const std::string actual_text(actual);                                     \
    g_assert_cmpstr(actual_text.c_str(), ==, expected);                        \
  } while (false)

struct Bench : MediaBench {
  Bench() : MediaBench("twiliosrc") { share_stream(); }
  void frames(int count, std::int64_t from_ms = 155) {
    for (int i = 0; i < count; ++i) {
      worker->run_for(20ms);
      stream->media(from_ms + i * std::int64_t{20}, kFrame);
    }
  }
};

} // namespace

static void test_whole_stream() {
  Bench b;
  g_assert_cmpint(b.set_state(GST_STATE_PAUSED), ==,
                  GST_STATE_CHANGE_NO_PREROLL);
  b.stream->begin();
  assert_text(b.take(), ""); // live: nothing in PAUSED
  b.play();
  assert_text(b.messages(), "call-started CA1 MZ1 AC1 en\n");
  assert_text(b.take(), "stream-start\ncaps\nsegment\n");
  check_stream_has_group(b.element);
  b.frames(2);
  b.stream->source->on_dtmf("7");
  b.frames(1, 195);
  b.stream->finish();
  assert_text(b.take(), "buffer 160\nbuffer 160\ndtmf 7\nbuffer 160\neos\n");
  assert_text(b.messages(), "dtmf 7\nstream-ended stop\n");
  b.stream->media(500, kFrame);
  assert_text(b.take(), "");
}

static void test_caps() {
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
static void test_samples() {
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
  assert_text(text.get(), "audio/x-raw, format=(string)S16LE, "
                          "layout=(string)interleaved, rate=(int)8000, "
                          "channels=(int)1");
  gst_object_unref(src);
}

static void test_times() {
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

static void test_chunks() {
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

static void check_latency(gboolean steady, GstClockTime expected) {
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

static void test_latency() {
  check_latency(TRUE, 40 * GST_MSECOND);
  // What nobody waits for is read every 160 ms.
  check_latency(FALSE, 200 * GST_MSECOND);
}

// What downstream answers, and what becomes of it.
static void test_flow_returns() {
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
    assert_text(b.take(), c.log);
    assert_text(b.messages(), c.messages);
  }
}

static void test_anomalies() {
  Bench b;
  b.stream->begin();
  b.play();
  b.messages();
  b.stream->odd["bad_json"] = 3;
  b.frames(2);
  b.frames(1);           // again
  b.frames(1, 155 + 80); // two frames later than due
  b.stream->finish(twilio::StreamEnd::kLost);
  assert_text(b.messages(),
              "anomalies bad_json=3 timestamp_gap=1 timestamp_repeated=1\n"
              "stream-ended lost\n");
}

static void test_ends_before_it_began() {
  Bench b;
  b.play();
  b.stream->finish(twilio::StreamEnd::kProtocol);
  assert_text(b.take(), "stream-start\ncaps\nsegment\neos\n");
  assert_text(b.messages(), "stream-ended protocol\n");
}

static void test_eos_of_the_application() {
  Bench b;
  b.stream->begin();
  b.play();
  b.frames(1);
  b.take();
  b.messages();
  g_assert_true(gst_element_send_event(b.element, gst_event_new_eos()));
  assert_text(b.take(), "eos\n");
  g_assert_false(gst_element_send_event(b.element, gst_event_new_eos()));
  b.frames(1, 175);
  b.stream->finish();
  assert_text(b.take(), "");
  assert_text(b.messages(), "stream-ended stop\n");
}

static void test_pause_and_play() {
  Bench b;
  b.stream->begin();
  b.play();
  b.worker->run_for(1s);
  b.frames(2); // at 1.02, 1.04 s
  b.take();
  b.messages();
  const auto next_pts = [&] {
    const GstBuffer *last = b.buffers.back().get();
    return GST_BUFFER_PTS(last) + GST_BUFFER_DURATION(last);
  };
  g_assert_cmpuint(next_pts(), ==, 1040 * GST_MSECOND);
  b.set_state(GST_STATE_PAUSED);
  b.frames(250, 195); // the pipeline's time stands still for five seconds
  assert_text(b.take(), "");
  b.play();
  b.frames(2, 195 + 5000); // at 1.06, 1.08 s
  // Not the five seconds; and the call did not start again.
  assert_text(b.take(), "buffer 160\nbuffer 160\n");
  g_assert_cmpuint(next_pts(), ==, 1080 * GST_MSECOND);
  assert_text(b.messages(), "");
  // What comes late behind a pause is of its own time.
  b.set_state(GST_STATE_PAUSED);
  b.play();
  b.worker->run_for(500ms);
  b.frames(1, 195 + 5560);
  assert_text(b.take(), "buffer 160\n");
  g_assert_cmpuint(next_pts(), ==, 1600 * GST_MSECOND);
  // What comes early is not of a time that was over.
  b.set_state(GST_STATE_PAUSED);
  b.play();
  b.stream->media(195 + 5580, kFrame);
  assert_text(b.take(), "buffer 160\n");
  g_assert_cmpuint(next_pts(), ==, 1620 * GST_MSECOND);
  b.stream->finish();
  assert_text(b.messages(), "stream-ended stop\n"); // no anomalies
}

static void test_state_cycling() {
  Bench b;
  for (int i = 0; i < 3; ++i) {
    b.play();
    if (i == 0)
      b.stream->begin();
    g_assert_nonnull(b.stream->source);
    b.frames(2);
    assert_text(b.take(), "stream-start\ncaps\nsegment\n"
                          "buffer 160\nbuffer 160\n");
    b.set_state(GST_STATE_NULL);
    g_assert_null(b.stream->source);
  }
  g_assert_cmpuint(b.worker->armed_timers(), ==, 0);
  g_assert_cmpint(b.stream->close_code, ==, 0); // not ours to close
}

// When it first happens, and once: a call may go on for long, and its end may
// never come.
static void test_anomalies_are_logged_at_once() {
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

// By whoever hears a message or gets a buffer, on the worker.
static void test_stops_within() {
  for (const char *name :
       {messages::CallStarted::kName, messages::DtmfReceived::kName,
        messages::StreamAnomalies::kName, messages::StreamEnded::kName}) {
    g_test_message("%s", name);
    Bench b;
    b.stream->odd["sequence_gap"] = 1;
    GstBus *bus = gst_element_get_bus(b.pipeline);
    std::pair<Bench *, const char *> stop(&b, name);
    gst_bus_set_sync_handler(
        bus,
        [](GstBus *, GstMessage *message, gpointer data) {
          auto &[bench, what] =
              *static_cast<std::pair<Bench *, const char *> *>(data);
          if (gst_message_has_name(message, what))
            bench->set_state(GST_STATE_NULL);
          return GST_BUS_PASS;
        },
        &stop, nullptr);
    b.play();
    b.stream->begin();
    b.frames(1);
    if (b.stream->source != nullptr)
      b.stream->source->on_dtmf("1");
    b.stream->finish();
    g_assert_null(b.stream->source);
    gst_bus_set_sync_handler(bus, nullptr, nullptr, nullptr);
    gst_object_unref(bus);
  }
  Bench b;
  b.on_buffer = [&b] { b.set_state(GST_STATE_NULL); };
  b.stream->begin();
  b.play();
  b.frames(1);
  g_assert_null(b.stream->source);
  g_assert_cmpuint(b.buffers.size(), ==, 1);
}

// Figures for the documentation; `-m perf` runs it.
static void test_speed() {
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

// --- with a server of its own, in real time ---------------------------------

// gst-launch-1.0 twiliosrc ! twiliosink: the caller hears himself.
static void test_listens_itself() {
  GstElement *pipeline = gst_parse_launch(
      "twiliosrc name=in port=0 auth-token=\"\" chunk-ms=100 ! twiliosink",
      nullptr);
  GstElement *in = gst_bin_get_by_name(GST_BIN(pipeline), "in");
  GstBus *bus = gst_element_get_bus(pipeline);
  for (int run = 0; run < 2; ++run) {
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    int port = 0;
    g_object_get(in, "current-port", &port, nullptr);
    g_assert_cmpint(port, !=, 0);
    PhoneClient phone;
    phone.call(port);
    g_assert_true(phone.wait_until_open());
    phone.speak(50, 0x21);
    g_assert_true(phone.wait_until_heard(8000));
    g_assert_true(phone.heard() == Bytes(8000, 0x21));
    phone.hang_up();
    g_assert_true(phone.wait_until_closed());
    const auto end = Ref<GstMessage>::adopt(gst_bus_timed_pop_filtered(
        bus, 10 * GST_SECOND,
        static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    g_assert_true(end && GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_EOS);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    g_object_get(in, "current-port", &port, nullptr);
    g_assert_cmpint(port, ==, 0);
    gst_bus_set_flushing(bus, TRUE);
    gst_bus_set_flushing(bus, FALSE);
  }
  gst_object_unref(bus);
  gst_object_unref(in);
  gst_object_unref(pipeline);
}

// The pipeline stops in the middle of a call.
static void test_stops_in_a_call() {
  GstElement *pipeline = gst_parse_launch(
      "twiliosrc name=in port=0 auth-token=\"\" ! twiliosink", nullptr);
  GstElement *in = gst_bin_get_by_name(GST_BIN(pipeline), "in");
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  int port = 0;
  g_object_get(in, "current-port", &port, nullptr);
  PhoneClient phone;
  phone.call(port);
  g_assert_true(phone.wait_until_open());
  phone.speak(20, 0x21);
  g_assert_true(phone.wait_until_heard(1600));
  gst_element_set_state(pipeline, GST_STATE_NULL);
  g_assert_true(phone.wait_until_closed());
  gst_object_unref(in);
  gst_object_unref(pipeline);
}

// By whoever hears that there is a caller: on the worker, in the middle of what
// the server does for him. With the pipeline goes all of it.
static void test_stops_as_a_call_comes() {
  GstElement *pipeline = gst_parse_launch(
      "twiliosrc name=in port=0 auth-token=\"\" ! fakesink", nullptr);
  GstElement *in = gst_bin_get_by_name(GST_BIN(pipeline), "in");
  GstBus *bus = gst_element_get_bus(pipeline);
  std::atomic<bool> came{false};
  std::pair<GstElement *, std::atomic<bool> *> what(pipeline, &came);
  gst_bus_set_sync_handler(
      bus,
      [](GstBus *, GstMessage *message, gpointer data) {
        GstContext *context = nullptr;
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_HAVE_CONTEXT)
          gst_message_parse_have_context(message, &context);
        if (const auto owned = Ref<GstContext>::adopt(context);
            owned &&
            gst_context_has_context_type(context, graph::kMediaStreamContext)) {
          const auto &[stopped, found] = *static_cast<decltype(what) *>(data);
          *found = true;
          gst_element_set_state(stopped, GST_STATE_NULL);
        }
        return GST_BUS_PASS;
      },
      &what, nullptr);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  int port = 0;
  g_object_get(in, "current-port", &port, nullptr);
  PhoneClient phone;
  phone.call(port);
  g_assert_true(phone.wait_until_closed());
  g_assert_true(came);
  // Nobody listens any more.
  PhoneClient second;
  second.call(port);
  g_assert_true(second.wait_until_closed());
  gst_bus_set_sync_handler(bus, nullptr, nullptr, nullptr);
  gst_object_unref(bus);
  gst_object_unref(in);
  gst_object_unref(pipeline);
}

static void test_port_in_use() {
  GstElement *first = gst_parse_launch(
      "twiliosrc name=in port=0 auth-token=\"\" ! fakesink", nullptr);
  gst_element_set_state(first, GST_STATE_PAUSED);
  GstElement *in = gst_bin_get_by_name(GST_BIN(first), "in");
  int port = 0;
  g_object_get(in, "current-port", &port, nullptr);
  const std::string line =
      "twiliosrc auth-token=\"\" port=" + std::to_string(port) + " ! fakesink";
  GstElement *second = gst_parse_launch(line.c_str(), nullptr);
  g_assert_cmpint(gst_element_set_state(second, GST_STATE_PLAYING), ==,
                  GST_STATE_CHANGE_FAILURE);
  GstBus *bus = gst_element_get_bus(second);
  const auto error =
      Ref<GstMessage>::adopt(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR));
  g_assert_true(static_cast<bool>(error));
  gst_object_unref(bus);
  gst_element_set_state(second, GST_STATE_NULL);
  gst_object_unref(second);
  gst_object_unref(in);
  gst_element_set_state(first, GST_STATE_NULL);
  gst_object_unref(first);
}

// --- frames that cease -------------------------------------------------------

namespace {

// A caller who speaks, and somebody who listens for the end of it.
struct Talk : Bench {
  explicit Talk(bool steady = false) {
    g_object_set(element, "steady", steady ? TRUE : FALSE, nullptr);
    stream->begin();
    play();
  }
  // Messages of 20 ms, each when it is due; those of `late` come later.
  void speak(int frames, bool loud,
             std::vector<std::pair<std::int64_t, Bytes>> *late = nullptr) {
    for (int i = 0; i < frames; ++i, ms += 20) {
      Bytes frame(160, 0xff);
      for (auto &sample : frame)
        if (loud) // Numerical Recipes' generator
          sample = static_cast<std::uint8_t>(
              (noise = noise * 1664525U + 1013904223U) >> 24 | 0x20U);
      worker->run_for(20ms);
      if (late != nullptr)
        late->emplace_back(ms, frame);
      else
        stream->media(ms, frame);
      listen();
    }
  }
  void listen() {
    for (; listened < buffers.size(); ++listened) {
      GstBuffer *buffer = buffers[listened].get();
      const MappedBuffer mapped(buffer);
      activity.push_mulaw(mapped.bytes(), heard);
      // Nothing is of a time that has not come.
      g_assert_cmpuint(GST_BUFFER_PTS(buffer) + GST_BUFFER_DURATION(buffer), <=,
                       now());
      if (listened != 0 && GST_BUFFER_PTS(buffer) != next)
        jumps.emplace_back(listened,
                           GST_CLOCK_DIFF(next, GST_BUFFER_PTS(buffer)));
      next = GST_BUFFER_PTS(buffer) + GST_BUFFER_DURATION(buffer);
      samples += mapped.bytes().size();
    }
  }
  void wait(Duration time) {
    worker->run_for(time);
    listen();
  }
  GstClockTime now() const {
    return gst_element_get_current_running_time(element);
  }

  std::int64_t ms = 155;
  std::uint32_t noise = 1;
  audio::VoiceActivity activity;
  std::vector<audio::VoiceActivity::Event> heard;
  std::size_t listened = 0, samples = 0;
  GstClockTime next = 0; // of the line
  std::vector<std::pair<std::size_t, GstClockTimeDiff>> jumps;
};

} // namespace

// Within a word nothing comes any more. Who listens for the end of speech finds
// it where the frames ceased, soon, and hears silence for as long as the stream
// may live.
static void test_frames_cease_in_speech() {
  for (const bool steady : {false, true}) {
    Talk t(steady);
    t.speak(50, false);
    t.speak(20, true);
    g_assert_cmpuint(t.heard.size(), ==, 1);
    t.wait(700ms);
    g_assert_cmpuint(t.samples, ==, 70 * 160);
    t.wait(80ms);
    g_assert_cmpuint(t.heard.size(), ==, 2);
    g_assert_true(t.heard[1].kind ==
                  audio::VoiceActivity::Event::Kind::kStopped);
    g_assert_true(t.heard[1].time >= 1400ms && t.heard[1].time <= 1430ms);
    t.wait(20s);
    g_assert_cmpuint(t.samples, ==, 70 * 160 + 80'000);
    g_assert_cmpuint(t.jumps.size(), ==, 0);
    t.messages();
    t.stream->finish(twilio::StreamEnd::kLost);
    assert_text(t.messages(), "anomalies frames_ceased=1\nstream-ended lost\n");
    g_assert_cmpuint(t.worker->armed_timers(), ==, 0);
  }
}

// Of those who are silent nothing is awaited.
static void test_frames_cease_in_silence() {
  Talk t;
  t.speak(50, false);
  g_assert_cmpuint(t.worker->armed_timers(), ==, 0);
  t.wait(5s);
  t.ms += 5000;
  t.speak(1, false);
  g_assert_cmpuint(t.samples, ==, 51 * 160 + 40'000);
  t.messages();
  t.stream->finish();
  assert_text(t.messages(), "anomalies timestamp_gap=1\nstream-ended stop\n");
  // Nor of those who ceased to speak long ago; a turn's end is.
  Talk u;
  u.speak(20, true);
  u.speak(20, false);
  u.wait(1s);
  g_assert_cmpuint(u.samples, >, 80 * 160);
  Talk v;
  v.speak(20, true);
  v.speak(200, false);
  v.wait(5s);
  g_assert_cmpuint(v.samples, ==, 220 * 160);
}

// What was lost is gone: the line is where the clock is, without a jump.
static void test_lost_frames() {
  for (const int frames : {30, 38, 45, 100, 499}) {
    g_test_message("%d frames", frames);
    Talk t;
    t.speak(20, true);
    t.wait(frames * 20ms);
    t.ms += frames * std::int64_t{20};
    t.speak(20, true);
    g_assert_cmpuint(t.jumps.size(), ==, 0);
    g_assert_cmpuint(t.samples, ==,
                     (40U + static_cast<unsigned>(frames)) * 160);
  }
}

// A line that stood still: what comes then comes at once. Not a sample of it is
// lost nor out of order, and each has the stamp of the time at which it was
// said.
static void test_late_frames() {
  for (const int frames : {30, 38, 45, 100, 499}) {
    g_test_message("%d frames", frames);
    Talk t;
    Bytes said;
    std::vector<std::pair<std::int64_t, Bytes>> late;
    t.speak(20, true);
    const std::size_t before = t.samples;
    t.speak(frames, true, &late);
    const std::size_t made_up = t.samples - before;
    g_assert_cmpuint(made_up == 0, ==, frames == 30);
    for (const auto &[ms, frame] : late) {
      t.stream->media(ms, frame);
      said.insert(said.end(), frame.begin(), frame.end());
    }
    t.listen();
    g_assert_cmpuint(t.samples, ==, before + made_up + said.size());
    Bytes line;
    for (const auto &buffer : t.buffers) {
      const MappedBuffer mapped(buffer.get());
      line.insert(line.end(), mapped.bytes().begin(), mapped.bytes().end());
    }
    g_assert_true(
        std::equal(said.begin(), said.end(),
                   line.end() - static_cast<std::ptrdiff_t>(said.size())));
    g_assert_cmpuint(t.jumps.size(), ==, made_up == 0 ? 0 : 1);
    for (const auto &[at, jump] : t.jumps) {
      g_assert_cmpint(jump, ==,
                      -static_cast<GstClockTimeDiff>(made_up) * 125 *
                          GST_USECOND);
      g_assert_true(GST_BUFFER_IS_DISCONT(t.buffers[at].get()));
    }
    t.speak(20, true);
    g_assert_cmpuint(t.next, ==, t.now());
    t.messages();
    t.stream->finish();
    assert_text(t.messages(), made_up == 0
                                  ? "stream-ended stop\n"
                                  : "anomalies frames_ceased=1 frames_late=1\n"
                                    "stream-ended stop\n");
  }
}

// By whoever gets the silence, and in PAUSED there is none.
static void test_nobody_listens_any_more() {
  Talk t;
  t.speak(4, true);
  t.wait(780ms);
  const std::size_t samples = t.samples;
  g_assert_cmpuint(samples, >, 4 * 160);
  t.set_state(GST_STATE_PAUSED);
  t.wait(3s);
  g_assert_cmpuint(t.samples, ==, samples);
  t.play();
  // Nor when it is paused by whoever gets it, and played again at once.
  for (const bool again : {false, true}) {
    t.speak(4, true);
    int taken = 0;
    t.on_buffer = [&] {
      ++taken;
      t.set_state(GST_STATE_PAUSED);
      if (again)
        t.play();
    };
    t.wait(3s);
    g_assert_cmpint(taken, ==, 1);
    t.on_buffer = nullptr;
    t.play();
    t.ms += 3000;
  }
  t.speak(20, true);
  t.on_buffer = [&t] { t.set_state(GST_STATE_NULL); };
  t.worker->run_for(3s);
  g_assert_null(t.stream->source);
  g_assert_cmpuint(t.worker->armed_timers(), ==, 0);
}

// Nor is more pushed of a message, or of the silence before it.
static void test_pauses_within_a_push() {
  Bench b;
  g_object_set(b.element, "steady", TRUE, nullptr);
  b.stream->begin();
  b.play();
  b.frames(1);
  b.take();
  b.on_buffer = [&b] {
    b.set_state(GST_STATE_PAUSED);
    b.play();
  };
  b.worker->run_for(1s);
  b.stream->media(155 + 1020, kFrame); // behind a gap of a second
  assert_text(b.take(), "buffer 160\n");
  b.worker->run_for(1s);
  b.stream->media(155 + 2020, Bytes(1000, 1)); // 125 ms in one message
  assert_text(b.take(), "buffer 160\n");
  b.on_buffer = nullptr;
  b.frames(1, 155 + 3040); // in its own time, and nothing is left of before
  assert_text(b.take(), "buffer 160\n");
  g_assert_cmpuint(GST_BUFFER_PTS(b.buffers.back().get()), ==,
                   gst_element_get_current_running_time(b.element) -
                       20 * GST_MSECOND);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  gst_init(&argc, &argv);
  g_test_add_func("/twiliosrc/a-whole-stream", test_whole_stream);
  g_test_add_func("/twiliosrc/caps-are-mulaw-8-khz-mono", test_caps);
  g_test_add_func("/twiliosrc/samples-where-mu-law-is-not-taken", test_samples);
  g_test_add_func("/twiliosrc/times-are-continuous", test_times);
  g_test_add_func("/twiliosrc/speech-in-which-the-frames-cease-has-an-end",
                  test_frames_cease_in_speech);
  g_test_add_func("/twiliosrc/silence-in-which-the-frames-cease-is-left-alone",
                  test_frames_cease_in_silence);
  g_test_add_func("/twiliosrc/lost-frames-leave-the-line-in-its-time",
                  test_lost_frames);
  g_test_add_func("/twiliosrc/late-frames-follow-with-the-stamps-of-their-time",
                  test_late_frames);
  g_test_add_func("/twiliosrc/nothing-is-made-up-for-nobody",
                  test_nobody_listens_any_more);
  g_test_add_func("/twiliosrc/chunks-merge-and-split-messages", test_chunks);
  g_test_add_func("/twiliosrc/latency-is-live-and-counts-what-is-unread",
                  test_latency);
  g_test_add_func("/twiliosrc/flow-returns", test_flow_returns);
  g_test_add_func("/twiliosrc/anomalies-are-told-at-the-end", test_anomalies);
  g_test_add_func("/twiliosrc/a-stream-that-ends-before-it-began",
                  test_ends_before_it_began);
  g_test_add_func("/twiliosrc/eos-of-the-application",
                  test_eos_of_the_application);
  g_test_add_func("/twiliosrc/time-stands-still-in-paused",
                  test_pause_and_play);
  g_test_add_func("/twiliosrc/states-may-cycle", test_state_cycling);
  g_test_add_func("/twiliosrc/states-may-change-within-a-push",
                  test_stops_within);
  g_test_add_func("/twiliosrc/anomalies-are-logged-at-once",
                  test_anomalies_are_logged_at_once);
  g_test_add_func("/twiliosrc/what-is-paused-within-a-push-goes-no-further",
                  test_pauses_within_a_push);
  g_test_add_func("/twiliosrc/speed", test_speed);
  g_test_add_func("/twiliosrc/listens-itself-and-twiliosink-answers",
                  test_listens_itself);
  g_test_add_func("/twiliosrc/may-stop-in-a-call", test_stops_in_a_call);
  g_test_add_func("/twiliosrc/may-stop-as-a-call-comes",
                  test_stops_as_a_call_comes);
  g_test_add_func("/twiliosrc/a-port-in-use-is-an-error", test_port_in_use);
  const int result = g_test_run();
  gst_deinit();
  return result;
}
