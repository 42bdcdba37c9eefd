// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/values.hpp"

#include "agent/lists.hpp"
#include "agent/refusal.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace patchcord::agent {
namespace {

// "The second floor", "floor two" of what is called "the floor".
std::optional<std::int64_t> labelled_number(const Field &field,
                                            const Words &words) {
  const Words label = to_words(field.label);
  std::optional<std::int64_t> found;
  for (std::size_t i = 0; i < words.size() && !label.empty(); ++i) {
    if (words[i] != label.back())
      continue;
    Span span{i, i};
    std::optional<FoundNumber> number = cardinal_at(words, i + 1);
    if (number)
      span.end = number->end;
    for (std::size_t begin = i > 1 ? i - 2 : 0; begin < i && !number; ++begin)
      if (const auto ordinal = ordinal_at(words, begin);
          ordinal && ordinal->end == i) {
        number = ordinal;
        span.begin = begin;
      }
    if (!number || is_denied(words, span))
      continue;
    const bool one_of_two =
        is_one_of(word_at(words, span.end), {"or", "to", "maybe"}) ||
        (span.begin > 0 &&
         is_one_of(words[span.begin - 1], {"or", "to", "and"}));
    if (one_of_two || (found && *found != number->value))
      return std::nullopt;
    found = number->value;
  }
  return found;
}

Value number_of(const Field &field, std::int64_t number) {
  return field.type == FieldType::kInteger ? Value(number)
                                           : Value(static_cast<double>(number));
}

// "Four people": words that may follow the number tell what it is of.
std::optional<Value> mentioned_number(const Field &field, const Words &words) {
  if (const auto labelled = labelled_number(field, words))
    return number_of(field, *labelled);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto number = cardinal_at(words, i);
    const bool one_of_two =
        i > 1 && is_one_of(words[i - 1], {"or", "to"}) &&
        (small_number(words[i - 2]) || is_digits(words[i - 2]));
    if (!number || one_of_two || is_denied(words, {i, number->end}) ||
        is_exceeded(words, i) || adds_himself(words))
      continue;
    const Words rest(words.begin() + static_cast<std::ptrdiff_t>(number->end),
                     words.end());
    for (const std::string &phrase : field.phrases)
      if (const auto span = find_phrase(rest, to_words(phrase));
          span && span->begin == 0)
        return number_of(field, number->value);
    i = number->end - 1;
  }
  return std::nullopt;
}

std::optional<Value> numeric_value(const Field &field, const Words &words) {
  // "Floor two, no, three."
  if (const Words corrected = behind_correction(words);
      corrected.size() < words.size())
    if (auto value = numeric_value(field, corrected))
      return value;
  if (const auto labelled = labelled_number(field, words))
    return number_of(field, *labelled);
  auto number = find_number(words);
  // "Two people with three bags": the one that it is of.
  if (!number)
    if (auto value = mentioned_number(field, words))
      return value;
  for (const std::string &phrase : field.phrases) // "no bags"
    if (!number && find_phrase(words, to_words("no " + phrase)))
      number = 0;
  if (!number)
    return std::nullopt;
  if (field.type == FieldType::kNumber)
    return Value(*number);
  if (*number != std::floor(*number))
    return std::nullopt;
  return Value(static_cast<std::int64_t>(*number));
}

// --- limits ------------------------------------------------------------------

bool within(const Field &field, double number) {
  return std::isfinite(number) && (!field.min || number >= *field.min) &&
         (!field.max || number <= *field.max);
}

bool is_valid_text(const Field &field, const std::string &text) {
  const auto length =
      std::count_if(text.begin(), text.end(), [](char c) { // UTF-8
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
      });
  return length >= field.min_length &&
         (field.max_length == 0 || length <= field.max_length) &&
         (!field.pattern || field.pattern->matches(text));
}

bool is_choice(const Field &field, const std::string &value) {
  return std::any_of(
      field.choices.begin(), field.choices.end(),
      [&](const Choice &choice) { return choice.value == value; });
}

bool is_valid_digits(const DigitRules &rules, const std::string &digits) {
  return is_digits(digits) &&
         digits.size() >= static_cast<std::size_t>(rules.fewest) &&
         digits.size() <= static_cast<std::size_t>(rules.most);
}

