// SPDX-License-Identifier: LGPL-2.1-or-later
#include "call/recorder.hpp"

namespace patchcord::call {
namespace {

std::optional<double> after(GstClockTime from, GstClockTime to) {
  if (!GST_CLOCK_TIME_IS_VALID(from) || !GST_CLOCK_TIME_IS_VALID(to))
    return std::nullopt;
  return static_cast<double>(GST_CLOCK_DIFF(from, to)) / 1e6;
}

} // namespace

store::TurnRecord *Recorder::find(std::uint32_t turn) {
  for (auto it = record_.turns.rbegin(); it != record_.turns.rend(); ++it)
    if (it->index == static_cast<int>(turn))
      return &*it;
  return nullptr;
}

store::TurnRecord &Recorder::find_or_begin(std::uint32_t index) {
  if (store::TurnRecord *turn = find(index))
    return *turn;
  auto &turn = record_.turns.emplace_back();
  turn.index = static_cast<int>(index);
  return turn;
}

void Recorder::started(const messages::CallStarted &message,
                       std::int64_t unix_ms) {
  record_.stream_sid = message.stream_sid;
  if (record_.account_sid.empty())
    record_.account_sid = message.account_sid;
  record_.status = "in-progress";
  if (record_.answered_ms == 0) // not the second stream of it
    record_.answered_ms = unix_ms;
}

void Recorder::found(const agent::Found &found) {
  if (found.fields.empty()) // a message of somebody else's making
    return;
  record_.fields = found.fields;
  record_.field_turns = found.turns;
  record_.missing = found.missing;
  record_.invalid = found.invalid;
}

const store::TurnRecord *Recorder::decision(const messages::Decision &message,
                                            std::int64_t now_ms) {
  store::TurnRecord *turn = &find_or_begin(message.turn);
  if (turn->action.empty())
    turn->started_ms = now_ms;
  turn->caller = message.caller;
  // A turn may speak twice (a silence prompt behind the question).
  if (!turn->said.empty() && turn->said != message.message)
    turn->said += " ";
  if (turn->said != message.message)
    turn->said += message.message;
  turn->action = message.action;
  turn->extracted = message.extracted;
  found(message.found);
  return turn;
}

const store::TurnRecord *Recorder::heard(const messages::Heard &message) {
  if (message.state == "false-interruption") {
    // It goes on: what was heard of it is told later.
    store::TurnRecord &held = find_or_begin(message.turn);
    ++held.false_interruptions;
    return &held;
  }
  store::TurnRecord *turn = find(message.turn);
  if (turn == nullptr || message.state == "started")
    return nullptr;
  if (!turn->heard.empty() && !message.text.empty())
    turn->heard += " ";
  turn->heard += message.text;
  turn->heard_ms += static_cast<std::int64_t>(message.heard_ms);
  turn->interrupted = turn->interrupted || message.state == "interrupted";
  return turn;
}

const store::TurnRecord *
Recorder::interrupted(const messages::Interrupted &message) {
  store::TurnRecord *turn = find(message.turn);
  if (turn == nullptr)
    return nullptr;
  turn->interrupted = true;
  return turn;
}

const store::TurnRecord *
Recorder::latency(const messages::TurnLatency &message) {
  // A model's first words are heard before its decision is known.
  store::TurnRecord *turn = &find_or_begin(message.turn);
  turn->transcript_ms = after(message.speech_end, message.transcript);
  turn->decision_ms = after(message.speech_end, message.decision);
  turn->voice_ms = after(message.speech_end, message.first_audio);
  turn->sent_ms = after(message.speech_end, message.first_sent);
  turn->filler = message.filler;
  turn->preemptive = message.preemptive;
  turn->discarded = static_cast<int>(message.discarded);
  return turn;
}

const store::TurnRecord *Recorder::tool(const messages::Tool &message) {
  // Before the decision to which it led.
  store::TurnRecord *turn = &find_or_begin(message.turn);
  turn->tools.push_back(
      {message.name, message.status, static_cast<std::int64_t>(message.ms)});
  return turn;
}

void Recorder::transfer(const messages::Transfer &message) {
  record_.transfer_to = message.target;
  record_.transfer_number = message.number;
  record_.transfer_outcome = "asked";
}

void Recorder::transfer_ended(const std::string &outcome) {
  if (record_.transfer_outcome == "asked")
    record_.transfer_outcome = outcome;
}

void Recorder::answered_by(const messages::AnsweredBy &message) {
  // The end of a machine's greeting says more than its beginning.
  if (record_.answered_by.empty() || record_.answered_by == "machine_start")
    record_.answered_by = message.answered_by;
}

void Recorder::conversation_ended(const messages::ConversationEnded &message) {
  record_.goal_reached = message.goal_reached;
  found(message.found);
  // What came of it is known later.
  if (message.reason != "transfer")
    end(message.reason, "");
}

const store::TurnRecord *Recorder::unanswered(const std::string &caller,
                                              std::int64_t now_ms) {
  auto &turn = record_.turns.emplace_back();
  turn.index = record_.turns.size() > 1
                   ? record_.turns[record_.turns.size() - 2].index + 1
                   : 0;
  turn.started_ms = now_ms;
  turn.caller = caller;
  turn.action = "unanswered";
  return &turn;
}

void Recorder::end(const std::string &reason, const std::string &detail) {
  if (!record_.end_reason.empty())
    return;
  record_.end_reason = reason;
  // A provider's trouble was told before its consequence.
  if (!detail.empty())
    record_.end_detail = detail;
}

void Recorder::finish(std::int64_t unix_ms) {
  record_.ended_ms = unix_ms;
  const std::string &reason = record_.end_reason;
  const bool failed = reason == "error" || reason == "stream_lost" ||
                      reason == "stream_error" || reason == "provider_failed" ||
                      reason == "server_stopped";
  record_.status = failed ? "failed" : "completed";
}

} // namespace patchcord::call
