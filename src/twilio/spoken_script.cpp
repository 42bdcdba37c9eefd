// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/spoken_script.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace patchcord::twilio {
namespace {

constexpr std::uint64_t kSamplesPerMs = 8;
// A character takes about this long to say (15 a second, unhurried): for what
// has no timing and no end yet.
constexpr std::uint64_t kCharacterMs = 66;

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}
// Of three bytes or more in UTF-8: scripts that put no spaces between words.
bool is_of_far_script(char c) { return static_cast<unsigned char>(c) >= 0xe0; }
bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}
std::uint64_t characters(std::string_view text) {
  return static_cast<std::uint64_t>(
      std::count_if(text.begin(), text.end(), starts_character));
}

// The part of `text` before byte `at` without the word that `at` is in the
// middle of. A script without spaces is cut at the character.
std::string_view up_to_word(std::string_view text, std::size_t at) {
  if (at >= text.size())
    return text;
  while (at > 0 && !starts_character(text[at]))
    --at;
  if (std::none_of(text.begin(), text.end(), is_space) &&
      std::any_of(text.begin(), text.end(), is_of_far_script))
    return text.substr(0, at);
  std::size_t end = at;
  if (!is_space(text[at]))
    while (end > 0 && !is_space(text[end - 1]))
      --end;
  return text.substr(0, end);
}

// How long a character takes to say, in halves of a letter: a digit is a word,
// a character of a far script a syllable, between words there is a gap, and
// behind a clause a pause.
std::uint64_t weight_of(std::string_view text, std::size_t at) {
  const char c = text[at];
  if (is_space(c)) {
    const char before = at == 0 ? c : text[at - 1];
    if (before == '.' || before == '?' || before == '!')
      return 12;
    return before == ',' || before == ';' || before == ':' ? 8 : 3;
  }
  if (!starts_character(c))
    return 0;
  if (c >= '0' && c <= '9')
    return 6;
  return is_of_far_script(c) ? 5 : 2;
}

std::uint64_t weight_of(std::string_view text) {
  std::uint64_t all = 0;
  for (std::size_t at = 0; at < text.size(); ++at)
    all += weight_of(text, at);
  return all;
}

std::string_view cut_by_timings(std::string_view text,
                                const std::vector<WordTiming> &timings,
                                std::uint64_t ms) {
  const auto next = std::find_if(timings.begin(), timings.end(),
                                 [ms](const auto &t) { return t.ms > ms; });
  if (next == timings.begin())
    return {};
  const WordTiming &current = *std::prev(next);
  const std::size_t at = std::min<std::size_t>(current.offset, text.size());
  // Nothing says when the last word ends, but how long it is.
  if (next == timings.end() &&
      ms >= current.ms + weight_of(trim(text.substr(at))) * kCharacterMs / 2)
    return text;
  return up_to_word(text, at);
}

std::string_view cut_by_share(std::string_view text, std::uint64_t samples,
                              std::uint64_t length) {
  const std::uint64_t heard =
      weight_of(text) * samples / std::max<std::uint64_t>(length, 1);
  std::uint64_t weight = 0;
  std::size_t at = 0;
  for (; at < text.size(); ++at)
    if (weight += weight_of(text, at); weight > heard)
      break;
  return up_to_word(text, at);
}

void append_part(std::string &out, std::string_view part) {
  part = trim(part);
  if (part.empty())
    return;
  if (!out.empty())
    out += ' ';
  out += part;
}

} // namespace

void SpokenScript::add(std::string text, std::vector<WordTiming> timings,
                       std::uint64_t begin) {
  segments_.push_back({std::move(text), std::move(timings), begin});
}

std::string SpokenScript::heard(std::uint64_t samples, std::uint64_t total,
                                bool complete) const {
  std::string out;
  const bool all = complete && samples >= total;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Segment &segment = segments_[i];
    const bool last = i + 1 == segments_.size();
    const std::uint64_t end = last ? total : segments_[i + 1].begin;
    if (!all && samples <= segment.begin)
      break;
    if (all || (samples >= end && (!last || complete))) {
      append_part(out, segment.text);
      continue;
    }
    const std::uint64_t into = samples - segment.begin;
    std::uint64_t length = end - segment.begin;
    if (last && !complete) // More of it may come.
      length = std::max(length, characters(segment.text) * kCharacterMs *
                                    kSamplesPerMs);
    append_part(out, segment.timings.empty()
                         ? cut_by_share(segment.text, into, length)
                         : cut_by_timings(segment.text, segment.timings,
                                          into / kSamplesPerMs));
    break;
  }
  return out;
}

} // namespace patchcord::twilio
