// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/record.hpp"

#include "base/json.hpp"

namespace patchcord::store {
namespace {

void stage(JsonWriter &out, const char *name,
           const std::optional<double> &milliseconds) {
  out.key(name);
  if (milliseconds)
    out.value(*milliseconds);
  else
    out.null();
}

// JSON from the agent, or something empty should it be none.
void json(JsonWriter &out, const char *name, const std::string &text,
          const char *empty) {
  out.key(name).raw(JsonDocument::parse(text).ok() ? text.c_str() : empty);
}
void object(JsonWriter &out, const char *name, const std::string &text) {
  json(out, name, text, "{}");
}
void array(JsonWriter &out, const char *name, const std::string &text) {
  json(out, name, text, "[]");
}

void write(JsonWriter &out, const TurnRecord &turn) {
  out.begin_object()
      .member("index", turn.index)
      .member("started_ms", turn.started_ms)
      .member("caller", turn.caller)
      .member("said", turn.said)
      .member("heard", turn.heard)
      .member("heard_ms", turn.heard_ms)
      .member("action", turn.action);
  object(out, "extracted", turn.extracted);
  out.member("interrupted", turn.interrupted);
  out.member("false_interruptions", turn.false_interruptions);
  out.key("tools").raw(to_json(turn.tools));
  stage(out, "transcript_ms", turn.transcript_ms);
  stage(out, "decision_ms", turn.decision_ms);
  stage(out, "voice_ms", turn.voice_ms);
  stage(out, "sent_ms", turn.sent_ms);
  out.member("filler", turn.filler)
      .member("preemptive", turn.preemptive)
      .member("discarded", turn.discarded);
  out.end_object();
}

// Leaves the object open.
void write_call(JsonWriter &out, const CallRecord &record) {
  out.begin_object()
      .member("call_sid", record.call_sid)
      .member("stream_sid", record.stream_sid)
      .member("account_sid", record.account_sid)
      .member("from", record.from)
      .member("to", record.to)
      .member("direction", record.direction)
      .member("agent", record.agent)
      .member("pipeline", record.pipeline)
      .member("created_ms", record.created_ms)
      .member("answered_ms", record.answered_ms)
      .member("ended_ms", record.ended_ms)
      .member("status", record.status)
      .member("end_reason", record.end_reason)
      .member("end_detail", record.end_detail)
      .member("goal_reached", record.goal_reached);
  object(out, "fields", record.fields);
  object(out, "field_turns", record.field_turns);
  array(out, "missing", record.missing);
  array(out, "invalid", record.invalid);
  out.member("transfer_to", record.transfer_to)
      .member("transfer_number", record.transfer_number)
      .member("transfer_outcome", record.transfer_outcome)
      .member("answered_by", record.answered_by);
}

} // namespace

std::string to_json(const std::vector<ToolRecord> &tools) {
  JsonWriter out;
  out.begin_array();
  for (const ToolRecord &tool : tools)
    out.begin_object()
        .member("name", tool.name)
        .member("status", tool.status)
        .member("ms", tool.ms)
        .end_object();
  out.end_array();
  return out.take();
}

std::vector<ToolRecord> tools_of_json(const std::string &json) {
  std::vector<ToolRecord> tools;
  const auto document = JsonDocument::parse(json);
  if (!document)
    return tools;
  for (std::size_t i = 0; i < document->root().size(); ++i) {
    const JsonView tool = document->root().at(i);
    tools.push_back({tool["name"].string().value_or(""),
                     tool["status"].string().value_or(""),
                     tool["ms"].integer().value_or(0)});
  }
  return tools;
}

std::string to_json(const TurnRecord &turn) {
  JsonWriter out;
  write(out, turn);
  return out.take();
}

std::string to_json(const CallRecord &record) {
  JsonWriter out;
  write_call(out, record);
  out.key("turns").begin_array();
  for (const TurnRecord &turn : record.turns)
    write(out, turn);
  out.end_array().end_object();
  return out.take();
}

std::string summary_json(const CallRecord &record) {
  JsonWriter out;
  write_call(out, record);
  out.end_object();
  return out.take();
}

} // namespace patchcord::store
