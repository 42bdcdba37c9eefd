// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/answer.hpp"
#include "agent/mind.hpp"
#include "agent/scripted_mind.hpp"
#include "agent/tool_log.hpp"
#include "openai/chat.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace patchcord::agent {

// A mind behind the chat completions API. The model answers in a strict JSON
// schema made from the definition, the message first, so that its first clause
// is spoken while the rest is still being written. Nothing is done on the word
// of an answer that is not whole and valid: it is asked for once more, with
// what was wrong; if that is of no use either, the scripted mind goes on with
// what is known, for the rest of the call.
class LlmMind final : public Mind {
public:
  // `model` and the endpoint's differences are taken from `request`; the rest
  // of it is filled in here.
  LlmMind(std::shared_ptr<const Definition> definition, Date today,
          openai::ChatRequest request);

  Reply open() override;
  ToolLog tools() const override { return tools_; }
  void recall(const ToolLog &tools) override { tools_ = tools; }
  const RuleState &rules() const override;
  void recall_rules(const RuleState &rules) override { known_.rules = rules; }
  Reply reopen(const Values &known, const Rejected &rejected,
               const History &history) override;
  Thought answer(const std::string &caller, const History &history) override;
  std::optional<std::string> preview(const std::string &caller,
                                     const History &history) const override;
  void take_back() override;
  void take_back_end() override;
  void model_begin() override;
  std::string model_text(std::string_view delta) override;
  bool model_message_complete() const override;
  Thought model_done(std::string_view finish_reason, std::string_view refusal,
                     std::string_view spoken) override;
  Thought model_called(const std::vector<openai::ToolCall> &calls,
                       std::string_view spoken) override;
  void tool_ended(std::size_t run, const ToolOutcome &outcome) override {
    tools_.result(run, outcome.content);
  }
  Thought tools_ended() override;
  std::string reminder() const override;
  Expectation expectation() const override;
  const Values &values() const override;
  const Rejected &rejected() const override;
  bool goal_reached() const override;
  std::string summary() const override;

private:
  std::vector<openai::ChatMessage> messages(const History &history) const;
  ModelRequest request(std::string fault = {});
  ModelRequest repair(const std::string &fault, std::string_view said,
                      std::string_view refusal);
  bool is_talk() const;
  std::string rest_of_second() const;
  Thought conclude(Reply reply);
  Reply take_over(const std::string &fault, std::string_view spoken);
  void learn(const Answer &answer);
  void obey_rules(Reply &reply);

  std::shared_ptr<const Definition> definition_;
  Date today_;
  openai::ChatRequest request_;
  struct Known {
    Values values;
    Rejected rejected;
    RuleState rules;
  };
  Known known_, before_;
  ToolLog tools_;
  bool goal_reached_ = false;
  std::optional<ScriptedMind> successor_;

  // Of the turn.
  std::string caller_;
  int says_ = 0;
  std::size_t turn_ = 0; // of the caller, from 1
  int tool_rounds_ = 0;
  // Of the answer.
  openai::MessageExtractor extractor_;
  std::string streamed_; // of the message
  bool repairing_ = false;
  std::string said_;          // of the message, before it was asked for again
  std::string second_;        // the message, as it was written then
  std::optional<Reply> kept_; // only its fields are asked for again
};

// The schema of an answer (JSON Schema, strict: every key required, unknown
// ones null), its keys in the order in which they are to be written.
std::string answer_schema(const Definition &definition);
// The system message: what the definition says, then what is known.
std::string system_prompt(const Definition &definition, const Values &known,
                          const Rejected &rejected, const Date &today,
                          const RuleState &rules = {});

} // namespace patchcord::agent
