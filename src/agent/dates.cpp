// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/dates.hpp"

#include "agent/refusal.hpp"
#include "agent/written_dates.hpp"
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

// "The third", not "the third week", "first thing" and "one second".
std::optional<FoundNumber> day_alone_at(const Words &words, std::size_t i) {
  const auto ordinal = ordinal_at(words, i);
  if (!ordinal)
    return std::nullopt;
  const bool while_ =
      words[i] == "second" && i > 0 &&
      is_one_of(words[i - 1], {"a", "one", "just", "split", "every"});
  const std::string_view next = word_at(words, ordinal->end);
  const bool of_all = next == "of" && word_at(words, ordinal->end + 1) == "all";
  return while_ || of_all || names_weekday(next) ||
                 is_one_of(next,
                           {"week", "weekend", "half", "thing", "time", "floor",
                            "one", "person", "available", "possible", "choice"})
             ? std::nullopt
             : ordinal;
}

// Of this month or the next that has such a day; `name`: which it is to be.
std::optional<Date> coming_day(std::int64_t number, const Date &today,
                               std::optional<weekday> name = {}) {
  for (int ahead = 0; ahead <= 2; ++ahead) {
    const auto in_month = std::chrono::year_month(today.year(), today.month()) +
                          std::chrono::months(ahead);
    const Date date = in_month / day(static_cast<unsigned>(number));
    if (date.ok() && sys_days(date) >= sys_days(today) &&
        (!name || weekday(sys_days(date)) == *name))
      return date;
  }
  return std::nullopt;
}

// "The first Monday in June", "the last Friday of May", "the Monday after
// next": none that is known here.
bool is_counted(const Words &words, std::size_t i) {
  const std::string_view before = i > 0 ? word_at(words, i - 1) : "";
  const std::string_view next = word_at(words, i + 1);
  const auto ordinal = i > 0 ? ordinal_at(words, i - 1) : std::nullopt;
  return (ordinal && !is_denied(words, {i - 1, i}) &&
          !(i > 1 && before == "second" &&
            is_one_of(words[i - 2], {"a", "one", "just"}))) ||
         (before == "last" && is_one_of(next, {"of", "in"})) ||
         (next == "after" && is_one_of(word_at(words, i + 2), {"", "next"}));
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
    if (is_counted(words, i))
      return std::nullopt;
    // "Friday the third" is the third, if that is a Friday.
    const std::size_t behind = i + (word_at(words, i + 1) == "the" ? 2 : 1);
    if (const auto number = day_alone_at(words, behind))
      return coming_day(number->value, today, weekday(*index));
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
    const int week = word_at(words, i + 1) == "week" ? 7 : 0; // "Friday week"
    return plus_days(today, (ahead == 0 ? 7 : static_cast<int>(ahead)) + week);
  }
  return std::nullopt;
}

// "Tomorrow", "this evening".
std::optional<Date> find_near(const Words &words, const Date &today);

// How many days the "two weeks" are that end with the word at `i`.
struct Distance {
  int days;
  std::size_t begin;
};
std::optional<Distance> distance_at(const Words &words, std::size_t i) {
  const bool week = is_one_of(words[i], {"week", "weeks"});
  if (!week && !is_one_of(words[i], {"day", "days"}))
    return std::nullopt;
  const int unit = week ? 7 : 1;
  for (std::size_t begin = i > 3 ? i - 3 : 0; begin < i; ++begin) {
    const auto number = cardinal_at(words, begin);
    if (!number || number->end != i || number->value > 366)
      continue;
    if (begin > 1 && is_one_of(words[begin - 1], {"or", "to"}) &&
        cardinal_at(words, begin - 2)) // "three to five days"
      return std::nullopt;
    return Distance{static_cast<int>(number->value) * unit, begin};
  }
  return i > 0 && words[i - 1] == "a" ? std::optional(Distance{unit, i - 1})
                                      : std::nullopt;
}

// "in three days", "two weeks from now", "in a week".
std::optional<Date> find_distance(const Words &words, const Date &today) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto distance = distance_at(words, i);
    if (!distance)
      continue;
    std::size_t begin = distance->begin;
    if (begin > 0 && is_one_of(words[begin - 1], {"about", "exactly", "like"}))
      --begin;
    const bool ahead = (begin > 0 && words[begin - 1] == "in") ||
                       (word_at(words, i + 1) == "from" &&
                        is_one_of(word_at(words, i + 2), {"now", "today"}));
    if (ahead && !is_refused(words, {begin, i + 1}, Of::kDay))
      return plus_days(today, distance->days);
  }
  return std::nullopt;
}

