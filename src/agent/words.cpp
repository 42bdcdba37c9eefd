// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/words.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace patchcord::agent {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) {
  // Bytes of UTF-8 sequences count as letters.
  return (c >= 'a' && c <= 'z') || (static_cast<unsigned char>(c) & 0x80) != 0;
}

// Typographic apostrophes as recognisers write them (U+2019, U+2018).
bool is_apostrophe(std::string_view text, std::size_t at, std::size_t &size) {
  const std::string_view rest = text.substr(at);
  if (rest[0] == '\'') {
    size = 1;
    return true;
  }
  if (rest.starts_with("\xe2\x80\x99") || rest.starts_with("\xe2\x80\x98")) {
    size = 3;
    return true;
  }
  return false;
}

// "pm" of "2pm" becomes a word of its own; "3rd" stays.
void push_word(Words &words, std::string word) {
  if (word.empty())
    return;
  std::size_t digits = 0;
  while (digits < word.size() &&
         (is_digit(word[digits]) || word[digits] == ':'))
    ++digits;
  const std::string_view tail = std::string_view(word).substr(digits);
  if (digits > 0 && (tail == "am" || tail == "pm")) {
    const std::string half(tail);
    words.push_back(word.substr(0, digits));
    words.push_back(half);
  } else {
    words.push_back(std::move(word));
  }
}

// "p m" and "a m" after the number they belong to.
void join_halves(Words &words) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i)
    if ((words[i] == "p" || words[i] == "a") && words[i + 1] == "m") {
      words[i] += 'm';
      words.erase(words.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
}

constexpr std::array<std::string_view, 20> kSmall = {
    "zero",    "one",     "two",       "three",    "four",
    "five",    "six",     "seven",     "eight",    "nine",
    "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr std::array<std::string_view, 8> kTens = {
    "twenty", "thirty",  "forty",  "fifty",
    "sixty",  "seventy", "eighty", "ninety"};
constexpr std::array<std::string_view, 21> kOrdinals = {
    "",          "first",     "second",      "third",      "fourth",
    "fifth",     "sixth",     "seventh",     "eighth",     "ninth",
    "tenth",     "eleventh",  "twelfth",     "thirteenth", "fourteenth",
    "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
    "twentieth"};

std::optional<std::int64_t> number_of_digits(std::string_view word) {
  if (!is_digits(word) || word.size() > 6)
    return std::nullopt;
  std::int64_t value = 0;
  for (const char c : word)
    value = value * 10 + (c - '0');
  return value;
}

// 1..99 in words, or any digits.
std::optional<FoundNumber> below_hundred(const Words &words, std::size_t i) {
  if (const auto digits = number_of_digits(word_at(words, i)))
    return FoundNumber{*digits, i + 1};
  const auto first = small_number(word_at(words, i));
  if (!first)
    return std::nullopt;
  if (*first >= 20) {
    const auto unit = small_number(word_at(words, i + 1));
    if (unit && *unit >= 1 && *unit <= 9)
      return FoundNumber{*first + *unit, i + 2};
  }
  return FoundNumber{*first, i + 1};
}

std::optional<FoundNumber> below_thousand(const Words &words, std::size_t i) {
  std::optional<FoundNumber> found;
  if (word_at(words, i) == "a" && word_at(words, i + 1) == "hundred")
    found = FoundNumber{1, i + 1};
  else
    found = below_hundred(words, i);
  if (!found || word_at(words, found->end) != "hundred" || found->value > 9)
    return found;
  found->value *= 100;
  ++found->end;
  const std::size_t next =
      found->end + (word_at(words, found->end) == "and" ? 1 : 0);
  const auto rest = below_hundred(words, next);
  if (rest && rest->value > 0 && rest->value < 100)
    return FoundNumber{found->value + rest->value, rest->end};
  return found;
}

bool same_word(std::string_view a, std::string_view b) {
  if (a == b)
    return true;
  if (a.size() > b.size())
    std::swap(a, b);
  return a.size() > 2 && b.size() == a.size() + 1 && b.starts_with(a) &&
         b.back() == 's';
}

} // namespace

