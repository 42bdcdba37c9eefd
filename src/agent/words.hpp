// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchcord::agent {

// Spoken or transcribed English as words: lower case, without punctuation;
// "twenty-five" is two words, "2:30" and "3.5" one, "p.m." and "p m" are "pm",
// "o'clock" is "oclock", "1,000" is "1000".
using Words = std::vector<std::string>;
Words to_words(std::string_view text);

// Two texts as one, with a space between.
std::string joined(std::string_view a, std::string_view b);

// A run of words, [begin, end).
struct Span {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
};

// A number found in the words.
struct FoundNumber {
  std::int64_t value = 0;
  std::size_t end = 0; // the word behind it
};
// The cardinal that begins at `begin`: "two", "twenty five", "a hundred and
// ten", "25". Up to 999,999.
std::optional<FoundNumber> cardinal_at(const Words &words, std::size_t begin);
// The ordinal that begins at `begin`, 1..31: "third", "twenty first", "3rd".
std::optional<FoundNumber> ordinal_at(const Words &words, std::size_t begin);

// 0..19 and the tens; "oh" is not one of them.
std::optional<int> small_number(std::string_view word);
bool is_digits(std::string_view word);

// Behind the last of them: an empty one.
std::string_view word_at(const Words &words, std::size_t i);

// Where `phrase` stands in `words`, from `from` on; a plural s more or less is
// forgiven.
std::optional<Span> find_phrase(const Words &words, const Words &phrase,
                                std::size_t from = 0);
bool has_any(const Words &words, std::initializer_list<std::string_view> list);
bool is_one_of(std::string_view word,
               std::initializer_list<std::string_view> list);

// What stands before and behind each of the signs (the first eight).
std::vector<std::pair<Words, Words>>
split_at(const Words &words, std::initializer_list<std::string_view> signs);
// "Today or tomorrow", "today, maybe tomorrow": the one and the other.
std::vector<std::pair<Words, Words>> alternatives(const Words &words);

// The "no" of "no time", "no later than", "no one can": it corrects nothing.
bool is_no_of_something(const Words &words, std::size_t i);
// The "wait" of "it can't wait".
bool is_of_waiting(const Words &words, std::size_t i);

// What stands behind the last "sorry", "no" or "I mean", for which it counts.
// All of it when there is none.
Words behind_correction(const Words &words);

// Without what people say before an answer: "um", "it is", "my name is" ...
// `removed` tells how many words that were.
Words without_lead(const Words &words, std::size_t *removed = nullptr);

} // namespace patchcord::agent
