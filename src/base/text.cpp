// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/text.hpp"

#include <glib.h>

#include <algorithm>
#include <cstdlib>
#include <sys/random.h>

namespace patchcord {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char &c : out)
    c = g_ascii_tolower(c);
  return out;
}

bool is_alnum(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return g_ascii_isalnum(c); });
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (;;) {
    const auto end = text.find(separator, start);
    parts.emplace_back(text.substr(start, end - start));
    if (end == std::string_view::npos)
      return parts;
    start = end + 1;
  }
}

std::string join(const std::vector<std::string> &parts,
                 std::string_view separator) {
  std::string out;
  for (const auto &part : parts) {
    if (&part != &parts.front())
      out += separator;
    out += part;
  }
  return out;
}

bool valid_utf8(std::string_view text) {
  return g_utf8_validate_len(text.data(), text.size(), nullptr) != FALSE;
}

std::string random_hex(std::size_t bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  unsigned char random[64];
  while (out.size() < bytes * 2) {
    const ssize_t got = getrandom(random, sizeof random, 0);
    if (got <= 0)
      std::abort(); // A token that can be guessed is worse than no process.
    for (ssize_t i = 0; i < got && out.size() < bytes * 2; ++i) {
      out += kDigits[random[i] >> 4];
      out += kDigits[random[i] & 15];
    }
  }
  return out;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  if (a.size() != b.size())
    return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |=
        static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

} // namespace patchcord
