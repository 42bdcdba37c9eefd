// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

// Which words a full stop shortens, and which numbers it makes ordinal ones, in
// English, German, French and Spanish. All words in small letters, without the
// full stop that is last.
namespace patchcord::agent {

// "dr", "p.m": whatever follows.
bool is_abbreviation(std::string_view word);
// Before a number only: "No. 5", not "No. I cannot".
bool is_abbreviation_of_number(std::string_view word);
// Before a number or a small letter, if it is written with a capital: "Sa. 5.
// Mai", "Mo. bis Fr.", not "so. I cannot".
bool is_short_day(std::string_view word);
// Before a small letter: "usw. und", "et al. say", not "usw. Das".
bool may_end_sentence(std::string_view word);

// What an ordinal number stands before, whatever is before it: "Am 3. Mai".
bool takes_ordinal(std::string_view word);
// Behind these German words a number with a full stop is an ordinal one.
bool leads_to_ordinal(std::string_view word);
// But not before these, which begin a sentence: "Am 3. Passt das?"
bool begins_german_sentence(std::string_view word);

} // namespace patchcord::agent
