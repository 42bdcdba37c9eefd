// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <string_view>

namespace patchcord::elevenlabs {

// The audio that a graph can ask ElevenLabs for: of the API's formats those
// without a container.
struct OutputFormat {
  std::string_view name; // as the API spells it
  bool mulaw;
  int rate;
};
inline constexpr auto kOutputFormats = std::to_array<OutputFormat>({
    {"ulaw_8000", true, 8000},
    {"pcm_8000", false, 8000},
    {"pcm_16000", false, 16000},
    {"pcm_22050", false, 22050},
    {"pcm_24000", false, 24000},
    {"pcm_44100", false, 44100},
});
inline constexpr char kOutputFormatsExpected[] =
    "\"\" (what downstream likes best), \"ulaw_8000\", \"pcm_8000\", "
    "\"pcm_16000\", \"pcm_22050\", \"pcm_24000\" or \"pcm_44100\"";

// Null when there is none of that name.
constexpr const OutputFormat *find_output_format(std::string_view name) {
  for (const OutputFormat &format : kOutputFormats)
    if (format.name == name)
      return &format;
  return nullptr;
}

} // namespace patchcord::elevenlabs
