// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/sound.hpp"

#include "audio/mulaw.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace patchcord::scenario {
namespace {

// 14 characters a second.
constexpr Samples kCharacter = phone::kRate / 14;
constexpr Samples kComma = phone::kRate / 5, kSentence = phone::kRate * 3 / 10,
                  kEllipsis = phone::kRate * 7 / 10;

// A word's mark stands in the lowest bits of its first and last samples: four
// ones, whether it is the end, the number, and a pattern. All other samples of
// a sound have a lowest bit of 0, and silence of 1. The pattern has no four
// ones in a row and ends in zeros, so that a mark that is cut is not completed
// by the next. No sample of a mark is silence: Ear skips that, so that a word
// that was cut within its mark, and went on later, is heard.
constexpr std::uint64_t kBegin = 0b1111, kPattern = 0b0101'0110'1011'0000;
constexpr int kBeginBits = 4, kNumberBits = 24, kPatternBits = 16;
constexpr int kMarkBits = kBeginBits + 1 + kNumberBits + kPatternBits;
static_assert(kMarkBits == kMarkLength);

constexpr std::uint64_t mark_of(std::uint32_t word, bool end) {
  std::uint64_t bits = kBegin << 1 | std::uint64_t{end};
  bits = bits << kNumberBits | (word & ((1U << kNumberBits) - 1));
  return bits << kPatternBits | kPattern;
}

constexpr int kShapes = 8; // of letters
using Letter = std::array<std::uint8_t, kCharacter>;

// A syllable-like sound: a buzz with a formant that the letter chooses, which
// swells and fades.
Letter make_letter(double pitch, int shape) {
  Letter letter{};
  for (Samples i = 0; i < kCharacter; ++i) {
    const double t = static_cast<double>(i) / phone::kRate;
    const double turn = 2 * std::numbers::pi * pitch * t;
    const double swell =
        0.35 + 0.65 * std::sin(std::numbers::pi * static_cast<double>(i) /
                               static_cast<double>(kCharacter));
    const double wave = std::sin(turn) + 0.5 * std::sin((2 + shape) * turn) +
                        0.3 * std::sin((5 + 2 * shape) * turn);
    const auto sample = static_cast<std::int16_t>(6000 * swell * wave);
    letter[static_cast<std::size_t>(i)] =
        audio::linear_to_mulaw(sample) & std::uint8_t{0xFE};
  }
  return letter;
}

using Alphabet = std::array<Letter, kShapes>;

Alphabet make_alphabet(double pitch) {
  Alphabet alphabet{};
  for (int shape = 0; shape < kShapes; ++shape)
    alphabet[static_cast<std::size_t>(shape)] = make_letter(pitch, shape);
  return alphabet;
}

const Alphabet &alphabet(Timbre timbre) {
  static const std::array<Alphabet, 3> kAlphabets = {
      make_alphabet(110), make_alphabet(150), make_alphabet(210)};
  return kAlphabets[static_cast<std::size_t>(timbre)];
}

void mark(std::uint8_t *samples, std::uint32_t word, bool end) {
  const std::uint64_t bits = mark_of(word, end);
  for (int i = 0; i < kMarkBits; ++i) {
    std::uint8_t &sample = samples[i];
    sample = static_cast<std::uint8_t>((sample & 0xFE) |
                                       ((bits >> (kMarkBits - 1 - i)) & 1U));
    if (sample == audio::kMulawSilence)
      sample -= 2;
  }
}

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t'; }

void append_silence(Bytes &out, Samples length) {
  out.insert(out.end(), static_cast<std::size_t>(length), audio::kMulawSilence);
}

// How long a character takes to say: a digit is a word, a character of three
// bytes or more in UTF-8 a syllable.
Samples length_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if ((byte & 0xC0) == 0x80) // goes on
    return 0;
  if (byte >= 0xE0)
    return kCharacter * 5 / 2;
  return byte >= '0' && byte <= '9' ? kCharacter * 3 : kCharacter;
}

Samples pause_behind(std::string_view word) {
  if (word.ends_with("..."))
    return kEllipsis;
  if (word.ends_with(',') || word.ends_with(';'))
    return kComma;
  if (word.ends_with('.') || word.ends_with('?') || word.ends_with('!') ||
      word.ends_with(':'))
    return kSentence;
  return 0;
}

} // namespace

Sound speak(std::string_view text, Timbre timbre, std::uint32_t first_word) {
  const Alphabet &letters = alphabet(timbre);
  Sound sound;
  for (std::size_t at = 0; at < text.size();) {
    if (is_space(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && !is_space(text[end]))
      ++end;
    const std::string_view word = text.substr(at, end - at);
    const auto begin = static_cast<Samples>(sound.mulaw.size());
    for (const char c : word) {
      const Letter &letter =
          letters[static_cast<unsigned char>(c) % std::size_t{kShapes}];
      for (Samples left = length_of(c); left > 0; left -= kCharacter)
        sound.mulaw.insert(sound.mulaw.end(), letter.begin(),
                           letter.begin() + std::min(left, kCharacter));
    }
    if (static_cast<Samples>(sound.mulaw.size()) == begin) // no UTF-8
      sound.mulaw.insert(sound.mulaw.end(), letters[0].begin(),
                         letters[0].end());
    const auto number =
        first_word + static_cast<std::uint32_t>(sound.words.size());
    mark(sound.mulaw.data() + begin, number, false);
    mark(sound.mulaw.data() + sound.mulaw.size() - kMarkBits, number, true);
    sound.words.push_back({static_cast<std::uint32_t>(at), std::string(word),
                           begin, static_cast<Samples>(sound.mulaw.size())});
    append_silence(sound.mulaw, kCharacter + pause_behind(word));
    at = end;
  }
  return sound;
}

Bytes noise(Samples length) {
  Bytes out;
  out.reserve(static_cast<std::size_t>(length));
  std::uint32_t state = 1; // Numerical Recipes' generator
  for (Samples i = 0; i < length; ++i) {
    state = state * 1664525U + 1013904223U;
    const double swell =
        std::sin(std::numbers::pi * (static_cast<double>(i) + 0.5) /
                 static_cast<double>(length));
    const auto wild = static_cast<std::int32_t>(state >> 16) - 32768;
    out.push_back(
        audio::linear_to_mulaw(static_cast<std::int16_t>(0.4 * swell * wild)));
  }
  return out;
}

void Ear::push(ByteSpan mulaw, std::vector<Event> &events) {
  constexpr std::uint64_t kAll = (std::uint64_t{1} << kMarkBits) - 1;
  constexpr std::uint64_t kVaries =
      ((std::uint64_t{1} << (1 + kNumberBits)) - 1) << kPatternBits;
  constexpr std::uint64_t kFixed = kAll & ~kVaries;
  for (const std::uint8_t code : mulaw) {
    ++position_;
    if (code == audio::kMulawSilence)
      continue;
    bits_ = bits_ << 1 | (code & 1U);
    if ((bits_ & kFixed) != mark_of(0, false))
      continue;
    const std::uint64_t told = bits_ >> kPatternBits;
    const auto word =
        static_cast<std::uint32_t>(told & ((1U << kNumberBits) - 1));
    const bool end = ((told >> kNumberBits) & 1U) != 0;
    events.push_back({word, end, end ? position_ : position_ - kMarkBits});
  }
}

} // namespace patchcord::scenario
