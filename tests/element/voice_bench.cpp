// SPDX-License-Identifier: LGPL-2.1-or-later
#include "voice_bench.hpp"

#include "audio/mulaw.hpp"
#include "graph/contexts.hpp"
#include "graph/worker_clock.hpp"

#include <algorithm>
#include <cmath>

using namespace patchcord;

VoiceBench::VoiceBench(const char *factory,
                       const std::shared_ptr<Worker> &worker, const char *caps,
                       bool text_pad)
    : worker_(worker), element_(gst_element_factory_make(factory, nullptr)),
      bus_(gst_bus_new()) {
  g_assert_nonnull(element_);
  gst_object_ref_sink(element_);
  gst_element_set_bus(element_, bus_);
  graph::set_worker(element_, worker);
  const auto clock = graph::make_worker_clock(worker);
  gst_element_set_clock(element_, clock.get());
  gst_element_set_base_time(element_, gst_clock_get_time(clock.get()));
  if (caps != nullptr)
    downstream_ = Ref<GstCaps>::adopt(gst_caps_from_string(caps));

  audio_ = gst_pad_new("audio", GST_PAD_SINK);
  gst_pad_set_element_private(audio_, this);
  gst_pad_set_chain_function(audio_, chain);
  gst_pad_set_event_function(audio_, event);
  gst_pad_set_query_function(audio_, query);
  gst_pad_set_active(audio_, TRUE);
  GstPad *src = gst_element_get_static_pad(element_, "src");
  g_assert_cmpint(gst_pad_link(src, audio_), ==, GST_PAD_LINK_OK);
  gst_object_unref(src);
  if (!text_pad)
    return;
  text_ = gst_pad_new("text", GST_PAD_SRC);
  gst_pad_set_element_private(text_, this);
  gst_pad_set_event_function(text_, text_event);
  gst_pad_set_active(text_, TRUE);
  GstPad *sink = gst_element_request_pad_simple(element_, "sink");
  g_assert_nonnull(sink);
  g_assert_cmpint(gst_pad_link(text_, sink), ==, GST_PAD_LINK_OK);
  gst_object_unref(sink);
}

VoiceBench::~VoiceBench() {
  set_state(GST_STATE_NULL);
  if (text_ != nullptr) {
    GstPad *sink = gst_element_get_static_pad(element_, "sink");
    gst_pad_unlink(text_, sink);
    gst_element_release_request_pad(element_, sink);
    gst_object_unref(sink);
    gst_object_unref(text_);
  }
  gst_element_set_bus(element_, nullptr);
  gst_bus_set_flushing(bus_, TRUE);
  gst_object_unref(bus_);
  gst_object_unref(element_);
  gst_object_unref(audio_);
}

GstStateChangeReturn VoiceBench::set_state(GstState state) {
  return gst_element_set_state(element_, state);
}

void VoiceBench::play() {
  g_assert_cmpint(set_state(GST_STATE_PLAYING), !=, GST_STATE_CHANGE_FAILURE);
  if (text_ == nullptr)
    return;
  push(gst_event_new_stream_start("text"));
  const auto caps =
      Ref<GstCaps>::adopt(gst_caps_from_string("text/x-raw,format=utf8"));
  push(gst_event_new_caps(caps.get()));
  push_segment();
}

void VoiceBench::push_segment() {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  push(gst_event_new_segment(&segment));
}

void VoiceBench::start(std::uint32_t utterance) {
  push(events::make(events::UtteranceStart{utterance, true}));
}
void VoiceBench::end(std::uint32_t utterance) {
  push(events::make(events::UtteranceEnd{utterance}));
}
void VoiceBench::eos() { push(gst_event_new_eos()); }
void VoiceBench::flush_start() { push(gst_event_new_flush_start()); }
void VoiceBench::flush_stop() {
  push(gst_event_new_flush_stop(FALSE));
  push_segment(); // A flush takes it away.
}
void VoiceBench::push(GstEvent *event) { gst_pad_push_event(text_, event); }

GstFlowReturn VoiceBench::say(const std::string &text) {
  return gst_pad_push(text_, buffer_of(as_bytes(text)).release());
}

void VoiceBench::utterance(std::uint32_t number,
                           const std::vector<std::string> &texts) {
  start(number);
  for (const std::string &text : texts)
    say(text);
  end(number);
}

void VoiceBench::take(const char *caps) {
  downstream_ = Ref<GstCaps>::adopt(gst_caps_from_string(caps));
  push_upstream(gst_event_new_reconfigure());
}

void VoiceBench::push_upstream(GstEvent *event) {
  gst_pad_push_event(audio_, event);
}

