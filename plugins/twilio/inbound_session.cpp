// SPDX-License-Identifier: LGPL-2.1-or-later
#include "inbound_session.hpp"

#include "audio/mulaw.hpp"
#include "base/log.hpp"
#include "graph/contexts.hpp"
#include "graph/events.hpp"
#include "graph/messages.hpp"
#include "worker/beat.hpp"

#include <algorithm>

GST_DEBUG_CATEGORY_EXTERN(twiliosrc_debug);
#define GST_CAT_DEFAULT twiliosrc_debug

namespace patchcord {
namespace {

constexpr std::uint8_t kSilence = 0xff;
constexpr std::int64_t kRate = 8000;
constexpr std::size_t kFrame = 160; // samples of Twilio's messages
// Messages come 50 times a second and are read every 160 ms at least. Networks
// that falter are back within this more often than not; whoever waits for an
// answer begins to wonder.
constexpr Duration kPatience = 750ms;
// Then silence comes in pieces of this.
constexpr Duration kPiece = 100ms;
constexpr Duration kMostSilence =
    std::chrono::seconds(twilio::InboundTimeline::kMaxGap / kRate);

// The pipeline or bin that holds all elements of the call.
Ref<GstElement> top_of(GstElement *element) {
  auto top = Ref<GstObject>::share(GST_OBJECT(element));
  while (auto *parent = gst_object_get_parent(top.get()))
    top = Ref<GstObject>::adopt(parent);
  return Ref<GstElement>::adopt(GST_ELEMENT(top.release()));
}

// Twilio's own format where it is taken, or samples.
Ref<GstCaps> choose_caps(GstPad *pad) {
  const auto ours = Ref<GstCaps>::adopt(gst_pad_get_pad_template_caps(pad));
  const auto taken =
      Ref<GstCaps>::adopt(gst_pad_peer_query_caps(pad, ours.get()));
  auto both = Ref<GstCaps>::adopt(gst_caps_intersect_full(
      ours.get(), taken.get(), GST_CAPS_INTERSECT_FIRST));
  if (gst_caps_is_empty(both.get())) // downstream says so when it gets them
    both = ours;
  return Ref<GstCaps>::adopt(gst_caps_fixate(both.release()));
}

Ref<GstBuffer> decoded(ByteSpan mulaw) {
  auto buffer = Ref<GstBuffer>::adopt(
      gst_buffer_new_allocate(nullptr, mulaw.size() * 2, nullptr));
  GstMapInfo map;
  gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE);
  for (std::size_t i = 0; i < mulaw.size(); ++i)
    GST_WRITE_UINT16_LE(
        map.data + 2 * i,
        static_cast<std::uint16_t>(audio::mulaw_to_linear(mulaw[i])));
  gst_buffer_unmap(buffer.get(), &map);
  return buffer;
}

} // namespace

InboundSession::InboundSession(GstElement *element, GstPad *pad, Worker &worker,
                               std::size_t chunk, bool steady)
    : element_(element), pad_(pad), worker_(worker), chunk_(chunk),
      steady_(steady), enough_(chunk) {}

void InboundSession::close() {
  if (std::exchange(closed_, true))
    return;
  playing_ = false;
  ended_ = eos_ = true;
  watch_.cancel();
  if (stream_)
    stream_->set_source(nullptr);
  // The stream of a server of our own goes with it: the next time, another one
  // is waited for.
  const auto server = std::exchange(server_, nullptr);
  if (server && stream_) {
    if (stream_->concluded()) // to the phone, an end like any other
      stream_->close(1000, "the call is over");
    else
      stream_->close(1001, "the pipeline stopped");
    graph::set_media_stream(top_of(element_).get(), nullptr);
  }
}

bool InboundSession::find_stream() {
  stream_ = graph::find_media_stream(element_);
  return stream_ != nullptr;
}

Result<> InboundSession::listen(const server::SingleCallServer::Options &how) {
  auto server = server::SingleCallServer::start(
      worker_, how, [this](std::shared_ptr<twilio::MediaStream> stream) {
        adopt(std::move(stream));
      });
  if (!server)
    return std::move(server).error();
  server_ = *std::move(server);
  GST_INFO_OBJECT(element_, "listening on port %d", server_->port());
  return ok();
}

void InboundSession::adopt(std::shared_ptr<twilio::MediaStream> stream) {
  if (stream_) { // One call a run: this one came behind its end.
    stream->close(1001, "the call is over");
    return;
  }
  const auto held = hold();
  stream_ = std::move(stream);
  // Those who ask later learn of it by the first; a sink that is waiting, by
  // the second.
  graph::share_media_stream(element_, stream_);
  if (closed_) // by who was told
    return;
  graph::set_media_stream(top_of(element_).get(), stream_);
  if (playing_)
    stream_->set_source(this);
}

