// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Speech as it comes out of a telephone line, for tests of recognisers.
namespace patchcord::test {

struct Sound {
  int rate = 0; // Hz, mono
  std::vector<std::int16_t> samples;
};

// Spoken by libespeak-ng, which never says a text the same way twice in one
// process (see offline/espeak_voice.hpp).
Sound say(const std::string &voice, int words_per_minute,
          const std::string &text);
// A mono WAV file with 16-bit samples; nothing when it cannot be read.
std::optional<Sound> read_wav(const std::string &path);

Sound resampled(const Sound &sound, int rate);
// Through 8 kHz mu-law and back up to 16 kHz, with `silence_ms` before and
// behind it.
Sound over_telephone(const Sound &sound, int silence_ms);

} // namespace patchcord::test
