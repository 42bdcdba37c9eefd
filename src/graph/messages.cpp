// SPDX-License-Identifier: LGPL-2.1-or-later
#include "graph/messages.hpp"

#include "graph/structures.hpp"

namespace patchcord::messages {
namespace {

using namespace graph;

void post_structure(GstElement *element, StructurePtr structure) {
  gst_element_post_message(
      element,
      gst_message_new_element(GST_OBJECT(element), structure.release()));
}

const GstStructure *match(GstMessage *message, const char *name) {
  if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ELEMENT)
    return nullptr;
  const GstStructure *structure = gst_message_get_structure(message);
  return structure != nullptr && gst_structure_has_name(structure, name)
             ? structure
             : nullptr;
}

agent::Found get_found(const GstStructure *structure) {
  return {get_string(structure, "fields"), get_string(structure, "field-turns"),
          get_string(structure, "missing"), get_string(structure, "invalid")};
}

} // namespace

void post(GstElement *element, const CallStarted &message) {
  post_structure(element, Fields(CallStarted::kName)
                              .set("call-sid", message.call_sid)
                              .set("stream-sid", message.stream_sid)
                              .set("account-sid", message.account_sid)
                              .set("parameters", message.parameters)
                              .take());
}
void post(GstElement *element, const Transcript &message) {
  post_structure(element, Fields(Transcript::kName)
                              .set("text", message.text)
                              .set("final", message.final)
                              .set("start", message.start)
                              .set("end", message.end)
                              .take());
}
void post(GstElement *element, const Decision &message) {
  post_structure(element, Fields(Decision::kName)
                              .set("turn", message.turn)
                              .set("utterance", message.utterance)
                              .set("caller", message.caller)
                              .set("action", message.action)
                              .set("message", message.message)
                              .set("extracted", message.extracted)
                              .set("fields", message.found.fields)
                              .set("field-turns", message.found.turns)
                              .set("missing", message.found.missing)
                              .set("invalid", message.found.invalid)
                              .take());
}
void post(GstElement *element, const Heard &message) {
  post_structure(element, Fields(Heard::kName)
                              .set("turn", message.turn)
                              .set("utterance", message.utterance)
                              .set("state", message.state)
                              .set("text", message.text)
                              .set("heard-ms", message.heard_ms)
                              .take());
}
void post(GstElement *element, const Interrupted &message) {
  post_structure(element, Fields(Interrupted::kName)
                              .set("turn", message.turn)
                              .set("utterance", message.utterance)
                              .set("heard-text", message.heard_text)
                              .set("heard-ms", message.heard_ms)
                              .take());
}
void post(GstElement *element, const TurnLatency &message) {
  post_structure(element, Fields(TurnLatency::kName)
                              .set("turn", message.turn)
                              .set("speech-end", message.speech_end)
                              .set("transcript", message.transcript)
                              .set("decision", message.decision)
                              .set("first-audio", message.first_audio)
                              .set("first-sent", message.first_sent)
                              .set("filler", message.filler)
                              .set("preemptive", message.preemptive)
                              .set("discarded", message.discarded)
                              .take());
}
void post(GstElement *element, const DtmfReceived &message) {
  post_structure(
      element, Fields(DtmfReceived::kName).set("digit", message.digit).take());
}
void post(GstElement *element, const Tool &message) {
  post_structure(element, Fields(Tool::kName)
                              .set("turn", message.turn)
                              .set("name", message.name)
                              .set("status", message.status)
                              .set("ms", message.ms)
                              .take());
}
void post(GstElement *element, const ProviderTrouble &message) {
  post_structure(element, Fields(ProviderTrouble::kName)
                              .set("provider", message.provider)
                              .set("code", message.code)
                              .set("message", message.message)
                              .set("fatal", message.fatal)
                              .take());
}
void post(GstElement *element, const ConversationEnded &message) {
  post_structure(element, Fields(ConversationEnded::kName)
                              .set("reason", message.reason)
                              .set("goal-reached", message.goal_reached)
                              .set("fields", message.found.fields)
                              .set("field-turns", message.found.turns)
                              .set("missing", message.found.missing)
                              .set("invalid", message.found.invalid)
                              .take());
}
void post(GstElement *element, const Transfer &message) {
  post_structure(element, Fields(Transfer::kName)
                              .set("turn", message.turn)
                              .set("target", message.target)
                              .set("number", message.number)
                              .set("timeout", message.timeout)
                              .set("warm", message.warm)
                              .set("summary", message.summary)
                              .set("withheld", message.withheld)
                              .set("language", message.language)
                              .set("state", message.state)
                              .take());
}
void post(GstElement *element, const AnsweredBy &message) {
  post_structure(element, Fields(AnsweredBy::kName)
                              .set("answered-by", message.answered_by)
                              .set("outcome", message.outcome)
                              .take());
}
void post(GstElement *element, const StreamEnded &message) {
  post_structure(element, Fields(StreamEnded::kName)
                              .set("reason", message.reason)
                              .set("detail", message.detail)
                              .take());
}
void post(GstElement *element, const StreamAnomalies &message) {
  post_structure(
      element,
      Fields(StreamAnomalies::kName).set("counts", message.counts).take());
}