void InboundSession::play() {
  const auto held = hold();
  playing_ = true;
  if (stream_)
    stream_->set_source(this);
}

void InboundSession::pause() {
  playing_ = false;
  ++run_;
  if (stream_)
    stream_->set_source(nullptr);
  watch_.cancel();
  // The pipeline's time stands still, the stream's does not.
  pending_.clear();
  timeline_.skip();
  placed_ = false;
}

bool InboundSession::end() {
  const auto held = hold();
  if (eos_)
    return false;
  if (!pending_.empty())
    push_chunk(std::exchange(pending_, {}));
  push_eos();
  return true;
}

void InboundSession::on_start(const twilio::StreamStart &start) {
  if (std::exchange(started_, true)) // from PAUSED back to PLAYING
    return;
  const auto held = hold();
  messages::post(element_,
                 messages::CallStarted{start.call_sid, start.stream_sid,
                                       start.account_sid, start.parameters});
  if (!closed_)
    begin();
}

void InboundSession::on_media(std::int64_t timestamp_ms, ByteSpan mulaw) {
  const auto held = hold();
  const auto step = timeline_.push(timestamp_ms, mulaw);
  log_new_anomalies();
  if (eos_ || step.audio.empty())
    return;
  received_ = worker_.now();
  reads_first_ = false;
  const auto run = run_;
  begin();
  if (!goes_on(run))
    return;
  if (!placed_)
    place(step.audio);
  if (step.back != 0)
    go_back(step.back);
  add_silence(step.silence, run);
  if (goes_on(run))
    add_heard(step.audio);
  if (goes_on(run))
    watch();
}

void InboundSession::on_dtmf(std::string_view digit) {
  const auto held = hold();
  const std::string key(digit);
  messages::post(element_, messages::DtmfReceived{key});
  if (eos_)
    return;
  begin();
  // In its place: what was said before goes before.
  if (!pending_.empty())
    push_chunk(std::exchange(pending_, {}));
  gst_pad_push_event(pad_, events::make(events::Dtmf{key}));
}

void InboundSession::on_end(twilio::StreamEnd end, std::string_view detail) {
  if (std::exchange(ended_, true))
    return;
  const auto held = hold();
  GST_INFO_OBJECT(element_, "stream over: %s", twilio::to_string(end));
  if (!eos_ && !pending_.empty())
    push_chunk(std::exchange(pending_, {}));
  if (closed_)
    return;
  post_anomalies();
  messages::post(element_, messages::StreamEnded{twilio::to_string(end),
                                                 std::string(detail)});
  push_eos();
}

// What has to come before anything else on the pad.
void InboundSession::begin() {
  if (std::exchange(begun_, true))
    return;
  const GCharPtr id(
      gst_pad_create_stream_id(pad_, element_, "patchcord-caller"));
  GstEvent *start = gst_event_new_stream_start(id.get());
  gst_event_set_group_id(start, gst_util_group_id_next());
  gst_pad_push_event(pad_, start);
  const auto caps = choose_caps(pad_);
  decode_ = gst_structure_has_name(gst_caps_get_structure(caps.get(), 0),
                                   "audio/x-raw") != 0;
  gst_pad_push_event(pad_, gst_event_new_caps(caps.get()));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_push_event(pad_, gst_event_new_segment(&segment));
}

// Live audio is stamped with the time at which it was captured: the first
// sample of a message as long ago as the message is long. Never back in time.
void InboundSession::place(ByteSpan next) {
  placed_ = discont_ = true;
  const GstClockTime now = graph::running_time(element_);
  const GstClockTime before = gst_util_uint64_scale(
      position_ + pending_.size() + next.size(), GST_SECOND, kRate);
  if (GST_CLOCK_TIME_IS_VALID(now) && now > base_ + before)
    base_ = now - before;
}

GstClockTime InboundSession::time_of(std::uint64_t position) const {
  return base_ + gst_util_uint64_scale(position, GST_SECOND, kRate);
}

void InboundSession::add_silence(std::size_t samples, std::uint64_t run) {
  const Bytes silence(std::min(samples, chunk_), kSilence);
  while (samples != 0 && goes_on(run)) {
    const std::size_t piece = std::min(samples, silence.size());
    add_audio(ByteSpan(silence).first(piece));
    samples -= piece;
  }
}

void InboundSession::add_heard(ByteSpan mulaw) {
  follow_cadence(mulaw);
  add_audio(mulaw);
}

void InboundSession::follow_cadence(ByteSpan mulaw) {
  cadence_.push_mulaw(mulaw);
  if (steady_)
    return;
  const bool heard = stream_->peer_hears();
  const bool small = cadence_.attentive(heard) || cadence_.began();
  const std::size_t enough = small ? std::min(kFrame, chunk_) : chunk_;
  if (std::exchange(enough_, enough) != enough)
    GST_LOG_OBJECT(element_, "buffers of %zu samples from %" G_GUINT64_FORMAT,
                   enough, timeline_.position());
  stream_->set_read_period(cadence_.period(heard));
}

