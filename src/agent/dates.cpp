// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/dates.hpp"

#include "agent/refusal.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace patchcord::agent {
namespace {

using std::chrono::day;
using std::chrono::days;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::weekday;
using std::chrono::year;

constexpr std::array<std::string_view, 12> kMonths = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};
constexpr std::array<std::string_view, 7> kWeekdays = {
    "sunday",   "monday", "tuesday", "wednesday",
    "thursday", "friday", "saturday"};

template <std::size_t N>
std::optional<unsigned> index_of(const std::array<std::string_view, N> &list,
                                 std::string_view word) {
  for (unsigned i = 0; i < N; ++i)
    if (word == list[i] || (word.size() == list[i].size() + 1 &&
                            word.starts_with(list[i]) && word.back() == 's'))
      return i;
  // "sept", "jan" as transcripts write them; "mar" and "may" alone are not
  // asked for here.
  for (unsigned i = 0; i < N; ++i)
    if (word.size() >= 3 && word.size() <= 5 && list[i].starts_with(word))
      return i;
  return std::nullopt;
}

// Three letters are more often another word ("sat", "sun").
bool names_weekday(std::string_view word) {
  return word.size() >= 5 && index_of(kWeekdays, word);
}

Date plus_days(const Date &date, int count) {
  return Date(sys_days(date) + days(count));
}

// The next such day of the year that is not before today.
std::optional<Date> coming(unsigned month_number, unsigned day_number,
                           const Date &today) {
  // 29 February may be eight years away (1896, 1904).
  for (int i = 0; i <= 8; ++i) {
    const Date date(today.year() + std::chrono::years(i), month(month_number),
                    day(day_number));
    if (date.ok() && sys_days(date) >= sys_days(today))
      return date;
  }
  return std::nullopt;
}

std::optional<Date> in_year(int year_number, unsigned month_number,
                            unsigned day_number) {
  const Date date{year(year_number), month(month_number), day(day_number)};
  return date.ok() ? std::optional(date) : std::nullopt;
}

// A year behind a month and a day: "2026", "twenty twenty six".
std::optional<int> year_at(const Words &words, std::size_t i) {
  const auto first = cardinal_at(words, i);
  if (!first)
    return std::nullopt;
  if (first->value >= 1900 && first->value <= 2199)
    return static_cast<int>(first->value);
  const auto second = cardinal_at(words, first->end);
  if ((first->value == 19 || first->value == 20) && second &&
      second->value >= 10 && second->value <= 99)
    return static_cast<int>(first->value * 100 + second->value);
  return std::nullopt;
}

struct Day {
  unsigned number;
  std::size_t end;
};
// A day of the month: "third", "3", "twenty three".
std::optional<Day> day_at(const Words &words, std::size_t i) {
  if (word_at(words, i) == "the")
    ++i;
  auto found = ordinal_at(words, i);
  if (!found)
    found = cardinal_at(words, i);
  if (!found || found->value < 1 || found->value > 31)
    return std::nullopt;
  return Day{static_cast<unsigned>(found->value), found->end};
}

std::optional<Date> with_year(const Words &words, std::size_t i,
                              unsigned month_number, unsigned day_number,
                              const Date &today) {
  if (const auto number = year_at(words, i))
    return in_year(*number, month_number, day_number);
  return coming(month_number, day_number, today);
}

// "May third", "the third of May", "3 May".
std::optional<Date> find_month_and_day(const Words &words, const Date &today) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto month_index = index_of(kMonths, words[i]);
    const bool is_verb =
        words[i] == "may" && is_one_of(word_at(words, i + 1), {"not", "be"});
    if (!month_index || is_verb)
      continue;
    if (const auto after = day_at(words, i + 1);
        after && !is_refused(words, {i, after->end}, Of::kDay))
      return with_year(words, after->end, *month_index + 1, after->number,
                       today);
    // Behind the day, with or without "of": look back for a day that ends here.
    const std::size_t end = i > 0 && words[i - 1] == "of" ? i - 1 : i;
    for (std::size_t begin = end > 3 ? end - 3 : 0; begin < end; ++begin) {
      const auto before = day_at(words, begin);
      if (before && before->end == end &&
          !is_refused(words, {begin, i + 1}, Of::kDay))
        return with_year(words, i + 1, *month_index + 1, before->number, today);
    }
  }
  return std::nullopt;
}

std::optional<Date> find_weekday(const Words &words, const Date &today) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!names_weekday(words[i]))
      continue;
    const auto index = index_of(kWeekdays, words[i]);
    const std::string_view before = i > 0 ? word_at(words, i - 1) : "";
    const bool which = is_one_of(before, {"last", "past", "this", "next"});
    if (is_refused(words, {which ? i - 1 : i, i + 1}, Of::kDay))
      continue;
    const weekday now{sys_days(today)};
    const auto ahead = (weekday(*index) - now).count(); // 0..6
    if (before == "last" || before == "past")
      return plus_days(today, static_cast<int>(ahead) - 7);
    if (before == "this")
      return plus_days(today, static_cast<int>(ahead));
    if (before == "next") {
      // The one of next week; weeks begin on Monday.
      const auto to_monday = 7 - (now - std::chrono::Monday).count();
      const auto from_monday = (weekday(*index) - std::chrono::Monday).count();
      return plus_days(today, static_cast<int>(to_monday + from_monday));
    }
    return plus_days(today, ahead == 0 ? 7 : static_cast<int>(ahead));
  }
  return std::nullopt;
}

