// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "worker/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace patchcord::twilio {

// The `start` message of a media stream (Twilio docs, "Media Streams -
// WebSocket messages").
struct StreamStart {
  std::string stream_sid;
  std::string account_sid;
  std::string call_sid;
  std::map<std::string, std::string> parameters; // of <Parameter>
};

// Why a media stream ended, for records and logs.
enum class StreamEnd {
  kStop,     // Twilio said `stop`: the caller hung up, or REST ended the call
  kClosed,   // the peer closed the WebSocket without `stop`
  kLost,     // the connection broke, or nothing came for too long
  kProtocol, // the peer sent what no media stream sends (no start in 5 s ...)
  kLocal,    // we closed it
};
const char *to_string(StreamEnd end);

// Listens to one side of a media stream. All on the call's worker.
class MediaSourceListener {
public:
  virtual ~MediaSourceListener() = default;
  virtual void on_start(const StreamStart &start) = 0;
  // `timestamp_ms`: since the start of the stream; `mulaw`: 8 kHz mono G.711.
  virtual void on_media(std::int64_t timestamp_ms, ByteSpan mulaw) = 0;
  virtual void on_dtmf(std::string_view digit) = 0;
  virtual void on_end(StreamEnd end, std::string_view detail) = 0;
};
class MediaSinkListener {
public:
  virtual ~MediaSinkListener() = default;
  virtual void on_start(const StreamStart &start) = 0;
  virtual void on_mark(std::string_view name) = 0;
  virtual void on_end(StreamEnd end, std::string_view detail) = 0;
};

// One bidirectional media stream: what `twiliosrc` and `twiliosink` share. The
// listeners are borrowed; an element sets itself when it starts and null when
// it stops. A listener set after the fact gets on_start / on_end at once.
// Media that comes while no source listens is dropped.
class MediaStream {
public:
  virtual ~MediaStream() = default;

  virtual void set_source(MediaSourceListener *listener) = 0;
  virtual void set_sink(MediaSinkListener *listener) = 0;
  virtual const StreamStart *started() const = 0; // null before `start`
  virtual bool ended() const = 0;
  // What came that should not have, by kind (twilio::to_string(Anomaly)), and
  // how often.
  virtual const std::map<std::string, std::uint64_t> &anomalies() const {
    static const std::map<std::string, std::uint64_t> none;
    return none;
  }

  // What comes need be told only so often, which spares the reading of each
  // message: with a mark that may come, it is told at once all the same. 0: at
  // once. A hint.
  virtual void set_read_period(Duration period) = 0;
  // Whether the peer plays what was sent to it: by the clock, so that neither a
  // lost mark nor a peer without any matters; true for a little longer.
  virtual bool peer_hears() const = 0;
  // When the next mark may come back: what it says is worth a read of its own.
  virtual void expect_mark(std::optional<TimePoint> due) = 0;

  // All that was to be heard was heard, and no more is to come: until media is
  // sent again, whoever ends the stream ends a call that is over.
  virtual void conclude() = 0;
  virtual bool concluded() const = 0;

  // Ignored before `start` and after the end.
  virtual void send_media(ByteSpan mulaw) = 0;
  virtual void send_mark(std::string_view name) = 0;
  virtual void send_clear() = 0;
  // Gathers what is sent until it is told false, so that it is one write.
  virtual void gather(bool on) = 0;
  // Closes the WebSocket with a close frame behind what is queued; on_end
  // (kLocal) follows. At Twilio the TwiML behind <Connect> goes on.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
};

} // namespace patchcord::twilio
