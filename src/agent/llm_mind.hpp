// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/mind.hpp"
#include "agent/values.hpp"
#include "base/json.hpp"
#include "openai/chat.hpp"

#include <memory>
#include <string>

namespace patchcord::agent {

// A mind behind the chat completions API. The model answers in a strict JSON
// schema made from the definition, the message first, so that its first clause
// is spoken while the rest is still being written. Nothing is done on the word
// of an answer that is not whole and valid.
class LlmMind final : public Mind {
public:
  // `model` and the endpoint's differences are taken from `request`; the rest
  // of it is filled in here.
  LlmMind(std::shared_ptr<const Definition> definition, Date today,
          openai::ChatRequest request);

  Reply open() override;
  Thought answer(const std::string &caller, const History &history) override;
  void take_back() override { values_ = before_; }
  void model_begin() override { extractor_ = {}, streamed_.clear(); }
  std::string model_text(std::string_view delta) override;
  bool model_message_complete() const override {
    return extractor_.message_complete();
  }
  Thought model_done(std::string_view finish_reason, std::string_view refusal,
                     bool spoken) override;
  std::string reminder() const override { return {}; }
  Expectation expectation() const override;
  const Values &values() const override { return values_; }
  bool goal_reached() const override { return goal_reached_; }

private:
  Thought unusable(bool spoken);
  Values read_fields(JsonView extracted) const;
  Reply with_fields(Reply reply, JsonView extracted);

  std::shared_ptr<const Definition> definition_;
  Date today_;
  openai::ChatRequest request_;
  openai::MessageExtractor extractor_;
  std::string streamed_; // of the message
  std::string last_body_;
  bool retried_ = false;
  Values values_, before_;
  bool goal_reached_ = false;
};

// The schema of an answer (JSON Schema, strict: every key required, unknown
// ones null), its keys in the order in which they are to be written.
std::string answer_schema(const Definition &definition);
// The system message: what the definition says, then what is known.
std::string system_prompt(const Definition &definition, const Values &known,
                          const Date &today);

} // namespace patchcord::agent
