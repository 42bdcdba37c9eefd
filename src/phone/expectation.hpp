// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchcord::phone {

// What must have come of a call, by the agent's own record of it.
struct Expected {
  std::string end_reason; // empty: any
  std::vector<std::pair<std::string, std::string>> fields;
  bool any() const { return !end_reason.empty() || !fields.empty(); }
};

// What of it the record (JSON of GET /api/calls/{sid}) does not show, in words;
// empty when all is well.
std::vector<std::string> unmet(const Expected &expected,
                               std::string_view record);

} // namespace patchcord::phone
