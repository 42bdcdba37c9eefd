// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/dates.hpp"

// Days in digits.
namespace patchcord::agent {

// The next such day of the year that is not before today.
std::optional<Date> coming(unsigned month_number, unsigned day_number,
                           const Date &today);
// nullopt: there is no such day.
std::optional<Date> in_year(int year_number, unsigned month_number,
                            unsigned day_number);

// "2026-05-03", "5/3", "5/3/2026", if it is not refused.
std::optional<Date> find_numeric(std::string_view text, const Date &today);

} // namespace patchcord::agent
