// SPDX-License-Identifier: LGPL-2.1-or-later
#include "elevenlabs/context_text.hpp"

#include <glib.h>

#include <algorithm>

namespace patchcord::elevenlabs {
namespace {

// Speech without times: an unhurried voice, and one in such a hurry that less
// audio cannot have been all.
constexpr std::int64_t kCharacterMs = 60, kHurriedCharacterMs = 40;
// How many characters of ours the server may leave out between two of its own
// before we take its next one for one that we did not send.
constexpr int kWindow = 8;

bool is_space(char c) { return c == ' '; }

std::size_t character_end(const std::string &text, std::size_t at) {
  ++at;
  while (at < text.size() && (text[at] & 0xC0) == 0x80)
    ++at;
  return at;
}

std::int64_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (c & 0xC0) != 0x80; });
}

std::size_t word_begin(const std::string &text, std::size_t at) {
  while (at > 0 && !is_space(text[at - 1]))
    --at;
  return at;
}

std::size_t word_end(const std::string &text, std::size_t at) {
  return std::min(text.find(' ', at), text.size());
}

// The first visible character from `at` on.
std::size_t text_begin(const std::string &text, std::size_t at) {
  return std::min(text.find_first_not_of(' ', at), text.size());
}

bool pronounced(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return g_ascii_isalnum(c) || (c & 0x80) != 0;
  });
}

} // namespace

std::size_t SpeechFormat::bytes_at(std::int64_t ms) const {
  return static_cast<std::size_t>(std::max<std::int64_t>(ms, 0) * rate / 1000 *
                                  sample_bytes);
}

std::int64_t SpeechFormat::ms_of(std::uint64_t bytes) const {
  return static_cast<std::int64_t>(bytes /
                                   static_cast<unsigned>(sample_bytes)) *
         1000 / rate;
}

bool ContextText::match_one(const std::string &character, Match &match) {
  std::size_t text = text_, at = offset_;
  for (int left = kWindow; left >= 0;) {
    if (text == texts_.size())
      return false;
    const std::string &ours = texts_[text].text;
    if (at >= ours.size()) {
      ++text;
      at = 0;
    } else if (is_space(ours[at])) {
      ++at;
    } else if (ours.compare(at, character.size(), character) == 0) {
      match.text = text_ = text;
      match.offset = at;
      offset_ = at + character.size();
      return true;
    } else {
      at = character_end(ours, at);
      --left;
    }
  }
  return false;
}

std::vector<ContextText::Match>
ContextText::match(const std::vector<TimedCharacter> &alignment,
                   std::size_t audio_bytes, bool &relative) {
  std::vector<Match> matches;
  if (alignment.empty())
    return matches;
  const std::int64_t before = format_.ms_of(bytes_);
  const std::int64_t length = format_.ms_of(audio_bytes);
  // The API reference counts from the start of the message; the service was
  // seen to count from the start of the context. Times that go far back tell.
  // ("Far": neighbours may overlap by rounding.)
  relative = relative || alignment.front().start_ms * 2 < last_end_;
  last_end_ = alignment.back().start_ms + alignment.back().duration_ms;
  const std::size_t text = text_, offset = offset_;
  std::size_t visible = 0;
  for (const TimedCharacter &timed : alignment) {
    if (timed.character.empty() || timed.character == " ")
      continue;
    ++visible;
    Match found{};
    if (!match_one(timed.character, found))
      continue;
    found.ms = std::clamp<std::int64_t>(
        timed.start_ms - (relative ? 0 : before), 0, length);
    if (!matches.empty())
      found.ms = std::max(found.ms, matches.back().ms);
    matches.push_back(found);
  }
  if (matches.size() * 2 < visible) {
    // Another text than ours: romanised, or spelled out.
    text_ = text;
    offset_ = offset;
    matches.clear();
  }
  return matches;
}