Words to_words(std::string_view text) {
  const std::string lower = to_lower(text);
  Words words;
  std::string word;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    const char c = lower[i];
    const char next = i + 1 < lower.size() ? lower[i + 1] : ' ';
    const bool in_number =
        !word.empty() && is_digit(word.back()) && is_digit(next);
    const bool in_half = (word == "a" || word == "p") && next == 'm';
    std::size_t size = 0;
    if (is_apostrophe(lower, i, size))
      i += size - 1;
    else if (is_digit(c) || is_alpha(c) ||
             (in_number && (c == ':' || c == '.')))
      word += c;
    // Not the comma of "1,000" and the dot of "p.m.": they end no word.
    else if (!(in_number && c == ',') && !(in_half && c == '.'))
      push_word(words, std::exchange(word, {}));
  }
  push_word(words, std::move(word));
  join_halves(words);
  return words;
}

std::string joined(std::string_view a, std::string_view b) {
  std::string text(trim(a));
  if (!text.empty() && !b.empty())
    text += ' ';
  return text.append(b);
}

bool is_digits(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), is_digit);
}

std::optional<int> small_number(std::string_view word) {
  for (std::size_t i = 0; i < kSmall.size(); ++i)
    if (word == kSmall[i])
      return static_cast<int>(i);
  for (std::size_t i = 0; i < kTens.size(); ++i)
    if (word == kTens[i])
      return static_cast<int>(i + 2) * 10;
  return word == "fourty" ? std::optional(40) : std::nullopt;
}

std::optional<FoundNumber> cardinal_at(const Words &words, std::size_t begin) {
  std::optional<FoundNumber> found;
  if (word_at(words, begin) == "a" && word_at(words, begin + 1) == "thousand")
    found = FoundNumber{1, begin + 1};
  else
    found = below_thousand(words, begin);
  if (!found || word_at(words, found->end) != "thousand" ||
      found->value > 999 || found->value < 1)
    return found;
  found->value *= 1000;
  ++found->end;
  const std::size_t next =
      found->end + (word_at(words, found->end) == "and" ? 1 : 0);
  const auto rest = below_thousand(words, next);
  if (rest && rest->value > 0 && rest->value < 1000)
    return FoundNumber{found->value + rest->value, rest->end};
  return found;
}

std::optional<FoundNumber> ordinal_at(const Words &words, std::size_t begin) {
  const std::string_view word = word_at(words, begin);
  for (std::size_t i = 1; i < kOrdinals.size(); ++i)
    if (word == kOrdinals[i])
      return FoundNumber{static_cast<std::int64_t>(i), begin + 1};
  if (word == "thirtieth")
    return FoundNumber{30, begin + 1};
  if (word == "twenty" || word == "thirty") {
    const auto unit = ordinal_at(words, begin + 1);
    if (unit && unit->value <= 9)
      return FoundNumber{(word == "twenty" ? 20 : 30) + unit->value, unit->end};
    return std::nullopt;
  }
  if (word.size() >= 3 && word.size() <= 4) {
    const std::string_view digits = word.substr(0, word.size() - 2);
    const auto number = number_of_digits(digits);
    if (number && *number >= 1 && *number <= 31 &&
        is_one_of(word.substr(digits.size()), {"st", "nd", "rd", "th"}))
      return FoundNumber{*number, begin + 1};
  }
  return std::nullopt;
}

std::string_view word_at(const Words &words, std::size_t i) {
  return i < words.size() ? std::string_view(words[i]) : std::string_view();
}

