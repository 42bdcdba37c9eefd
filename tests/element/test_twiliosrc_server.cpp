// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/add_tests.hpp"
#include "phone_client.hpp"
#include "twiliosrc_bench.hpp"

#include "graph/contexts.hpp"

#include <atomic>
#include <string>
#include <utility>

// With a server of its own, in real time.
using namespace patchcord;

namespace {

// gst-launch-1.0 twiliosrc ! twiliosink: the caller hears himself.
void test_listens_itself() {
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
void test_stops_in_a_call() {
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
  g_assert_cmpint(phone.close_code(), ==, 1001);
  gst_object_unref(in);
  gst_object_unref(pipeline);
}

// All was heard when the pipeline stops: nothing went wrong, and the phone is
// not told that anything did.
void test_stops_behind_the_end() {
  GstElement *pipeline = gst_parse_launch(
      "twiliosrc name=in port=0 auth-token=\"\" ! twiliosink", nullptr);
  GstElement *in = gst_bin_get_by_name(GST_BIN(pipeline), "in");
  GstBus *bus = gst_element_get_bus(pipeline);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  int port = 0;
  g_object_get(in, "current-port", &port, nullptr);
  PhoneClient phone;
  phone.call(port);
  g_assert_true(phone.wait_until_open());
  phone.speak(20, 0x21);
  g_assert_true(phone.wait_until_heard(1600));
  g_assert_true(gst_element_send_event(pipeline, gst_event_new_eos()));
  const auto end = Ref<GstMessage>::adopt(gst_bus_timed_pop_filtered(
      bus, 10 * GST_SECOND,
      static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  g_assert_true(end && GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_EOS);
  g_assert_cmpint(phone.close_code(), ==, 0);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  g_assert_true(phone.wait_until_closed());
  g_assert_cmpint(phone.close_code(), ==, 1000);
  gst_object_unref(bus);
  gst_object_unref(in);
  gst_object_unref(pipeline);
}

// By whoever hears that there is a caller: on the worker, in the middle of what
// the server does for him. With the pipeline goes all of it.
void test_stops_as_a_call_comes() {
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

void test_port_in_use() {
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

} // namespace

void test::add_twiliosrc_server() {
  add_tests({
      {"/twiliosrc/listens-itself-and-twiliosink-answers", test_listens_itself},
      {"/twiliosrc/may-stop-in-a-call", test_stops_in_a_call},
      {"/twiliosrc/stops-in-order-behind-the-end", test_stops_behind_the_end},
      {"/twiliosrc/may-stop-as-a-call-comes", test_stops_as_a_call_comes},
      {"/twiliosrc/a-port-in-use-is-an-error", test_port_in_use},
  });
}