void VoiceBench::add(Item item) {
  std::function<void()> hook;
  {
    const std::lock_guard lock(mutex_);
    // What another thread was pushing when the flush came is flushed as well.
    flushing_ =
        item.name == "flush-start" || (flushing_ && item.name != "flush-stop");
    if (flushing_ && item.name != "flush-start")
      return;
    if (item.name == "audio")
      hook = std::exchange(hook_, nullptr);
    items_.push_back(std::move(item));
  }
  changed_.notify_all();
  if (hook)
    hook();
}

GstFlowReturn VoiceBench::chain(GstPad *pad, GstObject *, GstBuffer *buffer) {
  auto &self = *static_cast<VoiceBench *>(gst_pad_get_element_private(pad));
  const auto owned = Ref<GstBuffer>::adopt(buffer);
  const MappedBuffer mapped(buffer);
  Item item;
  item.name = "audio";
  item.mulaw = self.mulaw_;
  item.rate = self.rate_;
  item.bytes.assign(mapped.bytes().begin(), mapped.bytes().end());
  item.pts = GST_BUFFER_PTS(buffer);
  item.duration = GST_BUFFER_DURATION(buffer);
  item.discont = GST_BUFFER_IS_DISCONT(buffer);
  GstFlowReturn flow = GST_FLOW_OK;
  {
    const std::lock_guard lock(self.mutex_);
    flow = self.flow_;
    const auto caps = Ref<GstCaps>::adopt(gst_pad_get_current_caps(pad));
    if (self.downstream_ &&
        !gst_caps_can_intersect(caps.get(), self.downstream_.get()))
      flow = GST_FLOW_NOT_NEGOTIATED;
  }
  if (flow == GST_FLOW_OK)
    self.add(std::move(item));
  return flow;
}

gboolean VoiceBench::event(GstPad *pad, GstObject *, GstEvent *event) {
  auto &self = *static_cast<VoiceBench *>(gst_pad_get_element_private(pad));
  const auto owned = Ref<GstEvent>::adopt(event);
  Item item;
  if (const auto start = events::parse<events::UtteranceStart>(event)) {
    item.name = "start:" + std::to_string(start->utterance);
  } else if (const auto end = events::parse<events::UtteranceEnd>(event)) {
    item.name = "end:" + std::to_string(end->utterance);
  } else if (const auto spoken = events::parse<events::SpokenText>(event)) {
    item.name = "spoken:" + spoken->text;
    item.timings = spoken->timings;
  } else if (const GstStructure *structure = gst_event_get_structure(event);
             structure != nullptr &&
             (GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_DOWNSTREAM ||
              GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_DOWNSTREAM_OOB)) {
    item.name = gst_structure_get_name(structure);
  } else {
    item.name = GST_EVENT_TYPE_NAME(event);
  }
  if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
    GstCaps *caps = nullptr;
    gst_event_parse_caps(event, &caps);
    const GCharPtr text(gst_caps_to_string(caps));
    const std::lock_guard lock(self.mutex_);
    self.caps_ = text.get();
    const GstStructure *format = gst_caps_get_structure(caps, 0);
    self.mulaw_ = gst_structure_has_name(format, "audio/x-mulaw") != FALSE;
    gst_structure_get_int(format, "rate", &self.rate_);
  }
  self.add(std::move(item));
  return TRUE;
}

gboolean VoiceBench::query(GstPad *pad, GstObject *parent, GstQuery *query) {
  auto &self = *static_cast<VoiceBench *>(gst_pad_get_element_private(pad));
  if (!self.downstream_ || GST_QUERY_TYPE(query) != GST_QUERY_CAPS)
    return gst_pad_query_default(pad, parent, query);
  GstCaps *filter = nullptr;
  gst_query_parse_caps(query, &filter);
  const auto caps = filter == nullptr ? self.downstream_
                                      : Ref<GstCaps>::adopt(gst_caps_intersect(
                                            self.downstream_.get(), filter));
  gst_query_set_caps_result(query, caps.get());
  return TRUE;
}

gboolean VoiceBench::text_event(GstPad *pad, GstObject *, GstEvent *event) {
  auto &self = *static_cast<VoiceBench *>(gst_pad_get_element_private(pad));
  const auto owned = Ref<GstEvent>::adopt(event);
  const GstStructure *structure = gst_event_get_structure(event);
  if (GST_EVENT_TYPE(event) == GST_EVENT_RECONFIGURE)
    return TRUE; // Of the linking.
  {
    const std::lock_guard lock(self.mutex_);
    if (const auto failed = events::parse<events::VoiceFailed>(event))
      self.failures_.push_back(*failed);
    self.upstream_.emplace_back(structure != nullptr
                                    ? gst_structure_get_name(structure)
                                    : GST_EVENT_TYPE_NAME(event));
  }
  self.changed_.notify_all();
  return TRUE;
}

