// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stt_bench.hpp"

#include "virtual_network.hpp"

#include "audio/mulaw.hpp"
#include "graph/contexts.hpp"
#include "graph/worker_clock.hpp"

#include <algorithm>
#include <cmath>

using namespace patchcord;

SttBench::SttBench(const char *factory, const std::shared_ptr<Worker> &worker)
    : worker_(worker), element_(gst_element_factory_make(factory, nullptr)),
      bus_(gst_bus_new()) {
  g_assert_nonnull(element_);
  gst_object_ref_sink(element_);
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  gst_element_set_bus(element_, bus_);
  graph::set_worker(element_, worker);
  const auto clock = graph::make_worker_clock(worker);
  gst_element_set_clock(element_, clock.get());
  gst_element_set_base_time(element_, gst_clock_get_time(clock.get()));

  audio_ = gst_pad_new("audio", GST_PAD_SRC);
  gst_pad_set_element_private(audio_, this);
  gst_pad_set_query_function(audio_, query);
  gst_pad_set_active(audio_, TRUE);
  text_ = gst_pad_new("text", GST_PAD_SINK);
  gst_pad_set_element_private(text_, this);
  gst_pad_set_chain_function(text_, chain);
  gst_pad_set_event_function(text_, event);
  gst_pad_set_active(text_, TRUE);
  GstPad *sink = gst_element_get_static_pad(element_, "sink");
  GstPad *src = gst_element_get_static_pad(element_, "src");
  g_assert_cmpint(gst_pad_link(audio_, sink), ==, GST_PAD_LINK_OK);
  g_assert_cmpint(gst_pad_link(src, text_), ==, GST_PAD_LINK_OK);
  gst_object_unref(sink);
  gst_object_unref(src);
}

SttBench::~SttBench() {
  set_state(GST_STATE_NULL);
  gst_element_set_bus(element_, nullptr);
  gst_bus_set_flushing(bus_, TRUE);
  messages_.clear();
  gst_object_unref(bus_);
  gst_object_unref(element_);
  gst_object_unref(audio_);
  gst_object_unref(text_);
}

GstStateChangeReturn SttBench::set_state(GstState state) {
  return gst_element_set_state(element_, state);
}

void SttBench::play(const char *caps) {
  g_assert_cmpint(set_state(GST_STATE_PLAYING), !=, GST_STATE_CHANGE_FAILURE);
  begin_stream(caps);
}

void SttBench::begin_stream(const char *caps) {
  push(gst_event_new_stream_start("audio"));
  const auto parsed = Ref<GstCaps>::adopt(gst_caps_from_string(caps));
  mulaw_ = gst_structure_has_name(gst_caps_get_structure(parsed.get(), 0),
                                  "audio/x-mulaw");
  gst_structure_get_int(gst_caps_get_structure(parsed.get(), 0), "rate",
                        &rate_);
  push(gst_event_new_caps(parsed.get()));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  push(gst_event_new_segment(&segment));
}