std::vector<ContextText::Part>
ContextText::take(const std::vector<TimedCharacter> &alignment,
                  std::size_t audio_bytes, bool &relative) {
  const auto matches = match(alignment, audio_bytes, relative);
  if (!matches.empty())
    aligned_ = true;
  auto parts = matches.empty() && !aligned_
                   ? lay_by_length(audio_bytes)
                   : lay_by_characters(matches, audio_bytes);
  bytes_ += audio_bytes;
  return parts;
}

std::vector<ContextText::Part>
ContextText::lay_by_characters(const std::vector<Match> &matches,
                               std::size_t audio_bytes) {
  std::vector<Part> parts(1);
  // Audio in front of a text's first character ends the text before it.
  parts[0].text = bytes_ > 0 || matches.empty()
                      ? current_
                      : std::max(current_, matches[0].text);
  std::int64_t begin_ms = 0;
  std::size_t words_begin = 0;
  for (const Match &found : matches) {
    if (found.text > parts.back().text) {
      parts.back().audio_end =
          std::min(format_.bytes_at(found.ms), audio_bytes);
      begin_ms = found.ms;
      Part next;
      next.text = found.text;
      parts.push_back(std::move(next));
    }
    Text &text = texts_[found.text];
    if (found.text != parts.back().text || found.offset < text.told)
      continue;
    // A word begins. Words that the server left out go with it.
    Part &part = parts.back();
    if (part.words.empty())
      words_begin = text_begin(text.text, text.told);
    part.timings.push_back(
        {part.words.empty()
             ? 0
             : static_cast<std::uint32_t>(found.offset - words_begin),
         static_cast<std::uint32_t>(found.ms - begin_ms)});
    text.told = word_end(text.text, found.offset);
    part.words = text.text.substr(words_begin, text.told - words_begin);
  }
  parts.back().audio_end = audio_bytes;
  if (parts.size() > 1 && parts[0].audio_end == 0 && parts[0].words.empty())
    parts.erase(parts.begin());
  current_ = parts.back().text;
  return parts;
}

std::vector<ContextText::Part>
ContextText::lay_by_length(std::size_t audio_bytes) {
  if (texts_.empty())
    return {};
  if (current_ + 1 < texts_.size() &&
      texts_[current_].ms >= characters(texts_[current_].text) * kCharacterMs)
    ++current_;
  Text &text = texts_[current_];
  text.ms += format_.ms_of(audio_bytes);
  Part part;
  part.text = current_;
  part.audio_end = audio_bytes;
  part.words = untold(current_);
  text.told = text.text.size();
  return {part};
}

bool ContextText::said_by_length() const {
  std::int64_t all = 0;
  for (const Text &text : texts_)
    all += characters(text.text);
  return format_.ms_of(bytes_) >= all * kHurriedCharacterMs;
}

bool ContextText::complete() const {
  for (std::size_t i = 0; i < texts_.size(); ++i)
    if (!rest(i).empty())
      return false;
  return true;
}

std::string ContextText::rest(std::size_t index) const {
  const std::string &text = texts_[index].text;
  if (index < current_ || (!aligned_ && said_by_length()))
    return {};
  if (index > current_)
    return text;
  std::size_t at = text_ == index ? offset_ : 0;
  if (!aligned_)
    for (std::int64_t left = texts_[index].ms / kCharacterMs;
         left > 0 && at < text.size(); --left)
      at = character_end(text, at);
  // A word that was cut is said again, but not for its full stop.
  const std::size_t end = word_end(text, at);
  at = pronounced(text.substr(at, end - at)) ? word_begin(text, at) : end;
  at = text_begin(text, at);
  return pronounced(text.substr(at)) ? text.substr(at) : std::string();
}

std::string ContextText::untold(std::size_t index) const {
  const std::string &text = texts_[index].text;
  return text.substr(text_begin(text, texts_[index].told));
}

} // namespace patchcord::elevenlabs
