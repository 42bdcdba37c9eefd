// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace patchcord::elevenlabs {

// Why there is no speech, in the words of whoever can do something about it.
struct Failure {
  std::string code;      // ElevenLabs' own where it gave one: "quota_exceeded"
  std::string message;   // with the property or variable to look at
  bool retryable = true; // a new connection may do better
};

// From the `error` and `message` of a server message (API reference, "Error
// messages"; the names are those of the API, old and new).
Failure classify_error(std::string_view code, std::string_view message);
// From a refused request or upgrade. `body`: any of the three shapes of error
// body, or anything else. Quota comes as 401 or 402: the body's code wins.
Failure classify_http(int status, std::string_view body);
// From how a WebSocket closed when no message said why.
Failure classify_close(std::uint16_t close_code, std::string_view reason);

} // namespace patchcord::elevenlabs
