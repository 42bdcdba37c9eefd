// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/json.hpp"

#include <string>

// What the chat completions API refuses of a request, as OpenAI words it.
namespace patchcord::fakes {

struct Refusal {
  int status = 0; // 0: none
  std::string text, type, param, code;
};
Refusal bad_request(std::string text, std::string param, std::string code);

// `require_schema`: also one that has no strict schema.
Refusal check_request(JsonView root, bool require_schema);
// What the fault does before anything is answered.
Refusal refusal_of_fault(const std::string &fault, JsonView root);

} // namespace patchcord::fakes
