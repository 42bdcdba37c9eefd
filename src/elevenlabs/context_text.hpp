// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "elevenlabs/messages.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace patchcord::elevenlabs {

struct SpeechFormat {
  int rate = 8000; // samples a second
  int sample_bytes = 1;
  std::size_t bytes_at(std::int64_t ms) const;   // of whole samples
  std::int64_t ms_of(std::uint64_t bytes) const; // rounded down
};

// From byte `offset` of a text on, `ms` into its audio.
struct WordTiming {
  std::uint32_t offset = 0;
  std::uint32_t ms = 0;
  bool operator==(const WordTiming &) const = default;
};

// The texts that one context was given and how far its audio has got with them.
// Each message's audio is laid to the texts by the characters that came with
// it; a context without usable characters is laid out by length: so many
// milliseconds a character. Pure.
class ContextText {
public:
  explicit ContextText(SpeechFormat format) : format_(format) {}

  // Trimmed, not empty.
  void add(std::string text) { texts_.push_back({std::move(text)}); }
  std::size_t size() const { return texts_.size(); }
  const std::string &text(std::size_t index) const {
    return texts_[index].text;
  }

  // A stretch of a message's audio that belongs to one text.
  struct Part {
    std::size_t text = 0; // index
    // The words that begin here, and when they do since the part's start.
    // Empty: only more audio of what was told before.
    std::string words;
    std::vector<WordTiming> timings;
    std::size_t audio_end = 0; // bytes of the message's audio, up to here
  };
  // `relative`: whether the server counts times from the start of each message;
  // found out from the messages and kept for the next context.
  std::vector<Part> take(const std::vector<TimedCharacter> &alignment,
                         std::size_t audio_bytes, bool &relative);

  // The text whose audio is under way; those before it have all of theirs.
  std::size_t current() const { return current_; }
  bool heard() const { return bytes_ > 0; }
  // Everything was said, by the characters or else by the length.
  bool complete() const;
  // What of the text was not said: whole words. Empty: all was.
  std::string rest(std::size_t index) const;
  // The words of which no part told.
  std::string untold(std::size_t index) const;

private:
  struct Text {
    std::string text;
    std::size_t told = 0; // up to here parts told its words
    std::int64_t ms = 0;  // of audio laid by length
  };
  struct Match {
    std::size_t text, offset;
    std::int64_t ms; // in the message
  };

  std::vector<Match> match(const std::vector<TimedCharacter> &alignment,
                           std::size_t audio_bytes, bool &relative);
  bool match_one(const std::string &character, Match &match);
  std::vector<Part> lay_by_characters(const std::vector<Match> &matches,
                                      std::size_t audio_bytes);
  std::vector<Part> lay_by_length(std::size_t audio_bytes);
  bool said_by_length() const;

  SpeechFormat format_;
  std::vector<Text> texts_;
  std::size_t current_ = 0;
  bool aligned_ = false;              // by characters
  std::size_t text_ = 0, offset_ = 0; // behind the last matched character
  std::uint64_t bytes_ = 0;           // of audio so far
  std::int64_t last_end_ = 0;         // of the last characters, as given
};

} // namespace patchcord::elevenlabs
