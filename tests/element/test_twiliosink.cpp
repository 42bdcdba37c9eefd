// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media_bench.hpp"

#include <gst/check/gstharness.h>

using namespace patchcord;

namespace {

#define assert_text(actual, expected)                                          \
  do {                                                                         \
    const std::string actual_text(actual);                                     \
    g_assert_cmpstr(actual_text.c_str(), ==, expected);                        \
  } while (false)

struct Bench : MediaBench {
  explicit Bench(bool with_call = true) : MediaBench("twiliosink") {
    share_stream();
    if (!with_call)
      return;
    stream->begin();
    play();
    begin_stream();
  }
};

} // namespace

static void test_an_utterance() {
  Bench b;
  b.worker->run_for(2s);
  b.say(1, 8000, "hello there");
  assert_text(b.take(), "started 1 0\n");
  b.worker->run_for(1100ms);
  assert_text(b.take(), "progress 1 800\nprogress 1 4000\nended 1 8000\n");
  g_assert_cmpuint(b.stream->sent.size(), ==, 8000);
  g_assert_cmpuint(b.stream->marks.size(), ==, 3);
  const auto &started = b.playouts.front();
  g_assert_cmpuint(started.time, ==, 2 * GST_SECOND);
  g_assert_cmpuint(started.first_audio, ==, 2 * GST_SECOND);
  g_assert_cmpuint(started.first_sent, ==, 2 * GST_SECOND);
  const auto &ended = b.playouts.back();
  g_assert_cmpuint(ended.time / GST_MSECOND, ==, 3040);
  g_assert_cmpuint(ended.total_samples, ==, 8000);
  g_assert_cmpstr(ended.heard_text.c_str(), ==, "hello there");
  g_assert_false(ended.estimated);
}