bool is_valid_list(const Field &field, const List &list) {
  return within(field, static_cast<double>(list.size())) &&
         std::all_of(list.begin(), list.end(), [&](const std::string &item) {
           return field.choices.empty() ? is_valid_text(field, item)
                                        : is_choice(field, item);
         });
}

// --- said back ---------------------------------------------------------------

std::string spoken_list(const Field &field, const List &list) {
  std::string out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    std::string item = list[i];
    for (const Choice &choice : field.choices)
      if (choice.value == item)
        item = choice.spoken.front();
    const char *before = i == 0 ? "" : i + 1 == list.size() ? " and " : ", ";
    out += before + item;
  }
  return list.empty() ? "none" : out;
}

std::string single_digits(std::string_view digits) {
  std::string out;
  for (const char digit : digits) {
    if (!out.empty())
      out += ' ';
    out += digit;
  }
  return out;
}

std::string spaced_digits(std::string_view digits) {
  std::string out;
  if (digits.starts_with('+')) {
    out = "plus ";
    digits.remove_prefix(1);
  }
  // In threes with a four at the end, as numbers are told.
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const std::size_t left = digits.size() - i;
    if (i > 0)
      out += left >= 4 && (left - 4) % 3 == 0 ? ", " : " ";
    out += digits[i];
  }
  return out;
}

std::string spoken_email(std::string_view address) {
  std::string out;
  for (const char c : address) {
    const char *word = c == '@'   ? " at "
                       : c == '.' ? " dot "
                       : c == '_' ? " underscore "
                       : c == '-' ? " dash "
                       : c == '+' ? " plus "
                                  : nullptr;
    if (word != nullptr)
      out += word;
    else
      out += c;
  }
  return out;
}

} // namespace

std::optional<std::string> find_text(const Field &field,
                                     std::string_view spoken) {
  const Words words = to_words(spoken);
  for (const std::string &phrase : field.phrases)
    if (find_phrase(words, to_words(phrase)))
      return phrase;
  // What was said, without what introduces it, in its own spelling: words are
  // counted, not copied.
  std::size_t removed = 0;
  (void)without_lead(words, &removed);
  std::string_view rest = trim(spoken);
  for (std::size_t i = 1; i <= rest.size() && removed > 0; ++i)
    if ((i == rest.size() || rest[i] == ' ') &&
        to_words(rest.substr(0, i)).size() >= removed) {
      rest = trim(rest.substr(i));
      removed = 0;
    }
  while (!rest.empty() && (rest.back() == '.' || rest.back() == ','))
    rest.remove_suffix(1);
  return rest.empty() ? std::nullopt : std::optional(std::string(rest));
}

std::optional<Value> parse_value(const Field &field, std::string_view spoken,
                                 const Date &today, Asked asked) {
  const Words words = to_words(spoken);
  const bool any = asked == Asked::kYes;
  switch (field.type) {
  case FieldType::kBoolean:
    if (const auto truth = any ? yes_or_no(words) : std::nullopt)
      return Value(*truth);
    return std::nullopt;
  case FieldType::kInteger:
  case FieldType::kNumber:
    return any ? numeric_value(field, words) : mentioned_number(field, words);
  case FieldType::kChoice:
    if (const auto index = find_choice(words, field.choices))
      return Value(field.choices[*index].value);
    return std::nullopt;
  case FieldType::kDate:
    if (const auto date = find_date(spoken, today);
        date && (any || date->certain))
      return Value(iso_date(date->date));
    return std::nullopt;
  case FieldType::kTime:
    if (const auto time = find_time(spoken); time && (any || time->certain))
      return Value(clock_time(*time));
    return std::nullopt;
  case FieldType::kPhone:
    if (const auto phone = any ? find_phone(spoken) : std::nullopt)
      return Value(*phone);
    return std::nullopt;
  case FieldType::kEmail:
    if (const auto email = find_email(spoken))
      return Value(*email);
    return std::nullopt;
  case FieldType::kString:
    if (const auto text = any ? find_text(field, spoken) : std::nullopt)
      return Value(*text);
    return std::nullopt;
  case FieldType::kDigits:
    if (const auto digits = any ? find_digits(words) : std::nullopt)
      return Value(*digits);
    return std::nullopt;
  case FieldType::kList:
    if (const auto list = any ? edited_list(field, spoken, {}) : std::nullopt;
        list && !list->empty())
      return Value(*list);
    return std::nullopt;
  }
  return std::nullopt;
}

