// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/toml_reader.hpp"
#include "scenario/scenario.hpp"

namespace patchcord::scenario {

// Refuses, in the table "expect", what no call can have: of that nobody would
// learn until the call was played.
void judge_values(agent::TomlReader &reader, const Expectations &expect);

} // namespace patchcord::scenario
