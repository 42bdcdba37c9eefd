// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "graph/messages.hpp"
#include "store/record.hpp"

#include <cstdint>
#include <string>

namespace patchcord::call {

// A call's live events as JSON objects: "t_ms" since the media stream's
// handshake, "event" the message's name without "patchcord-", and its fields in
// snake_case. docs/api.md is the table.
std::string event_json(std::int64_t t_ms, const messages::CallStarted &m);
std::string event_json(std::int64_t t_ms, const messages::Transcript &m);
std::string event_json(std::int64_t t_ms, const messages::Decision &m);
std::string event_json(std::int64_t t_ms, const messages::Heard &m);
std::string event_json(std::int64_t t_ms, const messages::Interrupted &m);
// Stages in milliseconds after the end of the caller's speech.
std::string event_json(std::int64_t t_ms, const messages::TurnLatency &m);
std::string event_json(std::int64_t t_ms, const messages::DtmfReceived &m);
std::string event_json(std::int64_t t_ms, const messages::Tool &m);
std::string event_json(std::int64_t t_ms, const messages::ProviderTrouble &m);
std::string event_json(std::int64_t t_ms, const messages::ConversationEnded &m);
std::string event_json(std::int64_t t_ms, const messages::Transfer &m);
std::string event_json(std::int64_t t_ms, const messages::AnsweredBy &m);
std::string transfer_ended_json(std::int64_t t_ms, const std::string &target,
                                const std::string &outcome);
std::string call_ended_json(std::int64_t t_ms, const store::CallRecord &record);

} // namespace patchcord::call
