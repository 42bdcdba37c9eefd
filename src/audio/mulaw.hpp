// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace patchcord::audio {

// ITU-T G.711 mu-law. 16-bit linear samples; 0xFF is silence (plus zero).
inline constexpr std::uint8_t kMulawSilence = 0xFF;
inline constexpr int kMulawRate = 8000; // samples, and bytes, a second

constexpr std::int16_t mulaw_to_linear(std::uint8_t code) {
  const unsigned u = static_cast<std::uint8_t>(~code);
  const int magnitude = ((static_cast<int>(u & 0x0f) << 3) + 0x84)
                        << ((u & 0x70) >> 4);
  return static_cast<std::int16_t>((u & 0x80) != 0 ? 0x84 - magnitude
                                                   : magnitude - 0x84);
}

constexpr std::uint8_t linear_to_mulaw(std::int16_t sample) {
  constexpr int kBias = 0x84, kClip = 32635;
  int value = sample;
  const std::uint8_t sign = value < 0 ? 0x80 : 0;
  if (value < 0)
    value = -value;
  if (value > kClip)
    value = kClip;
  value += kBias;
  const auto width = std::bit_width(static_cast<unsigned>(value));
  const int exponent = std::max(static_cast<int>(width) - 8, 0); // bias: bit 7
  const int mantissa = (value >> (exponent + 3)) & 0x0f;
  return static_cast<std::uint8_t>(~(sign |
                                     static_cast<std::uint8_t>(exponent << 4) |
                                     static_cast<std::uint8_t>(mantissa)));
}

} // namespace patchcord::audio
