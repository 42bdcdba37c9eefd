// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/messages.hpp"

#include "base/base64.hpp"
#include "base/json.hpp"

#include <algorithm>
#include <optional>

namespace patchcord::twilio {
namespace {

// `start` nests four deep; room for what Twilio may add.
constexpr JsonLimits kLimits{kMaxMessageBytes, 16};

Anomaly to_anomaly(const Error &error) {
  if (error.code == "too_large")
    return Anomaly::kTooLarge;
  if (error.code == "too_deep")
    return Anomaly::kTooDeep;
  if (error.code == "not_utf8")
    return Anomaly::kNotUtf8;
  return Anomaly::kBadJson;
}

// A counter that is absent is kNoCounter; one that is no integer, nullopt.
std::optional<std::int64_t> counter(JsonView value) {
  if (!value)
    return kNoCounter;
  const auto number = value.lenient_integer();
  return number && *number >= 0 ? number : std::nullopt;
}

// For the log: short, and no bytes that would be none of a text's.
std::string shown(JsonView value) {
  constexpr std::size_t kMost = 100;
  std::string text = value.dump();
  text.resize(std::min(text.size(), kMost));
  for (char &c : text)
    if (static_cast<unsigned char>(c) >= 0x7f ||
        static_cast<unsigned char>(c) < 0x20)
      c = '?';
  return text;
}

InboundMessage parse_start(JsonView root, std::int64_t sequence,
                           std::string &detail) {
  const JsonView body = root["start"];
  const auto outer = root["streamSid"].string();
  const auto inner = body["streamSid"].string();
  StartMessage message;
  message.sequence = sequence;
  message.start.stream_sid = outer ? *outer : inner.value_or("");
  message.start.call_sid = body["callSid"].string().value_or("");
  message.start.account_sid = body["accountSid"].string().value_or("");
  if (message.start.stream_sid.empty() || message.start.call_sid.empty() ||
      (outer && inner && *outer != *inner)) {
    detail = "it has no streamSid, or two, or no callSid";
    return Anomaly::kBadStart;
  }
  if (const JsonView format = body["mediaFormat"];
      format && (format["encoding"].text() != "audio/x-mulaw" ||
                 format["sampleRate"].lenient_integer() != 8000 ||
                 format["channels"].lenient_integer() != 1)) {
    detail = "audio/x-mulaw, 8000 Hz and 1 channel are expected, got " +
             shown(format);
    return Anomaly::kBadMediaFormat;
  }
  body["customParameters"].for_each_member(
      [&](std::string_view name, JsonView value) {
        if (const auto text = value.string())
          message.start.parameters.emplace(name, *text);
      });
  return message;
}

InboundMessage parse_dtmf(JsonView root, std::int64_t sequence) {
  DtmfMessage message;
  message.stream_sid = root["streamSid"].string().value_or("");
  message.sequence = sequence;
  message.digit = root["dtmf"]["digit"].string().value_or("");
  if (message.digit.size() != 1 ||
      std::string_view("0123456789*#ABCD").find(message.digit[0]) ==
          std::string_view::npos)
    return Anomaly::kBadDtmf;
  return message;
}

} // namespace

const char *to_string(Anomaly anomaly) {
  switch (anomaly) {
  case Anomaly::kTooLarge:
    return "too_large";
  case Anomaly::kTooDeep:
    return "too_deep";
  case Anomaly::kNotUtf8:
    return "not_utf8";
  case Anomaly::kBadJson:
    return "bad_json";
  case Anomaly::kNoEvent:
    return "no_event";
  case Anomaly::kUnknownEvent:
    return "unknown_event";
  case Anomaly::kBadStart:
    return "bad_start";
  case Anomaly::kBadMediaFormat:
    return "bad_media_format";
  case Anomaly::kBadMedia:
    return "bad_media";
  case Anomaly::kOddSize:
    return "odd_size";
  case Anomaly::kBadBase64:
    return "bad_base64";
  case Anomaly::kOtherTrack:
    return "other_track";
  case Anomaly::kBadDtmf:
    return "bad_dtmf";
  case Anomaly::kBadMark:
    return "bad_mark";
  case Anomaly::kBadCounter:
    return "bad_counter";
  case Anomaly::kBinaryFrame:
    return "binary_frame";
  case Anomaly::kBeforeStart:
    return "before_start";
  case Anomaly::kWrongStreamSid:
    return "wrong_stream_sid";
  case Anomaly::kSecondStart:
    return "second_start";
  case Anomaly::kAfterStop:
    return "after_stop";
  case Anomaly::kSequenceGap:
    return "sequence_gap";
  case Anomaly::kChunkGap:
    return "chunk_gap";
  }
  return "unknown";
}

const char *to_string(StreamEnd end) {
  switch (end) {
  case StreamEnd::kStop:
    return "stop";
  case StreamEnd::kClosed:
    return "closed";
  case StreamEnd::kLost:
    return "lost";
  case StreamEnd::kProtocol:
    return "protocol";
  case StreamEnd::kLocal:
    return "local";
  }
  return "unknown";
}

InboundMessage MessageParser::parse(std::string_view text) {
  MediaMessage media;
  scanned_ = scan_media(text, media);
  if (scanned_)
    return media;
  return parse_json(text);
}

InboundMessage MessageParser::parse_json(std::string_view text) {
  detail_.clear();
  const auto document = JsonDocument::parse(text, kLimits);
  if (!document)
    return to_anomaly(document.error());
  const JsonView root = document->root();
  if (!root.is_object())
    return Anomaly::kBadJson;
  const auto event = root["event"].text();
  if (!event)
    return Anomaly::kNoEvent;
  if (*event == "connected")
    return ConnectedMessage{root["protocol"].string().value_or(""),
                            root["version"].string().value_or("")};
  const auto sequence = counter(root["sequenceNumber"]);
  if (!sequence)
    return Anomaly::kBadCounter;
  if (*event == "media") {
    MediaMessage message;
    const JsonView media = root["media"];
    const auto chunk = counter(media["chunk"]);
    const auto timestamp = media["timestamp"].lenient_integer();
    const auto payload = media["payload"].text();
    if (!chunk)
      return Anomaly::kBadCounter;
    if (!payload || !timestamp || *timestamp < 0)
      return Anomaly::kBadMedia;
    if (media["track"] && media["track"].text() != "inbound")
      return Anomaly::kOtherTrack;
    payload_.clear();
    if (!base64::append_decoded(payload_, *payload))
      return Anomaly::kBadBase64;
    stream_sid_ = root["streamSid"].text().value_or("");
    message.stream_sid = stream_sid_;
    message.sequence = *sequence;
    message.chunk = *chunk;
    message.timestamp_ms = *timestamp;
    message.mulaw = payload_;
    return message;
  }
  if (*event == "mark") {
    const auto name = root["mark"]["name"].string();
    if (!name)
      return Anomaly::kBadMark;
    return MarkMessage{root["streamSid"].string().value_or(""), *sequence,
                       *name};
  }
  if (*event == "dtmf")
    return parse_dtmf(root, *sequence);
  if (*event == "start")
    return parse_start(root, *sequence, detail_);
  if (*event == "stop")
    return StopMessage{root["streamSid"].string().value_or(""), *sequence};
  return Anomaly::kUnknownEvent;
}

void append_media(std::string &out, std::string_view stream_sid,
                  ByteSpan mulaw) {
  out += R"({"event":"media","streamSid":")";
  append_json_escaped(out, stream_sid);
  out += R"(","media":{"payload":")";
  base64::append(out, mulaw);
  out += "\"}}";
}

void append_mark(std::string &out, std::string_view stream_sid,
                 std::string_view name) {
  out += R"({"event":"mark","streamSid":")";
  append_json_escaped(out, stream_sid);
  out += R"(","mark":{"name":")";
  append_json_escaped(out, name);
  out += "\"}}";
}

void append_clear(std::string &out, std::string_view stream_sid) {
  out += R"({"event":"clear","streamSid":")";
  append_json_escaped(out, stream_sid);
  out += "\"}";
}

} // namespace patchcord::twilio
