// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "phone/line.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Sound that is cheap to make, that a voice activity takes for speech, and of
// which a listener can tell the words. All at 8 kHz in G.711 mu-law. Pure.
namespace patchcord::scenario {

using phone::Samples;

// Where a word lies in a sound.
struct WordAt {
  std::uint32_t offset = 0; // of its first byte in the text
  std::string text;
  Samples begin = 0, end = 0;
};

struct Sound {
  Bytes mulaw;
  std::vector<WordAt> words;
};

enum class Timbre { kAgent, kStandIn, kCaller };

// The samples of a word that say which one it is, at its begin and at its end.
inline constexpr Samples kMarkLength = 45;

// About 14 characters a second, of digits, which are words, a third of that;
// commas, ends of sentences and "..." are pauses. Each word is marked,
// inaudibly, with its number from `first_word` on: Ear reads it.
Sound speak(std::string_view text, Timbre timbre, std::uint32_t first_word);
// A cough: a burst that swells and fades, without a word.
Bytes noise(Samples length);

// Hears which words are in a sound, to the sample: what a caller heard is known
// from what came to his ear alone, whatever anybody believes who sent it.
class Ear {
public:
  struct Event {
    std::uint32_t word;
    bool end; // it has been heard to its end; else it begins
    Samples at;
  };
  void push(ByteSpan mulaw, std::vector<Event> &events);
  Samples position() const { return position_; }

private:
  std::uint64_t bits_ = 0; // the lowest of the last samples that are no silence
  Samples position_ = 0;
};

} // namespace patchcord::scenario
