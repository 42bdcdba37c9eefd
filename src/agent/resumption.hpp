// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/dates.hpp"
#include "agent/dialogue.hpp"
#include "agent/findings.hpp"
#include "agent/mind.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace patchcord::agent {

// What a conversation has to know to go on in another media stream: when the
// caller was handed over and nobody took the call.
struct Resumption {
  std::uint32_t turn = 0; // the next one's number
  int caller_turns = 0;
  std::uint32_t utterances = 0; // so far: their numbers go on
  Duration elapsed{};           // of the conversation so far
  Values values;
  Rejected rejected;
  std::map<std::string, std::uint32_t> turns; // that the values came from
  History history;
  ToolLog tools;
  RuleState rules;
};

std::string to_json(const Definition &definition, const Resumption &state);
// Codes: "bad_state". Values that the definition does not have are left out.
Result<Resumption> parse_resumption(const Definition &definition,
                                    std::string_view json);

// A value in the words of its field's `say`: "at nine am".
std::string spoken_field(const Field &field, const Value &value,
                         const Date &today);
// "tomorrow, at nine am, for five people": the values that apply, in the words
// of their fields' `say`.
std::string spoken_summary(const Definition &definition, const Values &values,
                           const Date &today);

} // namespace patchcord::agent
