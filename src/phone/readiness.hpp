// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "worker/time.hpp"

#include <string>

namespace patchcord::phone {

// Asks `origin`/readyz until it answers 200. Blocks. Code of the error:
// "not_ready"; the message says what the last answer was.
Result<Unit> wait_until_ready(const std::string &origin, Duration patience);

} // namespace patchcord::phone
