// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "twilio/media_stream.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

// The wire of messages.hpp from Twilio's end, for a simulated phone: builds
// what Twilio sends, and takes what a server sends as strictly as Twilio does.
namespace patchcord::twilio::peer {

// --- what Twilio sends -------------------------------------------------------
// Each appends one message in the shape and key order that captures show.
// `sequence` is one counter over all messages but `connected`, from 1; `chunk`
// counts media messages only, from 1; `timestamp_ms` since the stream's start.

void append_connected(std::string &out);
void append_start(std::string &out, const StreamStart &start,
                  std::int64_t sequence);
void append_media(std::string &out, std::string_view stream_sid,
                  std::int64_t sequence, std::int64_t chunk,
                  std::int64_t timestamp_ms, ByteSpan mulaw,
                  std::string_view track = "inbound");
void append_dtmf(std::string &out, std::string_view stream_sid,
                 std::int64_t sequence, std::string_view digit);
void append_mark(std::string &out, std::string_view stream_sid,
                 std::int64_t sequence, std::string_view name);
void append_stop(std::string &out, const StreamStart &start,
                 std::int64_t sequence);

// --- what it takes -----------------------------------------------------------

struct Media {
  ByteSpan mulaw; // until the next message
};
struct Mark {
  std::string name;
};
struct Clear {};
// Dropped; Twilio shows the first of a stream in its debugger.
struct Refused {
  int warning = 31951; // "Stream - invalid message"
  std::string reason;
};
inline constexpr int kBinaryFrameWarning = 31950;
inline constexpr int kQueueFullWarning = 31931;

using Message = std::variant<Refused, Media, Mark, Clear>;

class Parser {
public:
  // `stream_sid`: the one that this socket's `start` named.
  explicit Parser(std::string stream_sid);
  Message parse(std::string_view text);

private:
  bool scan_media(std::string_view text);

  const std::string stream_sid_;
  std::string media_prefix_; // as append_media() writes it
  Bytes payload_;
};

} // namespace patchcord::twilio::peer
