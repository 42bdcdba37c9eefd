// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/peer_messages.hpp"

#include "base/base64.hpp"
#include "base/json.hpp"
#include "twilio/messages.hpp"

#include <charconv>
#include <initializer_list>

namespace patchcord::twilio::peer {
namespace {

void append_number(std::string &out, std::int64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void append_counter(std::string &out, const char *prefix, std::int64_t number) {
  out += prefix;
  append_number(out, number);
  out += '"';
}

void append_text(std::string &out, const char *prefix, std::string_view text) {
  out += prefix;
  append_json_escaped(out, text);
  out += '"';
}

// Empty when `object` has exactly these members; else what is wrong.
std::string wrong_members(JsonView object, const char *what,
                          std::initializer_list<std::string_view> members) {
  if (!object.is_object())
    return std::string(what) + " is not an object";
  std::string wrong;
  std::size_t known = 0;
  object.for_each_member([&](std::string_view name, JsonView) {
    for (const auto member : members)
      if (name == member) {
        ++known;
        return;
      }
    if (wrong.empty())
      wrong = std::string(what) + " has a field \"" + std::string(name) + '"';
  });
  if (wrong.empty() && known != members.size())
    wrong = std::string(what) + " lacks a field";
  return wrong;
}

Refused refused(std::string reason) { return {31951, std::move(reason)}; }

} // namespace

void append_connected(std::string &out) {
  out += R"({"event":"connected","protocol":"Call","version":"1.0.0"})";
}

void append_start(std::string &out, const StreamStart &start,
                  std::int64_t sequence) {
  append_counter(out, R"({"event":"start","sequenceNumber":")", sequence);
  append_text(out, R"(,"start":{"accountSid":")", start.account_sid);
  append_text(out, R"(,"streamSid":")", start.stream_sid);
  append_text(out, R"(,"callSid":")", start.call_sid);
  out += R"(,"tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw",)"
         R"("sampleRate":8000,"channels":1},"customParameters":{)";
  bool first = true;
  for (const auto &[name, value] : start.parameters) {
    append_text(out, first ? "\"" : ",\"", name);
    append_text(out, ":\"", value);
    first = false;
  }
  append_text(out, R"(}},"streamSid":")", start.stream_sid);
  out += '}';
}

void append_media(std::string &out, std::string_view stream_sid,
                  std::int64_t sequence, std::int64_t chunk,
                  std::int64_t timestamp_ms, ByteSpan mulaw,
                  std::string_view track) {
  append_counter(out, R"({"event":"media","sequenceNumber":")", sequence);
  append_text(out, R"(,"media":{"track":")", track);
  append_counter(out, R"(,"chunk":")", chunk);
  append_counter(out, R"(,"timestamp":")", timestamp_ms);
  out += R"(,"payload":")";
  base64::append(out, mulaw);
  append_text(out, R"("},"streamSid":")", stream_sid);
  out += '}';
}

void append_dtmf(std::string &out, std::string_view stream_sid,
                 std::int64_t sequence, std::string_view digit) {
  append_text(out, R"({"event":"dtmf","streamSid":")", stream_sid);
  append_counter(out, R"(,"sequenceNumber":")", sequence);
  append_text(out, R"(,"dtmf":{"track":"inbound_track","digit":")", digit);
  out += "}}";
}

void append_mark(std::string &out, std::string_view stream_sid,
                 std::int64_t sequence, std::string_view name) {
  append_counter(out, R"({"event":"mark","sequenceNumber":")", sequence);
  append_text(out, R"(,"streamSid":")", stream_sid);
  append_text(out, R"(,"mark":{"name":")", name);
  out += "}}";
}

void append_stop(std::string &out, const StreamStart &start,
                 std::int64_t sequence) {
  append_counter(out, R"({"event":"stop","sequenceNumber":")", sequence);
  append_text(out, R"(,"streamSid":")", start.stream_sid);
  append_text(out, R"(,"stop":{"accountSid":")", start.account_sid);
  append_text(out, R"(,"callSid":")", start.call_sid);
  out += "}}";
}

Parser::Parser(std::string stream_sid) : stream_sid_(std::move(stream_sid)) {
  twilio::append_media(media_prefix_, stream_sid_, {});
  media_prefix_.resize(media_prefix_.size() - 3); // without "}}
}

// The common case to the letter; anything else takes the JSON path.
bool Parser::scan_media(std::string_view text) {
  constexpr std::string_view kSuffix = "\"}}";
  if (!text.starts_with(media_prefix_))
    return false;
  text.remove_prefix(media_prefix_.size());
  if (!text.ends_with(kSuffix))
    return false;
  text.remove_suffix(kSuffix.size());
  payload_.clear();
  return base64::append_decoded(payload_, text);
}

Message Parser::parse(std::string_view text) {
  if (scan_media(text))
    return Media{payload_};
  // No limit is published; a whole utterance in one message is legal.
  const auto document =
      JsonDocument::parse(text, {std::size_t{8} << 20, /*depth=*/16});
  if (!document)
    return refused("not JSON: " + document.error().message);
  const JsonView root = document->root();
  const std::string event = root["event"].string().value_or("");
  if (event != "media" && event != "mark" && event != "clear")
    return refused("no event that Twilio takes: \"" + event + '"');
  std::string wrong =
      event == "clear"
          ? wrong_members(root, "clear", {"event", "streamSid"})
          : wrong_members(root, event.c_str(), {"event", "streamSid", event});
  if (wrong.empty() && event != "clear")
    wrong = wrong_members(root[event.c_str()], (event + '.' + event).c_str(),
                          {event == "media" ? "payload" : "name"});
  if (!wrong.empty())
    return refused(std::move(wrong));
  if (root["streamSid"].text() != stream_sid_)
    return refused("streamSid is not this stream's");
  if (event == "clear")
    return Clear{};
  if (event == "mark") {
    const auto name = root["mark"]["name"].string();
    return name ? Message(Mark{*name}) : refused("mark.name is no string");
  }
  const auto payload = root["media"]["payload"].text();
  payload_.clear();
  if (!payload || !base64::append_decoded(payload_, *payload))
    return refused("media.payload is not padded base64");
  return Media{payload_};
}

} // namespace patchcord::twilio::peer
