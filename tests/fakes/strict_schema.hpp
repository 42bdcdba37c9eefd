// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/json.hpp"

#include <string>

namespace patchcord::fakes {

// What OpenAI would refuse in a strict json_schema; "" when it is fine. (Guide
// "Structured outputs", section "Supported schemas".)
std::string strict_schema_problem(JsonView schema);

} // namespace patchcord::fakes
