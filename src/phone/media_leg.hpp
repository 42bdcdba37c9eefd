// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "net/websocket.hpp"
#include "phone/call_report.hpp"
#include "phone/caller.hpp"
#include "phone/line_noise.hpp"
#include "phone/playout_buffer.hpp"
#include "phone/speech_detector.hpp"
#include "twilio/peer_messages.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>

namespace patchcord::phone {

// What a test may ask the phone to do wrong. Times count from the start of the
// media stream.
struct Faults {
  bool bad_signature = false;        // of the webhook
  bool bad_stream_signature = false; // of the WebSocket's handshake
  bool reuse_token = false;          // a second WebSocket to the same URL
  bool mute_marks = false;           // never echo a mark
  bool slow_reader = false;          // stop reading the socket
  bool no_stop = false;              // hang up without `stop`
  Duration jitter{};                 // each frame is late by 0 to this
  Duration gap{}, gap_at{};          // no media for `gap`; the timestamps go on
  std::optional<Duration> drop_at;   // reset the connection, nothing said
  std::optional<Duration> bad_json_at; // half a message
};

// Those that wait for a moment, were asked for, and are not among those that
// `came` (as events name them), in words: a test that saw no fault would take
// the server for better than it is.
std::string missed_faults(const Faults &faults,
                          const std::set<std::string> &came);

// Twilio's end of one bidirectional media stream: speaks the caller's lines,
// plays what it is sent in real time, echoes marks, obeys clears, and measures.
// Fills the stream's part of a CallReport.
class MediaLeg {
public:
  enum class End {
    kRefused,     // never open
    kAgentClosed, // the server sent a close frame
    kLost,        // the connection broke
    kHungUp,      // by the caller: a line, or hang_up()
    kDropped,     // by a fault that was asked for
  };
  struct Setup {
    std::string url, signature; // no signature: no header
    twilio::StreamStart start;
    std::shared_ptr<const Plan> plan;
    std::size_t first_line = 0; // those before were said in another stream
    Faults faults;
    bool record = false; // keep both sides' audio
    std::uint32_t seed = 1;
  };
  struct Handlers {
    std::function<void(PhoneEvent)> event; // `at` is filled in by the receiver
    std::function<void()> started;
    // Once, last. Don't destroy the leg from within.
    std::function<void(End, const std::string &detail)> ended;
  };

  MediaLeg(Worker &worker, Setup setup, CallReport &report, Handlers handlers);
  MediaLeg(const MediaLeg &) = delete;
  MediaLeg &operator=(const MediaLeg &) = delete;

  // `stop`, then a close frame; `ended` follows.
  void hang_up();

private:
  using Event = PhoneEvent;

  void connect();
  void opened();
  void received(std::string_view text);
  void closed(const net::WebSocket::Closed &closed);
  void end(End end, const std::string &detail);

  void tick();
  TimePoint deadline();
  void send_frame();
  bool run_faults(Samples at);
  void send_media(Samples at);
  void note_lines(const Caller::Step &step, Samples at);
  void try_token_again();
  void align_recording();

  // Plays what is due and tells everyone who listens.
  void play();
  void listen(ByteSpan heard);
  void agent_event(const SpeechDetector::Event &event, bool cut);
  void echo(const std::vector<PlayoutBuffer::Echo> &echoes);
  void on_media(ByteSpan mulaw);
  void on_clear();

  Samples now() const { return to_samples(worker_.now() - start_); }
  void emit(std::string_view kind, Samples at,
            std::vector<std::pair<std::string_view, Event::Value>> fields = {});
  void warn(const std::string &code, const std::string &text);

  Worker &worker_;
  const Setup setup_;
  CallReport &report_;
  const Handlers handlers_;

  std::unique_ptr<net::WebSocket> socket_, second_socket_;
  twilio::peer::Parser parser_;
  PlayoutBuffer playout_;
  SpeechDetector detector_;
  Caller caller_;
  TurnMeter meter_;
  LineNoise noise_;
  std::minstd_rand random_;

  Timer timer_;
  TimePoint start_{}; // line time 0
  TimePoint deadline_{};
  Samples frame_ = 0; // the next one's number
  std::int64_t sequence_ = 0, chunk_ = 0, first_timestamp_ms_ = 0;
  Samples agent_since_ = 0;
  bool open_ = false, hanging_up_ = false, over_ = false;
  bool bad_json_sent_ = false, gap_begun_ = false;

  // Kept to save their memory.
  std::string message_;
  Bytes frame_audio_, heard_;
  std::vector<PlayoutBuffer::Echo> echoes_;
  std::vector<SpeechDetector::Event> speech_;
};

} // namespace patchcord::phone