bool denies(const Field &field, std::string_view spoken, const Value &value,
            const Date &today) {
  if (field.type == FieldType::kString || field.type == FieldType::kBoolean ||
      field.type == FieldType::kList)
    return false;
  Words words = to_words(spoken);
  const auto denials = std::erase_if(words, [](const std::string &word) {
    return is_one_of(word, {"not", "isnt", "no", "doesnt", "dont", "wont",
                            "wouldnt", "cant", "cannot", "couldnt", "never",
                            "unable", "impossible", "unavailable", "busy",
                            "instead", "rather", "anything"});
  });
  if (denials == 0 || parse_value(field, spoken, today) == value)
    return false;
  const auto denied = parse_value(field, join(words, " "), today);
  // "Not at eight" denies eight in the evening as well.
  const auto on_the_dial = [](const Value &time) {
    std::string text = std::get<std::string>(time); // "20:00"
    const int hour = (text.at(0) - '0') * 10 + text.at(1) - '0';
    return text.replace(0, 2, std::to_string(hour % 12));
  };
  if (field.type == FieldType::kTime && denied && is_valid(field, value))
    return on_the_dial(*denied) == on_the_dial(value);
  return denied == value;
}

bool is_valid(const Field &field, const Value &value) {
  const auto *text = std::get_if<std::string>(&value);
  const auto *list = std::get_if<List>(&value);
  switch (field.type) {
  case FieldType::kBoolean:
    return std::holds_alternative<bool>(value);
  case FieldType::kInteger:
    return std::holds_alternative<std::int64_t>(value) &&
           within(field, static_cast<double>(std::get<std::int64_t>(value)));
  case FieldType::kNumber:
    return std::holds_alternative<double>(value) &&
           within(field, std::get<double>(value));
  case FieldType::kList:
    return list != nullptr && is_valid_list(field, *list);
  case FieldType::kString:
    return text != nullptr && is_valid_text(field, *text);
  case FieldType::kChoice:
    return text != nullptr && is_choice(field, *text);
  case FieldType::kDigits:
    return text != nullptr && is_valid_digits(field.digits, *text);
  case FieldType::kDate:
    return text != nullptr && parse_iso_date(*text);
  case FieldType::kTime:
    return text != nullptr && text->size() == 5 && (*text)[2] == ':';
  case FieldType::kPhone:
    return text != nullptr && find_phone(*text) == *text;
  case FieldType::kEmail:
    return text != nullptr && find_email(*text) == *text;
  }
  return false;
}

std::string spoken_value(const Field &field, const Value &value,
                         const Date &today) {
  if (const auto *truth = std::get_if<bool>(&value))
    return *truth ? "yes" : "no";
  if (const auto *whole = std::get_if<std::int64_t>(&value))
    return std::to_string(*whole);
  if (const auto *number = std::get_if<double>(&value)) {
    char text[40];
    std::snprintf(text, sizeof text, "%g", *number);
    return text;
  }
  if (const auto *list = std::get_if<List>(&value))
    return spoken_list(field, *list);
  const auto &text = std::get<std::string>(value);
  switch (field.type) {
  case FieldType::kChoice:
    for (const Choice &choice : field.choices)
      if (choice.value == text)
        return choice.spoken.front();
    return text;
  case FieldType::kDate: {
    const auto date = parse_iso_date(text);
    return date ? spoken_date(*date, today) : text;
  }
  case FieldType::kTime:
    return spoken_time(text);
  case FieldType::kPhone:
    return spaced_digits(text);
  case FieldType::kDigits:
    return single_digits(text);
  case FieldType::kEmail:
    return spoken_email(text);
  default:
    return text;
  }
}

std::string number_text(double number) {
  JsonWriter json;
  return json.value(number).take();
}

} // namespace patchcord::agent
