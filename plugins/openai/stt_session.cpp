// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stt_session.hpp"

#include "audio/mulaw.hpp"
#include "graph/events.hpp"
#include "graph/messages.hpp"

#include <array>
#include <cstring>

GST_DEBUG_CATEGORY_EXTERN(realtimestt_debug);
#define GST_CAT_DEFAULT realtimestt_debug

namespace patchcord {
namespace {

using audio::VoiceActivity;
using openai::RealtimeTranscription;
using Format = RealtimeTranscription::Format;

constexpr char kProvider[] = "openai-realtime";
// Timestamps may wander by this before it is a gap; longer gaps than kLongest
// are shortened: silence says no more after some seconds.
constexpr GstClockTime kTolerance = 60 * GST_MSECOND;
constexpr Duration kLongestGap = 5s;
// An event of the server's is some kilobytes at most.
constexpr std::size_t kMaxMessage = std::size_t{256} << 10;

int rate_of(Format format) { return format == Format::kPcm24k ? 24000 : 8000; }

VoiceActivity::Settings
activity_settings(Format format, const RealtimeTranscription::Settings &s) {
  VoiceActivity::Settings activity;
  activity.rate = rate_of(format);
  activity.hangover = std::chrono::milliseconds(s.vad_silence_ms);
  // The server's threshold is a probability; 0.5 is the middle of both scales.
  activity.threshold_db *= 2 * s.vad_threshold;
  return activity;
}

void listen(VoiceActivity &activity, Format format, ByteSpan bytes,
            std::vector<VoiceActivity::Event> &events) {
  if (format == Format::kMulaw8k) {
    activity.push_mulaw(bytes, events);
    return;
  }
  std::array<std::int16_t, 480> samples;
  while (bytes.size() >= 2) {
    const std::size_t count = std::min(bytes.size() / 2, samples.size());
    std::memcpy(samples.data(), bytes.data(), 2 * count);
    activity.push({samples.data(), count}, events);
    bytes = bytes.subspan(2 * count);
  }
}

// What the user can do about it, in his words.
std::string advice(const std::string &code, const std::string &message) {
  if (code == "invalid_api_key")
    return "OpenAI refused the API key: check OPENAI_API_KEY (openai.api_key "
           "in the configuration, api-key of realtimestt)";
  if (code == "missing_api_key")
    return "No API key for OpenAI: set OPENAI_API_KEY (openai.api_key in the "
           "configuration, api-key of realtimestt)";
  if (code == "insufficient_quota")
    return "The OpenAI account has no credit left: see its billing page";
  if (code == "connection_lost")
    return "Cannot keep a connection for speech recognition: " + message;
  return "Speech recognition was refused: " + message;
}

} // namespace

SttSession::SttSession(GstElement *element, GstPad *src,
                       const std::shared_ptr<Worker> &worker, Settings settings)
    : element_(element), src_(src), worker_(worker),
      settings_(std::move(settings)), realtime_(settings_.realtime) {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
}

void SttSession::start() {
  timer_ = worker_->after(0s, [this] {
    realtime_.on_time(worker_->now());
    pump();
  });
  timer_.cancel();
  const auto &s = settings_.realtime;
  if (settings_.api_key.empty() &&
      openai::is_openai_url(s.realtime_url.empty() ? s.base_url
                                                   : s.realtime_url)) {
    Action action{Action::Kind::kFailed};
    action.code = "missing_api_key";
    failed(action);
    return;
  }
  realtime_.start(worker_->now());
  pump();
}

void SttSession::close() {
  closed_ = true;
  timer_.cancel();
  eos_.reset();
  disconnect();
}

// --- upstream ----------------------------------------------------------------

bool SttSession::caps(const GstCaps *caps) {
  const GstStructure *structure = gst_caps_get_structure(caps, 0);
  const Format format = gst_structure_has_name(structure, "audio/x-mulaw")
                            ? Format::kMulaw8k
                            : Format::kPcm24k;
  if (format_ == format)
    return true;
  format_ = format;
  realtime_.set_format(format, worker_->now());
  activity_ = VoiceActivity(activity_settings(format, settings_.realtime));
  activity_start_ = realtime_.position();
  pump();
  return true;
}

void SttSession::segment(const GstSegment &segment) {
  segment_ = segment;
  has_segment_ = true;
}

GstFlowReturn SttSession::audio(GstBuffer *buffer) {
  if (!format_)
    return GST_FLOW_NOT_NEGOTIATED;
  tell_failure();
  const MappedBuffer mapped(buffer);
  if (GST_BUFFER_PTS_IS_VALID(buffer))
    set_time(GST_BUFFER_PTS(buffer));
  feed(mapped.bytes());
  pump();
  return flow_;
}

void SttSession::gap(GstClockTime pts, GstClockTime duration) {
  if (!format_ || !GST_CLOCK_TIME_IS_VALID(duration))
    return;
  if (GST_CLOCK_TIME_IS_VALID(pts))
    set_time(pts);
  // What is too long to be heard out shows in the next buffer's time.
  feed_silence(std::min(Duration(duration), kLongestGap));
  pump();
}

// The next byte has this time: where it jumps forward there was silence.
void SttSession::set_time(GstClockTime pts) {
  const bool known = GST_CLOCK_TIME_IS_VALID(next_pts_);
  if (known && pts + kTolerance >= next_pts_ && pts <= next_pts_ + kTolerance)
    return;
  if (known && pts > next_pts_)
    feed_silence(std::min(Duration(pts - next_pts_), kLongestGap));
  timeline_.anchor(realtime_.position(), pts);
  next_pts_ = pts;
}

void SttSession::feed_silence(Duration duration) {
  static constexpr std::size_t kBlock = 960; // 20 ms of PCM, 120 of mu-law
  Bytes silence(kBlock, *format_ == Format::kMulaw8k ? audio::kMulawSilence
                                                     : std::uint8_t{0});
  const std::int64_t bytes_per_ms = *format_ == Format::kMulaw8k ? 8 : 48;
  for (std::int64_t left = duration.count() / 1'000'000 * bytes_per_ms;
       left > 0; left -= static_cast<std::int64_t>(kBlock)) {
    if (left < static_cast<std::int64_t>(kBlock))
      silence.resize(static_cast<std::size_t>(left));
    feed(silence);
  }
}

void SttSession::feed(ByteSpan bytes) {
  const std::uint64_t samples =
      *format_ == Format::kMulaw8k ? bytes.size() : bytes.size() / 2;
  if (GST_CLOCK_TIME_IS_VALID(next_pts_))
    next_pts_ +=
        gst_util_uint64_scale_int(samples, GST_SECOND, rate_of(*format_));
  realtime_.push_audio(bytes, worker_->now());
  if (!realtime_.needs_local_vad())
    return;
  listen(activity_, *format_, bytes, activity_events_);
  heard();
}

void SttSession::heard() {
  for (const auto &event : activity_events_) {
    const Duration position = activity_start_ + event.time;
    if (event.kind == VoiceActivity::Event::Kind::kStarted)
      realtime_.speech_started(position, worker_->now());
    else
      realtime_.speech_stopped(position, worker_->now());
  }
  activity_events_.clear();
}

// Whether there is speech in what the server has not made an item of.
bool SttSession::speech_left() const {
  if (!format_)
    return false;
  VoiceActivity activity(activity_settings(*format_, settings_.realtime));
  std::vector<VoiceActivity::Event> events;
  listen(activity, *format_, realtime_.uncommitted(), events);
  return !events.empty();
}

void SttSession::eos(Ref<GstEvent> event) {
  tell_failure();
  eos_ = std::move(event);
  if (realtime_.needs_local_vad()) {
    activity_.finish(activity_events_);
    heard();
    realtime_.finish(false, worker_->now());
  } else {
    realtime_.finish(speech_left(), worker_->now());
  }
  pump();
}

void SttSession::flush_start() {
  eos_.reset();
  realtime_.flush(worker_->now());
  pump();
}

void SttSession::flush_stop() {
  flow_ = GST_FLOW_OK;
  has_segment_ = false;
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  timeline_.clear();
  next_pts_ = GST_CLOCK_TIME_NONE;
  activity_.reset();
  activity_start_ = realtime_.position();
}

// --- the provider ------------------------------------------------------------

// Sends and performs what there is. What is performed may push downstream,
// which may bring in more, or end this session.
void SttSession::pump() {
  if (pumping_)
    return; // the loop below us goes on with it
  const auto keep = shared_from_this();
  pumping_ = true;
  while (!closed_) {
    if (const auto message = realtime_.next_message(worker_->now())) {
      if (socket_)
        socket_->send_text(*message);
      continue;
    }
    Action action{};
    if (!realtime_.next_action(action))
      break;
    perform(action);
  }
  pumping_ = false;
  if (closed_)
    return;
  const auto deadline = realtime_.deadline();
  if (!deadline)
    timer_.cancel();
  else
    worker_->rearm(timer_, *deadline);
}

void SttSession::perform(const Action &action) {
  switch (action.kind) {
  case Action::Kind::kConnect:
    connect(action.text);
    break;
  case Action::Kind::kDisconnect:
    disconnect();
    break;
  case Action::Kind::kSpeechStarted:
    push_event(events::make(events::SpeechStarted{running_time(action.start)}));
    break;
  case Action::Kind::kSpeechStopped:
    push_event(events::make(events::SpeechStopped{running_time(action.end)}));
    break;
  case Action::Kind::kPartial:
    push_event(events::make(events::PartialTranscript{action.text}));
    messages::post(element_, messages::Transcript{action.text, false});
    break;
  case Action::Kind::kResult:
    messages::post(element_, messages::Transcript{action.text, true,
                                                  running_time(action.start),
                                                  running_time(action.end)});
    push_result(action);
    break;
  case Action::Kind::kNoWords:
    push_result(action); // an empty buffer
    break;
  case Action::Kind::kFailed:
    failed(action);
    break;
  case Action::Kind::kNotice:
    GST_INFO_OBJECT(element_, "%s", action.text.c_str());
    break;
  case Action::Kind::kFinished:
    if (eos_)
      push_event(eos_.release());
    break;
  }
}

void SttSession::connect(const std::string &url) {
  GST_INFO_OBJECT(element_, "connecting to %s", url.c_str());
  net::WebSocket::ConnectOptions options;
  options.url = url;
  if (!settings_.api_key.empty()) {
    if (openai::is_azure_url(url))
      options.headers.emplace_back("api-key", settings_.api_key);
    else
      options.headers.emplace_back("Authorization",
                                   "Bearer " + settings_.api_key);
  }
  net::WebSocket::Handlers handlers;
  handlers.open = [this] {
    realtime_.on_open(worker_->now());
    pump();
  };
  handlers.text = [this](std::string_view text) { received(text); };
  handlers.closed = [this](const net::WebSocket::Closed &closed) {
    realtime_.on_closed(closed.code, closed.reason, closed.http_status,
                        worker_->now());
    pump();
  };
  net::WebSocket::Limits limits;
  limits.message_bytes = kMaxMessage;
  limits.ping_interval = 15s;
  socket_ =
      net::WebSocket::connect(*worker_, options, std::move(handlers), limits);
}

void SttSession::received(std::string_view event) {
  GST_LOG_OBJECT(element_, "event of %zu bytes", event.size());
  realtime_.on_message(event, worker_->now());
  pump();
}

void SttSession::disconnect() {
  if (const auto socket = std::move(socket_))
    socket->leave(1000, "");
}

// --- downstream --------------------------------------------------------------

GstClockTime SttSession::running_time(Duration position) const {
  const GstClockTime pts = timeline_.pts_of(position);
  return GST_CLOCK_TIME_IS_VALID(pts)
             ? gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, pts)
             : GST_CLOCK_TIME_NONE;
}

