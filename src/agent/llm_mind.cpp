// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/llm_mind.hpp"
#include "base/text.hpp"

#include <cmath>
#include <utility>

namespace patchcord::agent {
namespace {

// A request's `name` of its schema: [A-Za-z0-9_-].
constexpr char kSchemaName[] = "phone_turn";

// Roles in turn: some servers' templates refuse two of a kind in a row.
void append(std::vector<openai::ChatMessage> &messages, const char *role,
            const std::string &text) {
  if (messages.back().role == role)
    messages.back().content += " " + text;
  else
    messages.push_back({role, text});
}

bool in_range(const Field &field, double number) {
  return std::isfinite(number) && (!field.min || number >= *field.min) &&
         (!field.max || number <= *field.max);
}

// What the model gave for a field, if it is of the field's type. Texts of
// another form than asked for ("2:30 PM") are read as if they had been spoken.
std::optional<Value> field_value(const Field &field, JsonView given,
                                 const Date &today) {
  if (const auto text = given.string()) {
    if (field.type == FieldType::kDate && parse_iso_date(*text))
      return Value(*text);
    if (field.type == FieldType::kChoice)
      for (const Choice &choice : field.choices)
        if (choice.value == *text)
          return Value(*text);
    if (field.type == FieldType::kString) // "I am late" is no name
      return trim(*text).empty() ? std::nullopt : std::optional(Value(*text));
    return parse_value(field, *text, today);
  }
  if (field.type == FieldType::kBoolean) {
    const auto truth = given.boolean();
    return truth ? std::optional(Value(*truth)) : std::nullopt;
  }
  const auto number = given.number();
  if (!number || !in_range(field, *number))
    return std::nullopt;
  if (field.type == FieldType::kNumber)
    return Value(*number);
  if (field.type != FieldType::kInteger || *number != std::floor(*number) ||
      std::fabs(*number) > 1e15)
    return std::nullopt;
  return Value(static_cast<std::int64_t>(*number));
}

} // namespace

LlmMind::LlmMind(std::shared_ptr<const Definition> definition, Date today,
                 openai::ChatRequest request)
    : definition_(std::move(definition)), today_(today),
      request_(std::move(request)) {
  request_.schema_name = kSchemaName;
  request_.schema = answer_schema(*definition_);
}

Reply LlmMind::open() {
  values_.clear();
  before_.clear();
  goal_reached_ = false;
  Reply reply;
  reply.message = opening(*definition_);
  reply.expect = expectation();
  return reply;
}

Thought LlmMind::answer(const std::string &caller, const History &history) {
  before_ = values_;
  retried_ = false;
  if (caller.empty()) { // the recogniser could not tell what was said
    Reply reply;
    reply.message = definition_->end.not_understood;
    reply.expect = expectation();
    return reply;
  }
  request_.messages = {
      {"system", system_prompt(*definition_, values_, today_)}};
  for (const Said &said : history)
    append(request_.messages,
           said.who == Said::Who::kAgent ? "assistant" : "user", said.text);
  last_body_ = openai::chat_request_body(request_);
  return ModelRequest{last_body_};
}

std::string LlmMind::model_text(std::string_view delta) {
  std::string text = extractor_.feed(delta);
  streamed_ += text;
  return text;
}

Thought LlmMind::model_done(std::string_view finish_reason,
                            std::string_view refusal, bool spoken) {
  Reply reply;
  reply.expect = expectation();
  if (!refusal.empty()) {
    reply.message = streamed_ + (streamed_.empty() ? "" : " ") +
                    definition_->end.not_understood;
    return reply;
  }
  if (extractor_.is_plain_text() && !streamed_.empty() &&
      finish_reason == "stop") {
    reply.message = streamed_; // a server that keeps to no schema
    return reply;
  }
  const auto parsed = JsonDocument::parse(extractor_.object_text());
  if (!parsed)
    return unusable(spoken);
  const JsonView root = parsed->root();
  const auto message = root["message"].string();
  const auto action = root["action"].string();
  if (!message || !action)
    return unusable(spoken);
  // Decoded by the same rules as what was spoken of it.
  reply.message = streamed_.empty() ? *message : streamed_;
  reply.action = *action == "end_call" ? "end_call" : "ask";
  return with_fields(std::move(reply), root["extracted"]);
}

Thought LlmMind::unusable(bool spoken) {
  if (!spoken && !std::exchange(retried_, true))
    return ModelRequest{last_body_};
  Reply reply;
  reply.expect = expectation();
  if (spoken)
    reply.message = streamed_ + " ";
  reply.message += definition_->end.not_understood;
  return reply;
}

Values LlmMind::read_fields(JsonView extracted) const {
  Values values;
  for (const Field &field : definition_->fields)
    if (const JsonView given = extracted[field.name.c_str()]; !given.is_null())
      if (auto value = field_value(field, given, today_))
        values.emplace(field.name, *std::move(value));
  return values;
}

Reply LlmMind::with_fields(Reply reply, JsonView extracted) {
  for (auto &[name, value] : read_fields(extracted)) {
    const auto known = values_.find(name);
    if (known != values_.end() && known->second == value)
      continue;
    values_[name] = value;
    reply.extracted[name] = value;
  }
  if (reply.action == "end_call") {
    goal_reached_ = complete(*definition_, values_);
    reply.end_reason = goal_reached_ ? "goal" : "agent_ended";
    reply.expect.kind = Expectation::Kind::kNothing;
  }
  return reply;
}

Expectation LlmMind::expectation() const {
  Expectation expect;
  expect.also = {"yes", "no", "repeat", "goodbye"};
  return expect;
}

} // namespace patchcord::agent