// "in three days", "two weeks from now", "in a week", "next week".
std::optional<Date> find_distance(const Words &words, const Date &today) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool week = is_one_of(words[i], {"week", "weeks"});
    if (!week && !is_one_of(words[i], {"day", "days"}))
      continue;
    if (week && i > 0 && words[i - 1] == "next" &&
        !is_refused(words, {i - 1, i + 1}, Of::kDay))
      return plus_days(today, 7);
    std::optional<std::int64_t> count;
    std::size_t begin = i > 3 ? i - 3 : 0;
    for (; begin < i && !count; ++begin) {
      const auto number = cardinal_at(words, begin);
      if (number && number->end == i && number->value <= 366)
        count = number->value;
    }
    if (!count && i > 0 && is_one_of(words[i - 1], {"a", "one"}))
      count = 1;
    const bool ahead = has_any(words, {"in"}) || has_any(words, {"from"});
    if (count && ahead && !is_refused(words, {begin - 1, i + 1}, Of::kDay))
      return plus_days(today, static_cast<int>(*count) * (week ? 7 : 1));
  }
  return std::nullopt;
}

// "Tuesday next week", "Saturday in two weeks": weeks begin on Monday.
std::optional<Date> find_day_in_week(const Words &words, const Date &today) {
  if (!has_any(words, {"week", "weeks"}))
    return std::nullopt;
  const auto of_week = find_weekday(words, today);
  const auto week = find_distance(words, today);
  if (!of_week || !week)
    return std::nullopt;
  const auto since_monday = [](const Date &date) {
    return weekday(sys_days(date)) - std::chrono::Monday;
  };
  return Date(sys_days(*week) - since_monday(*week) + since_monday(*of_week));
}

struct Numeric {
  std::optional<Date> date; // none: there is no such day
  int size = 0;             // in characters
};
// "2026-05-03", "5/3", "5/3/2026" at the beginning of `text`.
std::optional<Numeric> numeric_at(std::string_view text, const Date &today) {
  const std::string part(text.substr(0, 12));
  int a = 0, b = 0, c = 0, used = 0;
  if (std::sscanf(part.c_str(), "%4d-%2d-%2d%n", &a, &b, &c, &used) == 3 &&
      a > 1000)
    return Numeric{
        in_year(a, static_cast<unsigned>(b), static_cast<unsigned>(c)), used};
  if (std::sscanf(part.c_str(), "%2d/%2d/%4d%n", &a, &b, &c, &used) == 3)
    return Numeric{in_year(c < 100 ? 2000 + c : c, static_cast<unsigned>(a),
                           static_cast<unsigned>(b)),
                   used};
  if (std::sscanf(part.c_str(), "%2d/%2d%n", &a, &b, &used) == 2)
    return Numeric{
        coming(static_cast<unsigned>(a), static_cast<unsigned>(b), today),
        used};
  return std::nullopt;
}

std::optional<Date> find_numeric(std::string_view text, const Date &today) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] < '0' || text[at] > '9' ||
        (at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9'))
      continue;
    const Words before = to_words(text.substr(0, at));
    if (is_denied(before, {before.size(), before.size()})) {
      at = std::min(text.find(' ', at), text.size());
      continue;
    }
    const auto found = numeric_at(text.substr(at), today);
    if (!found)
      continue;
    const std::size_t end = at + static_cast<std::size_t>(found->size);
    if (!is_refused(to_words(text.substr(end)), {0, 0}, Of::kDay))
      return found->date;
    at = end - 1;
  }
  return std::nullopt;
}

std::optional<Date> find_near(const Words &words, const Date &today) {
  static const std::pair<Words, int> kNear[] = {
      {{"day", "after", "tomorrow"}, 2},
      {{"tomorrow"}, 1},
      {{"today"}, 0},
      {{"tonight"}, 0},
      {{"yesterday"}, -1},
      {{"this", "morning"}, 0},
      {{"this", "afternoon"}, 0},
      {{"this", "evening"}, 0}};
  for (const auto &[phrase, distance] : kNear)
    if (const auto span = find_phrase(words, phrase);
        span && !is_refused(words, *span, Of::kDay) &&
        (span->begin == 0 || words[span->begin - 1] != "after"))
      return plus_days(today, distance);
  return std::nullopt;
}

