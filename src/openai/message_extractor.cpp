// SPDX-License-Identifier: LGPL-2.1-or-later
#include "openai/chat.hpp"

#include "base/text.hpp"

#include <glib.h>

#include <optional>
#include <utility>

namespace patchcord::openai {
namespace {

constexpr unsigned kReplacement = 0xFFFD;
constexpr std::string_view kMember = "message";
constexpr std::string_view kFence = "```";
constexpr std::string_view kThinkStart = "<think>";
constexpr std::string_view kThinkEnd = "</think>";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void append_code_point(unsigned code, std::string &out) {
  if (code < 0x20) {
    out += ' '; // a line end is a pause to a voice, the rest nothing at all
    return;
  }
  char bytes[6];
  const int size = g_unichar_to_utf8(code, bytes);
  out.append(bytes, static_cast<std::size_t>(size));
}

// Bytes of the UTF-8 sequence that this one begins; 0: it begins none.
std::size_t sequence_size(unsigned char lead) {
  if (lead >= 0xC2 && lead <= 0xDF)
    return 2;
  if (lead >= 0xE0 && lead <= 0xEF)
    return 3;
  if (lead >= 0xF0 && lead <= 0xF4)
    return 4;
  return 0;
}

unsigned char_of_escape(char c) {
  switch (c) {
  case 'b':
  case 'f':
  case 'n':
  case 'r':
  case 't':
    return ' ';
  default: // " \ / and what is no JSON escape
    return static_cast<unsigned char>(c);
  }
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Whether text that begins so is to be spoken: no array, and no markup but a
// voice's own (SSML, and ElevenLabs' "[warmly]"). None: not known yet.
std::optional<bool> is_spoken(std::string_view text) {
  constexpr std::size_t kLongestTag = 12;
  if (text.front() == '[')
    return text.size() == 1 ? std::nullopt : std::optional(is_letter(text[1]));
  if (text.front() != '<')
    return true;
  std::size_t end = 1;
  while (end < text.size() && is_letter(text[end]))
    ++end;
  if (end == text.size() && end < kLongestTag)
    return std::nullopt;
  const std::string_view name = text.substr(1, end - 1);
  for (const std::string_view tag : {"break", "emphasis", "phoneme", "prosody",
                                     "say", "speak", "sub", "voice", "lang"})
    if (name == tag)
      return true;
  return false;
}

} // namespace

// What began and cannot become a character any more.
void JsonStringDecoder::drop_partial(std::string &out) {
  if (!utf8_.empty() || high_surrogate_ != 0)
    append_code_point(kReplacement, out);
  utf8_.clear();
  high_surrogate_ = 0;
}

void JsonStringDecoder::raw(char c, std::string &out) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x80) {
    drop_partial(out);
    append_code_point(byte, out);
    return;
  }
  if ((byte & 0xC0) != 0x80)
    drop_partial(out); // a lead byte: what was before it stays incomplete
  utf8_ += c;
  const std::size_t size =
      sequence_size(static_cast<unsigned char>(utf8_.front()));
  if (utf8_.size() < size)
    return;
  if (size != 0 && valid_utf8(utf8_)) {
    out += utf8_;
    utf8_.clear();
  } else {
    drop_partial(out);
  }
}

void JsonStringDecoder::code_unit(unsigned unit, std::string &out) {
  const bool is_low = unit >= 0xDC00 && unit <= 0xDFFF;
  if (high_surrogate_ != 0 && is_low) {
    append_code_point(
        0x10000 + ((high_surrogate_ - 0xD800) << 10) + (unit - 0xDC00), out);
    high_surrogate_ = 0;
    return;
  }
  drop_partial(out);
  if (unit >= 0xD800 && unit <= 0xDBFF)
    high_surrogate_ = unit;
  else
    append_code_point(is_low ? kReplacement : unit, out);
}

bool JsonStringDecoder::feed(char c, std::string &out) {
  if (hex_left_ > 0) {
    if (const int digit = g_ascii_xdigit_value(c); digit >= 0) {
      hex_ = hex_ << 4 | static_cast<unsigned>(digit);
      if (--hex_left_ == 0)
        code_unit(hex_, out);
      return false;
    }
    hex_left_ = 0; // no escape after all
    code_unit(kReplacement, out);
  }
  if (escaped_) {
    escaped_ = false;
    if (c == 'u') {
      hex_left_ = 4;
      hex_ = 0;
    } else {
      code_unit(char_of_escape(c), out);
    }
    return false;
  }
  if (c == '\\') {
    escaped_ = true;
    return false;
  }
  if (high_surrogate_ != 0)
    drop_partial(out);
  if (c == '"') {
    drop_partial(out);
    return true;
  }
  raw(c, out);
  return false;
}

