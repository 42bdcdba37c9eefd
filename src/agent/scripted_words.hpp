// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/definition.hpp"
#include "agent/expectation.hpp"
#include "agent/words.hpp"

#include <optional>

// What callers of a scripted conversation say beside values, and what they are
// expected to say. English.
namespace patchcord::agent {

bool says_goodbye(const Words &words);
// What stands before it.
std::string before_goodbye(std::string_view text);
bool asks_to_repeat(const Words &words);
// "Sorry, I mean ...": what was said before is not right.
bool announces_correction(const Words &words);
// "Yes, that's right": yes, and nothing else.
bool merely_agrees(const Words &words);
// "Yes, but ...": no plain yes.
bool has_reservation(const Words &words);
// "I will be late" of "yes, but I will be late": what follows the "but" says
// what will be, and asks for nothing else. nullopt: it may.
std::optional<Words> aside_of(const Words &words);
// "Could we do Monday?", "no, but on Friday": something else is wanted.
bool proposes(const Words &words);
// "I can't come", "no": whatever was asked for, not that.
bool declines(const Words &words);
// "I'd rather not say": no answer, whatever was asked for.
bool refuses_to_tell(const Words &words);
// "That's all": the list ends, whatever else was said. Where it says so.
std::optional<Span> close_of_list(const Words &words);
bool ends_list(const Words &words);
// The answer to "anything else?" that ends a list.
bool says_all(const Words &words);
// The answer of those for whom a list has nothing.
bool says_none(const Words &words);

// What is said stands as it is: no words in it are an answer to anything else.
bool is_free_text(const Field &field);

// To the question for a field, and to "anything else?".
Expectation expectation_of(const Field &field);
Expectation expectation_of_more(const Field &field);

} // namespace patchcord::agent
