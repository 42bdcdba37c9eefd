// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace patchcord::store {

// A tool that the model called. What it was told, and said, is not kept.
struct ToolRecord {
  std::string name;
  std::string status; // "ok", or why not: "timeout", "http_404" ...
  std::int64_t ms = 0;
};

// One exchange: what the caller said and what the agent answered. Turn 0 is the
// greeting. Times are milliseconds since the call began; a stage that did not
// happen is absent.
struct TurnRecord {
  int index = 0;
  std::int64_t started_ms = 0;
  std::string caller;        // the caller's words, as recognised
  std::string said;          // the agent's whole reply
  std::string heard;         // what the caller heard of it
  std::int64_t heard_ms = 0; // for how long
  std::string action;        // ask, say, end_call ...
  std::string extracted;     // JSON object: fields found in this turn
  bool interrupted = false;
  int false_interruptions = 0; // noise, or "mm-hm", into the agent's words
  std::vector<ToolRecord> tools;
  // Stages, from the end of the caller's speech (the last voiced frame).
  std::optional<double> transcript_ms; // final text arrived
  std::optional<double> decision_ms;   // first words of the reply were known
  std::optional<double> voice_ms;      // first audio of the reply arrived
  std::optional<double> sent_ms;       // first audio of the reply was sent
  bool filler = false;     // these two are of words that only filled the wait
  bool preemptive = false; // thought of before the final text arrived
  int discarded = 0;       // answers that were thought of for nothing
};

struct CallRecord {
  std::string call_sid, stream_sid, account_sid;
  std::string from, to, direction;
  std::string agent, pipeline;
  std::int64_t created_ms = 0;  // Unix time, when the webhook came
  std::int64_t answered_ms = 0; // Unix time of the stream's start; 0: never
  std::int64_t ended_ms = 0;    // Unix time; 0: not yet
  // ringing, in-progress, completed, failed; of calls that we placed and nobody
  // answered Twilio's words: busy, no-answer, canceled, failed.
  std::string status;
  // Why it ended: goal, end_rule, caller_hung_up, no_answer, max_turns,
  // max_duration, provider_failed, stream_lost, stream_error, server_stopped,
  // error, transferred; of calls that we placed also voicemail, machine, fax,
  // and why nobody answered: busy, no-answer, failed, canceled.
  std::string end_reason;
  std::string end_detail;
  bool goal_reached = false;
  std::string fields = "{}";      // JSON object
  std::string field_turns = "{}"; // JSON object: the turn each came from
  // JSON arrays of names: required fields without a value, and fields whose
  // value is not one that the agent allows.
  std::string missing = "[]", invalid = "[]";
  // The last transfer: whom to, and what came of it: asked, answered, busy,
  // no-answer, failed, canceled. Empty: none.
  std::string transfer_to, transfer_number, transfer_outcome;
  // Of a call that we placed: the network's first word on who answered.
  std::string answered_by;
  std::vector<TurnRecord> turns;
};

std::string to_json(const CallRecord &record);      // with its turns
std::string summary_json(const CallRecord &record); // without
std::string to_json(const TurnRecord &turn);
std::string to_json(const std::vector<ToolRecord> &tools); // and back:
std::vector<ToolRecord> tools_of_json(const std::string &json);

} // namespace patchcord::store
