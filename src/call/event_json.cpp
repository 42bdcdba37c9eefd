// SPDX-License-Identifier: LGPL-2.1-or-later
#include "call/event_json.hpp"

#include "base/json.hpp"

#include <cstring>

namespace patchcord::call {
namespace {

JsonWriter begin(std::int64_t t_ms, const char *message_name) {
  JsonWriter out;
  out.begin_object()
      .member("t_ms", t_ms)
      .member("event", message_name + std::strlen("patchcord-"));
  return out;
}

void object(JsonWriter &out, const char *name, const std::string &json) {
  out.key(name).raw(json.empty() ? std::string_view("{}")
                                 : std::string_view(json));
}

void found(JsonWriter &out, const agent::Found &found) {
  object(out, "fields", found.fields);
  object(out, "field_turns", found.turns);
  out.key("missing").raw(found.missing.empty() ? "[]" : found.missing);
  out.key("invalid").raw(found.invalid.empty() ? "[]" : found.invalid);
}

void stage(JsonWriter &out, const char *name, GstClockTime from,
           GstClockTime to) {
  out.key(name);
  if (GST_CLOCK_TIME_IS_VALID(from) && GST_CLOCK_TIME_IS_VALID(to))
    out.value(static_cast<double>(GST_CLOCK_DIFF(from, to)) / 1e6);
  else
    out.null();
}

} // namespace

std::string event_json(std::int64_t t_ms, const messages::CallStarted &m) {
  auto out = begin(t_ms, messages::CallStarted::kName);
  out.member("call_sid", m.call_sid)
      .member("stream_sid", m.stream_sid)
      .end_object();
  return out.take();
}

std::string event_json(std::int64_t t_ms, const messages::Transcript &m) {
  auto out = begin(t_ms, messages::Transcript::kName);
  out.member("text", m.text).member("final", m.final).end_object();
  return out.take();
}

std::string event_json(std::int64_t t_ms, const messages::Decision &m) {
  auto out = begin(t_ms, messages::Decision::kName);
  out.member("turn", std::int64_t{m.turn})
      .member("utterance", std::int64_t{m.utterance})
      .member("caller", m.caller)
      .member("action", m.action)
      .member("message", m.message);
  object(out, "extracted", m.extracted);
  found(out, m.found);
  out.end_object();
  return out.take();
}

std::string event_json(std::int64_t t_ms, const messages::Heard &m) {
  auto out = begin(t_ms, messages::Heard::kName);
  out.member("turn", std::int64_t{m.turn})
      .member("utterance", std::int64_t{m.utterance})
      .member("state", m.state)
      .member("text", m.text)
      .member("heard_ms", m.heard_ms)
      .end_object();
  return out.take();
}

std::string event_json(std::int64_t t_ms, const messages::Interrupted &m) {
  auto out = begin(t_ms, messages::Interrupted::kName);
  out.member("turn", std::int64_t{m.turn})
      .member("utterance", std::int64_t{m.utterance})
      .member("heard_text", m.heard_text)
      .member("heard_ms", m.heard_ms)
      .end_object();
  return out.take();
}

std::string event_json(std::int64_t t_ms, const messages::TurnLatency &m) {
  auto out = begin(t_ms, messages::TurnLatency::kName);
  out.member("turn", std::int64_t{m.turn});
  stage(out, "transcript_ms", m.speech_end, m.transcript);
  stage(out, "decision_ms", m.speech_end, m.decision);
  stage(out, "first_audio_ms", m.speech_end, m.first_audio);
  stage(out, "sent_ms", m.speech_end, m.first_sent);
  out.member("filler", m.filler)
      .member("preemptive", m.preemptive)
      .member("discarded", std::int64_t{m.discarded});
  out.end_object();
  return out.take();
}

std::string event_json(std::int64_t t_ms, const messages::DtmfReceived &m) {
  auto out = begin(t_ms, messages::DtmfReceived::kName);
  out.member("digit", m.digit).end_object();
  return out.take();
}

std::string event_json(std::int64_t t_ms, const messages::Tool &m) {
  auto out = begin(t_ms, messages::Tool::kName);
  out.member("turn", std::int64_t{m.turn})
      .member("name", m.name)
      .member("status", m.status)
      .member("ms", m.ms)
      .end_object();
  return out.take();
}

std::string event_json(std::int64_t t_ms, const messages::ProviderTrouble &m) {
  auto out = begin(t_ms, messages::ProviderTrouble::kName);
  out.member("provider", m.provider)
      .member("code", m.code)
      .member("message", m.message)
      .member("fatal", m.fatal)
      .end_object();
  return out.take();
}

std::string event_json(std::int64_t t_ms,
                       const messages::ConversationEnded &m) {
  auto out = begin(t_ms, messages::ConversationEnded::kName);
  out.member("reason", m.reason).member("goal_reached", m.goal_reached);
  found(out, m.found);
  out.end_object();
  return out.take();
}

// Without the state: it is what was told before.
std::string event_json(std::int64_t t_ms, const messages::Transfer &m) {
  auto out = begin(t_ms, messages::Transfer::kName);
  out.member("turn", std::int64_t{m.turn})
      .member("target", m.target)
      .member("number", m.number)
      .member("warm", m.warm)
      .member("summary", m.summary)
      .end_object();
  return out.take();
}

std::string event_json(std::int64_t t_ms, const messages::AnsweredBy &m) {
  auto out = begin(t_ms, messages::AnsweredBy::kName);
  out.member("answered_by", m.answered_by)
      .member("outcome", m.outcome)
      .end_object();
  return out.take();
}

std::string transfer_ended_json(std::int64_t t_ms, const std::string &target,
                                const std::string &outcome) {
  auto out = begin(t_ms, "patchcord-transfer-ended");
  out.member("target", target).member("outcome", outcome).end_object();
  return out.take();
}

std::string call_ended_json(std::int64_t t_ms,
                            const store::CallRecord &record) {
  auto out = begin(t_ms, "patchcord-call-ended");
  out.member("reason", record.end_reason)
      .member("detail", record.end_detail)
      .member("status", record.status)
      .end_object();
  return out.take();
}

} // namespace patchcord::call
