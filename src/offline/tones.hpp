// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <span>

namespace patchcord::offline {

// How well each sample follows from those before it, as it does in a few sine
// waves: how far below the sound the rest is, in dB, in the median of the loud
// 20 ms frames. S16 mono, 16 kHz, of a telephone. 0 without sound.
double tonality_db(std::span<const std::int16_t> samples);

// Keys, beeps, ringback: the decoder hears words in them, some as clearly as in
// speech ("nine" in the key 5). Measured through mu-law: 16 keys at four levels
// and six other tones 31 dB or more; 136 words of eight espeak-ng voices 24 dB
// or less ("moon"), 13 recordings of people 23 dB or less.
inline constexpr double kToneDb = 27.0;

} // namespace patchcord::offline
