// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/written_dates.hpp"

#include "agent/refusal.hpp"

#include <algorithm>
#include <cstdio>

namespace patchcord::agent {

using std::chrono::day;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;

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

namespace {

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

} // namespace

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

std::string iso_date(const Date &date) {
  char text[40];
  std::snprintf(
      text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

} // namespace patchcord::agent
