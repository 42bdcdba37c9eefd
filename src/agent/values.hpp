// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/dates.hpp"
#include "agent/definition.hpp"
#include "agent/words.hpp"

#include <optional>
#include <string>
#include <string_view>

// Spoken English to values. Pure; nothing here asks what day it is.
namespace patchcord::agent {

// A plain "yes", a plain "no".
bool is_yes(std::string_view word);
bool is_no(std::string_view word);
// nullopt: neither, or both at once, or "I don't know".
std::optional<bool> yes_or_no(const Words &words);
// "I'm not sure", "no idea", "I didn't get that".
bool does_not_know(const Words &words);

// The one number that was said; several different ones are none.
std::optional<double> find_number(const Words &words);
// What begins there is but what was meant to be passed: "more than five",
// "under an hour". "No more than five" is five.
bool is_exceeded(const Words &words, std::size_t begin);
// "Me and two others": one more than the number.
bool adds_himself(const Words &words);

// Dictated digits: "five five oh one", "double seven", "555-0100". nullopt
// when no digit was said.
std::optional<std::string> find_digits(const Words &words);
// What was said or keyed in first and what came behind it, as one text of
// digits. Without the first digits when the latter are all of them by
// themselves, and tell so: by a word of correction, by the same beginning, or
// because both were too many. The words before and behind stay. That it would
// do by itself is not enough: behind the keys 4 1 5 the seven digits of a
// telephone number go on.
std::string joined_digits(const std::string &before, const std::string &behind,
                          const DigitRules &rules, bool phone = false);
// Whether a telephone number in it has "plus" or 00 in front.
bool is_international(std::string_view spoken);
inline constexpr int kFewestOfPhone = 7, kMostOfPhone = 15;
// 7 to 15 digits (ITU-T E.164), with "+" when "plus" was said.
std::optional<std::string> find_phone(std::string_view spoken);
// "john dot smith at example dot com" or as written.
std::optional<std::string> find_email(std::string_view spoken);

// The choices that were named: one, several, or none. The longest phrase wins.
// Several are those that are equally long, or with "and" or "or" between.
std::vector<std::size_t> named_choices(const Words &words,
                                       const std::vector<Choice> &choices);
// The only one.
std::optional<std::size_t> find_choice(const Words &words,
                                       const std::vector<Choice> &choices);

// One of the field's phrases, or what was said, without what introduces it.
std::optional<std::string> find_text(const Field &field,
                                     std::string_view spoken);

enum class Asked {
  kYes, // the words answer a question for this field
  kNo,  // they answer another one: only what cannot be mistaken
};
// Of the field's type; whether it is what the definition allows is_valid()
// tells. Parts of a list: "a projector and two phones" are two.
std::optional<Value> parse_value(const Field &field, std::string_view spoken,
                                 const Date &today, Asked asked = Asked::kYes);

// Whether that value is what the words say it is not: "not today", "today does
// not suit me".
bool denies(const Field &field, std::string_view spoken, const Value &value,
            const Date &today);

// Whether the value is of the field's type and within its limits.
bool is_valid(const Field &field, const Value &value);

// As the agent says it back: "2:30 PM", "tomorrow", "5 5 5, 0 1 0 0".
std::string spoken_value(const Field &field, const Value &value,
                         const Date &today);

// As JSON has it: "20", "2.5".
std::string number_text(double number);

} // namespace patchcord::agent