void SttBench::flush() {
  push(gst_event_new_flush_start());
  push(gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  push(gst_event_new_segment(&segment));
}

GstFlowReturn SttBench::speech(int milliseconds, bool turns) {
  return audio(milliseconds, true, turns);
}
GstFlowReturn SttBench::silence(int milliseconds, bool turns) {
  return audio(milliseconds, false, turns);
}

GstFlowReturn SttBench::audio(int milliseconds, bool voiced, bool turns) {
  std::vector<std::int16_t> all(static_cast<std::size_t>(milliseconds) *
                                static_cast<std::size_t>(rate_) / 1000);
  for (std::size_t i = 0; voiced && i < all.size(); ++i) {
    const double t = static_cast<double>(position_) / GST_SECOND +
                     static_cast<double>(i) / rate_;
    all[i] = static_cast<std::int16_t>(12'000 *
                                       std::abs(std::sin(2 * M_PI * 3 * t)) *
                                       std::sin(2 * M_PI * 300 * t));
  }
  return samples(all, turns);
}

GstFlowReturn SttBench::samples(std::span<const std::int16_t> all, bool turns) {
  const auto piece = static_cast<std::size_t>(rate_ / 50);
  GstFlowReturn flow = GST_FLOW_OK;
  while (!all.empty() && flow == GST_FLOW_OK) {
    const auto now = all.first(std::min(piece, all.size()));
    all = all.subspan(now.size());
    Bytes bytes;
    for (const std::int16_t sample : now) {
      if (mulaw_) {
        bytes.push_back(audio::linear_to_mulaw(sample));
      } else {
        bytes.push_back(static_cast<std::uint8_t>(sample & 0xff));
        bytes.push_back(static_cast<std::uint8_t>(sample >> 8 & 0xff));
      }
    }
    auto buffer = buffer_of(bytes);
    GST_BUFFER_PTS(buffer.get()) = position_;
    GST_BUFFER_DURATION(buffer.get()) =
        gst_util_uint64_scale_int(now.size(), GST_SECOND, rate_);
    position_ += GST_BUFFER_DURATION(buffer.get());
    flow = gst_pad_push(audio_, buffer.release());
    if (turns && worker_->is_virtual())
      fakes::run_networked_for(*worker_, 20ms);
  }
  return flow;
}

void SttBench::add(Item item) {
  std::function<void()> hook;
  {
    const std::lock_guard lock(mutex_);
    if (item.name == "text")
      hook = std::exchange(hook_, nullptr);
    items_.push_back(std::move(item));
  }
  changed_.notify_all();
  if (hook)
    hook();
}

GstFlowReturn SttBench::chain(GstPad *pad, GstObject *, GstBuffer *buffer) {
  auto &self = *static_cast<SttBench *>(gst_pad_get_element_private(pad));
  const auto owned = Ref<GstBuffer>::adopt(buffer);
  const MappedBuffer mapped(buffer);
  self.add({"text", std::string(as_text(mapped.bytes())),
            GST_BUFFER_PTS(buffer), GST_BUFFER_DURATION(buffer)});
  const std::lock_guard lock(self.mutex_);
  return self.flow_;
}

gboolean SttBench::event(GstPad *pad, GstObject *, GstEvent *raw) {
  auto &self = *static_cast<SttBench *>(gst_pad_get_element_private(pad));
  const auto owned = Ref<GstEvent>::adopt(raw);
  if (GST_EVENT_TYPE(raw) == GST_EVENT_STREAM_START)
    return TRUE;
  Item item;
  item.name = GST_EVENT_TYPE_NAME(raw);
  if (const auto started = events::parse<events::SpeechStarted>(raw)) {
    item.name = "started";
    item.time = started->time;
  } else if (const auto stopped = events::parse<events::SpeechStopped>(raw)) {
    item.name = "stopped";
    item.time = stopped->time;
  } else if (const auto part = events::parse<events::PartialTranscript>(raw)) {
    item.name = "partial";
    item.text = part->text;
  } else if (const auto failed = events::parse<events::ProviderFailed>(raw)) {
    item.name = "failed";
    item.text = failed->code;
    item.retryable = failed->retryable;
  }
  self.add(std::move(item));
  return TRUE;
}

// As a live source with 20 ms of latency.
gboolean SttBench::query(GstPad *pad, GstObject *parent, GstQuery *query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
    return gst_pad_query_default(pad, parent, query);
  gst_query_set_latency(query, TRUE, 20 * GST_MSECOND, GST_CLOCK_TIME_NONE);
  return TRUE;
}

void SttBench::await(const std::function<bool(const Items &)> &done) {
  if (worker_->is_virtual()) {
    const bool held =
        worker_->run_until([&] { return done(items_); }, worker_->now() + 20s);
    if (!held)
      g_error("waited in vain; there is: %s", order().c_str());
    return;
  }
  std::unique_lock lock(mutex_);
  const bool held = changed_.wait_for(lock, std::chrono::seconds(20),
                                      [&] { return done(items_); });
  lock.unlock();
  if (!held)
    g_error("waited in vain; there is: %s", order().c_str());
}

void SttBench::await(const std::string &name, std::size_t count) {
  await([&](const Items &items) {
    std::size_t seen = 0;
    for (const auto &item : items)
      seen += item.name == name ? 1 : 0;
    return seen >= count;
  });
}

SttBench::Items SttBench::items() {
  const std::lock_guard lock(mutex_);
  return items_;
}

std::string SttBench::order() {
  std::string out, last;
  for (const auto &item : items()) {
    if (item.name == "partial" && last == "partial")
      continue;
    last = item.name;
    out += (out.empty() ? "" : " ") + item.name;
    if (item.name == "text" || item.name == "failed")
      out += ":" + item.text;
  }
  return out;
}

std::string SttBench::shape() {
  std::string out;
  for (const auto &item : items()) {
    if (item.name == "partial")
      continue;
    out += (out.empty() ? "" : " ") + item.name;
    if (item.name == "text" || item.name == "failed")
      out += ":" + item.text;
  }
  return out;
}

void SttBench::clear() {
  const std::lock_guard lock(mutex_);
  items_.clear();
}

void SttBench::gather_messages() {
  while (GstMessage *message = gst_bus_pop(bus_))
    messages_.push_back(Ref<GstMessage>::adopt(message));
}

std::vector<std::string> SttBench::transcripts() {
  gather_messages();
  std::vector<std::string> out;
  for (const auto &message : messages_)
    if (const auto said = messages::parse<messages::Transcript>(message.get()))
      out.push_back(said->text + (said->final ? "" : "..."));
  return out;
}

std::vector<messages::Transcript> SttBench::finals() {
  gather_messages();
  std::vector<messages::Transcript> out;
  for (const auto &message : messages_)
    if (const auto said = messages::parse<messages::Transcript>(message.get());
        said && said->final)
      out.push_back(*said);
  return out;
}

std::vector<std::string> SttBench::warnings() {
  gather_messages();
  std::vector<std::string> out;
  for (const auto &message : messages_) {
    if (GST_MESSAGE_TYPE(message.get()) != GST_MESSAGE_WARNING)
      continue;
    GErrorHolder error;
    char *debug = nullptr;
    gst_message_parse_warning(message.get(), error.out(), &debug);
    const GCharPtr owned(debug);
    out.emplace_back(error.message());
  }
  return out;
}

unsigned SttBench::errors() {
  gather_messages();
  unsigned count = 0;
  for (const auto &message : messages_)
    count += GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR ? 1 : 0;
  return count;
}

void SttBench::on_text(std::function<void()> hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}
void SttBench::set_flow(GstFlowReturn flow) {
  const std::lock_guard lock(mutex_);
  flow_ = flow;
}
