// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace patchcord {

// Of `known`, the word that was probably meant by `word`; empty when none is
// near. For "did you mean".
std::string nearest(std::string_view word,
                    const std::vector<std::string> &known);
// " (did you mean NEAREST?)", or nothing.
std::string did_you_mean(std::string_view word,
                         const std::vector<std::string> &known);

} // namespace patchcord