std::optional<Span> find_phrase(const Words &words, const Words &phrase,
                                std::size_t from) {
  if (phrase.empty() || from > words.size())
    return std::nullopt;
  const auto at =
      std::search(words.begin() + static_cast<std::ptrdiff_t>(from),
                  words.end(), phrase.begin(), phrase.end(), same_word);
  if (at == words.end())
    return std::nullopt;
  const auto begin = static_cast<std::size_t>(at - words.begin());
  return Span{begin, begin + phrase.size()};
}

bool is_one_of(std::string_view word,
               std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool has_any(const Words &words, std::initializer_list<std::string_view> list) {
  return std::any_of(words.begin(), words.end(), [&](const std::string &word) {
    return is_one_of(word, list);
  });
}

std::vector<std::pair<Words, Words>>
split_at(const Words &words, std::initializer_list<std::string_view> signs) {
  constexpr std::size_t kMost = 8; // each is looked through as a whole
  std::vector<std::pair<Words, Words>> out;
  for (auto sign = words.begin(); sign != words.end() && out.size() < kMost;
       ++sign)
    if (is_one_of(*sign, signs))
      out.push_back({{words.begin(), sign}, {sign + 1, words.end()}});
  return out;
}

std::vector<std::pair<Words, Words>> alternatives(const Words &words) {
  return split_at(words, {"or", "maybe", "perhaps", "possibly"});
}

bool is_no_of_something(const Words &words, std::size_t i) {
  const std::string_view before = i > 0 ? word_at(words, i - 1) : "";
  const std::string_view next = word_at(words, i + 1);
  return words[i] == "no" &&
         (is_one_of(before, {"have", "has", "theres", "got", "with"}) ||
          is_one_of(next, {"time", "way", "need", "hurry", "rush", "later",
                           "earlier", "sooner"}) ||
          (next == "one" &&
           is_one_of(word_at(words, i + 2), {"can", "could", "will", "would",
                                             "is", "has", "wants", "knows"})));
}

bool is_of_waiting(const Words &words, std::size_t i) {
  return words[i] == "wait" && i > 0 &&
         is_one_of(words[i - 1], {"can", "cant", "cannot", "could", "couldnt",
                                  "to", "not", "wont", "will", "may", "must"});
}

Words behind_correction(const Words &words) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool mean = (words[i] == "mean" || words[i] == "meant") && i > 0 &&
                      words[i - 1] == "i";
    const bool prefers =
        words[i] == "rather" && word_at(words, i + 1) != "than";
    const bool corrects =
        is_one_of(words[i],
                  {"no", "sorry", "nope", "wait", "actually", "correction"}) &&
        !is_no_of_something(words, i) && !is_of_waiting(words, i);
    if (mean || prefers || corrects)
      begin = i + 1;
  }
  return {words.begin() + static_cast<std::ptrdiff_t>(begin), words.end()};
}

Words without_lead(const Words &words, std::size_t *removed) {
  static const std::vector<Words> kLeads = {{"my", "name", "is"},
                                            {"the", "name", "is"},
                                            {"my", "names"},
                                            {"this", "is"},
                                            {"it", "is"},
                                            {"that", "is"},
                                            {"its"},
                                            {"thats"},
                                            {"i", "am"},
                                            {"im"},
                                            {"um"},
                                            {"uh"},
                                            {"er"},
                                            {"hmm"},
                                            {"well"},
                                            {"so"},
                                            {"my", "number", "is"},
                                            {"the", "number", "is"},
                                            {"you", "can", "reach", "me", "at"},
                                            {"i", "would", "say"}};
  std::size_t at = 0;
  for (bool again = true; again;) {
    again = false;
    for (const Words &lead : kLeads)
      if (at + lead.size() < words.size() &&
          std::equal(lead.begin(), lead.end(),
                     words.begin() + static_cast<std::ptrdiff_t>(at))) {
        at += lead.size();
        again = true;
        break;
      }
  }
  if (removed != nullptr)
    *removed = at;
  return {words.begin() + static_cast<std::ptrdiff_t>(at), words.end()};
}

} // namespace patchcord::agent
