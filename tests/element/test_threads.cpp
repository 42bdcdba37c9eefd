// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/handles.hpp"
#include "call/threads.hpp"
#include "graph/contexts.hpp"
#include "graph/handles.hpp"

#include <gst/gst.h>

#include <future>
#include <string>
#include <vector>

// Who may come to a call's elements on which thread, and that nobody waits for
// a worker that is busy.
using namespace patchcord;

namespace {

Ref<GstElement> parse(const std::string &line) {
  GErrorHolder error;
  GstElement *graph = gst_parse_launch_full(
      line.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, error.out());
  if (graph == nullptr)
    g_error("%s: %s", line.c_str(), error.message());
  return Ref<GstElement>::adopt(GST_ELEMENT(gst_object_ref_sink(graph)));
}

constexpr char kHead[] = "twiliosrc ! mulawdec ! audioresample ! sphinxstt ! ";
constexpr char kTail[] = "agent ! espeaksrc ! audioresample ! mulawenc ! ";

void test_threads_are_found() {
  const std::string head = kHead, tail = kTail;
  const struct {
    std::string line, culprit;
  } rows[] = {
      {head + tail + "twiliosink", ""},
      {head + "queue ! " + tail + "twiliosink", "queue"},
      {head + tail + "queue2 ! twiliosink", "queue2"},
      {head + tail + "multiqueue ! twiliosink", "multiqueue"},
      {head + tail + "( identity ! multiqueue ) ! twiliosink", "multiqueue"},
      {head + "( queue ! " + tail + "twiliosink )", "queue"},
      {head + tail + "funnel name=f ! twiliosink fakesrc ! f.", "fakesrc"},
      // A recorder may have one; a second recogniser may not.
      {head + tail + "tee name=t ! twiliosink t. ! queue ! fakesink", ""},
      {head + tail + "tee name=t ! twiliosink t. ! multiqueue ! fakesink", ""},
      {head + tail +
           "twiliosink twiliosrc ! mulawdec ! queue ! audioresample ! "
           "sphinxstt ! fakesink",
       "queue"},
  };
  for (const auto &row : rows) {
    g_test_message("%s", row.line.c_str());
    const auto checked = call::check_threads("x", parse(row.line).get());
    g_assert_cmpint(checked.ok(), ==, row.culprit.empty());
    if (!checked)
      g_assert_true(checked.error().message.starts_with("x: " + row.culprit +
                                                        " stands on the way"));
  }
}

// On the way to the caller, in side branches, in bins.
void test_waiting_is_found() {
  const std::string head = kHead, tail = kTail;
  const std::string side = head + tail + "tee name=t ! twiliosink t. ! ";
  const struct {
    std::string line, culprit;
  } rows[] = {
      {side + "fakesink", ""},
      {side + "queue ! fakesink sync=true", ""},
      {side + "queue2 ! identity sync=true ! fakesink", ""},
      {side + "( identity ! queue ) ! clocksync ! fakesink", ""},
      {head + tail + "clocksync sync=false ! twiliosink", ""},
      {side + "appsink name=mine sync=false", ""},
      {side + "fakesink name=mine sync=true", "fakesink (mine)|sync"},
      {side + "( identity ! fakesink name=mine sync=true )",
       "fakesink (mine)|sync"},
      {side + "appsink name=mine", "appsink (mine)|sync"},
      {head + "identity name=mine sync=true ! " + tail + "twiliosink",
       "identity (mine)|sync"},
      {head + tail + "identity name=mine sleep-time=20000 ! twiliosink",
       "identity (mine)|sleep-time"},
      {head + tail + "( clocksync name=mine ) ! twiliosink",
       "clocksync (mine)|sync"},
      {head + tail + "input-selector name=mine ! twiliosink",
       "input-selector (mine)|sync-streams"},
  };
  for (const auto &row : rows) {
    g_test_message("%s", row.line.c_str());
    const auto checked = call::check_waiting("x", parse(row.line).get());
    g_assert_cmpint(checked.ok(), ==, row.culprit.empty());
    if (checked)
      continue;
    const std::string &told = checked.error().message;
    const std::size_t bar = row.culprit.find('|');
    g_assert_true(told.starts_with("x: " + row.culprit.substr(0, bar)));
    g_assert_true(told.find("its property " + row.culprit.substr(bar + 1) +
                            " is set") != std::string::npos);
  }
}

// A source that must not be touched by a check: it may have a device.
int spy_state_changes = 0;

struct SpySrc {
  GstElement parent;
};
struct SpySrcClass {
  GstElementClass parent;
};
G_DEFINE_TYPE(SpySrc, spy_src, GST_TYPE_ELEMENT)

void spy_src_init(SpySrc *self) {
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
  gst_element_add_pad(GST_ELEMENT(self), gst_pad_new("src", GST_PAD_SRC));
}
void spy_src_class_init(SpySrcClass *klass) {
  static GstStaticPadTemplate src = GST_STATIC_PAD_TEMPLATE(
      "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  auto *element = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element, &src);
  gst_element_class_set_static_metadata(element, "Spy", "Source", "Tells",
                                        "Patchcord");
  element->change_state = [](GstElement *self, GstStateChange transition) {
    ++spy_state_changes;
    return GST_ELEMENT_CLASS(spy_src_parent_class)
        ->change_state(self, transition);
  };
}

void test_sources_are_not_tried() {
  gst_element_register(nullptr, "spysrc", GST_RANK_NONE, spy_src_get_type());
  const auto graph = parse(std::string(kHead) + kTail +
                           "funnel name=f ! twiliosink spysrc ! f.");
  const auto checked = call::check_threads("x", graph.get());
  g_assert_false(checked.ok());
  g_assert_true(
      checked.error().message.starts_with("x: spysrc stands on the way"));
  g_assert_cmpint(spy_state_changes, ==, 0);
}

// What a check cannot foresee: the error names the cause, and nothing waits.
void test_threads_are_turned_away() {
  for (const char *line :
       {"fakesrc format=time ! twiliosink",
        "fakesrc ! text/x-raw,format=utf8 ! espeaksrc ! fakesink async=false",
        "fakesrc ! audio/x-mulaw,rate=8000,channels=1 ! realtimestt api-key=x "
        "! fakesink async=false"}) {
    g_test_message("%s", line);
    const auto worker = Worker::start("call");
    std::promise<void> gate;
    {
      const auto graph = parse(line);
      graph::set_calls_worker(graph.get(), worker);
      const auto bus = Ref<GstBus>::adopt(gst_element_get_bus(graph.get()));
      gst_element_set_state(graph.get(), GST_STATE_PAUSED);
      worker->post([busy = gate.get_future().share()] { busy.wait(); });
      gst_element_set_state(graph.get(), GST_STATE_PLAYING);
      const auto message = Ref<GstMessage>::adopt(gst_bus_timed_pop_filtered(
          bus.get(), 20 * GST_SECOND, GST_MESSAGE_ERROR));
      g_assert_true(static_cast<bool>(message));
      GErrorHolder error;
      gst_message_parse_error(message.get(), error.out(), nullptr);
      g_assert_true(
          g_error_matches(error.get(), GST_CORE_ERROR, GST_CORE_ERROR_THREAD));
      gate.set_value();
      gst_element_set_state(graph.get(), GST_STATE_NULL);
    }
    worker->stop();
  }
}

constexpr const char *kElements[] = {
    "twiliosrc port=0 auth-token=x",
    "twiliosink",
    "realtimestt api-key=x",
    "sphinxstt",
    "agent definition=room-booking",
    "espeaksrc text=hello",
    "elevenlabssrc api-key=x text=hello base-url=http://127.0.0.1:1"};

// The application, while the worker is in something that only the application
// can end.
void use_while_busy(const std::string &description) {
  const auto worker = Worker::start("busy"), other = Worker::start("other");
  {
    const auto element = parse(description);
    graph::set_worker(element.get(), worker);
    g_assert_cmpint(gst_element_set_state(element.get(), GST_STATE_PAUSED), !=,
                    GST_STATE_CHANGE_FAILURE);
    std::promise<void> gate;
    worker->post([busy = gate.get_future().share()] { busy.wait(); });
    gst_element_set_state(element.get(), GST_STATE_PLAYING);
    graph::set_media_stream(element.get(), nullptr);
    gst_element_send_event(element.get(), gst_event_new_eos());
    gst_element_set_state(element.get(), GST_STATE_PAUSED);
    gst_element_send_event(element.get(), gst_event_new_eos());
    // What it stops now must not be what begins next, on whatever worker.
    gst_element_set_state(element.get(), GST_STATE_READY);
    g_assert_cmpint(gst_element_set_state(element.get(), GST_STATE_PAUSED), ==,
                    GST_STATE_CHANGE_FAILURE);
    gst_element_set_state(element.get(), GST_STATE_NULL);
    graph::set_worker(element.get(), other);
    g_assert_cmpint(gst_element_set_state(element.get(), GST_STATE_READY), ==,
                    GST_STATE_CHANGE_FAILURE);
    gate.set_value();
    // And works again.
    g_assert_cmpint(gst_element_set_state(element.get(), GST_STATE_PLAYING), !=,
                    GST_STATE_CHANGE_FAILURE);
    gst_element_set_state(element.get(), GST_STATE_NULL);
  }
  worker->stop();
  other->stop();
}

void test_nobody_waits_for_a_busy_worker() {
  // Side by side: each waits a second for the worker to stop.
  std::vector<std::future<void>> all;
  for (const char *description : kElements)
    all.push_back(std::async(std::launch::async, use_while_busy, description));
  for (auto &one : all)
    one.get();
}

// As it comes about: the sink blocks who pushes until the pipeline plays.
void test_a_voice_alone_may_stop_before_a_blocked_sink() {
  const auto worker = Worker::start("voice");
  auto graph = parse("espeaksrc name=it text=\"One. Two.\" ! fakesink "
                     "sync=true");
  graph::set_worker(graph.get(), worker);
  gst_element_set_state(graph.get(), GST_STATE_PAUSED);
  g_assert_cmpint(
      gst_element_get_state(graph.get(), nullptr, nullptr, 20 * GST_SECOND), ==,
      GST_STATE_CHANGE_SUCCESS);
  auto it =
      Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(graph.get()), "it"));
  g_assert_true(gst_element_send_event(it.get(), gst_event_new_eos()));
  gst_element_set_locked_state(it.get(), TRUE);
  g_assert_cmpint(gst_element_set_state(it.get(), GST_STATE_NULL), ==,
                  GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state(graph.get(), GST_STATE_NULL);
  it.reset();
  graph.reset();
  worker->stop();
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  gst_init(&argc, &argv);
  g_test_add_func("/threads/one-in-the-way-is-found-before-any-call",
                  test_threads_are_found);
  g_test_add_func("/threads/who-waits-is-found-before-any-call",
                  test_waiting_is_found);
  g_test_add_func("/threads/a-source-is-refused-untried",
                  test_sources_are_not_tried);
  g_test_add_func("/threads/one-that-comes-all-the-same-is-turned-away",
                  test_threads_are_turned_away);
  g_test_add_func("/threads/nobody-waits-for-a-busy-worker",
                  test_nobody_waits_for_a_busy_worker);
  g_test_add_func("/threads/a-voice-alone-may-stop-before-a-blocked-sink",
                  test_a_voice_alone_may_stop_before_a_blocked_sink);
  const int result = g_test_run();
  gst_deinit();
  return result;
}
