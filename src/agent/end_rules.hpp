// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/definition.hpp"

#include <cstddef>
#include <set>
#include <string>
#include <utility>

// Ends of a call by what a field is: [[end.rules]].
namespace patchcord::agent {

// What the rules go by, beside the values.
struct RuleState {
  Values confirmed; // as the caller confirmed them
  // By position in the definition, with what its field was: a transfer that
  // nobody took does not come again.
  std::set<std::pair<std::size_t, Value>> applied;
};

// The first rule that holds and was not applied to what its field is.
const EndRule *due_rule(const Definition &definition, const Values &values,
                        const RuleState &state);
void apply_rule(const Definition &definition, const EndRule &rule,
                const Values &values, RuleState &state);
// The field of a rule that would be due if the caller confirmed it.
const Field *field_to_confirm(const Definition &definition,
                              const Values &values, const RuleState &state);
// Whether a rule waits for the caller's confirmation of it.
bool is_confirmed_for_rules(const Definition &definition, const Field &field);

// "end_call" or "transfer".
const char *action_of(const EndRule &rule);
// What is said with it.
const std::string &words_of(const Definition &definition, const EndRule &rule);
// "floor is from 3 up to 9"
std::string condition_of(const Definition &definition, const EndRule &rule);
// Said before a transfer, unless a rule has its own words.
const std::string &words_of(const Definition &definition,
                            const TransferTarget &target);

} // namespace patchcord::agent