template <> std::optional<CallStarted> parse(GstMessage *message) {
  const auto *s = match(message, CallStarted::kName);
  if (s == nullptr)
    return std::nullopt;
  return CallStarted{get_string(s, "call-sid"), get_string(s, "stream-sid"),
                     get_string(s, "account-sid"), get_map(s, "parameters")};
}
template <> std::optional<Transcript> parse(GstMessage *message) {
  const auto *s = match(message, Transcript::kName);
  if (s == nullptr)
    return std::nullopt;
  return Transcript{get_string(s, "text"), get_bool(s, "final"),
                    get_time(s, "start"), get_time(s, "end")};
}
template <> std::optional<Decision> parse(GstMessage *message) {
  const auto *s = match(message, Decision::kName);
  if (s == nullptr)
    return std::nullopt;
  return Decision{get_uint(s, "turn"),
                  get_uint(s, "utterance"),
                  get_string(s, "caller"),
                  get_string(s, "action"),
                  get_string(s, "message"),
                  get_string(s, "extracted"),
                  get_found(s)};
}
template <> std::optional<Heard> parse(GstMessage *message) {
  const auto *s = match(message, Heard::kName);
  if (s == nullptr)
    return std::nullopt;
  return Heard{get_uint(s, "turn"), get_uint(s, "utterance"),
               get_string(s, "state"), get_string(s, "text"),
               get_uint64(s, "heard-ms")};
}
template <> std::optional<Interrupted> parse(GstMessage *message) {
  const auto *s = match(message, Interrupted::kName);
  if (s == nullptr)
    return std::nullopt;
  return Interrupted{get_uint(s, "turn"), get_uint(s, "utterance"),
                     get_string(s, "heard-text"), get_uint64(s, "heard-ms")};
}
template <> std::optional<TurnLatency> parse(GstMessage *message) {
  const auto *s = match(message, TurnLatency::kName);
  if (s == nullptr)
    return std::nullopt;
  return TurnLatency{get_uint(s, "turn"),        get_time(s, "speech-end"),
                     get_time(s, "transcript"),  get_time(s, "decision"),
                     get_time(s, "first-audio"), get_time(s, "first-sent"),
                     get_bool(s, "filler"),      get_bool(s, "preemptive"),
                     get_uint(s, "discarded")};
}
template <> std::optional<DtmfReceived> parse(GstMessage *message) {
  const auto *s = match(message, DtmfReceived::kName);
  if (s == nullptr)
    return std::nullopt;
  return DtmfReceived{get_string(s, "digit")};
}
template <> std::optional<Tool> parse(GstMessage *message) {
  const auto *s = match(message, Tool::kName);
  if (s == nullptr)
    return std::nullopt;
  return Tool{get_uint(s, "turn"), get_string(s, "name"),
              get_string(s, "status"), get_uint64(s, "ms")};
}
template <> std::optional<ProviderTrouble> parse(GstMessage *message) {
  const auto *s = match(message, ProviderTrouble::kName);
  if (s == nullptr)
    return std::nullopt;
  return ProviderTrouble{get_string(s, "provider"), get_string(s, "code"),
                         get_string(s, "message"), get_bool(s, "fatal")};
}
template <> std::optional<ConversationEnded> parse(GstMessage *message) {
  const auto *s = match(message, ConversationEnded::kName);
  if (s == nullptr)
    return std::nullopt;
  return ConversationEnded{get_string(s, "reason"), get_bool(s, "goal-reached"),
                           get_found(s)};
}
template <> std::optional<Transfer> parse(GstMessage *message) {
  const auto *s = match(message, Transfer::kName);
  if (s == nullptr)
    return std::nullopt;
  return Transfer{get_uint(s, "turn"),       get_string(s, "target"),
                  get_string(s, "number"),   get_uint(s, "timeout"),
                  get_bool(s, "warm"),       get_string(s, "summary"),
                  get_string(s, "withheld"), get_string(s, "language"),
                  get_string(s, "state")};
}
template <> std::optional<AnsweredBy> parse(GstMessage *message) {
  const auto *s = match(message, AnsweredBy::kName);
  if (s == nullptr)
    return std::nullopt;
  return AnsweredBy{get_string(s, "answered-by"), get_string(s, "outcome")};
}
template <> std::optional<StreamEnded> parse(GstMessage *message) {
  const auto *s = match(message, StreamEnded::kName);
  if (s == nullptr)
    return std::nullopt;
  return StreamEnded{get_string(s, "reason"), get_string(s, "detail")};
}
template <> std::optional<StreamAnomalies> parse(GstMessage *message) {
  const auto *s = match(message, StreamAnomalies::kName);
  if (s == nullptr)
    return std::nullopt;
  return StreamAnomalies{get_counts(s, "counts")};
}

} // namespace patchcord::messages