void InboundSession::add_audio(ByteSpan mulaw) {
  // A push may come back to us, by way of the stream's end.
  Bytes audio = std::exchange(pending_, {});
  // Once, and no more than a buffer.
  if (audio.size() + mulaw.size() > audio.capacity())
    audio.reserve(std::max(chunk_, kFrame) + mulaw.size());
  audio.insert(audio.end(), mulaw.begin(), mulaw.end());
  ByteSpan left(audio);
  const auto run = run_;
  while (goes_on(run) && left.size() >= enough_) {
    const std::size_t size = std::min(left.size(), chunk_);
    push_chunk(left.first(size));
    left = left.subspan(size);
  }
  if (!goes_on(run))
    return;
  audio.erase(audio.begin(),
              audio.end() - static_cast<std::ptrdiff_t>(left.size()));
  pending_ = std::move(audio);
}

// False when downstream wants no more.
bool InboundSession::push_chunk(ByteSpan audio) {
  auto buffer = decode_ ? decoded(audio) : buffer_of(audio);
  if (std::exchange(discont_, false))
    GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
  GST_BUFFER_PTS(buffer.get()) = time_of(position_);
  position_ += audio.size();
  GST_BUFFER_DURATION(buffer.get()) =
      time_of(position_) - GST_BUFFER_PTS(buffer.get());
  const GstFlowReturn flow = gst_pad_push(pad_, buffer.release());
  if (flow == GST_FLOW_OK || flow == GST_FLOW_FLUSHING)
    return true; // Flushed away: what follows may be wanted again.
  if (flow == GST_FLOW_EOS) {
    eos_ = true;
    return false;
  }
  GST_ELEMENT_FLOW_ERROR(element_, flow);
  push_eos();
  return false;
}

// --- while nothing comes -----------------------------------------------------

// Armed once for many messages: when it fires it looks for when the last came.
void InboundSession::watch() {
  if (eos_ || !playing_ || watch_.armed() || !cadence_.awaited())
    return;
  const TimePoint due = beat_after(received_ + kPatience);
  if (watch_.has_task())
    return worker_.rearm(watch_, due);
  watch_ = worker_.at(due, [weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->nothing_came();
  });
}

void InboundSession::nothing_came() {
  const auto held = hold();
  const Duration since = worker_.now() - received_;
  if (since < kPatience)
    return watch();
  // What has come may wait for a beat on which it is read.
  if (!std::exchange(reads_first_, true)) {
    stream_->set_read_period(0s);
    return worker_.rearm(watch_, worker_.now() + kBeat);
  }
  const auto run = run_;
  make_up_silence(std::min(since, kMostSilence));
  log_new_anomalies();
  if (goes_on(run) && since < kMostSilence)
    worker_.rearm(watch_, worker_.now() + kPiece);
}

void InboundSession::make_up_silence(Duration since) {
  const auto packets = static_cast<std::size_t>(since / 20ms);
  const Bytes silence(kFrame, kSilence);
  const auto run = run_;
  while (goes_on(run) && timeline_.made_up() < packets * kFrame) {
    timeline_.make_up(kFrame);
    add_heard(silence);
  }
}

// The silence that was made up stays, the time at which it was does not.
void InboundSession::go_back(std::uint32_t samples) {
  GST_DEBUG_OBJECT(element_, "messages were %u ms late", samples / 8);
  if (!pending_.empty())
    push_chunk(std::exchange(pending_, {}));
  position_ -= samples;
  discont_ = true;
}

// --- the end -----------------------------------------------------------------

void InboundSession::push_eos() {
  if (std::exchange(eos_, true))
    return;
  watch_.cancel();
  begin();
  if (stream_)
    stream_->set_read_period(0s);
  gst_pad_push_event(pad_, gst_event_new_eos());
}

// The stream logs what it counts itself, as it comes.
void InboundSession::log_new_anomalies() {
  for (std::size_t i = 0; i < kTimelineKinds.size(); ++i) {
    const auto &[kind, count] = kTimelineKinds[i];
    if (timeline_.counts().*count == 0 || logged_[i])
      continue;
    logged_[i] = true;
    const twilio::StreamStart *start = stream_->started();
    log::warning(std::string("media stream: ") + kind + " (first of its kind)",
                 start != nullptr
                     ? log::Context{start->call_sid, start->stream_sid}
                     : log::Context{});
  }
}

void InboundSession::post_anomalies() {
  messages::StreamAnomalies anomalies{stream_->anomalies()};
  for (const auto &[kind, count] : kTimelineKinds)
    if (timeline_.counts().*count != 0)
      anomalies.counts[kind] = timeline_.counts().*count;
  if (!anomalies.counts.empty())
    messages::post(element_, anomalies);
}

} // namespace patchcord