static void test_flush_is_clear() {
  Bench b;
  b.say(1, 16'000, "one two three four");
  b.worker->run_for(1s);
  b.take();
  b.send(gst_event_new_flush_start());
  g_assert_cmpint(b.stream->clears, ==, 1);
  g_assert_cmpint(b.push(800), ==, GST_FLOW_FLUSHING);
  b.send(gst_event_new_flush_stop(TRUE));
  assert_text(b.take(), ""); // until Twilio has answered
  b.worker->run_for(50ms);
  assert_text(b.take(), "cut 1 8000\n");
  g_assert_cmpstr(b.playouts.back().heard_text.c_str(), ==, "one two");
  g_assert_cmpuint(b.playouts.back().time, ==, GST_SECOND);
  const auto sent = b.stream->sent.size();
  b.worker->run_for(5s);
  g_assert_cmpuint(b.stream->sent.size(), ==, sent); // nothing leaks
  b.begin_stream();
  b.say(2, 800);
  b.worker->run_for(1s);
  assert_text(b.take(), "started 2 0\nended 2 800\n");
}

static void test_hold_and_resume() {
  Bench b;
  b.say(1, 16'000, "one two three four");
  b.worker->run_for(1s);
  b.take();
  b.send(events::make(events::Hold{}));
  g_assert_cmpint(b.stream->clears, ==, 1);
  assert_text(b.take(), "held 1 8000\n");
  g_assert_cmpstr(b.playouts.back().heard_text.c_str(), ==, "one two");
  b.send(gst_event_new_eos());
  const auto sent = b.stream->sent.size();
  b.worker->run_for(60s);
  g_assert_cmpuint(b.stream->sent.size(), ==, sent);
  assert_text(b.messages(), "");
  b.send(events::make(events::Resume{}));
  b.worker->run_for(1100ms);
  assert_text(b.take(), "progress 1 12000\nended 1 16000\n");
  assert_text(b.messages(), "eos\n");
  // 8000 were sent again, less what had not been sent before.
  g_assert_cmpuint(b.stream->sent.size(), ==, sent + 8000);
}

// A clear that is late on its way: the caller heard more than was told.
static void test_hold_is_corrected() {
  Bench b;
  b.say(1, 16'000, "one two three four");
  b.worker->run_for(1250ms);
  b.take();
  b.stream->clear_late = 60ms;
  b.send(events::make(events::Hold{}));
  assert_text(b.take(), "held 1 10000\n");
  b.worker->run_for(200ms);
  assert_text(b.take(), "held 1 10480\n");
  b.flush();
  assert_text(b.take(), "cut 1 10480\n");
  g_assert_cmpint(b.stream->clears, ==, 1);
}

static void test_hold_and_flush() {
  Bench b;
  b.say(1, 16'000, "one two three four");
  b.worker->run_for(1s);
  b.send(events::make(events::Hold{}));
  b.worker->run_for(1s);
  b.take();
  b.flush();
  assert_text(b.take(), "cut 1 8000\n");
  g_assert_cmpint(b.stream->clears, ==, 1);
  b.say(2, 800);
  b.worker->run_for(1s);
  assert_text(b.take(), "started 2 0\nended 2 800\n");
}

// Format elements between voice and sink hold serialized events back until
// their next frame: this one must not wait.
static void test_hold_passes_format_elements() {
  GstHarness *harness = gst_harness_new_parse("audioresample ! mulawenc");
  gst_harness_set_src_caps_str(
      harness, "audio/x-raw,format=S16LE,layout=interleaved,rate=22050,"
               "channels=1");
  g_assert_true(gst_harness_push_event(harness, events::make(events::Hold{})));
  bool came = false;
  while (GstEvent *event = gst_harness_try_pull_event(harness)) {
    came = came || events::parse<events::Hold>(event);
    gst_event_unref(event);
  }
  g_assert_true(came);
  gst_harness_teardown(harness);
}

static void test_eos_after_the_last_mark() {
  Bench b;
  b.say(1, 8000);
  b.send(gst_event_new_eos());
  b.worker->run_for(1030ms);
  assert_text(b.messages(), "");
  g_assert_false(b.stream->concluded());
  b.worker->run_for(20ms);
  assert_text(b.messages(), "eos\n");
  g_assert_true(b.stream->concluded());
  assert_text(b.take(),
              "started 1 0\nprogress 1 800\nprogress 1 4000\nended 1 8000\n");
  b.worker->run_for(10s);
  assert_text(b.messages(), "");
}

static void test_eos_without_marks() {
  Bench b;
  b.stream->returns_marks = false;
  b.say(1, 1600);
  b.send(gst_event_new_eos());
  b.worker->run_for(2090ms);
  assert_text(b.messages(), "");
  b.worker->run_for(20ms);
  assert_text(b.messages(), "eos\n");
  g_assert_true(b.playouts.back().estimated);
}

static void test_eos_of_nothing() {
  Bench b;
  b.send(gst_event_new_eos());
  assert_text(b.messages(), "eos\n");
}

static void test_flush_takes_eos_back() {
  Bench b;
  b.say(1, 8000);
  b.send(gst_event_new_eos());
  b.worker->run_for(500ms);
  b.flush();
  b.worker->run_for(10s);
  assert_text(b.messages(), "");
  b.say(2, 800);
  b.send(gst_event_new_eos());
  b.worker->run_for(1s);
  assert_text(b.messages(), "eos\n");
}

static void test_the_agent_flushes_when_told() {
  // From within the event that tells it that it is heard.
  Bench b;
  b.on_playout = [&](const events::Playout &playout) {
    if (playout.what == events::Playout::What::kProgress)
      b.flush();
  };
  b.say(1, 16'000);
  b.worker->run_for(3s);
  // The mark came 40 ms after its audio.
  assert_text(b.take(), "started 1 0\nprogress 1 800\ncut 1 1120\n");
}

static void test_audio_without_utterances() {
  Bench b;
  for (int i = 0; i < 50; ++i)
    g_assert_cmpint(b.push(160), ==, GST_FLOW_OK);
  b.send(gst_event_new_eos());
  b.worker->run_for(1100ms);
  assert_text(b.take(),
              "started 0 0\nprogress 0 800\nprogress 0 4000\nended 0 8000\n");
  assert_text(b.messages(), "eos\n");
}

static void test_stream_comes_later() {
  MediaBench b("twiliosink");
  b.play();
  b.begin_stream();
  b.say(1, 800);
  b.worker->run_for(5s);
  b.share_stream(); // as twiliosrc does when somebody calls
  g_assert_nonnull(b.stream->sink);
  assert_text(b.take(), "");
  b.worker->run_for(5s);
  b.stream->begin();
  b.worker->run_for(200ms);
  assert_text(b.take(), "started 1 0\nended 1 800\n");
}

static void test_nothing_before_playing() {
  Bench b(false);
  b.stream->begin();
  g_assert_cmpint(b.set_state(GST_STATE_PAUSED), ==,
                  GST_STATE_CHANGE_SUCCESS); // never waits for preroll
  b.begin_stream();
  b.say(1, 800);
  b.send(gst_event_new_eos());
  b.worker->run_for(1s);
  g_assert_cmpuint(b.stream->sent.size(), ==, 0);
  b.play();
  b.worker->run_for(200ms);
  assert_text(b.messages(), "eos\n");
}

static void test_stream_ends_while_speaking() {
  Bench b;
  b.say(1, 16'000, "one two three four");
  b.worker->run_for(1s);
  b.take();
  b.stream->finish();
  assert_text(b.take(), "cut 1 8000\n");
  g_assert_cmpint(b.push(800), ==, GST_FLOW_OK);
  b.send(gst_event_new_eos());
  assert_text(b.messages(), "eos\n");
  g_assert_cmpuint(b.worker->armed_timers(), <=, 4); // the fake's marks
}

static void test_caps() {
  Bench b(false);
  b.play();
  const struct {
    const char *caps;
    bool taken;
  } cases[] = {{"audio/x-mulaw, rate=8000, channels=1", true},
               {"audio/x-mulaw, rate=16000, channels=1", false},
               {"audio/x-mulaw, rate=8000, channels=2", false},
               {"audio/x-alaw, rate=8000, channels=1", false}};
  for (const auto &c : cases) {
    const auto caps = Ref<GstCaps>::adopt(gst_caps_from_string(c.caps));
    g_assert_true((gst_pad_peer_query_accept_caps(b.pad, caps.get()) !=
                   FALSE) == c.taken);
  }
}

static void test_latency_is_passed_on() {
  Bench b;
  g_assert_true(gst_element_send_event(
      b.element, gst_event_new_latency(20 * GST_MSECOND)));
  g_assert_cmpuint(b.latency, ==, 20 * GST_MSECOND);
}

static void test_state_cycling() {
  Bench b;
  for (int i = 0; i < 3; ++i) {
    b.play();
    g_assert_nonnull(b.stream->sink);
    b.begin_stream();
    b.say(1, 16'000);
    b.worker->run_for(300ms);
    g_assert_true(b.take().starts_with("started 1 0\n"));
    b.set_state(GST_STATE_NULL);
    g_assert_null(b.stream->sink);
    gst_pad_set_active(b.pad, FALSE);
    gst_pad_set_active(b.pad, TRUE);
  }
  b.worker->run_for(5s);
  g_assert_cmpuint(b.worker->armed_timers(), ==, 0);
}

static void test_settings() {
  Bench b(false);
  g_object_set(b.element, "send-ahead", 200U, "message-ms", 40U,
               "mark-interval", 100U, nullptr);
  b.stream->begin();
  b.play();
  b.begin_stream();
  b.say(1, 8000);
  g_assert_cmpuint(b.stream->sent.size(), ==, 1600); // 5 x 40 ms
  b.worker->run_for(2s);
  g_assert_cmpuint(b.stream->marks.size(), ==, 14); // every 80 ms
}

// By an agent that is told what was heard, or by who hears of the end.
static void test_stops_within() {
  Bench b;
  b.say(1, 1600);
  b.on_playout = [&b](const events::Playout &) { b.set_state(GST_STATE_NULL); };
  b.worker->run_for(1s);
  g_assert_null(b.stream->sink);
  assert_text(b.take(), "started 1 0\nprogress 1 800\n");

  Bench end;
  GstBus *bus = gst_element_get_bus(end.pipeline);
  gst_bus_set_sync_handler(
      bus,
      [](GstBus *, GstMessage *message, gpointer bench) {
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS)
          static_cast<Bench *>(bench)->set_state(GST_STATE_NULL);
        gst_message_unref(message);
        return GST_BUS_DROP;
      },
      &end, nullptr);
  end.say(1, 1600);
  end.send(gst_event_new_eos());
  end.worker->run_for(1s);
  g_assert_null(end.stream->sink);
  gst_bus_set_sync_handler(bus, nullptr, nullptr, nullptr);
  gst_object_unref(bus);
}

// Figures for the documentation; `-m perf` runs it.
static void test_speed() {
  if (!g_test_perf()) {
    g_test_skip("run with -m perf");
    return;
  }
  Bench b;
  constexpr int kSeconds = 5000;
  b.stream->returns_marks = false;
  const gint64 begin = g_get_monotonic_time();
  for (int i = 0; i < kSeconds; ++i) {
    for (int k = 0; k < 50; ++k)
      g_assert_cmpint(b.push(160), ==, GST_FLOW_OK);
    b.worker->run_for(1s);
    b.stream->sent.clear();
  }
  const double us =
      static_cast<double>(g_get_monotonic_time() - begin) / kSeconds;
  g_test_minimized_result(us, "a second of speech through twiliosink: %.1f us",
                          us);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  gst_init(&argc, &argv);
  g_test_add_func("/twiliosink/an-utterance-is-heard", test_an_utterance);
  g_test_add_func("/twiliosink/flush-start-is-clear", test_flush_is_clear);
  g_test_add_func("/twiliosink/what-is-held-is-resumed", test_hold_and_resume);
  g_test_add_func("/twiliosink/what-was-heard-is-corrected-by-the-answer",
                  test_hold_is_corrected);
  g_test_add_func("/twiliosink/what-is-held-is-flushed", test_hold_and_flush);
  g_test_add_func("/twiliosink/a-hold-passes-format-elements",
                  test_hold_passes_format_elements);
  g_test_add_func("/twiliosink/eos-comes-after-the-last-mark",
                  test_eos_after_the_last_mark);
  g_test_add_func("/twiliosink/eos-comes-though-no-mark-does",
                  test_eos_without_marks);
  g_test_add_func("/twiliosink/eos-of-nothing-is-at-once", test_eos_of_nothing);
  g_test_add_func("/twiliosink/a-flush-takes-eos-back",
                  test_flush_takes_eos_back);
  g_test_add_func("/twiliosink/who-is-told-may-flush-from-within",
                  test_the_agent_flushes_when_told);
  g_test_add_func("/twiliosink/audio-without-utterances-is-utterance-0",
                  test_audio_without_utterances);
  g_test_add_func("/twiliosink/audio-waits-for-a-stream-that-comes-later",
                  test_stream_comes_later);
  g_test_add_func("/twiliosink/nothing-is-sent-before-playing",
                  test_nothing_before_playing);
  g_test_add_func("/twiliosink/the-end-of-the-stream-cuts",
                  test_stream_ends_while_speaking);
  g_test_add_func("/twiliosink/only-mulaw-8-khz-mono", test_caps);
  g_test_add_func("/twiliosink/latency-is-passed-on",
                  test_latency_is_passed_on);
  g_test_add_func("/twiliosink/states-may-cycle", test_state_cycling);
  g_test_add_func("/twiliosink/settings-count", test_settings);
  g_test_add_func("/twiliosink/states-may-change-within-a-push",
                  test_stops_within);
  g_test_add_func("/twiliosink/speed", test_speed);
  const int result = g_test_run();
  gst_deinit();
  return result;
}
