// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "recording/event.hpp"
#include "twilio/media_stream.hpp"

#include <functional>
#include <memory>
#include <string>

namespace patchcord::call {

// A media stream that lets somebody see what passes: for recordings. In
// everything else it is the stream within.
class TappedStream final : public twilio::MediaStream {
public:
  // The audio of kMedia and kSent; else empty.
  using See = std::function<void(recording::Event, ByteSpan audio)>;
  TappedStream(std::shared_ptr<twilio::MediaStream> within, See see);
  ~TappedStream() override;
  TappedStream(const TappedStream &) = delete;
  TappedStream &operator=(const TappedStream &) = delete;

  void set_source(twilio::MediaSourceListener *listener) override;
  void set_sink(twilio::MediaSinkListener *listener) override;
  const twilio::StreamStart *started() const override {
    return within_->started();
  }
  bool ended() const override { return within_->ended(); }
  const std::map<std::string, std::uint64_t> &anomalies() const override {
    return within_->anomalies();
  }
  void set_read_period(Duration period) override {
    within_->set_read_period(period);
  }
  bool peer_hears() const override { return within_->peer_hears(); }
  void expect_mark(std::optional<TimePoint> due) override {
    within_->expect_mark(due);
  }
  void conclude() override { within_->conclude(); }
  bool concluded() const override { return within_->concluded(); }
  void gather(bool on) override { within_->gather(on); }
  void send_media(ByteSpan mulaw) override;
  void send_mark(std::string_view name) override;
  void send_clear() override;
  void close(std::uint16_t code, std::string_view reason) override {
    within_->close(code, reason);
  }

private:
  // The stream tells both sides of its start and its end.
  struct SourceEar final : twilio::MediaSourceListener {
    explicit SourceEar(TappedStream &of) : tapped(of) {}
    void on_start(const twilio::StreamStart &start) override;
    void on_media(std::int64_t timestamp_ms, ByteSpan mulaw) override;
    void on_dtmf(std::string_view digit) override;
    void on_end(twilio::StreamEnd end, std::string_view detail) override;
    TappedStream &tapped;
  };
  struct SinkEar final : twilio::MediaSinkListener {
    explicit SinkEar(TappedStream &of) : tapped(of) {}
    void on_start(const twilio::StreamStart &start) override;
    void on_mark(std::string_view name) override;
    void on_end(twilio::StreamEnd end, std::string_view detail) override;
    TappedStream &tapped;
  };
  void started_once(const twilio::StreamStart &start);
  void ended_once(twilio::StreamEnd end, std::string_view detail);

  const std::shared_ptr<twilio::MediaStream> within_;
  const See see_;
  SourceEar source_ear_{*this};
  SinkEar sink_ear_{*this};
  twilio::MediaSourceListener *source_ = nullptr;
  twilio::MediaSinkListener *sink_ = nullptr;
  bool start_seen_ = false, end_seen_ = false;
};

} // namespace patchcord::call
