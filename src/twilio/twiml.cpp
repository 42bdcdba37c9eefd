// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/twiml.hpp"

#include <glib.h>

namespace patchcord::twilio {
namespace {

// "each with name + value together under 500 characters".
constexpr std::size_t kParameterCharacters = 499;

// XML 1.0 section 2.2: Char.
bool xml_char(gunichar c) {
  return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0xd7ff) ||
         (c >= 0xe000 && c <= 0xfffd) || (c >= 0x10000 && c <= 0x10ffff);
}

// Calls visit(code point, its bytes) for each valid character.
template <typename F> void for_each_char(std::string_view text, F &&visit) {
  while (!text.empty()) {
    const gunichar c = g_utf8_get_char_validated(
        text.data(), static_cast<gssize>(text.size()));
    if (c >= 0xfffffffe) { // (gunichar)-1 and -2: no character, or NUL
      text.remove_prefix(1);
      continue;
    }
    const auto bytes = static_cast<std::size_t>(g_unichar_to_utf8(c, nullptr));
    if (!visit(c, text.substr(0, bytes)))
      return;
    text.remove_prefix(bytes);
  }
}

std::string first_characters(std::string_view text, std::size_t count) {
  std::string out;
  for_each_char(text, [&](gunichar, std::string_view bytes) {
    if (count == 0)
      return false;
    --count;
    out += bytes;
    return true;
  });
  return out;
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for_each_char(text, [&](gunichar, std::string_view) {
    ++count;
    return true;
  });
  return count;
}

void append_attribute(std::string &out, std::string_view name,
                      std::string_view value) {
  out.append(" ").append(name).append("=\"").append(xml_escape(value));
  out.append("\"");
}

} // namespace

std::string xml_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for_each_char(text, [&](gunichar c, std::string_view bytes) {
    switch (c) {
    case '&':
      out += "&amp;";
      break;
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '"':
      out += "&quot;";
      break;
    case '\'':
      out += "&apos;";
      break;
    default:
      if (xml_char(c))
        out += bytes;
    }
    return true;
  });
  return out;
}

Twiml &Twiml::connect_stream(const Stream &stream, std::string_view action) {
  verbs_ += "<Connect";
  if (!action.empty())
    append_attribute(verbs_, "action", action);
  verbs_ += "><Stream";
  append_attribute(verbs_, "url", stream.url);
  if (!stream.status_callback.empty()) {
    append_attribute(verbs_, "statusCallback", stream.status_callback);
    append_attribute(verbs_, "statusCallbackMethod", "POST");
  }
  verbs_ += ">";
  for (const auto &[name, value] : stream.parameters) {
    const std::size_t used = characters(name);
    if (used > kParameterCharacters)
      continue;
    verbs_ += "<Parameter";
    append_attribute(verbs_, "name", name);
    append_attribute(verbs_, "value",
                     first_characters(value, kParameterCharacters - used));
    verbs_ += "/>";
  }
  verbs_ += "</Stream></Connect>";
  return *this;
}

Twiml &Twiml::dial(const Dial &dial) {
  verbs_ += "<Dial";
  append_attribute(verbs_, "action", dial.action);
  append_attribute(verbs_, "timeout", std::to_string(dial.timeout_s));
  if (!dial.caller_id.empty())
    append_attribute(verbs_, "callerId", dial.caller_id);
  verbs_ += "><Number";
  if (!dial.whisper.empty())
    append_attribute(verbs_, "url", dial.whisper);
  verbs_.append(">").append(xml_escape(dial.number));
  verbs_ += "</Number></Dial>";
  return *this;
}

Twiml &Twiml::say(std::string_view text, std::string_view language) {
  verbs_ += "<Say";
  if (!language.empty())
    append_attribute(verbs_, "language", language);
  verbs_.append(">").append(xml_escape(text)).append("</Say>");
  return *this;
}

Twiml &Twiml::hangup() {
  verbs_ += "<Hangup/>";
  return *this;
}

Twiml &Twiml::reject(std::string_view reason) {
  verbs_ += "<Reject";
  append_attribute(verbs_, "reason", reason);
  verbs_ += "/>";
  return *this;
}

std::string Twiml::text() const {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>" + verbs_ +
         "</Response>\n";
}

} // namespace patchcord::twilio
