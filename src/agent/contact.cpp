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
      domain.find('@') != std::string_view::npos ||
      domain.find_first_of("0123456789", dot) != std::string_view::npos)
    return false;
  if (address[0] == '.' || address[at - 1] == '.' ||
      address.find("..") != std::string_view::npos)
    return false;
  return std::all_of(address.begin(), address.end(), [](char c) {
    return is_letter_or_digit(c) ||
           std::string_view("@.-_+'").find(c) != std::string_view::npos;
  });
}

bool begins_digits(const Words &words, std::size_t i) {
  return digits_at(words, i).has_value();
}

// "Oh, it's ...", "one moment": no digits.
bool is_lone_word(const Words &words, std::size_t begin, std::size_t end) {
  return end == begin + 1 && end < words.size() && words[end] != "please" &&
         is_one_of(words[begin], {"oh", "o", "one"});
}

// What people say within a number.
bool is_between_digits(std::string_view word) {
  return is_one_of(word, {"um", "uh", "er", "and", "then", "dash", "hyphen",
                          "dot", "space", "minus"});
}

// "415, that's the area code, and the number is 555 0100".
constexpr std::size_t kAreaCode = 3;
bool is_behind_area_code(std::string_view word) {
  return is_one_of(
      word, {"area", "code", "the", "number", "is", "its", "thats", "that"});
}

// The longest run of digits, the last of such, so that "two numbers: 555 ..."
// and "555 0100 extension 12" are one number.
std::optional<std::string> longest_run(const Words &words) {
  std::string longest, run;
  for (std::size_t i = 0; i < words.size();) {
    const std::size_t begin = i;
    const auto more = digits_at(words, i);
    if (!more) {
      if (!is_between_digits(words[i]) &&
          !(run.size() == kAreaCode && is_behind_area_code(words[i])))
        run.clear();
      ++i;
    } else if (run.empty() && is_lone_word(words, begin, i) &&
               !begins_digits(words, i)) {
      continue;
    } else {
      run += *more;
    }
    if (!run.empty() && run.size() >= longest.size())
      longest = run;
  }
  return longest.empty() ? std::nullopt : std::optional(longest);
}

// --- addresses ---------------------------------------------------------------

bool is_letter_word(const std::string &word) { return word.size() == 1; }

// The "at" of the address, the last with a "dot" behind it.
std::optional<std::size_t> host_sign(const Words &words) {
  std::optional<std::size_t> sign;
  bool dot = false;
  for (std::size_t i = words.size(); i > 0 && !sign; --i) {
    dot = dot || is_one_of(words[i - 1], {"dot", "point", "period"});
    if (dot && words[i - 1] == "at")
      sign = i - 1;
  }
  return sign;
}

// Words of the sentence around an address. Letters of it may look like some.
bool ends_mailbox(const Words &words, std::size_t i) {
  const bool spelled = is_letter_word(words[i]) &&
                       ((i > 0 && is_letter_word(words[i - 1])) ||
                        (i + 1 < words.size() && is_letter_word(words[i + 1])));
  return !spelled &&
         is_one_of(words[i],
                   {"no",   "it",     "is",    "its",      "sorry",   "to",
                    "my",   "email",  "mail",  "address",  "write",   "send",
                    "be",   "me",     "us",    "thats",    "that",    "said",
                    "i",    "would",  "wait",  "the",      "or",      "and",
                    "on",   "okay",   "ok",    "right",    "yes",     "yeah",
                    "um",   "uh",     "well",  "so",       "sure",    "at",
                    "mean", "should", "reach", "actually", "wrong",   "not",
                    "oh",   "please", "under", "have",     "capital", "use"});
}

// From "at" backwards. "B as in boy" is a letter.
Words mailbox(const Words &words, std::size_t at) {
  Words taken;
  for (std::size_t i = at; i > 0;) {
    if (i >= 4 && words[i - 2] == "in" && words[i - 3] == "as" &&
        is_letter_word(words[i - 4])) {
      i -= 3;
      continue;
    }
    const bool own = taken.empty() && is_one_of(words[i - 1], {"me", "us"});
    if (words[i - 1] == "capital") { // "capital j": letters are all small
      --i;
      continue;
    }
    if (!own && ends_mailbox(words, i - 1))
      break;
    taken.insert(taken.begin(), words[--i]);
    if (own)
      break;
  }
  return taken;
}

// Up to the label behind the last "dot", which may be spelled.
Words host(const Words &words, std::size_t at) {
  const auto joins = [](const std::string &word) {
    return is_one_of(word, {"dot", "point", "period", "dash", "hyphen"});
  };
  Words taken;
  bool dot = false;
  for (std::size_t i = at + 1; i < words.size(); ++i) {
    const bool whole = dot && !taken.empty() && !joins(taken.back());
    const bool spells = is_letter_word(words[i]) && !taken.empty() &&
                        is_letter_word(taken.back());
    if (whole && !joins(words[i]) && !spells)
      break;
    dot = dot || is_one_of(words[i], {"dot", "point", "period"});
    taken.push_back(words[i]);
  }
  return taken;
}

