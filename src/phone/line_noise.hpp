// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "phone/line.hpp"

#include <array>
#include <cstdint>

namespace patchcord::phone {

// An idle telephone line: not one constant value but plus and minus zero and
// their neighbours, as captured Twilio streams show it.
class LineNoise {
public:
  explicit LineNoise(std::uint32_t seed) : state_(seed | 1U) {}

  void fill(Bytes &out, std::size_t count) {
    constexpr std::array<std::uint8_t, 4> kCodes = {0xFF, 0x7F, 0xFE, 0x7E};
    for (std::size_t i = 0; i < count; ++i) {
      // Numerical Recipes' linear congruential generator: only its high bits
      // are random. A step off zero one time in four.
      state_ = state_ * 1664525U + 1013904223U;
      const std::uint32_t bits = state_ >> 28;
      out.push_back(kCodes[(bits & 1U) | ((bits & 6U) == 0 ? 2U : 0U)]);
    }
  }

private:
  std::uint32_t state_;
};

} // namespace patchcord::phone
