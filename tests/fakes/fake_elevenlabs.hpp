// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace patchcord::fakes {

// What the ElevenLabs fake plays: the member "elevenlabs" of the script, with
// the same names. A key "bad" is refused with 401, a voice "missing" does not
// exist, a key "fault-NAME" plays the fault NAME.
struct ElevenLabsScript {
  int tts_first_byte_ms = 100; // from a text to its first audio
  int char_ms = 60;            // of audio for a character
  double tts_speed = 10;       // of generation, in real times; 0: at once
  int chunk_ms = 300;          // of audio in a message
  std::string alignment = "relative"; // or "absolute", "null", "foreign"
  std::string spelling = "camel";     // or "snake"
  // "", "http_500", "busy" (429), "late_key" (accepted, then refused with
  // 1008), "quota", "internal" (1011), "disconnect" (TCP reset), "stall", "odd"
  // (audio cut within samples), "silent" (final markers without audio),
  // "no_final", "garbage" (between the messages), "policy" (1008 without a
  // word).
  std::string fault;
  int fault_after_chars = 0; // spoken on the connection
  int fault_times = 0;       // how many connections play it; 0: all
};

Result<ElevenLabsScript> parse_elevenlabs_script(std::string_view json);

} // namespace patchcord::fakes
