// SPDX-License-Identifier: LGPL-2.1-or-later
#include "openai/realtime_event.hpp"

#include <array>
#include <utility>

namespace patchcord::openai {
namespace {

using Type = RealtimeEvent::Type;

constexpr std::string_view kBetaPrefix = "transcription_";
constexpr std::array<std::pair<std::string_view, Type>, 9> kTypes = {
    {{"session.created", Type::kCreated},
     {"session.updated", Type::kUpdated},
     {"input_audio_buffer.speech_started", Type::kSpeechStarted},
     {"input_audio_buffer.speech_stopped", Type::kSpeechStopped},
     {"input_audio_buffer.committed", Type::kCommitted},
     {"conversation.item.input_audio_transcription.delta", Type::kDelta},
     {"conversation.item.input_audio_transcription.completed",
      Type::kCompleted},
     {"conversation.item.input_audio_transcription.failed", Type::kFailed},
     {"error", Type::kError}}};

} // namespace

Result<RealtimeEvent> parse_realtime_event(std::string_view json) {
  const auto document = JsonDocument::parse(json);
  if (!document.ok())
    return document.error();
  const JsonView root = document->root();
  const auto text = [&](const char *name) {
    return root[name].string().value_or("");
  };
  std::string_view type = root["type"].text().value_or("");
  if (type.empty())
    return make_error("bad_event", "an event without a type");
  RealtimeEvent event;
  event.beta = type.starts_with(kBetaPrefix);
  if (event.beta)
    type.remove_prefix(kBetaPrefix.size());
  for (const auto &[name, known] : kTypes)
    if (type == name)
      event.type = known;
  event.item_id = text("item_id");
  event.previous_item_id = text("previous_item_id");
  switch (event.type) {
  case Type::kSpeechStarted:
    event.ms = root["audio_start_ms"].integer().value_or(0);
    break;
  case Type::kSpeechStopped:
    event.ms = root["audio_end_ms"].integer().value_or(0);
    break;
  case Type::kDelta:
    event.text = text("delta");
    break;
  case Type::kCompleted:
    event.text = text("transcript");
    break;
  case Type::kFailed:
  case Type::kError:
    event.error = read_error(root["error"]);
    break;
  default:
    break;
  }
  return event;
}

} // namespace patchcord::openai
