// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// ElevenLabs' text-to-speech WebSocket `multi-stream-input` (API reference,
// "Multi-Context WebSocket"): several independent streams of speech, the
// contexts, on one socket.
namespace patchcord::elevenlabs {

struct StreamSettings {
  std::string base_url =
      "https://api.elevenlabs.io"; // or wss://, http://, ws://
  std::string voice_id;
  std::string model_id = "eleven_flash_v2_5";
  std::string output_format = "ulaw_8000"; // codec_rate
  std::string language; // ISO 639-1, "en" or "en-US"; empty: the model's guess
};

// The URL to connect to; the key goes in the header xi-api-key. auto_mode: we
// send whole clauses, so that nothing waits for more text; sync_alignment: the
// characters' times come with the audio. Error code: "bad_url".
Result<std::string> stream_url(const StreamSettings &settings);

// Of a context, given with its opening. Unset: as stored with the voice.
struct VoiceSettings {
  std::optional<double> stability;        // 0 to 1
  std::optional<double> similarity_boost; // 0 to 1
  std::optional<double> speed;            // 0.7 to 1.2; clamped
};

// Client messages. Only `open` may name a context that is not open: any other
// would open it by mistake, and the sixth one ends the socket.
std::string open_context(std::string_view context,
                         const VoiceSettings &settings);
// `text` ends in a space; it is generated at once.
std::string speak_text(std::string_view context, std::string_view text);
std::string keep_alive(std::string_view context);
// No more text: what was sent is still generated, then the final marker.
std::string close_context(std::string_view context);
std::string close_socket();

struct TimedCharacter {
  std::string character; // one, in UTF-8
  std::int64_t start_ms = 0, duration_ms = 0;
};

// One message of the server; whatever of it is there. Both spellings of each
// field are understood, unknown fields ignored.
struct ServerMessage {
  std::string context; // empty: not told
  Bytes audio;
  // Of the text as it was sent. Times count from the start of this audio or of
  // the context: sources and servers differ.
  std::vector<TimedCharacter> alignment;
  bool final = false; // the context is over; audio in the same message counts
  // The socket is about to be closed because of this.
  std::string error, message;
};

// Audio is most of a message and may be megabytes: it is decoded in place, and
// only the rest goes through the JSON parser. Error codes: as JsonDocument's,
// and "bad_audio".
Result<ServerMessage> parse_server_message(std::string_view json);

} // namespace patchcord::elevenlabs
