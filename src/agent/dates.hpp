// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/words.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace patchcord::agent {

using Date = std::chrono::year_month_day;

// "2026-05-03"; nullopt when it is no date.
std::optional<Date> parse_iso_date(std::string_view text);
std::string iso_date(const Date &date);

// "Friday", "May", "today": a word that tells a day, or most of one.
bool names_day(std::string_view word);
bool names_month(std::string_view word);
// "No Friday", and no more: a day that cannot be. Behind a question to be
// answered with yes or no it is "no, Friday", with the comma left out.
bool is_no_day(std::string_view spoken);

struct FoundDate {
  Date date;
  bool certain = false; // cannot be mistaken for anything but a date
};
// A date as spoken, seen from `today`: "tomorrow", "next Friday", "May third",
// "the third", "in two weeks", "5/3" (month first). A day without a year is the
// next such day; a weekday without more is the one within the next seven days.
std::optional<FoundDate> find_date(std::string_view spoken, const Date &today);

// "2026-05-03 at noon" without the day in digits, whether there is such a day
// or not: " at noon".
std::string without_numeric_dates(std::string_view spoken);
// The year of a day: "2026" in "May 3, 2026".
bool is_year_of_date(const Words &words, std::size_t i);

struct FoundTime {
  int hour = 0, minute = 0; // 24 hours
  bool certain = false;
};
// A time of day as spoken. Without "a.m." or the like, one to seven are hours
// of the afternoon and eight to twelve are as they stand: office hours.
std::optional<FoundTime> find_time(std::string_view spoken);
std::string clock_time(const FoundTime &time); // "14:30"

// "today", "tomorrow", "Friday, May 3".
std::string spoken_date(const Date &date, const Date &today);
// "2:30 PM" for "14:30".
std::string spoken_time(std::string_view clock);

} // namespace patchcord::agent
