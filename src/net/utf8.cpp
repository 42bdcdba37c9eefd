// SPDX-License-Identifier: LGPL-2.1-or-later
#include "net/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace patchcord::net {
namespace {

// Bytes of the character that starts at `at`, or 0. The ranges are those of
// RFC 3629 section 4.
std::size_t character(const std::uint8_t *at, std::size_t left) {
  const auto tail = [&](std::size_t i, std::uint8_t low = 0x80,
                        std::uint8_t high = 0xbf) {
    return at[i] >= low && at[i] <= high;
  };
  const std::uint8_t lead = at[0];
  if (lead < 0x80)
    return 1;
  if (lead >= 0xc2 && lead <= 0xdf)
    return left >= 2 && tail(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const std::uint8_t low = lead == 0xe0 ? 0xa0 : 0x80;
    const std::uint8_t high = lead == 0xed ? 0x9f : 0xbf;
    return left >= 3 && tail(1, low, high) && tail(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const std::uint8_t low = lead == 0xf0 ? 0x90 : 0x80;
    const std::uint8_t high = lead == 0xf4 ? 0x8f : 0xbf;
    return left >= 4 && tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

} // namespace

bool is_utf8(std::string_view text) {
  const auto *at = reinterpret_cast<const std::uint8_t *>(text.data());
  std::size_t left = text.size();
  while (left > 0) {
    std::uint64_t word = 0;
    if (left >= sizeof word) {
      std::memcpy(&word, at, sizeof word);
      if ((word & 0x8080808080808080U) == 0) {
        at += sizeof word;
        left -= sizeof word;
        continue;
      }
    }
    const std::size_t length = character(at, left);
    if (length == 0)
      return false;
    at += length;
    left -= length;
  }
  return true;
}

} // namespace patchcord::net
