// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/text.hpp"
#include "graph/contexts.hpp"
#include "graph/events.hpp"
#include "graph/handles.hpp"
#include "graph/messages.hpp"

#include <gst/check/gstharness.h>
#include <gst/gst.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

namespace patchcord {

inline void equal(const std::string &is, const std::string &expected) {
  if (is != expected)
    g_error("expected\n  %s\ngot\n  %s", expected.c_str(), is.c_str());
}

inline std::string definition_path(const char *name) {
  return std::string(g_getenv("PATCHCORD_DATA_DIR")) + "/agents/" + name +
         ".toml";
}

// An agent in a harness, and all that leaves it at its pads and on its bus as
// lines, in order.
class AgentBench {
public:
  explicit AgentBench(const std::shared_ptr<Worker> &worker,
                      const char *definition = "room-booking")
      : worker_(worker), element_(gst_element_factory_make("agent", nullptr)),
        bus_(gst_bus_new()) {
    g_assert_nonnull(element_);
    gst_object_ref_sink(element_);
    g_object_set(element_, "definition", definition_path(definition).c_str(),
                 "today", "2026-04-29", nullptr);
    gst_element_set_bus(element_, bus_);
    graph::set_worker(element_, worker);
    probe("src",
          static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM |
                                       GST_PAD_PROBE_TYPE_EVENT_FLUSH));
    probe("sink", GST_PAD_PROBE_TYPE_EVENT_UPSTREAM);
  }
  ~AgentBench() {
    if (harness_ != nullptr)
      gst_harness_teardown(harness_);
    gst_element_set_state(element_, GST_STATE_NULL);
    gst_element_set_bus(element_, nullptr);
    gst_object_unref(bus_);
    gst_object_unref(element_);
  }
  AgentBench(const AgentBench &) = delete;
  AgentBench &operator=(const AgentBench &) = delete;

  GstElement *element() { return element_; }
  GstHarness *harness() { return harness_; }
  void play() {
    harness_ = gst_harness_new_with_element(element_, "sink", "src");
    gst_harness_set_sink_caps_str(harness_, "text/x-raw, format=utf8");
    gst_harness_play(harness_);
    gst_harness_set_src_caps_str(harness_, "text/x-raw, format=utf8");
    run();
  }
  void run() {
    if (worker_->is_virtual())
      worker_->run_ready();
  }

  GstFlowReturn words(const std::string &text,
                      GstClockTime end = GST_CLOCK_TIME_NONE) {
    auto buffer = buffer_of(as_bytes(text));
    GST_BUFFER_PTS(buffer.get()) = end;
    const GstFlowReturn flow = gst_harness_push(harness_, buffer.release());
    run();
    return flow;
  }
  template <typename T> void downstream(const T &event) {
    g_assert_true(gst_harness_push_event(harness_, events::make(event)));
    run();
  }
  void playout(events::Playout::What what, std::uint32_t utterance,
               const std::string &heard = {}) {
    events::Playout event;
    event.what = what;
    event.utterance = utterance;
    event.heard_text = heard;
    event.heard_samples = 8000;
    g_assert_true(
        gst_harness_push_upstream_event(harness_, events::make(event)));
    run();
  }

  // What came since the last call; and what the bus has.
  std::string take() {
    const std::lock_guard lock(mutex_);
    const std::string all = join(log_, " ");
    log_.clear();
    return all;
  }
  void await(const std::string &line) {
    std::unique_lock lock(mutex_);
    const bool came = changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      return std::find(log_.begin(), log_.end(), line) != log_.end();
    });
    if (!came)
      g_error("no %s in %s", line.c_str(), join(log_, " ").c_str());
  }
  template <typename T> std::vector<T> messages() {
    for (GstMessage *message; (message = gst_bus_pop(bus_)) != nullptr;)
      messages_.push_back(Ref<GstMessage>::adopt(message));
    std::vector<T> found;
    for (const auto &message : messages_)
      if (const auto one = messages::parse<T>(message.get()))
        found.push_back(*one);
    return found;
  }
  unsigned errors() {
    (void)messages<messages::Decision>();
    unsigned count = 0;
    for (const auto &message : messages_)
      count += GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR ? 1 : 0;
    return count;
  }

private:
  void probe(const char *name, GstPadProbeType type) {
    GstPad *pad = gst_element_get_static_pad(element_, name);
    gst_pad_add_probe(
        pad, type,
        [](GstPad *, GstPadProbeInfo *info, gpointer self) {
          static_cast<AgentBench *>(self)->saw(info);
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
    gst_object_unref(pad);
  }

  void saw(GstPadProbeInfo *info) {
    std::string line;
    if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
      const MappedBuffer buffer(GST_PAD_PROBE_INFO_BUFFER(info));
      line = "\"" + std::string(as_text(buffer.bytes())) + "\"";
      g_assert_true(GST_BUFFER_PTS_IS_VALID(GST_PAD_PROBE_INFO_BUFFER(info)));
    } else {
      line = name_of(GST_PAD_PROBE_INFO_EVENT(info));
    }
    if (line.empty())
      return;
    const std::lock_guard lock(mutex_);
    log_.push_back(line);
    changed_.notify_all();
  }

  static std::string name_of(GstEvent *event) {
    if (const auto start = events::parse<events::UtteranceStart>(event))
      return "start:" + std::to_string(start->utterance) +
             (start->interruptible ? "" : "!");
    if (const auto end = events::parse<events::UtteranceEnd>(event))
      return "end:" + std::to_string(end->utterance);
    if (const auto expect = events::parse<events::Expect>(event))
      return std::string("expect:") + to_string(expect->expectation.kind);
    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CUSTOM_DOWNSTREAM_OOB:
      return gst_structure_get_name(gst_event_get_structure(event));
    case GST_EVENT_RECONFIGURE:
    case GST_EVENT_LATENCY:
    case GST_EVENT_CUSTOM_UPSTREAM:
      return {};
    default:
      return GST_EVENT_TYPE_NAME(event);
    }
  }

  const std::shared_ptr<Worker> worker_;
  GstElement *element_;
  GstBus *bus_;
  GstHarness *harness_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> log_;
  std::vector<Ref<GstMessage>> messages_;
};

} // namespace patchcord