std::string written_out(const Words &words) {
  std::string out;
  for (std::size_t i = 0; i < words.size();) {
    const std::string &word = words[i];
    const char *sign = is_one_of(word, {"dot", "point", "period"})    ? "."
                       : word == "underscore"                         ? "_"
                       : is_one_of(word, {"dash", "hyphen", "minus"}) ? "-"
                       : word == "plus"                               ? "+"
                                                                      : nullptr;
    const auto digits = sign == nullptr && word != "o" && small_number(word)
                            ? digits_at(words, i)
                            : std::nullopt;
    if (digits) {
      out += *digits;
      continue;
    }
    out += sign != nullptr ? std::string(sign) : word;
    ++i;
  }
  return out;
}

// Digits, what is said within them, and nothing else that might get lost.
bool is_but_digits(const Words &words) {
  for (std::size_t i = 0; i < words.size();) {
    if (digits_at(words, i))
      continue;
    if (!is_between_digits(words[i]) && !is_behind_area_code(words[i]) &&
        !is_one_of(words[i], {"plus", "please"}))
      return false;
    ++i;
  }
  return true;
}

bool has_plus(std::string_view text, const Words &words) {
  return text.find('+') != std::string_view::npos || has_any(words, {"plus"});
}

// The digits with which `text` ends, and where they begin in it: all behind
// "call me at" of "call me at 415 555".
struct LastDigits {
  std::string digits;
  std::size_t begin = 0;
};
LastDigits last_digits(const std::string &text) {
  LastDigits last;
  for (std::size_t at = text.size(); at > 0;) {
    const std::size_t space = text.rfind(' ', --at);
    const std::size_t begin = space == std::string::npos ? 0 : space + 1;
    const Words words = to_words(std::string_view(text).substr(begin));
    if (!is_but_digits(words))
      break;
    if (!words.empty() && (words[0] == "plus" || begins_digits(words, 0)))
      last = {find_digits(words).value_or(""), begin};
    at = space == std::string::npos ? 0 : space;
  }
  return last;
}

} // namespace

std::optional<std::string> find_digits(const Words &words) {
  if (const Words corrected = behind_correction(words);
      corrected.size() < words.size())
    if (auto digits = longest_run(corrected))
      return digits;
  return longest_run(words);
}

std::string joined_digits(const std::string &before, const std::string &behind,
                          const DigitRules &rules, bool phone) {
  const Words said = to_words(before), words = to_words(behind);
  const LastDigits first = last_digits(before);
  const std::string last = find_digits(words).value_or("");
  const auto most = static_cast<std::size_t>(rules.most);
  const bool whole = !first.digits.empty() &&
                     first.digits == find_digits(said) && last.size() <= most &&
                     last.size() >= static_cast<std::size_t>(rules.fewest);
  // 212 is an area code, and the first half of 212-5550 in it. Behind "plus
  // four nine" there may be another 49.
  const bool goes_on =
      phone &&
      ((first.digits.size() == kAreaCode && last.size() == kFewestOfPhone) ||
       (has_plus(before, said) && !has_plus(behind, words)));
  const bool again = (last.starts_with(first.digits) && !goes_on) ||
                     first.digits.size() + last.size() > most ||
                     behind_correction(words).size() < words.size();
  // What else was said before them stays.
  return whole && again ? joined(before.substr(0, first.begin), behind)
                        : joined(before, behind);
}

bool is_international(std::string_view spoken) {
  const Words words = to_words(spoken);
  return has_plus(spoken, words) ||
         find_digits(words).value_or("").starts_with("00");
}

std::optional<std::string> find_phone(std::string_view spoken) {
  // "555.0100" is one word to the rest of us; here the dot only groups.
  std::string grouped(spoken);
  std::replace(grouped.begin(), grouped.end(), '.', ' ');
  const Words words = to_words(grouped);
  const auto fits = [](const std::optional<std::string> &digits) {
    return digits && digits->size() >= kFewestOfPhone &&
           digits->size() <= kMostOfPhone;
  };
  auto digits = find_digits(words);
  if (!fits(digits)) // "..., actually call me after 5"
    digits = longest_run(words);
  if (!fits(digits))
    return std::nullopt;
  return (has_plus(spoken, words) ? "+" : "") + *digits;
}

std::optional<std::string> find_email(std::string_view spoken) {
  if (const auto written = written_email(spoken))
    return plausible_email(*written) ? written : std::nullopt;
  const Words words = to_words(spoken);
  const auto at = host_sign(words);
  if (!at)
    return std::nullopt;
  const std::string address =
      written_out(mailbox(words, *at)) + "@" + written_out(host(words, *at));
  return plausible_email(address) ? std::optional(address) : std::nullopt;
}

} // namespace patchcord::agent
