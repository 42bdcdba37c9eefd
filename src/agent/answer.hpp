// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/dates.hpp"
#include "agent/definition.hpp"
#include "agent/findings.hpp"
#include "openai/chat.hpp"

#include <string>
#include <string_view>
#include <vector>

// A model's answer, read against what it was to be.
namespace patchcord::agent {

struct Answer {
  std::string message;
  std::string action;                 // one of model_actions()
  std::string transfer;               // with "transfer": whom to
  Values extracted;                   // what of it is right
  Rejected rejected;                  // what is not as the definition wants it
  std::vector<std::string> confirmed; // some of fields_to_confirm()
  // What is wrong, as the model is told; empty: nothing. With a `fault` the
  // answer is of no use; with a `field_fault` only a part of `extracted` is
  // not.
  std::string fault, field_fault;
};

// How an answer ended, as the service told it.
struct AnswerEnd {
  std::string_view finish_reason; // empty: it broke off
  std::string_view refusal;
};

// `goes_on`: the message may be empty, for a part of it was said before.
Answer read_answer(const Definition &definition, const Date &today,
                   const openai::MessageExtractor &text, const AnswerEnd &end,
                   bool goes_on);

// The actions that a model may choose.
std::vector<std::string> model_actions(const Definition &definition);

// Of which fields a model is to tell that the caller has confirmed them: rules
// for the end wait for it.
std::vector<std::string> fields_to_confirm(const Definition &definition);

// What a field's value is to be: "an integer, from 1 up to 20".
std::string form_of(const Field &field);

} // namespace patchcord::agent
