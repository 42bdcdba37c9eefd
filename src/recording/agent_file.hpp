// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

namespace patchcord::recording {

// An agent's file (TOML) as a recording keeps it: without secrets in its URLs
// (redacted_url()), and without what its tools' headers say, but for those that
// are no secret ever (`Accept` and the like). All else stands as it was. A text
// that is no TOML has its URLs redacted.
std::string redacted_agent_file(std::string_view text);

} // namespace patchcord::recording
