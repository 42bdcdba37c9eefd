// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/definition.hpp"

#include <memory>
#include <string>

namespace patchcord::agent {

// An agent's file, read and parsed once for all calls and threads, and again
// when it has changed. Errors: "bad_agent" (it cannot be read), those of
// parse_definition().
Result<std::shared_ptr<const Definition>>
load_definition(const std::string &path);

} // namespace patchcord::agent
