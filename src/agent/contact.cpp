// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/values.hpp"
#include "base/text.hpp"

#include <algorithm>

// Digits, phone numbers and e-mail addresses as people dictate them.
namespace patchcord::agent {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// The digits of the number words at `i`; moves `i` behind them.
std::optional<std::string> digits_at(const Words &words, std::size_t &i) {
  const std::string &word = words[i];
  if (is_digits(word)) {
    ++i;
    return word;
  }
  if (is_one_of(word, {"oh", "o"})) {
    ++i;
    return "0";
  }
  const bool twice = word == "double", thrice = word == "triple";
  if ((twice || thrice) && i + 1 < words.size()) {
    std::size_t next = i + 1;
    const auto one = digits_at(words, next);
    if (!one || one->size() != 1)
      return std::nullopt;
    i = next;
    return std::string(twice ? 2 : 3, (*one)[0]);
  }
  const auto number = small_number(word);
  if (!number)
    return std::nullopt;
  ++i;
  if (*number >= 20 && i < words.size()) {
    const auto unit = small_number(words[i]);
    if (unit && *unit >= 1 && *unit <= 9) {
      ++i;
      return std::to_string(*number + *unit);
    }
  }
  std::string digits = std::to_string(*number);
  if (*number >= 1 && *number <= 9 && i < words.size() &&
      is_one_of(words[i], {"hundred", "thousand"})) {
    digits += words[i] == "hundred" ? "00" : "000";
    ++i;
  }
  return digits;
}

// An address that was written, not dictated: the words around an "@".
std::optional<std::string> written_email(std::string_view spoken) {
  const std::size_t at = spoken.find('@');
  if (at == std::string_view::npos)
    return std::nullopt;
  std::size_t begin = at, end = at + 1;
  while (begin > 0 && static_cast<unsigned char>(spoken[begin - 1]) > ' ')
    --begin;
  while (end < spoken.size() && static_cast<unsigned char>(spoken[end]) > ' ')
    ++end;
  while (end > at && (spoken[end - 1] == '.' || spoken[end - 1] == ','))
    --end;
  return to_lower(spoken.substr(begin, end - begin));
}

bool plausible_email(std::string_view address) {
  const std::size_t at = address.find('@');
  if (at == std::string_view::npos || at == 0 || address.size() > 254)
    return false;
  const std::string_view domain = address.substr(at + 1);
  const std::size_t dot = domain.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || domain.size() - dot < 3 ||
      domain.find('@') != std::string_view::npos)
    return false;
  if (address[0] == '.' || address[at - 1] == '.' ||
      address.find("..") != std::string_view::npos)
    return false;
  return std::all_of(address.begin(), address.end(), [](char c) {
    return is_letter_or_digit(c) ||
           std::string_view("@.-_+'").find(c) != std::string_view::npos;
  });
}

} // namespace

std::optional<std::string> find_digits(const Words &words) {
  std::string digits;
  for (std::size_t i = 0; i < words.size();) {
    if (const auto more = digits_at(words, i))
      digits += *more;
    else
      ++i;
  }
  return digits.empty() ? std::nullopt : std::optional(digits);
}

std::optional<std::string> find_phone(std::string_view spoken) {
  // "555.0100" is one word to the rest of us; here the dot only groups.
  std::string grouped(spoken);
  std::replace(grouped.begin(), grouped.end(), '.', ' ');
  const Words words = to_words(grouped);
  const auto digits = find_digits(words);
  if (!digits || digits->size() < 7 || digits->size() > 15)
    return std::nullopt;
  const bool plus = has_any(words, {"plus"}) || spoken.find('+') != spoken.npos;
  return (plus ? "+" : "") + *digits;
}

std::optional<std::string> find_email(std::string_view spoken) {
  if (const auto written = written_email(spoken))
    return plausible_email(*written) ? written : std::nullopt;
  // Leading words that belong to the sentence.
  Words words = to_words(spoken);
  std::size_t i = 0;
  while (i < words.size() &&
         is_one_of(words[i], {"my",   "email", "mail",  "e",    "address", "is",
                              "its",  "it",    "thats", "that", "would",   "be",
                              "sure", "yes",   "yeah",  "okay", "ok",      "um",
                              "uh",   "the",   "so",    "well"}) &&
         !(words[i] == "e" && i + 1 < words.size() && words[i + 1].size() == 1))
    ++i;
  std::string address;
  while (i < words.size()) {
    const std::string &word = words[i];
    if (word == "at")
      address += '@';
    else if (is_one_of(word, {"dot", "point", "period"}))
      address += '.';
    else if (word == "underscore")
      address += '_';
    else if (is_one_of(word, {"dash", "hyphen", "minus"}))
      address += '-';
    else if (word == "plus")
      address += '+';
    else if (is_one_of(word, {"please", "thanks", "thank", "you"}))
      break;
    else if (word == "o" || !small_number(word))
      address += word;
    else if (const auto digits = digits_at(words, i)) {
      address += *digits;
      continue;
    }
    ++i;
  }
  return plausible_email(address) ? std::optional(address) : std::nullopt;
}

} // namespace patchcord::agent
