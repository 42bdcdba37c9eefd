// SPDX-License-Identifier: LGPL-2.1-or-later
#include "graph/contexts.hpp"
#include "graph/events.hpp"
#include "graph/handles.hpp"
#include "graph/iterate.hpp"
#include "graph/messages.hpp"
#include "graph/worker_clock.hpp"

#include <gst/gst.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace patchcord;

template <typename T> static T round_trip(const T &event) {
  const auto made = Ref<GstEvent>::adopt(events::make(event));
  const auto back = events::parse<T>(made.get());
  g_assert_true(back.has_value());
  return *back;
}

static void test_events() {
  const auto spoken =
      round_trip(events::SpokenText{3, "Guten Tag, süß", {{0, 10}, {6, 250}}});
  g_assert_cmpuint(spoken.utterance, ==, 3);
  g_assert_cmpstr(spoken.text.c_str(), ==, "Guten Tag, süß");
  g_assert_cmpuint(spoken.timings.size(), ==, 2);
  g_assert_cmpuint(spoken.timings[1].ms, ==, 250);
  events::Playout cut;
  cut.what = events::Playout::What::kCut;
  cut.heard_samples = 1234567890123;
  cut.heard_text = "so far";
  const auto playout = round_trip(cut);
  g_assert_true(playout.what == events::Playout::What::kCut);
  g_assert_cmpuint(playout.heard_samples, ==, 1234567890123);
  events::Expect expect;
  expect.expectation = {
      agent::Expectation::Kind::kChoice, {"a room", "a desk"}, {"help"}};
  const auto expected = round_trip(expect).expectation;
  g_assert_true(expected.kind == agent::Expectation::Kind::kChoice);
  g_assert_cmpstr(expected.phrases.at(1).c_str(), ==, "a desk");
  // Another event is not this one; a hostile one reads as zeros.
  const auto other = Ref<GstEvent>::adopt(events::make(events::Dtmf{"5"}));
  g_assert_false(events::parse<events::Expect>(other.get()).has_value());
  const auto hostile = Ref<GstEvent>::adopt(gst_event_new_custom(
      GST_EVENT_CUSTOM_UPSTREAM,
      gst_structure_new(events::Playout::kName, "utterance", G_TYPE_STRING, "x",
                        nullptr)));
  g_assert_cmpuint(events::parse<events::Playout>(hostile.get())->utterance, ==,
                   0);
}

static void test_messages() {
  GstElement *pipeline = gst_pipeline_new(nullptr);
  GstBus *bus = gst_element_get_bus(pipeline);
  messages::CallStarted started{"CA1", "MZ1", "AC1", {{"lang", "en-US"}}};
  messages::post(pipeline, started);
  auto message = Ref<GstMessage>::adopt(gst_bus_pop(bus));
  const auto back = messages::parse<messages::CallStarted>(message.get());
  g_assert_true(back.has_value());
  g_assert_cmpstr(back->parameters.at("lang").c_str(), ==, "en-US");
  g_assert_false(
      messages::parse<messages::Decision>(message.get()).has_value());
  messages::Decision decision;
  decision.turn = 2;
  decision.found = {R"({"city":"Rome"})", R"({"city":1})", R"(["day"])", "[]"};
  messages::post(pipeline, decision);
  message = Ref<GstMessage>::adopt(gst_bus_pop(bus));
  const auto decided = messages::parse<messages::Decision>(message.get());
  g_assert_cmpstr(decided->found.fields.c_str(), ==, R"({"city":"Rome"})");
  g_assert_cmpstr(decided->found.turns.c_str(), ==, R"({"city":1})");
  g_assert_cmpstr(decided->found.missing.c_str(), ==, R"(["day"])");
  g_assert_cmpstr(decided->found.invalid.c_str(), ==, "[]");
  message.reset();
  gst_object_unref(bus);
  gst_object_unref(pipeline);
}

static void test_worker_is_shared() {
  GstElement *pipeline = gst_pipeline_new(nullptr);
  GstElement *a = gst_element_factory_make("identity", nullptr);
  GstElement *b = gst_element_factory_make("identity", nullptr);
  gst_bin_add_many(GST_BIN(pipeline), a, b, nullptr);
  const auto worker = graph::acquire_worker(a);
  g_assert_true(graph::acquire_worker(b) == worker);
  g_assert_true(graph::acquire_worker(a) == worker);
  g_assert_null(graph::find_media_stream(a).get());
  gst_object_unref(pipeline);
  worker->stop();
}

static void test_worker_clock() {
  const auto worker = Worker::create_virtual();
  const auto clock = graph::make_worker_clock(worker);
  const auto before = gst_clock_get_time(clock.get());
  worker->run_for(5s);
  g_assert_cmpuint(gst_clock_get_time(clock.get()) - before, ==,
                   5 * GST_SECOND);
}

// Whoever walks through the elements of a bin walks through all of them.
static void test_bin_grows_meanwhile() {
  GstElement *bin = gst_bin_new("grows");
  gst_bin_add_many(GST_BIN(bin), gst_bin_new("a"), gst_bin_new("b"), nullptr);
  std::vector<std::string> seen;
  const auto walk = [&](const char *last) {
    return graph::any_of(gst_bin_iterate_elements(GST_BIN(bin)),
                         [&](GstElement *element) {
                           seen.emplace_back(GST_ELEMENT_NAME(element));
                           if (seen.size() == 1)
                             gst_bin_add(GST_BIN(bin), gst_bin_new("c"));
                           return seen.back() == last;
                         });
  };
  g_assert_false(walk("none"));
  g_assert_cmpuint(seen.size(), ==, 4); // one, and then all from the beginning
  for (const char *name : {"a", "b", "c"})
    g_assert_true(std::find(seen.begin(), seen.end(), name) != seen.end());
  g_assert_true(walk("c"));
  gst_object_unref(bin);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  gst_init(&argc, &argv);
  g_test_add_func("/events/round-trip", test_events);
  g_test_add_func("/messages/round-trip", test_messages);
  g_test_add_func("/contexts/elements-of-a-pipeline-share-a-worker",
                  test_worker_is_shared);
  g_test_add_func("/iterate/a-bin-may-grow-meanwhile",
                  test_bin_grows_meanwhile);
  g_test_add_func("/clock/stands-still-with-the-worker", test_worker_clock);
  const int result = g_test_run();
  gst_deinit();
  return result;
}
