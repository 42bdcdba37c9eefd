// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/base64.hpp"
#include "twilio/messages.hpp"

#include <array>
#include <cstring>

// A `media` message comes 50 times a second and call, and a parser spends
// a microsecond on one. This reads the shape that Twilio sends, in any order of
// its keys, and declines whatever else there may be - escapes, numbers, other
// nesting, a key twice - to the JSON path. So it never has to be right about
// JSON at large, only sure of what it takes.
namespace patchcord::twilio {
namespace {

class Scanner {
public:
  explicit Scanner(std::string_view text)
      : at_(text.data()), end_(text.data() + text.size()) {}

  bool take(char c) {
    skip_space();
    if (at_ == end_ || *at_ != c)
      return false;
    ++at_;
    return true;
  }
  // A string of printable ASCII without escapes.
  bool plain_string(std::string_view &out) {
    if (!quoted(out))
      return false;
    bool odd = false;
    for (const char c : out)
      odd |= static_cast<unsigned char>(c - 0x20) > 0x7e - 0x20 || c == '\\';
    return !odd;
  }
  // Up to the next quote, whatever is between: for text that is checked
  // otherwise.
  bool quoted(std::string_view &out) {
    if (!take('"'))
      return false;
    const auto *quote = static_cast<const char *>(
        std::memchr(at_, '"', static_cast<std::size_t>(end_ - at_)));
    if (quote == nullptr)
      return false;
    out = {at_, static_cast<std::size_t>(quote - at_)};
    at_ = quote + 1;
    return true;
  }
  bool at_end() {
    skip_space();
    return at_ == end_;
  }

private:
  void skip_space() {
    while (at_ != end_ &&
           (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t'))
      ++at_;
  }
  const char *at_;
  const char *end_;
};

// Digits only, few enough not to overflow.
bool number(std::string_view text, std::int64_t &out) {
  if (text.empty() || text.size() > 18)
    return false;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9')
      return false;
    value = value * 10 + (c - '0');
  }
  out = value;
  return true;
}

struct Fields {
  std::array<std::string_view, 4> values;
  unsigned seen = 0;
};

// Remembers the value of one of four keys; false when it came before.
bool keep(Fields &fields, const std::array<std::string_view, 4> &keys,
          std::string_view key, std::string_view value) {
  for (unsigned i = 0; i < keys.size(); ++i)
    if (key == keys[i]) {
      if ((fields.seen & 1U << i) != 0)
        return false;
      fields.seen |= 1U << i;
      fields.values[i] = value;
      return true;
    }
  return true; // A key that Twilio added: of no interest.
}

constexpr std::array<std::string_view, 4> kOuter = {"event", "sequenceNumber",
                                                    "streamSid", "media"};
constexpr std::array<std::string_view, 4> kInner = {"track", "chunk",
                                                    "timestamp", "payload"};

// {"track":..,"chunk":..,"timestamp":..,"payload":..} behind its brace.
bool scan_inner(Scanner &scanner, Fields &fields) {
  do {
    std::string_view key, value;
    if (!scanner.plain_string(key) || !scanner.take(':'))
      return false;
    // The payload's characters are checked when it is decoded.
    if (!(key == kInner[3] ? scanner.quoted(value)
                           : scanner.plain_string(value)) ||
        !keep(fields, kInner, key, value))
      return false;
  } while (scanner.take(','));
  return scanner.take('}');
}

bool scan_outer(Scanner &scanner, Fields &outer, Fields &inner) {
  if (!scanner.take('{'))
    return false;
  do {
    std::string_view key, value;
    if (!scanner.plain_string(key) || !scanner.take(':'))
      return false;
    if (key == kOuter[3]) {
      if (!scanner.take('{') || !scan_inner(scanner, inner))
        return false;
    } else if (!scanner.plain_string(value)) {
      return false;
    }
    if (!keep(outer, kOuter, key, value))
      return false;
    // Not ours: leave before more work is done.
    if (key == kOuter[0] && value != "media")
      return false;
  } while (scanner.take(','));
  return scanner.take('}') && scanner.at_end();
}

} // namespace

bool MessageParser::scan_media(std::string_view text, MediaMessage &message) {
  if (text.size() > kMaxMessageBytes)
    return false;
  Scanner scanner(text);
  Fields outer, inner;
  if (!scan_outer(scanner, outer, inner) || outer.seen != 0xf ||
      inner.seen != 0xf || inner.values[0] != "inbound" ||
      !number(outer.values[1], message.sequence) ||
      !number(inner.values[1], message.chunk) ||
      !number(inner.values[2], message.timestamp_ms))
    return false;
  payload_.clear();
  if (!base64::append_decoded(payload_, inner.values[3]))
    return false;
  message.stream_sid = outer.values[2];
  message.mulaw = payload_;
  return true;
}

} // namespace patchcord::twilio
