// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "twilio/media_stream.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

// The text frames of a media stream (Twilio docs, "Media Streams - WebSocket
// messages") as a server sees them: what Twilio sends is parsed, what it takes
// is built. peer_messages.hpp is the same wire from Twilio's end.
namespace patchcord::twilio {

// Twilio's own messages stay under 400 bytes; more than this is not from it.
inline constexpr std::size_t kMaxMessageBytes = std::size_t{64} << 10;

// --- from Twilio -------------------------------------------------------------

// What a message has that a media stream's should not have. The first ones are
// about a single message; the others about its place in a stream.
enum class Anomaly {
  kTooLarge,       // more than kMaxMessageBytes
  kTooDeep,        // nested deeper than any of Twilio's
  kNotUtf8,        // not UTF-8, or a NUL in it
  kBadJson,        // not a JSON object
  kNoEvent,        // no "event" that is a string
  kUnknownEvent,   // an event that this version does not know: harmless
  kBadStart,       // a `start` without a stream SID or a call SID, or with two
  kBadMediaFormat, // a `start` that announces anything but mu-law 8 kHz mono
  kBadMedia,       // no payload, or no timestamp of 0 or more
  kOddSize,        // media of other than 20 ms: taken as it is
  kBadBase64,      // a payload that is not complete standard base64
  kOtherTrack,     // media that is not the caller's ("outbound")
  kBadDtmf,        // no digit, or not one of 0-9 * # A-D
  kBadMark,        // no name
  kBadCounter,     // a sequenceNumber or chunk that is no integer
  kBinaryFrame,    // a binary WebSocket message
  kBeforeStart,    // anything but `connected` ahead of `start`
  kWrongStreamSid, // of another stream than `start` named
  kSecondStart,    // another `start` on the same socket
  kAfterStop,      // anything behind `stop`
  kSequenceGap,    // sequenceNumber did not count up by one
  kChunkGap,       // media was lost: a chunk number is missing
};
// "too_large", "bad_json" ...: stable names for records and metrics.
const char *to_string(Anomaly anomaly);

inline constexpr std::int64_t kNoCounter = -1;

struct ConnectedMessage {
  std::string protocol, version;
};
struct StartMessage {
  StreamStart start;
  std::int64_t sequence = kNoCounter;
};
// The views live until the parser's next message or the end of the text,
// whichever is first.
struct MediaMessage {
  std::string_view stream_sid;
  std::int64_t sequence = kNoCounter, chunk = kNoCounter;
  std::int64_t timestamp_ms = 0; // since the start of the stream
  ByteSpan mulaw;                // 8 kHz mono, as a rule 160 bytes
};
struct DtmfMessage {
  std::string stream_sid;
  std::int64_t sequence = kNoCounter;
  std::string digit;
};
struct MarkMessage {
  std::string stream_sid;
  std::int64_t sequence = kNoCounter;
  std::string name;
};
struct StopMessage {
  std::string stream_sid;
  std::int64_t sequence = kNoCounter;
};

using InboundMessage =
    std::variant<Anomaly, ConnectedMessage, StartMessage, MediaMessage,
                 DtmfMessage, MarkMessage, StopMessage>;

// One a stream: keeps the buffer into which payloads are decoded.
class MessageParser {
public:
  InboundMessage parse(std::string_view text);
  // Without the scan for media messages: what it must agree with.
  InboundMessage parse_json(std::string_view text);
  // What was wrong with the last `start`, in words; empty: nothing was.
  const std::string &detail() const { return detail_; }
  // Whether the last parse() was done by the scan alone.
  bool scanned() const { return scanned_; }

private:
  bool scan_media(std::string_view text, MediaMessage &message);

  Bytes payload_;
  std::string stream_sid_; // of the last media message that took the JSON path
  std::string detail_;
  bool scanned_ = false;
};

// --- to Twilio ---------------------------------------------------------------

// Each appends one message. Twilio drops a message with any other field, with
// one warning (31951) a stream: these are exactly what it takes.
void append_media(std::string &out, std::string_view stream_sid,
                  ByteSpan mulaw);
void append_mark(std::string &out, std::string_view stream_sid,
                 std::string_view name);
void append_clear(std::string &out, std::string_view stream_sid);

} // namespace patchcord::twilio
