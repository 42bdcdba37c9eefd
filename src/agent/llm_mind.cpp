// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/llm_mind.hpp"

#include "agent/clause_splitter.hpp"
#include "agent/resumption.hpp"
#include "agent/words.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <utility>

namespace patchcord::agent {
namespace {

// A request's `name` of its schema: [A-Za-z0-9_-].
constexpr char kSchemaName[] = "phone_turn";
// In a row, without a word of the caller.
constexpr int kMostSays = 3;
constexpr char kBack[] = "(Nobody took the call. The caller is back with you: "
                         "say how you can help instead.)";
constexpr char kGoOn[] = "(The caller is listening. Go on.)";

// Roles in turn: some servers' templates refuse two of a kind in a row.
void append(std::vector<openai::ChatMessage> &messages, const char *role,
            const std::string &text) {
  if (messages.back().role == role)
    messages.back().content += " " + text;
  else
    messages.push_back({role, text, {}, {}});
}

std::size_t turns_in(const History &history) {
  return static_cast<std::size_t>(
      std::count_if(history.begin(), history.end(), [](const Said &said) {
        return said.who == Said::Who::kCaller;
      }));
}

bool is_letter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
         (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

// Where `text` goes on behind `beginning`, be it spelled otherwise; nullopt: it
// begins with something else.
std::optional<std::size_t> end_of(std::string_view beginning,
                                  std::string_view full_text) {
  const std::string text = to_lower(full_text);
  std::size_t at = 0;
  for (const char c : to_lower(beginning)) {
    if (!is_letter(c))
      continue;
    while (at < text.size() && !is_letter(text[at]))
      ++at;
    if (at == text.size() || text[at] != c)
      return std::nullopt;
    ++at;
  }
  if (at < text.size() && is_letter(text[at]))
    return std::nullopt; // in the middle of a word
  return std::min(text.find(' ', at), text.size());
}

// Of a message that was written once more, what was not said the first time:
// all that follows it, or the first sentence that differs and all behind that.
std::string unsaid(std::string_view said, std::string_view message) {
  // "Rome." and "Rome it is." begin alike, but are two sentences.
  const auto ends = [](std::string_view text) {
    text = trim(text);
    return text.empty() || text.find_last_of(".!?") == text.size() - 1;
  };
  if (const auto end = end_of(said, message);
      end && (ends(message.substr(0, *end)) || !ends(said)))
    return std::string(trim(message.substr(*end)));
  std::vector<std::string> sentences = split_sentences(message);
  while (!sentences.empty()) {
    const auto end = end_of(sentences.front(), said);
    if (!end)
      break;
    said.remove_prefix(*end);
    sentences.erase(sentences.begin());
  }
  return join(sentences, " ");
}

// Whether the caller hears that at the end of it.
bool says_in_the_end(std::string_view message, std::string_view words) {
  std::size_t at = message.size();
  for (std::size_t left = words.size(); left > 0; --left) {
    if (!is_letter(words[left - 1]))
      continue;
    while (at > 0 && !is_letter(message[at - 1]))
      --at;
    if (at == 0 || to_lower(message.substr(at - 1, 1)) !=
                       to_lower(words.substr(left - 1, 1)))
      return false;
    --at;
  }
  return at == 0 || !is_letter(message[at - 1]);
}

// Whether callers may press keys for it.
bool keyed(const Field &field) {
  return field.type == FieldType::kDigits || field.type == FieldType::kPhone ||
         field.type == FieldType::kNumber || field.type == FieldType::kInteger;
}

} // namespace

LlmMind::LlmMind(std::shared_ptr<const Definition> definition, Date today,
                 openai::ChatRequest request)
    : definition_(std::move(definition)), today_(today),
      request_(std::move(request)) {
  request_.schema_name = kSchemaName;
  request_.schema = answer_schema(*definition_);
  for (const Tool &tool : definition_->tools)
    request_.tools.push_back(chat_tool(tool));
}

Reply LlmMind::open() {
  known_ = before_ = {};
  goal_reached_ = false;
  successor_.reset();
  Reply reply;
  reply.message = opening(*definition_);
  reply.expect = expectation();
  return reply;
}

// Says so, and asks the model at once how to go on.
Reply LlmMind::reopen(const Values &known, const Rejected &rejected,
                      const History &history) {
  known_.values = known;
  known_.rejected = rejected;
  before_ = known_;
  goal_reached_ = false;
  successor_.reset();
  says_ = 0;
  turn_ = turns_in(history);
  tool_rounds_ = 0;
  Reply reply;
  reply.message = definition_->phrases.transfer_failed;
  reply.action = "say";
  reply.expect = expectation();
  request_.messages = messages(history);
  append(request_.messages, "assistant", reply.message);
  append(request_.messages, "user", kBack);
  reply.next = request();
  return reply;
}

std::string LlmMind::summary() const {
  return spoken_summary(*definition_, values(), today_);
}

Thought LlmMind::answer(const std::string &caller, const History &history) {
  if (successor_)
    return successor_->answer(caller, history);
  before_ = known_;
  caller_ = caller;
  says_ = 0;
  if (caller.empty()) { // the recogniser could not tell what was said
    Reply reply;
    reply.message = definition_->end.not_understood;
    reply.expect = expectation();
    return reply;
  }
  turn_ = turns_in(history);
  tool_rounds_ = 0;
  request_.messages = messages(history);
  return request();
}

std::optional<std::string> LlmMind::preview(const std::string &caller,
                                            const History &history) const {
  if (successor_ || caller.empty())
    return std::nullopt;
  openai::ChatRequest request = request_;
  request.messages = messages(history);
  request.may_call_tools = true;
  return openai::chat_request_body(request);
}

std::vector<openai::ChatMessage>
LlmMind::messages(const History &history) const {
  std::vector<openai::ChatMessage> messages = {
      {"system",
       system_prompt(*definition_, known_.values, known_.rejected, today_,
                     known_.rules),
       {},
       {}}};
  std::size_t turn = 0;
  for (const Said &said : history) {
    const bool agent = said.who == Said::Who::kAgent;
    append(messages, agent ? "assistant" : "user", said.text);
    if (!agent)
      tools_.append_to(messages, ++turn);
  }
  return messages;
}

void LlmMind::take_back() {
  known_ = before_;
  goal_reached_ = false;
  if (successor_)
    successor_->take_back();
}

void LlmMind::take_back_end() {
  known_.rules.applied = before_.rules.applied;
  goal_reached_ = false;
  if (successor_)
    successor_->take_back_end();
}

// For an answer that is not one of several tries.
ModelRequest LlmMind::request(std::string fault) {
  repairing_ = !fault.empty();
  if (!repairing_) {
    said_.clear();
    kept_.reset();
  }
  request_.may_call_tools =
      !repairing_ && tool_rounds_ < definition_->limits.max_tool_rounds;
  return {openai::chat_request_body(request_), std::move(fault), said_};
}

Thought LlmMind::model_called(const std::vector<openai::ToolCall> &calls,
                              std::string_view spoken) {
  if (!request_.may_call_tools) // It was told to answer.
    return model_done({}, {}, spoken);
  ++tool_rounds_;
  tools_.call(turn_, calls);
  if (extractor_.is_plain_text() && !is_talk())
    streamed_ += extractor_.plain_text();
  ToolRuns runs;
  runs.said = streamed_;
  for (const openai::ToolCall &call : calls) {
    const Tool *tool = definition_->tool(call.name);
    if (tool == nullptr)
      runs.runs.push_back(
          {"unknown", make_error("refused", "there is no such tool")});
    else
      runs.runs.push_back({tool->name, tool_request(*tool, call.arguments)});
  }
  return runs;
}

Thought LlmMind::tools_ended() {
  tools_.append_last_to(request_.messages, streamed_);
  return request();
}

void LlmMind::model_begin() {
  extractor_ = {};
  streamed_ = said_;
  second_.clear();
}

// Where there is nothing to find out a server may keep to no schema. Else plain
// text is not spoken before its end: an object may follow.
bool LlmMind::is_talk() const { return definition_->fields.empty(); }

// Behind what was said already nothing is before it is known to be new.
std::string LlmMind::model_text(std::string_view delta) {
  const bool was_complete = extractor_.message_complete();
  const std::size_t plain = extractor_.plain_text().size();
  std::string text = extractor_.feed(delta);
  if (is_talk())
    text.insert(0, extractor_.plain_text(), plain);
  if (kept_)
    return {};
  if (!said_.empty()) {
    second_ += text;
    if (was_complete || !extractor_.message_complete())
      return {};
    text = rest_of_second();
  }
  streamed_ += text;
  return text;
}

// To be said behind what was said of the first message.
std::string LlmMind::rest_of_second() const {
  std::string rest = unsaid(said_, second_);
  if (!rest.empty() && !said_.empty() && said_.back() != ' ')
    rest.insert(0, " ");
  return rest;
}

bool LlmMind::model_message_complete() const {
  return extractor_.message_complete();
}

Thought LlmMind::model_done(std::string_view finish_reason,
                            std::string_view refusal, std::string_view spoken) {
  const bool is_text = extractor_.is_plain_text() && finish_reason == "stop" &&
                       !extractor_.plain_text().empty();
  if (is_text && refusal.empty() && is_talk() && !kept_) {
    Reply reply;
    reply.message = streamed_ + rest_of_second();
    return conclude(std::move(reply));
  }
  Answer answer = read_answer(*definition_, today_, extractor_,
                              {finish_reason, refusal}, !said_.empty());
  if (kept_) {
    Reply reply = *std::exchange(kept_, std::nullopt);
    reply.fault = answer.fault + answer.field_fault;
    learn(answer);
    return conclude(std::move(reply));
  }
  const bool whole = is_text || extractor_.message_complete();
  if (is_text && !is_talk())
    streamed_ += extractor_.plain_text();
  if (!answer.fault.empty()) {
    if (repairing_)
      return take_over(answer.fault, spoken);
    return repair(answer.fault, whole ? std::string_view(streamed_) : spoken,
                  refusal);
  }
  Reply reply;
  // Decoded by the same rules as what was spoken of it.
  reply.message = streamed_.empty() ? answer.message : streamed_;
  reply.action = answer.action;
  reply.transfer = answer.transfer;
  learn(answer);
  reply.fault = answer.field_fault;
  // Where it ends the call, the rest does not matter.
  const bool ends =
      due_rule(*definition_, known_.values, known_.rules) != nullptr;
  if (answer.field_fault.empty() || repairing_ || ends)
    return conclude(std::move(reply));
  kept_ = std::move(reply);
  return repair(answer.field_fault, streamed_, refusal);
}

// What was wrong is told to the model, which answers once more. `said`: of the
// message; it cannot be taken back.
ModelRequest LlmMind::repair(const std::string &fault, std::string_view said,
                             std::string_view refusal) {
  if (const std::string_view text = extractor_.text(); !trim(text).empty())
    append(request_.messages, "assistant", std::string(text));
  else if (!refusal.empty())
    append(request_.messages, "assistant", std::string(refusal));
  std::string wish = "(Your last answer cannot be used: " + fault + ".";
  if (!trim(said).empty()) {
    said_ = said;
    wish += kept_ ? " Its message is being spoken and stands."
                  : " The caller hears \"" + std::string(trim(said)) +
                        "\", and it stands: write as message what is still to "
                        "be said behind it.";
  }
  append(request_.messages, "user",
         wish + " Write the whole JSON object once more.)");
  return request(fault);
}

void LlmMind::learn(const Answer &answer) {
  for (const auto &[name, value] : answer.extracted) {
    known_.values[name] = value;
    known_.rejected.erase(name);
  }
  // A correction that is not right leaves nothing that is.
  for (const std::string &name : answer.rejected) {
    known_.values.erase(name);
    known_.rejected.insert(name);
  }
  // What was told in this turn cannot have been read back.
  for (const std::string &name : answer.confirmed)
    if (const auto before = before_.values.find(name),
        now = known_.values.find(name);
        before != before_.values.end() && now != known_.values.end() &&
        before->second == now->second)
      known_.rules.confirmed[name] = now->second;
}

// The message may be out already: what is not said in it follows.
void LlmMind::obey_rules(Reply &reply) {
  const EndRule *rule = due_rule(*definition_, known_.values, known_.rules);
  if (rule == nullptr)
    return;
  apply_rule(*definition_, *rule, known_.values, known_.rules);
  goal_reached_ = complete(*definition_, known_.values);
  const bool chosen =
      reply.action == action_of(*rule) && reply.transfer == rule->transfer_to;
  reply.action = action_of(*rule);
  reply.transfer = rule->transfer_to;
  if (reply.transfer.empty())
    reply.end_reason = "end_rule";
  const std::string &words = words_of(*definition_, *rule);
  if (trim(reply.message).empty())
    reply.message = words;
  else if (!chosen && !says_in_the_end(reply.message, words))
    reply.last_words = words;
}

Thought LlmMind::conclude(Reply reply) {
  obey_rules(reply);
  reply.expect = expectation();
  if (reply.action == "end_call") {
    goal_reached_ = complete(*definition_, known_.values);
    if (reply.end_reason.empty())
      reply.end_reason = goal_reached_ ? "goal" : "agent_ended";
    reply.expect.kind = Expectation::Kind::kNothing;
    if (trim(reply.message).empty())
      reply.message =
          goal_reached_ ? definition_->end.goodbye : definition_->end.farewell;
  } else if (reply.action == "transfer") {
    const TransferTarget *target = definition_->transfer_target(reply.transfer);
    reply.expect.kind = Expectation::Kind::kNothing;
    if (trim(reply.message).empty())
      reply.message = words_of(*definition_, *target);
  } else if (reply.action == "say" && ++says_ > kMostSays) {
    reply.action = "ask";
  } else if (reply.action == "say") {
    append(request_.messages, "assistant", reply.message);
    append(request_.messages, "user", kGoOn);
    reply.next = request();
  }
  return reply;
}

// The scripted mind goes on, with what is known.
Reply LlmMind::take_over(const std::string &fault, std::string_view spoken) {
  Reply reply;
  if (definition_->fields.empty()) { // It has nothing to go on with.
    reply.message = definition_->end.apology;
    reply.action = "end_call";
    reply.end_reason = "provider_failed";
    reply.imposed = true;
    reply.expect.kind = Expectation::Kind::kNothing;
  } else {
    successor_.emplace(definition_, today_);
    successor_->recall_rules(known_.rules);
    successor_->resume(known_.values, known_.rejected);
    reply = std::get<Reply>(successor_->answer(caller_, {}));
    if (reply.action != "end_call" && reply.action != "transfer")
      reply.message = joined(definition_->phrases.fallback, reply.message);
    else if (!spoken.empty())
      reply.last_words = std::exchange(reply.message, {});
  }
  reply.message = joined(spoken, reply.message);
  reply.fault = fault + "; the scripted mind goes on";
  return reply;
}

std::string LlmMind::reminder() const {
  return successor_ ? successor_->reminder() : std::string();
}

const Values &LlmMind::values() const {
  return successor_ ? successor_->values() : known_.values;
}

const Rejected &LlmMind::rejected() const {
  return successor_ ? successor_->rejected() : known_.rejected;
}

const RuleState &LlmMind::rules() const {
  return successor_ ? successor_->rules() : known_.rules;
}

bool LlmMind::goal_reached() const {
  return successor_ ? successor_->goal_reached() : goal_reached_;
}

Expectation LlmMind::expectation() const {
  if (successor_)
    return successor_->expectation();
  Expectation expect;
  expect.also = {"yes", "no", "repeat", "goodbye"};
  // Which field it asks for a model does not tell. Keys are most likely for the
  // first that wants digits; if others are given by keys as well, or corrected,
  // they may be more than it wants. What is too long for a field is refused
  // when the model finds it (is_valid).
  const auto &fields = definition_->fields;
  const auto by_keys = std::count_if(fields.begin(), fields.end(), keyed);
  for (const Field &field : fields) {
    if (!applies(field, known_.values) || known_.values.contains(field.name))
      continue;
    expect.phone = expect.phone || field.type == FieldType::kPhone;
    expect.email = expect.email || field.type == FieldType::kEmail;
    if (field.type == FieldType::kDigits && !expect.digits) {
      expect.digits = field.digits;
      if (by_keys > 1)
        expect.digits->most = DigitRules().most;
    }
  }
  return expect;
}

} // namespace patchcord::agent
