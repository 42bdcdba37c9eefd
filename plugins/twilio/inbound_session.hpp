// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audio/cadence.hpp"
#include "graph/handles.hpp"
#include "server/single_call_server.hpp"
#include "twilio/inbound_timeline.hpp"
#include "twilio/media_stream.hpp"
#include "worker/worker.hpp"

#include <array>
#include <memory>
#include <utility>

namespace patchcord {

// What twiliosrc does between READY and PAUSED and back: takes the media stream
// from the pipeline, or from a server of its own, and pushes what comes. All on
// the worker.
//
// Where somebody waits for what the caller says next, or for the silence behind
// it, and no message comes for kPatience, he hears silence by the clock from
// then on, until one comes or for as long as a stream may be silent
// (InboundTimeline::kMaxGap). Messages that come then, and are of that time,
// were only late. They follow on the silence, for no word may be lost, with the
// stamps of the time at which they were spoken: so stamps go back, once and
// with DISCONT, and never lie ahead of the clock.
//
// What it posts or pushes may stop the element: each method that does holds
// both, and close() ends what comes behind it.
class InboundSession final
    : public std::enable_shared_from_this<InboundSession>,
      public twilio::MediaSourceListener {
public:
  // Buffers of `chunk` samples, all of them (`steady`) or where nobody waits
  // for less (audio::Cadence).
  InboundSession(GstElement *element, GstPad *pad, Worker &worker,
                 std::size_t chunk, bool steady);
  ~InboundSession() override { close(); }
  InboundSession(const InboundSession &) = delete;
  InboundSession &operator=(const InboundSession &) = delete;

  // The pipeline's stream, if it has one.
  bool find_stream();
  // Without one: listens, and gives the stream that comes to the pipeline.
  Result<> listen(const server::SingleCallServer::Options &options);
  int port() const { return server_ ? server_->port() : 0; }
  // Data flows in PLAYING only.
  void play();
  void pause();
  // EOS from the application; false when the stream is over already.
  bool end();
  // Nothing comes of this session any more, even if it is kept a while.
  void close();

  void on_start(const twilio::StreamStart &start) override;
  void on_media(std::int64_t timestamp_ms, ByteSpan mulaw) override;
  void on_dtmf(std::string_view digit) override;
  void on_end(twilio::StreamEnd end, std::string_view detail) override;

private:
  using Counts = twilio::InboundTimeline::Counts;
  static constexpr std::array kTimelineKinds = {
      std::pair{"timestamp_gap", &Counts::gaps},
      std::pair{"timestamp_gap_shortened", &Counts::shortened},
      std::pair{"timestamp_repeated", &Counts::dropped},
      std::pair{"timestamp_restarted", &Counts::resyncs},
      std::pair{"frames_ceased", &Counts::made_up},
      std::pair{"frames_late", &Counts::late}};

  auto hold() {
    return std::pair(Ref<GstElement>::share(element_), shared_from_this());
  }
  // Whoever gets a buffer may end the stream within the push, or pause it, and
  // play it again: what is left is of a time gone by.
  bool goes_on(std::uint64_t run) const {
    return run == run_ && playing_ && !eos_;
  }
  void adopt(std::shared_ptr<twilio::MediaStream> stream);
  void begin();
  void place(ByteSpan next);
  void add_silence(std::size_t samples, std::uint64_t run);
  void add_heard(ByteSpan mulaw);
  void follow_cadence(ByteSpan mulaw);
  void add_audio(ByteSpan mulaw);
  void watch();
  void nothing_came();
  void make_up_silence(Duration since);
  void go_back(std::uint32_t samples);
  bool push_chunk(ByteSpan audio);
  void push_eos();
  GstClockTime time_of(std::uint64_t position) const;
  void log_new_anomalies();
  void post_anomalies();

  GstElement *const element_;
  GstPad *const pad_;
  Worker &worker_;
  const std::size_t chunk_; // samples a buffer, at most
  const bool steady_;
  std::shared_ptr<twilio::MediaStream> stream_;
  std::unique_ptr<server::SingleCallServer> server_;
  twilio::InboundTimeline timeline_;
  std::array<bool, kTimelineKinds.size()> logged_{};
  audio::Cadence cadence_;
  std::size_t enough_ = 0;     // samples for a buffer, now
  Bytes pending_;              // less than that
  std::uint64_t position_ = 0; // of the next buffer's first sample
  TimePoint received_{};       // when the last message came
  Timer watch_;                // for the next, while somebody waits for it
  bool reads_first_ = false;   // all that had come when it fired was read
  GstClockTime base_ = 0;      // running time of position 0
  std::uint64_t run_ = 0;      // of PLAYING without a pause
  bool playing_ = false;
  bool placed_ = false;  // base_ holds
  bool discont_ = false; // the next buffer does not follow on the last
  bool decode_ = false;  // samples are asked for, not mu-law
  bool begun_ = false;   // stream-start, caps and segment are out
  bool started_ = false; // CallStarted was posted
  bool ended_ = false;   // StreamEnded was posted
  bool eos_ = false;     // EOS is out, or nobody downstream wants more
  bool closed_ = false;
};

} // namespace patchcord
