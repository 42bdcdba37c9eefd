// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/form.hpp"

#include <glib.h>

#include <algorithm>

namespace patchcord::twilio {
namespace {

std::string decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%' && i + 2 < text.size() && g_ascii_isxdigit(text[i + 1]) &&
        g_ascii_isxdigit(text[i + 2])) {
      out += static_cast<char>(g_ascii_xdigit_value(text[i + 1]) << 4 |
                               g_ascii_xdigit_value(text[i + 2]));
      i += 2;
    } else {
      out += c == '+' ? ' ' : c;
    }
  }
  return out;
}

Form::const_iterator find(const Form &form, std::string_view name) {
  return std::find_if(form.begin(), form.end(),
                      [&](const auto &field) { return field.first == name; });
}

} // namespace

Result<Form> parse_form(std::string_view body, const FormLimits &limits) {
  if (body.size() > limits.bytes)
    return make_error("too_large", "the form has more than " +
                                       std::to_string(limits.bytes) + " bytes");
  Form form;
  while (!body.empty()) {
    const auto end = std::min(body.find('&'), body.size());
    const auto piece = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (piece.empty())
      continue;
    if (form.size() == limits.fields)
      return make_error("too_large", "the form has more than " +
                                         std::to_string(limits.fields) +
                                         " fields");
    const auto equals = std::min(piece.find('='), piece.size());
    form.emplace_back(decode(piece.substr(0, equals)),
                      decode(piece.substr(std::min(equals + 1, piece.size()))));
  }
  return form;
}

std::string_view form_value(const Form &form, std::string_view name) {
  const auto it = find(form, name);
  return it == form.end() ? std::string_view() : it->second;
}

bool has_field(const Form &form, std::string_view name) {
  return find(form, name) != form.end();
}

std::string percent_encode(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (g_ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

std::string encode_form(const Form &form) {
  std::string out;
  for (const auto &[name, value] : form) {
    if (!out.empty())
      out += '&';
    out.append(percent_encode(name)).append("=").append(percent_encode(value));
  }
  return out;
}

} // namespace patchcord::twilio
