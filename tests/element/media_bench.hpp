// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "graph/contexts.hpp"
#include "graph/events.hpp"
#include "graph/handles.hpp"
#include "graph/messages.hpp"
#include "graph/worker_clock.hpp"
#include "twilio/media_stream.hpp"

#include <gst/gst.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace patchcord {

// A media stream without a wire: the test is Twilio. Plays what it is sent in
// the worker's time and returns marks, unless told not to.
class FakeMediaStream final : public twilio::MediaStream {
public:
  explicit FakeMediaStream(Worker &worker) : worker_(worker) {}

  void set_source(twilio::MediaSourceListener *listener) override {
    source = listener;
    if (source != nullptr && begun_)
      source->on_start(start_);
    if (source != nullptr && ended_)
      source->on_end(end_, "");
  }
  void set_sink(twilio::MediaSinkListener *listener) override {
    sink = listener;
    if (sink != nullptr && begun_)
      sink->on_start(start_);
    if (sink != nullptr && ended_)
      sink->on_end(end_, "");
  }
  const twilio::StreamStart *started() const override {
    return begun_ ? &start_ : nullptr;
  }
  bool ended() const override { return ended_; }
  const std::map<std::string, std::uint64_t> &anomalies() const override {
    return odd;
  }
  // What is hinted at matters only to what is `unread`: the rest is told at
  // once.
  void set_read_period(Duration period) override {
    if (period == 0s && !unread.empty())
      worker_.post([this] {
        for (const auto &[ms, mulaw] : std::exchange(unread, {}))
          media(ms, mulaw);
      });
  }
  bool peer_hears() const override { return false; }
  void expect_mark(std::optional<TimePoint>) override {}
  void gather(bool) override {}
  void conclude() override { concluded_ = true; }
  bool concluded() const override { return concluded_; }
  void send_media(ByteSpan mulaw) override {
    g_assert_true(begun_ && !ended_);
    sent.insert(sent.end(), mulaw.begin(), mulaw.end());
    end_of_audio_ = std::max(end_of_audio_, worker_.now()) +
                    static_cast<std::int64_t>(mulaw.size()) * 125us;
  }
  void send_mark(std::string_view name) override {
    marks.emplace_back(name);
    if (!returns_marks)
      return;
    timers_.push_back(worker_.at(std::max(end_of_audio_, worker_.now()) + 40ms,
                                 [this] { return_mark(); }));
    out_.push_back(marks.back());
  }
  void send_clear() override {
    ++clears;
    end_of_audio_ = worker_.now() + clear_late;
    timers_.clear();
    for (std::size_t i = 0; i < out_.size(); ++i)
      timers_.push_back(
          worker_.at(end_of_audio_ + 40ms, [this] { return_mark(); }));
    clear_late = 0ms;
  }
  void close(std::uint16_t code, std::string_view) override {
    close_code = code;
  }

  void begin() {
    begun_ = true;
    if (sink != nullptr)
      sink->on_start(start_);
    if (source != nullptr)
      source->on_start(start_);
  }
  void media(std::int64_t ms, ByteSpan mulaw) {
    if (source != nullptr)
      source->on_media(ms, mulaw);
  }
  void finish(twilio::StreamEnd end = twilio::StreamEnd::kStop) {
    ended_ = true;
    end_ = end;
    if (sink != nullptr)
      sink->on_end(end, "");
    if (source != nullptr)
      source->on_end(end, "");
  }

  twilio::MediaSourceListener *source = nullptr;
  twilio::MediaSinkListener *sink = nullptr;
  std::map<std::string, std::uint64_t> odd;
  // Has come, and waits until messages are read when they come.
  std::vector<std::pair<std::int64_t, Bytes>> unread;
  Bytes sent;
  std::vector<std::string> marks;
  int clears = 0;
  int close_code = 0;
  bool returns_marks = true;
  std::chrono::milliseconds clear_late{0}; // the next one, on its way

private:
  void return_mark() {
    const std::string mark = std::move(out_.front());
    out_.pop_front();
    if (sink != nullptr)
      sink->on_mark(mark);
  }

  Worker &worker_;
  const twilio::StreamStart start_{"MZ1", "AC1", "CA1", {{"lang", "en"}}};
  bool begun_ = false, ended_ = false, concluded_ = false;
  twilio::StreamEnd end_ = twilio::StreamEnd::kStop;
  TimePoint end_of_audio_{};
  std::deque<std::string> out_; // marks that are to come back
  std::vector<Timer> timers_;
};

// A pipeline in virtual time that holds one element and a pad of the test's
// own. What comes out of the element's pad, and upstream out of its sink pad,
// is noted in order as text.
class MediaBench {
public:
  explicit MediaBench(const char *factory)
      : worker(Worker::create_virtual()),
        stream(std::make_shared<FakeMediaStream>(*worker)) {
    clock_ = graph::make_worker_clock(worker);
    pipeline = gst_pipeline_new(nullptr);
    gst_pipeline_use_clock(GST_PIPELINE(pipeline), clock_.get());
    graph::set_worker(pipeline, worker);
    element = gst_element_factory_make(factory, "it");
    g_assert_nonnull(element);
    gst_bin_add(GST_BIN(pipeline), element);
    make_pad();
  }
  ~MediaBench() {
    set_state(GST_STATE_NULL);
    gst_pad_set_active(pad, FALSE);
    gst_object_unref(pad);
    gst_object_unref(pipeline);
  }
  MediaBench(const MediaBench &) = delete;
  MediaBench &operator=(const MediaBench &) = delete;

  void share_stream() { graph::set_media_stream(pipeline, stream); }
  GstStateChangeReturn set_state(GstState state) {
    return gst_element_set_state(pipeline, state);
  }
  void play() {
    g_assert_cmpint(set_state(GST_STATE_PLAYING), !=, GST_STATE_CHANGE_FAILURE);
  }
  // All bus messages of the element since the last call, in words.
  std::string messages();
  std::string take() {
    std::string all;
    for (const auto &line : std::exchange(log, {}))
      all += line + '\n';
    return all;
  }

  // Into a sink.
  void begin_stream();
  GstFlowReturn push(std::size_t samples, std::uint8_t value = 1) {
    return gst_pad_push(pad, buffer_of(Bytes(samples, value)).release());
  }
  gboolean send(GstEvent *event) { return gst_pad_push_event(pad, event); }
  void say(std::uint32_t id, std::size_t samples, const char *text = "") {
    send(events::make(events::UtteranceStart{id, true}));
    if (*text != '\0')
      send(events::make(events::SpokenText{id, text, {}}));
    g_assert_cmpint(push(samples - 80), ==, GST_FLOW_OK);
    send(events::make(events::UtteranceEnd{id}));
    g_assert_cmpint(push(80), ==, GST_FLOW_OK);
  }
  void flush() {
    send(gst_event_new_flush_start());
    send(gst_event_new_flush_stop(TRUE));
    begin_stream();
  }

  std::shared_ptr<Worker> worker;
  std::shared_ptr<FakeMediaStream> stream;
  GstElement *pipeline = nullptr, *element = nullptr;
  GstPad *pad = nullptr;
  std::vector<std::string> log;
  std::vector<Ref<GstBuffer>> buffers;
  std::vector<events::Playout> playouts;
  GstClockTime latency = GST_CLOCK_TIME_NONE;
  GstFlowReturn answer = GST_FLOW_OK; // to buffers
  std::function<void(const events::Playout &)> on_playout;
  std::function<void()> on_buffer; // out of a source

private:
  void make_pad();
  void note_event(GstEvent *event);
  Ref<GstClock> clock_;
};

} // namespace patchcord