std::string MessageExtractor::feed(std::string_view delta) {
  std::string out;
  at_ = all_.size();
  all_ += delta;
  for (; at_ < all_.size(); ++at_)
    step(all_[at_], out);
  return out;
}

std::string_view MessageExtractor::object_text() const {
  if (state_ < State::kExpectKey)
    return {};
  return std::string_view(all_).substr(object_start_,
                                       object_end_ == std::string::npos
                                           ? std::string::npos
                                           : object_end_ - object_start_);
}

// Before the object.
void MessageExtractor::start(char c) {
  if (is_space(c))
    return;
  if (c == '{') {
    state_ = State::kExpectKey;
    object_start_ = at_;
    return;
  }
  state_ = State::kPrefix;
  prefix_.clear();
  prefix(c);
}

void MessageExtractor::prefix(char c) {
  prefix_ += c;
  if (prefix_ == kFence) {
    state_ = State::kFence;
  } else if (prefix_ == kThinkStart) {
    state_ = State::kThink;
    prefix_.clear();
  } else if (prefix_ == kByteOrderMark) {
    state_ = State::kStart;
  } else if (!kFence.starts_with(prefix_) &&
             !kThinkStart.starts_with(prefix_) &&
             !kByteOrderMark.starts_with(prefix_)) {
    const auto kind = is_spoken(prefix_);
    if (!kind)
      return;
    state_ = *kind ? State::kPlain : State::kOther;
    if (state_ == State::kPlain)
      for (const char kept : std::exchange(prefix_, {}))
        plain(kept);
  }
}

void MessageExtractor::plain(char c) {
  if (c == '{')
    start(c);
  else
    string_.raw(c, plain_);
}

void MessageExtractor::before_value(char c) {
  if (is_space(c))
    return;
  // Of several members of this name the first is the one that may be spoken:
  // what was said cannot be taken back.
  const bool is_target = key_ == kMember && !seen_target_;
  seen_target_ = seen_target_ || is_target;
  string_ = {};
  if (c == '"') {
    state_ = is_target ? State::kTarget : State::kString;
  } else if (c == '{' || c == '[') {
    state_ = State::kNested;
    depth_ = 1;
  } else {
    state_ = State::kAfterValue;
  }
}

// Only strings and brackets matter: a nested `message` is not the message.
void MessageExtractor::nested(char c) {
  if (in_nested_string_) {
    if (escaped_)
      escaped_ = false;
    else if (c == '\\')
      escaped_ = true;
    else if (c == '"')
      in_nested_string_ = false;
  } else if (c == '"') {
    in_nested_string_ = true;
  } else if (c == '{' || c == '[') {
    ++depth_;
  } else if ((c == '}' || c == ']') && --depth_ == 0) {
    state_ = State::kAfterValue;
  }
}

void MessageExtractor::step(char c, std::string &out) {
  std::string ignored;
  switch (state_) {
  case State::kStart:
    start(c);
    return;
  case State::kPrefix:
    prefix(c);
    return;
  case State::kFence: // the language, up to the end of the line
    if (c == '\n' || c == '{')
      state_ = State::kStart;
    if (c == '{')
      start(c);
    return;
  case State::kThink:
    prefix_ += c;
    if (!prefix_.ends_with(kThinkEnd))
      return;
    state_ = State::kStart;
    return;
  case State::kPlain:
    plain(c);
    return;
  case State::kOther:
    return;
  case State::kExpectKey:
    if (c == '"') {
      state_ = State::kKey;
      key_.clear();
      string_ = {};
    }
    break;
  case State::kKey:
    if (string_.feed(c, key_))
      state_ = State::kAfterKey;
    return;
  case State::kAfterKey:
    if (c == ':')
      state_ = State::kBeforeValue;
    return;
  case State::kBeforeValue:
    before_value(c);
    break;
  case State::kTarget:
    if (string_.feed(c, out)) {
      complete_ = true;
      state_ = State::kAfterValue;
    }
    return;
  case State::kString:
    if (string_.feed(c, ignored))
      state_ = State::kAfterValue;
    return;
  case State::kNested:
    nested(c);
    return;
  case State::kAfterValue:
    if (c == ',')
      state_ = State::kExpectKey;
    break;
  case State::kDone:
    return;
  }
  if (c == '}' &&
      (state_ == State::kExpectKey || state_ == State::kAfterValue)) {
    state_ = State::kDone;
    object_end_ = at_ + 1;
  }
}

} // namespace patchcord::openai
