// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <algorithm>
#include <string_view>

namespace patchcord {

// E.164 as Twilio writes it: "+", then at most 15 digits, the first no zero.
inline bool is_e164(std::string_view number) {
  return number.size() >= 3 && number.size() <= 16 && number[0] == '+' &&
         number[1] != '0' &&
         std::all_of(number.begin() + 1, number.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

} // namespace patchcord
