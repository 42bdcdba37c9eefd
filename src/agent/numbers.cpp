// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/values.hpp"

#include "agent/refusal.hpp"

#include <string>

// Numbers as they are spoken.
namespace patchcord::agent {
namespace {

// What follows the whole part: "point five", "and a half".
double fraction_at(const Words &words, std::size_t &i) {
  if (i + 2 < words.size() && words[i] == "and" && words[i + 1] == "a" &&
      words[i + 2] == "half") {
    i += 3;
    return 0.5;
  }
  if (i >= words.size() || words[i] != "point")
    return 0;
  std::string digits;
  std::size_t next = i + 1;
  for (; next < words.size(); ++next) {
    const auto digit = small_number(words[next]);
    if (is_digits(words[next]))
      digits += words[next];
    else if (digit && *digit <= 9)
      digits += std::to_string(*digit);
    else
      break;
  }
  if (digits.empty() || digits.size() > 9)
    return 0;
  i = next;
  return std::stod("0." + digits);
}

// "1.5" as transcripts write it.
std::optional<double> decimal(std::string_view word) {
  const std::size_t dot = word.find('.');
  if (dot == std::string_view::npos || word.size() > 16 ||
      !is_digits(word.substr(0, dot)) || !is_digits(word.substr(dot + 1)))
    return std::nullopt;
  return std::stod(std::string(word));
}

// Behind a number: it is not that number.
bool is_unknown_scale(std::string_view word) {
  return is_one_of(word,
                   {"million", "millions", "billion", "trillion", "dozen",
                    "quarter", "quarters", "third", "thirds", "halves", "score",
                    "gross", "percent", "something", "odd", "plus"});
}

// A number that is told without a cardinal.
std::optional<double> other_number(const Words &words) {
  if (const auto couple = find_phrase(words, {"couple"}))
    return is_one_of(word_at(words, couple->end),
                     {"hundred", "thousand", "dozen", "more", "other"})
               ? std::nullopt
               : std::optional(2.0);
  if (has_any(words, {"both"}))
    return 2;
  if (find_phrase(words, {"half", "a", "dozen"}))
    return 6;
  if (has_any(words, {"dozen"}))
    return 12;
  if (has_any(words, {"none", "nobody", "nothing"}))
    return 0;
  if (find_phrase(words, {"just", "me"}) ||
      find_phrase(words, {"only", "me"}) || has_any(words, {"myself", "alone"}))
    return 1;
  return std::nullopt;
}

// Three or more single digits in a row are a number that is dictated, and so is
// "double five".
std::optional<double> dictated(const Words &words) {
  std::string digits;
  std::size_t times = 1;
  bool is_dictated = false;
  for (const std::string &word : words) {
    const auto digit = word == "oh" ? std::optional(0) : small_number(word);
    if (is_one_of(word, {"double", "triple"})) {
      times = word == "double" ? 2 : 3;
      continue;
    }
    if (digit && *digit <= 9) {
      digits.append(times, static_cast<char>('0' + *digit));
      is_dictated = is_dictated || times > 1 || digits.size() >= 3;
    } else if (!digits.empty()) {
      break;
    }
    times = 1;
  }
  if (!is_dictated || digits.size() > 15)
    return std::nullopt;
  return std::stod(digits);
}

} // namespace

bool is_exceeded(const Words &words, std::size_t begin) {
  std::size_t i = begin;
  while (i > 0 && is_one_of(words[i - 1], {"a", "an", "the"}))
    --i;
  if (i > 0 && is_one_of(words[i - 1], {"over", "under", "above", "below"}))
    return true;
  return i > 1 && words[i - 1] == "than" &&
         is_one_of(words[i - 2], {"more", "less", "fewer", "greater"}) &&
         !(i > 2 && is_one_of(words[i - 3], {"no", "not"}));
}

bool adds_himself(const Words &words) {
  for (const char *self : {"me", "myself"})
    for (const char *sign : {"and", "plus"})
      if (find_phrase(words, {self, sign}) || find_phrase(words, {sign, self}))
        return true;
  return find_phrase(words, {"not", "counting"}) ||
         find_phrase(words, {"not", "including"}) ||
         find_phrase(words, {"besides", "me"});
}

std::optional<double> find_number(const Words &words) {
  // "Seventeen, I mean twenty seven."
  if (const Words corrected = behind_correction(words);
      corrected.size() < words.size())
    if (const auto number = find_number(corrected))
      return number;
  if (const auto number = dictated(words))
    return number;
  std::optional<double> found;
  for (std::size_t i = 0; i < words.size();) {
    std::optional<double> number = decimal(words[i]);
    std::size_t next = i + 1;
    if (!number) {
      if (const auto cardinal = cardinal_at(words, i)) {
        number = static_cast<double>(cardinal->value);
        next = cardinal->end;
        *number += fraction_at(words, next);
      }
    }
    if (number && ((next < words.size() && is_unknown_scale(words[next])) ||
                   is_exceeded(words, i) || adds_himself(words)))
      return std::nullopt;
    if (number && i > 0 && words[i - 1] == "minus")
      *number = -*number;
    if (is_denied(words, {i, next})) // "not two, three"
      number.reset();
    if (words[i] == "one" && next == i + 1 && next < words.size() &&
        is_one_of(words[next], {"moment", "second", "minute", "sec"}))
      number.reset();
    if (number && found && *number != *found)
      return std::nullopt;
    if (number)
      found = number;
    i = next;
  }
  return found ? found : other_number(words);
}

} // namespace patchcord::agent