void VoiceBench::await(const std::function<bool(const Items &)> &done) {
  if (worker_->is_virtual()) {
    const bool happened =
        worker_->run_until([&] { return done(items()); }, worker_->now() + 60s);
    if (!happened)
      g_test_message("came out: %s", order().c_str());
    g_assert_true(happened);
    return;
  }
  std::unique_lock lock(mutex_);
  const bool happened = changed_.wait_for(lock, std::chrono::seconds(20),
                                          [&] { return done(items_); });
  lock.unlock();
  if (!happened)
    g_test_message("came out: %s", order().c_str());
  g_assert_true(happened);
}

void VoiceBench::await(const std::string &name, std::size_t count) {
  g_test_message("awaiting %s", name.c_str());
  await([&](const Items &items) {
    return static_cast<std::size_t>(
               std::count_if(items.begin(), items.end(), [&](const Item &i) {
                 return i.name == name;
               })) >= count;
  });
}

VoiceBench::Items VoiceBench::items() {
  const std::lock_guard lock(mutex_);
  return items_;
}
void VoiceBench::clear() {
  const std::lock_guard lock(mutex_);
  items_.clear();
}
std::string VoiceBench::caps() {
  const std::lock_guard lock(mutex_);
  return caps_;
}
std::vector<std::string> VoiceBench::upstream() {
  const std::lock_guard lock(mutex_);
  return upstream_;
}
std::vector<events::VoiceFailed> VoiceBench::failures() {
  const std::lock_guard lock(mutex_);
  return failures_;
}
void VoiceBench::on_audio(std::function<void()> hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}
void VoiceBench::set_flow(GstFlowReturn flow) {
  const std::lock_guard lock(mutex_);
  flow_ = flow;
}

std::string VoiceBench::order() {
  std::string out, last;
  for (const Item &item : items()) {
    if (item.name == "stream-start" || item.name == "caps" ||
        (item.name == "audio" && last == "audio"))
      continue;
    out += (out.empty() ? "" : " ") + item.name;
    last = item.name;
  }
  return out;
}

std::string VoiceBench::shape() {
  std::string out;
  bool speaks = false, ended = false;
  const auto add = [&](const std::string &text) {
    if (std::exchange(speaks, false))
      out += "]";
    out += (out.empty() ? "" : " ") + text;
  };
  for (const Item &item : items()) {
    if (item.name == "stream-start" || item.name == "caps")
      continue;
    const bool words = item.name.starts_with("spoken:");
    if (words && speaks)
      out += " " + item.name.substr(7);
    else if (words)
      add("[" + item.name.substr(7));
    else if (item.name == "audio" && ended)
      add("closing");
    else if (item.name != "audio")
      add(item.name);
    speaks = words || (speaks && item.name == "audio");
    ended = item.name.starts_with("end:");
  }
  return out + (speaks ? "]" : "");
}

GstClockTime VoiceBench::length() {
  GstClockTime sum = 0;
  for (const Item &item : items())
    if (item.name == "audio")
      sum += item.duration;
  return sum;
}

double VoiceBench::level() {
  double energy = 0, count = 0;
  for (const Item &item : items()) {
    const std::size_t size = item.mulaw ? 1 : 2;
    for (std::size_t i = 0; i + size <= item.bytes.size(); i += size) {
      const double sample = item.mulaw
                                ? audio::mulaw_to_linear(item.bytes[i])
                                : static_cast<std::int16_t>(
                                      item.bytes[i] | item.bytes[i + 1] << 8);
      energy += sample * sample;
      ++count;
    }
  }
  return 10 * std::log10(energy / count / (32768.0 * 32768.0));
}

Bytes VoiceBench::audio() {
  Bytes out;
  for (const Item &item : items())
    out.insert(out.end(), item.bytes.begin(), item.bytes.end());
  return out;
}

unsigned VoiceBench::messages(GstMessageType type, std::string *text) {
  while (GstMessage *message = gst_bus_pop(bus_))
    messages_.push_back(Ref<GstMessage>::adopt(message));
  unsigned count = 0;
  for (const auto &message : messages_) {
    if (GST_MESSAGE_TYPE(message.get()) != type)
      continue;
    ++count;
    GErrorHolder error;
    if (text != nullptr && type == GST_MESSAGE_ERROR)
      gst_message_parse_error(message.get(), error.out(), nullptr);
    else if (text != nullptr && type == GST_MESSAGE_WARNING)
      gst_message_parse_warning(message.get(), error.out(), nullptr);
    if (error)
      *text = error.message();
  }
  return count;
}

void assert_equal(const std::string &is, const std::string &expected) {
  g_assert_cmpstr(is.c_str(), ==, expected.c_str());
}
