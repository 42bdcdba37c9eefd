// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "graph/messages.hpp"
#include "store/record.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace patchcord::call {

// Makes a call's record out of its bus messages, and nothing else: pure. Tells
// which part changed, so that it can be written as the call goes.
class Recorder {
public:
  explicit Recorder(store::CallRecord record) : record_(std::move(record)) {}

  const store::CallRecord &record() const { return record_; }
  store::CallRecord &edit() { return record_; }

  void started(const messages::CallStarted &message, std::int64_t unix_ms);
  // The rest give the turn that changed, if any. `now_ms`: since the call
  // began.
  const store::TurnRecord *decision(const messages::Decision &message,
                                    std::int64_t now_ms);
  const store::TurnRecord *heard(const messages::Heard &message);
  const store::TurnRecord *interrupted(const messages::Interrupted &message);
  const store::TurnRecord *latency(const messages::TurnLatency &message);
  const store::TurnRecord *tool(const messages::Tool &message);
  void transfer(const messages::Transfer &message);
  void transfer_ended(const std::string &outcome);
  void answered_by(const messages::AnsweredBy &message);
  void conversation_ended(const messages::ConversationEnded &message);
  // What the caller said last, when the call ended before it was answered.
  const store::TurnRecord *unanswered(const std::string &caller,
                                      std::int64_t now_ms);

  // The first reason stands: what follows is its consequence.
  void end(const std::string &reason, const std::string &detail);
  void finish(std::int64_t unix_ms);

private:
  void found(const agent::Found &found);
  store::TurnRecord *find(std::uint32_t turn);
  store::TurnRecord &find_or_begin(std::uint32_t index);
  store::CallRecord record_;
};

} // namespace patchcord::call
