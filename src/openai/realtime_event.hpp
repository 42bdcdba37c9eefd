// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "openai/api_error.hpp"

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace patchcord::openai {

// A server event of a Realtime transcription session, reduced to what is used
// of it. (API reference, "Realtime server events"; openai-openapi 2.3.0,
// RealtimeServerEvent*.)
struct RealtimeEvent {
  enum class Type {
    kOther, // to be ignored: new kinds come with time
    kCreated,
    kUpdated,
    kSpeechStarted,
    kSpeechStopped,
    kCommitted,
    kDelta,
    kCompleted,
    kFailed, // one item's transcription
    kError,
  };
  Type type = Type::kOther;
  bool beta = false; // kCreated, kUpdated: in the names of the beta protocol
  std::string item_id, previous_item_id;
  std::string text;    // kDelta, kCompleted
  std::int64_t ms = 0; // kSpeechStarted, kSpeechStopped: within the session
  ErrorFields error;   // kFailed, kError
};

// An Error for what is no JSON object with a type.
Result<RealtimeEvent> parse_realtime_event(std::string_view json);

} // namespace patchcord::openai