// "Two weeks from Monday", "a week on Friday", "a week today", "three days
// after tomorrow"; "in two weeks on Monday" is a day in that week.
std::optional<Date> find_from_day(const Words &words, const Date &today) {
  constexpr std::size_t kMostWords = 3; // "the next Friday"
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto distance = distance_at(words, i);
    if (!distance)
      continue;
    const std::string_view link = word_at(words, i + 1);
    const bool in = distance->begin > 0 && words[distance->begin - 1] == "in";
    const bool weeks = distance->days % 7 == 0 && !in;
    if (!is_one_of(link, {"from", "after"}) &&
        !(weeks && (link == "on" || names_day(link))))
      continue;
    const std::size_t begin = i + (names_day(link) ? 1 : 2);
    Words rest;
    for (std::size_t k = begin; k < words.size() && k < begin + kMostWords; ++k)
      rest.push_back(words[k]);
    auto from = find_weekday(rest, today);
    from = from ? from : find_near(rest, today);
    if (from && !is_refused(words, {distance->begin, i + 1}, Of::kDay))
      return plus_days(*from, distance->days);
  }
  return std::nullopt;
}

// A day in the week that is told: "next week", "in two weeks".
std::optional<Date> find_week(const Words &words, const Date &today) {
  static const std::pair<Words, int> kWeeks[] = {
      {{"week", "after", "next"}, 14}, {{"next", "week"}, 7}};
  for (const auto &[phrase, distance] : kWeeks)
    if (const auto span = find_phrase(words, phrase);
        span && !is_refused(words, *span, Of::kDay))
      return plus_days(today, distance);
  return find_distance(words, today);
}

// "Tuesday next week", "Saturday in two weeks": weeks begin on Monday. "Next
// week" alone is no day.
std::optional<Date> find_day_in_week(const Words &words, const Date &today) {
  if (!has_any(words, {"week", "weeks"}))
    return std::nullopt;
  const auto of_week = find_weekday(words, today);
  const auto week = find_week(words, today);
  if (!of_week || !week)
    return std::nullopt;
  const auto since_monday = [](const Date &date) {
    return weekday(sys_days(date)) - std::chrono::Monday;
  };
  return Date(sys_days(*week) - since_monday(*week) + since_monday(*of_week));
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
    const auto number = day_alone_at(words, i);
    if (!number || is_refused(words, {i, number->end}, Of::kDay))
      continue;
    const std::size_t name = i > 1 && words[i - 1] == "the" ? i - 2 : i - 1;
    if (i > 0 && names_weekday(words[name])) // which it is not
      return std::nullopt;
    if (const auto date = coming_day(number->value, today))
      return date;
  }
  return std::nullopt;
}

} // namespace

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
  const auto named = find_weekday(words, today);
  for (const auto &date :
       {find_numeric(spoken, today), find_month_and_day(words, today)})
    if (date && named && weekday(sys_days(*named)) != weekday(sys_days(*date)))
      return std::nullopt; // "Monday, May third", which is a Sunday
    else if (date)
      return FoundDate{*date, true};
  for (const auto &date :
       {find_from_day(words, today), find_day_in_week(words, today),
        find_distance(words, today), find_near(words, today), named})
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

bool begins_with_day(const Words &words) {
  std::size_t i = 0;
  while (is_one_of(word_at(words, i), {"on", "the", "this", "next"}))
    ++i;
  return names_day(word_at(words, i)) || ordinal_at(words, i);
}

// "Today or tomorrow" is neither, nor is "Monday to Friday" and "Monday and
// Friday".
std::optional<FoundDate> only_date(std::string_view spoken, const Words &words,
                                   const Date &today) {
  for (const auto &[before, behind] : alternatives(words)) {
    const auto one = first_date({}, before, today);
    const auto other = first_date({}, behind, today);
    if (one && other && one->date != other->date)
      return std::nullopt;
  }
  for (const auto &[before, behind] :
       split_at(words, {"to", "through", "till", "until", "and"})) {
    if (before.empty() || !begins_with_day(behind))
      continue;
    const bool and_ = words[before.size()] == "and";
    const auto one = first_date({}, before, today);
    const auto other = first_date({}, behind, today);
    if (!one || !other || one->date == other->date ||
        (and_ && !names_day(before.back())))
      continue;
    // "Move it from tomorrow to Friday."
    const bool moves = has_any(before, {"move", "change", "switch", "push",
                                        "shift", "reschedule", "postpone"});
    return moves && has_any(before, {"from"}) ? other : std::nullopt;
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

bool is_no_day(std::string_view spoken) {
  const Words words = to_words(spoken);
  return words.size() == 2 && begins_with_no_day(spoken, words);
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