void SttSession::push_event(GstEvent *event) {
  gst_pad_push_event(src_, event);
}

void SttSession::push_result(const Action &action) {
  auto buffer = buffer_of(as_bytes(action.text));
  GST_BUFFER_PTS(buffer.get()) = timeline_.pts_of(action.start);
  GST_BUFFER_DURATION(buffer.get()) =
      static_cast<GstClockTime>((action.end - action.start).count());
  flow_ = gst_pad_push(src_, buffer.release());
}

void SttSession::failed(const Action &action) {
  failure_ = action;
  failure_->text = advice(action.code, action.text);
  GST_ELEMENT_WARNING_WITH_DETAILS(
      element_, RESOURCE, FAILED, ("%s", failure_->text.c_str()),
      ("%s: %s", action.code.c_str(), action.text.c_str()),
      ("provider", G_TYPE_STRING, kProvider, "code", G_TYPE_STRING,
       action.code.c_str(), "retryable", G_TYPE_BOOLEAN,
       static_cast<gboolean>(action.retryable), nullptr));
  tell_failure();
}

// The stream may not have begun when the provider fails: no event before the
// segment.
void SttSession::tell_failure() {
  if (!failure_ || !has_segment_)
    return;
  const Action action = *std::exchange(failure_, std::nullopt);
  push_event(events::make(events::ProviderFailed{
      kProvider, action.code, action.text, action.retryable}));
}

} // namespace patchcord
