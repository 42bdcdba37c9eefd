// SPDX-License-Identifier: LGPL-2.1-or-later
#include "call/tapped_stream.hpp"

#include <utility>

namespace patchcord::call {

using recording::Event;
using recording::Kind;

TappedStream::TappedStream(std::shared_ptr<twilio::MediaStream> within, See see)
    : within_(std::move(within)), see_(std::move(see)) {}

TappedStream::~TappedStream() {
  if (source_ != nullptr)
    within_->set_source(nullptr);
  if (sink_ != nullptr)
    within_->set_sink(nullptr);
}

void TappedStream::set_source(twilio::MediaSourceListener *listener) {
  source_ = listener;
  within_->set_source(listener != nullptr ? &source_ear_ : nullptr);
}

void TappedStream::set_sink(twilio::MediaSinkListener *listener) {
  sink_ = listener;
  within_->set_sink(listener != nullptr ? &sink_ear_ : nullptr);
}

// --- to the peer -------------------------------------------------------------

void TappedStream::send_media(ByteSpan mulaw) {
  Event event;
  event.kind = Kind::kSent;
  event.count = static_cast<std::int64_t>(mulaw.size());
  see_(std::move(event), mulaw);
  within_->send_media(mulaw);
}

void TappedStream::send_mark(std::string_view name) {
  Event event;
  event.kind = Kind::kMark;
  event.text = name;
  see_(std::move(event), {});
  within_->send_mark(name);
}

void TappedStream::send_clear() {
  Event event;
  event.kind = Kind::kClear;
  see_(std::move(event), {});
  within_->send_clear();
}

// --- from the peer -----------------------------------------------------------

void TappedStream::started_once(const twilio::StreamStart &start) {
  if (std::exchange(start_seen_, true))
    return;
  Event event;
  event.kind = Kind::kStreamStart;
  event.text = start.stream_sid;
  see_(std::move(event), {});
}

void TappedStream::ended_once(twilio::StreamEnd end, std::string_view detail) {
  if (std::exchange(end_seen_, true))
    return;
  Event event;
  event.kind = Kind::kStreamEnd;
  event.text = to_string(end);
  event.detail = detail;
  see_(std::move(event), {});
}

void TappedStream::SourceEar::on_start(const twilio::StreamStart &start) {
  tapped.started_once(start);
  tapped.source_->on_start(start);
}

void TappedStream::SourceEar::on_media(std::int64_t timestamp_ms,
                                       ByteSpan mulaw) {
  Event event;
  event.kind = Kind::kMedia;
  event.number = timestamp_ms;
  event.count = static_cast<std::int64_t>(mulaw.size());
  tapped.see_(std::move(event), mulaw);
  tapped.source_->on_media(timestamp_ms, mulaw);
}

void TappedStream::SourceEar::on_dtmf(std::string_view digit) {
  Event event;
  event.kind = Kind::kDigit;
  event.text = digit;
  tapped.see_(std::move(event), {});
  tapped.source_->on_dtmf(digit);
}

void TappedStream::SourceEar::on_end(twilio::StreamEnd end,
                                     std::string_view detail) {
  tapped.ended_once(end, detail);
  tapped.source_->on_end(end, detail);
}

void TappedStream::SinkEar::on_start(const twilio::StreamStart &start) {
  tapped.started_once(start);
  tapped.sink_->on_start(start);
}

void TappedStream::SinkEar::on_mark(std::string_view name) {
  Event event;
  event.kind = Kind::kMarkBack;
  event.text = name;
  tapped.see_(std::move(event), {});
  tapped.sink_->on_mark(name);
}

void TappedStream::SinkEar::on_end(twilio::StreamEnd end,
                                   std::string_view detail) {
  tapped.ended_once(end, detail);
  tapped.sink_->on_end(end, detail);
}

} // namespace patchcord::call