// "the third" alone: of this month or the next that has such a day.
std::optional<Date> find_day_alone(const Words &words, const Date &today) {
  // Of a month that has no such day, it is not a day alone.
  for (const std::string &word : words)
    if (names_month(word))
      return std::nullopt;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto ordinal = ordinal_at(words, i);
    if (!ordinal || is_refused(words, {i, ordinal->end}, Of::kDay))
      continue;
    for (int ahead = 0; ahead <= 2; ++ahead) {
      const auto in_month =
          std::chrono::year_month(today.year(), today.month()) +
          std::chrono::months(ahead);
      const Date date = in_month / day(static_cast<unsigned>(ordinal->value));
      if (date.ok() && sys_days(date) >= sys_days(today))
        return date;
    }
  }
  return std::nullopt;
}

} // namespace

std::string without_numeric_dates(std::string_view spoken) {
  constexpr Date kAnyDay = year(2000) / 1 / 1; // where it stands is the same
  std::string rest;
  bool in_number = false;
  for (std::size_t at = 0; at < spoken.size(); ++at) {
    const bool digit = is_digits(spoken.substr(at, 1));
    const auto found = digit && !in_number
                           ? numeric_at(spoken.substr(at), kAnyDay)
                           : std::nullopt;
    in_number = digit;
    rest += found ? ' ' : spoken[at];
    at += found ? static_cast<std::size_t>(found->size) - 1 : 0;
  }
  return rest;
}

bool is_year_of_date(const Words &words, std::size_t i) {
  const auto is_month = [&](std::size_t behind) {
    return i >= behind && names_month(words[i - behind]);
  };
  const auto number = year_at(words, i); // "May 3 2026", "3 May 2026"
  return number && (is_month(1) || is_month(2));
}

namespace {

// `spoken`: the words as they were written; empty: that is not known.
std::optional<FoundDate> first_date(std::string_view spoken, const Words &words,
                                    const Date &today) {
  for (const auto &date :
       {find_numeric(spoken, today), find_month_and_day(words, today),
        find_day_in_week(words, today), find_distance(words, today),
        find_near(words, today), find_weekday(words, today)})
    if (date)
      return FoundDate{*date, true};
  if (const auto date = find_day_alone(words, today))
    return FoundDate{*date, false};
  return std::nullopt;
}

// "No Friday", "no Friday, Monday"; not the corrections "no, Friday" and "no
// Friday please".
bool begins_with_no_day(std::string_view spoken, const Words &words) {
  return to_lower(trim(spoken)).starts_with("no ") &&
         names_weekday(word_at(words, 1)) &&
         (words.size() == 2 || names_weekday(words[2]));
}

// "Today or tomorrow" is neither.
std::optional<FoundDate> only_date(std::string_view spoken, const Words &words,
                                   const Date &today) {
  for (const auto &[before, behind] : alternatives(words)) {
    const auto one = first_date({}, before, today);
    const auto other = first_date({}, behind, today);
    if (one && other && one->date != other->date)
      return std::nullopt;
  }
  return first_date(spoken, words, today);
}

} // namespace

bool names_month(std::string_view word) {
  return index_of(kMonths, word).has_value();
}

bool names_day(std::string_view word) {
  return names_weekday(word) || names_month(word) ||
         is_one_of(word, {"today", "tomorrow", "tonight"});
}

std::optional<Date> parse_iso_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-' ||
      !is_digits(text.substr(0, 4)) || !is_digits(text.substr(5, 2)) ||
      !is_digits(text.substr(8, 2)))
    return std::nullopt;
  return in_year(
      std::stoi(std::string(text.substr(0, 4))),
      static_cast<unsigned>(std::stoi(std::string(text.substr(5, 2)))),
      static_cast<unsigned>(std::stoi(std::string(text.substr(8, 2)))));
}

bool is_no_day(std::string_view spoken) {
  const Words words = to_words(spoken);
  return words.size() == 2 && begins_with_no_day(spoken, words);
}

std::string iso_date(const Date &date) {
  char text[40];
  std::snprintf(
      text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

std::optional<FoundDate> find_date(std::string_view spoken, const Date &today) {
  Words words = to_words(spoken);
  if (begins_with_no_day(spoken, words))
    words.erase(words.begin(), words.begin() + 2);
  if (const Words corrected = behind_correction(words);
      corrected.size() < words.size())
    if (const auto date = only_date({}, corrected, today))
      return date;
  return only_date(spoken, words, today);
}

std::string spoken_date(const Date &date, const Date &today) {
  if (date == today)
    return "today";
  if (sys_days(date) == sys_days(today) + days(1))
    return "tomorrow";
  const auto capital = [](std::string_view word) {
    std::string out(word);
    out[0] = static_cast<char>(out[0] - 'a' + 'A');
    return out;
  };
  const weekday name{sys_days(date)};
  std::string out = capital(kWeekdays[name.c_encoding()]) + ", " +
                    capital(kMonths[static_cast<unsigned>(date.month()) - 1]) +
                    " " + std::to_string(static_cast<unsigned>(date.day()));
  if (date.year() != today.year())
    out += ", " + std::to_string(static_cast<int>(date.year()));
  return out;
}

} // namespace patchcord::agent
