// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace patchcord {

std::string_view trim(std::string_view text); // ASCII white space
std::string to_lower(std::string_view text);  // ASCII only
bool is_alnum(std::string_view text);         // ASCII only; so is an empty one
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string> &parts,
                 std::string_view separator);
bool valid_utf8(std::string_view text); // and no NUL

// Random bytes from the kernel as lower-case hex: 2 characters a byte.
std::string random_hex(std::size_t bytes);

// Takes the same time whatever differs; lengths are not secret.
bool constant_time_equal(std::string_view a, std::string_view b);

} // namespace patchcord
