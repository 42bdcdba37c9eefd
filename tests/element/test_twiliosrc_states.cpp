// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/add_tests.hpp"
#include "../support/check_text.hpp"
#include "twiliosrc_bench.hpp"

#include <utility>

// Changes of state, also by whoever gets a buffer or hears a message.
using namespace patchcord;
using namespace patchcord::test;

namespace {

void test_pause_and_play() {
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
  CHECK_TEXT(b.take(), "");
  b.play();
  b.frames(2, 195 + 5000); // at 1.06, 1.08 s
  // Not the five seconds; and the call did not start again.
  CHECK_TEXT(b.take(), "buffer 160\nbuffer 160\n");
  g_assert_cmpuint(next_pts(), ==, 1080 * GST_MSECOND);
  CHECK_TEXT(b.messages(), "");
  // What comes late behind a pause is of its own time.
  b.set_state(GST_STATE_PAUSED);
  b.play();
  b.worker->run_for(500ms);
  b.frames(1, 195 + 5560);
  CHECK_TEXT(b.take(), "buffer 160\n");
  g_assert_cmpuint(next_pts(), ==, 1600 * GST_MSECOND);
  // What comes early is not of a time that was over.
  b.set_state(GST_STATE_PAUSED);
  b.play();
  b.stream->media(195 + 5580, kFrame);
  CHECK_TEXT(b.take(), "buffer 160\n");
  g_assert_cmpuint(next_pts(), ==, 1620 * GST_MSECOND);
  b.stream->finish();
  CHECK_TEXT(b.messages(), "stream-ended stop\n"); // no anomalies
}

void test_state_cycling() {
  Bench b;
  for (int i = 0; i < 3; ++i) {
    b.play();
    if (i == 0)
      b.stream->begin();
    g_assert_nonnull(b.stream->source);
    b.frames(2);
    CHECK_TEXT(b.take(), "stream-start\ncaps\nsegment\n"
                         "buffer 160\nbuffer 160\n");
    b.set_state(GST_STATE_NULL);
    g_assert_null(b.stream->source);
  }
  g_assert_cmpuint(b.worker->armed_timers(), ==, 0);
  g_assert_cmpint(b.stream->close_code, ==, 0); // not ours to close
}

// By whoever hears a message or gets a buffer, on the worker.
void test_stops_within() {
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

// Nor is more pushed of a message, or of the silence before it.
void test_pauses_within_a_push() {
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
  CHECK_TEXT(b.take(), "buffer 160\n");
  b.worker->run_for(1s);
  b.stream->media(155 + 2020, Bytes(1000, 1)); // 125 ms in one message
  CHECK_TEXT(b.take(), "buffer 160\n");
  b.on_buffer = nullptr;
  b.frames(1, 155 + 3040); // in its own time, and nothing is left of before
  CHECK_TEXT(b.take(), "buffer 160\n");
  g_assert_cmpuint(GST_BUFFER_PTS(b.buffers.back().get()), ==,
                   gst_element_get_current_running_time(b.element) -
                       20 * GST_MSECOND);
}

} // namespace

void test::add_twiliosrc_states() {
  add_tests({
      {"/twiliosrc/time-stands-still-in-paused", test_pause_and_play},
      {"/twiliosrc/states-may-cycle", test_state_cycling},
      {"/twiliosrc/states-may-change-within-a-push", test_stops_within},
      {"/twiliosrc/what-is-paused-within-a-push-goes-no-further",
       test_pauses_within_a_push},
  });
}
