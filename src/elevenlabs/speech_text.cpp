// SPDX-License-Identifier: LGPL-2.1-or-later
#include "elevenlabs/speech_text.hpp"

#include "base/text.hpp"

#include <glib.h>

#include <algorithm>

namespace patchcord::elevenlabs {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' ||
         c == '\v';
}

// Pictures and what joins, selects and colours them (Unicode blocks).
bool is_picture(gunichar c) {
  return (c >= 0x1F000 && c <= 0x1FAFF) || // pictographs, flags, skin tones
         (c >= 0x2600 && c <= 0x27BF) ||   // miscellaneous symbols, dingbats
         (c >= 0x2B00 && c <= 0x2BFF) ||   // stars, arrows
         (c >= 0x2190 && c <= 0x21FF) ||   // arrows
         (c >= 0x2500 && c <= 0x25FF) ||   // boxes, geometric shapes
         (c >= 0xE0000 && c <= 0xE007F) || // tags
         c == 0xFE0F || c == 0x200D || c == 0x20E3;
}

bool is_address(std::string_view word) {
  return word.starts_with("http://") || word.starts_with("https://") ||
         word.starts_with("www.");
}

// "[words](address)" and "![words](address)" become "words".
std::string unlink(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t open =
        text[i] == '!' && i + 1 < text.size() && text[i + 1] == '[' ? i + 1 : i;
    const std::size_t middle =
        text[open] == '[' ? text.find("](", open) : std::string_view::npos;
    const std::size_t close =
        middle == std::string_view::npos ? middle : text.find(')', middle);
    if (close == std::string_view::npos) {
      out += text[i++];
      continue;
    }
    out += text.substr(open + 1, middle - open - 1);
    i = close + 1;
  }
  return out;
}

// "# Title", "- point", "* point", "> said": the mark at a line's start goes.
std::string_view without_line_mark(std::string_view line) {
  line = trim(line);
  std::size_t marks = 0;
  while (marks < line.size() && (line[marks] == '#' || line[marks] == '>'))
    ++marks;
  if (marks == 0 && !line.empty() &&
      (line[0] == '-' || line[0] == '*' || line[0] == '+'))
    marks = 1;
  if (marks > 0 && (marks == line.size() || is_space(line[marks])))
    line.remove_prefix(marks);
  return line;
}

// Marks of emphasis and code around a word or within it: "**bold**", "`code`",
// "(_so_)". A lone "*" is arithmetic, an underscore inside a word its own.
std::string without_emphasis(std::string_view word) {
  if (word == "*")
    return std::string(word);
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    const bool doubled = (i > 0 && word[i - 1] == c) ||
                         (i + 1 < word.size() && word[i + 1] == c);
    if (c != '`' && !(doubled && (c == '*' || c == '_' || c == '~')))
      out += c;
  }
  const std::size_t first = out.find_first_not_of("([\"'");
  if (first != std::string::npos && (out[first] == '*' || out[first] == '_'))
    out.erase(first, 1);
  const std::size_t last = out.find_last_not_of(")]\"'.,;:!?");
  if (last != std::string::npos && (out[last] == '*' || out[last] == '_'))
    out.erase(last, 1);
  return out;
}

std::string without_pictures(const std::string &text) {
  std::string out;
  for (const char *at = text.c_str(); *at != '\0';) {
    const char *next = g_utf8_next_char(at);
    if (!is_picture(g_utf8_get_char(at)))
      out.append(at, static_cast<std::size_t>(next - at));
    at = next;
  }
  return out;
}

bool pronounceable(const std::string &text) {
  for (const char *at = text.c_str(); *at != '\0'; at = g_utf8_next_char(at))
    if (g_unichar_isalnum(g_utf8_get_char(at)) ||
        g_unichar_iswide(g_utf8_get_char(at)))
      return true;
  return false;
}

} // namespace

std::string speech_text(std::string_view text) {
  if (!valid_utf8(text))
    return {};
  std::string spaced(text);
  std::replace_if(
      spaced.begin(), spaced.end(),
      [](char c) { return is_space(c) && c != '\n'; }, ' ');
  std::string out;
  bool in_tag = false; // attributes of tags are none of our business
  for (const std::string &line : split(spaced, '\n')) {
    const std::string plain = without_pictures(unlink(without_line_mark(line)));
    for (const std::string &word : split(plain, ' ')) {
      const std::string_view trimmed = trim(word);
      if (const auto open = trimmed.find('<');
          open + 1 < trimmed.size() && open != std::string_view::npos &&
          (g_ascii_isalpha(trimmed[open + 1]) || trimmed[open + 1] == '/'))
        in_tag = true;
      std::string kept = in_tag                ? std::string(trimmed)
                         : is_address(trimmed) ? std::string()
                                               : without_emphasis(trimmed);
      if (trimmed.find('>') != std::string_view::npos)
        in_tag = false;
      if (kept.empty())
        continue;
      if (!out.empty())
        out += ' ';
      out += kept;
    }
  }
  return pronounceable(out) ? out : std::string();
}

} // namespace patchcord::elevenlabs
