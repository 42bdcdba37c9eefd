// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

namespace patchcord::net {

// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past
// U+10FFFF. U+0000 is a character like any other, which is why this is not
// patchcord::valid_utf8(). Runs over every text message: ASCII goes eight bytes
// at a time.
bool is_utf8(std::string_view text);

} // namespace patchcord::net
