// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace patchcord::offline {

// A finite-state grammar over words. A sentence is a path from state 0 to state
// 1; an arc without a word is taken in silence. The probabilities of the arcs
// that leave a choice sum to 1.
struct StateGraph {
  struct Arc {
    int from = 0, to = 0;
    double probability = 1.0;
    int word = -1; // of `words`; -1: none
    bool operator==(const Arc &) const = default;
  };
  std::vector<std::string> words; // each once, in order of appearance
  std::vector<Arc> arcs;
  int states = 2;

  bool operator==(const StateGraph &) const = default;
  // Whether the words, parted by spaces, are a sentence of it.
  bool accepts(std::string_view sentence) const;
};

// Compiles an expression in the notation of the JSpeech Grammar Format (W3C
// Note, 5 June 2000) as far as it goes here:
//
//   a b          one after the other     <name>   the rule of that name
//   a | b        one of them             ( a )    grouping
//   /3/ a | b    a three times as often  a+       once or more often
//   [a]          perhaps                 [/0.1/ a]  one time in ten
//
// A rule may not contain itself. Errors: "bad_grammar". Written because the
// parser in sphinxbase ends the process for some weights, and its automata have
// an empty arc for every bracket.
using RuleLookup = const char *(*)(std::string_view name);
Result<StateGraph> compile_rules(std::string_view expression, RuleLookup rule);

// What may stand in a word: the rest is notation or separates.
bool is_word_character(char c);

} // namespace patchcord::offline
