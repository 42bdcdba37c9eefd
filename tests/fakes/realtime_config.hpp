// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/json.hpp"

#include <optional>
#include <string>

namespace patchcord::fakes {

// The configuration of a transcription session, as `session.update` changes it.
struct RealtimeConfig {
  bool mulaw = false; // else 24 kHz PCM
  std::string model;
  bool server_vad = true;
  int silence_ms = 200, prefix_ms = 300;
  // Commits are the client's business; text comes before them.
  bool is_live() const;
};

struct RealtimeProblem {
  std::string code, message, param;
};

// Changes `config`; or tells what the real service would refuse. (API
// reference, "session.update"; openai-openapi 2.3.0,
// RealtimeTranscriptionSessionCreateRequestGA.)
std::optional<RealtimeProblem> apply_update(JsonView session,
                                            RealtimeConfig &config);
// The same in the shape of the former beta protocol.
std::optional<RealtimeProblem> apply_beta_update(JsonView session,
                                                 RealtimeConfig &config);

} // namespace patchcord::fakes
