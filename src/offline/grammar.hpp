// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/expectation.hpp"
#include "offline/rule_compiler.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace patchcord::offline {

// What a caller may say where `expectation` is expected: the answers in the
// ways people say them, with the words around them ("I'd like ... please"), and
// the words of `also` with their variants, as an expression that
// compile_grammar() knows. Never empty: where nothing is expected, or a choice
// has no phrases, it is that of kAnything. Numbers reach to 999; digits come in
// any count.
std::string grammar_text(const agent::Expectation &expectation);

// Any expression of grammar_text() compiles.
Result<StateGraph> compile_grammar(std::string_view text);

// The words of a phrase as a recogniser knows them: lower case, numbers below
// a thousand written out, no punctuation but apostrophes inside words. Bytes
// beyond ASCII stay.
std::vector<std::string> spoken_form(std::string_view phrase);

} // namespace patchcord::offline
