// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"

#include <string>

namespace patchcord::config {

// A secret that others only name: one line of text, trimmed, in the environment
// variable `variable`, or in `file` when that is empty. The error
// ("bad_setting") says what is wrong with which of them, and nothing of what
// stands there.
Result<std::string> read_secret(const std::string &variable,
                                const std::string &file);

} // namespace patchcord::config
