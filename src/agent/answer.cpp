// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/answer.hpp"

#include "agent/end_rules.hpp"
#include "agent/values.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace patchcord::agent {
namespace {

// Enough to recognise it by, in a request and in a log.
std::string shown(JsonView value) {
  if (!value)
    return "nothing";
  constexpr std::size_t kMost = 60;
  std::string text = value.dump();
  if (text.size() <= kMost)
    return text;
  text.resize(kMost);
  while (!text.empty() && !valid_utf8(text))
    text.pop_back();
  return text + "...";
}

std::string expected(const std::string &what, const std::string &expectation,
                     JsonView got) {
  return what + ": expected " + expectation + ", got " + shown(got);
}

std::optional<Value> text_value(const Field &field, const std::string &text,
                                const Date &today) {
  if (field.type == FieldType::kDate && parse_iso_date(text))
    return Value(text);
  if (field.type == FieldType::kChoice)
    for (const Choice &choice : field.choices)
      if (choice.value == text)
        return Value(text);
  if (field.type == FieldType::kString) // "I am late" is no name
    return Value(text);
  return parse_value(field, text, today);
}

// Each part by itself: "black and white" may be one.
std::optional<Value> list_value(const Field &field, JsonView given,
                                const Date &today) {
  Field item = field;
  item.type = field.choices.empty() ? FieldType::kString : FieldType::kChoice;
  List list;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto text = given.at(i).string();
    const auto value = text ? text_value(item, *text, today) : std::nullopt;
    if (!value)
      return std::nullopt;
    list.push_back(std::get<std::string>(*value));
  }
  return Value(std::move(list));
}

// What the model gave for a field, if it is of the field's type. Texts of
// another form than asked for ("2:30 PM") are read as if they had been spoken.
std::optional<Value> field_value(const Field &field, JsonView given,
                                 const Date &today) {
  if (const auto text = given.string())
    return text_value(field, *text, today);
  if (field.type == FieldType::kList && given.is_array())
    return list_value(field, given, today);
  if (field.type == FieldType::kBoolean) {
    const auto truth = given.boolean();
    return truth ? std::optional(Value(*truth)) : std::nullopt;
  }
  const auto number = given.number();
  if (!number || !std::isfinite(*number))
    return std::nullopt;
  if (field.type == FieldType::kNumber)
    return Value(*number);
  if (field.type != FieldType::kInteger || *number != std::floor(*number) ||
      std::fabs(*number) > 1e15)
    return std::nullopt;
  return Value(static_cast<std::int64_t>(*number));
}

// A text without anything in it says what null says.
bool is_unknown(JsonView given) {
  const auto text = given.text();
  return given.is_null() || (text && trim(*text).empty());
}

std::string names_of(const Definition &definition) {
  std::vector<std::string> names;
  for (const Field &field : definition.fields)
    names.push_back(field.name);
  return join(names, ", ");
}

std::string target_names(const Definition &definition) {
  std::vector<std::string> names;
  for (const TransferTarget &target : definition.transfer)
    names.push_back(target.name);
  return join(names, ", ");
}

// Reads what can be read, and tells the first thing that cannot.
void read_fields(const Definition &definition, const Date &today,
                 JsonView extracted, Answer &answer) {
  if (extracted.is_null())
    return;
  if (!extracted.is_object()) {
    answer.field_fault = expected("extracted", "an object", extracted);
    return;
  }
  extracted.for_each_member([&](std::string_view name, JsonView given) {
    const Field *field = definition.field(name);
    const std::string path = "extracted." + std::string(name);
    std::string problem;
    if (field == nullptr)
      problem = path + ": there is no such field, but " + names_of(definition);
    else if (is_unknown(given))
      return;
    else if (auto value = field_value(*field, given, today); !value)
      problem = expected(path, form_of(*field) + ", or null", given);
    else if (is_valid(*field, *value))
      answer.extracted.emplace(name, *std::move(value));
    else // That is the caller's matter.
      answer.rejected.emplace(name);
    if (answer.field_fault.empty())
      answer.field_fault = problem;
  });
}

void read_confirmed(const Definition &definition, JsonView given,
                    Answer &answer) {
  const auto fields = fields_to_confirm(definition);
  const auto refuse = [&](JsonView what) {
    if (answer.field_fault.empty())
      answer.field_fault = expected(
          "confirmed", "an array of some of " + join(fields, ", "), what);
  };
  if (fields.empty() || !given || given.is_null())
    return;
  if (!given.is_array())
    return refuse(given);
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto name = given.at(i).string();
    if (name && std::find(fields.begin(), fields.end(), *name) != fields.end())
      answer.confirmed.push_back(*name);
    else
      refuse(given.at(i));
  }
}

std::string action_fault(const Definition &definition, JsonView action) {
  const auto actions = model_actions(definition);
  const auto text = action.string();
  if (text && std::find(actions.begin(), actions.end(), *text) != actions.end())
    return {};
  if (text && *text == "send_dtmf")
    return "action: send_dtmf is impossible: a media stream cannot send DTMF";
  return expected("action", "one of " + join(actions, ", "), action);
}

std::string not_whole(std::string_view finish_reason) {
  const std::string text = "expected a whole JSON object, got one that ";
  if (finish_reason == "length")
    return text + "was cut off because it was too long";
  if (finish_reason == "content_filter")
    return text + "a content filter cut off";
  return text + "cannot be read";
}

// " from 1 up to 20"
std::string range_of(const Field &field) {
  std::string range;
  if (field.min)
    range = " from " + number_text(*field.min);
  if (field.max)
    range += " up to " + number_text(*field.max);
  return range;
}

// " of at least 2 and at most 8 characters that matches ..."
std::string limits_of(const Field &field) {
  std::string limits;
  if (field.min_length != 0)
    limits = " of at least " + std::to_string(field.min_length);
  if (field.max_length != 0)
    limits += (limits.empty() ? " of at most " : " and at most ") +
              std::to_string(field.max_length);
  if (!limits.empty())
    limits += " characters";
  if (field.pattern)
    limits += " that matches " + field.pattern->expression();
  return limits;
}

std::string choices_of(const Field &field) {
  std::vector<std::string> values;
  for (const Choice &choice : field.choices)
    values.push_back(choice.value);
  return join(values, ", ");
}

std::string list_form(const Field &field) {
  const std::string items = field.choices.empty()
                                ? "texts" + limits_of(field)
                                : "some of " + choices_of(field);
  const std::string range = range_of(field);
  return "a list, whole, of " + items +
         (range.empty() ? "" : ", in number" + range);
}

} // namespace

std::vector<std::string> model_actions(const Definition &definition) {
  std::vector<std::string> actions = {"ask", "say", "end_call"};
  if (!definition.transfer.empty())
    actions.emplace_back("transfer");
  return actions;
}

std::vector<std::string> fields_to_confirm(const Definition &definition) {
  std::vector<std::string> names;
  for (const Field &field : definition.fields)
    if (is_confirmed_for_rules(definition, field))
      names.push_back(field.name);
  return names;
}

std::string form_of(const Field &field) {
  const DigitRules &digits = field.digits;
  switch (field.type) {
  case FieldType::kString:
    return "a text" + limits_of(field);
  case FieldType::kNumber:
    return "a number" + range_of(field);
  case FieldType::kInteger:
    return "a whole number" + range_of(field);
  case FieldType::kBoolean:
    return "true or false";
  case FieldType::kDate:
    return "a date as YYYY-MM-DD";
  case FieldType::kTime:
    return "a time as HH:MM, 24 hours";
  case FieldType::kPhone:
    return "a telephone number, digits only, with a leading + if it was said";
  case FieldType::kEmail:
    return "an address as written in e-mail";
  case FieldType::kChoice:
    return "one of " + choices_of(field);
  case FieldType::kDigits:
    return "a text of " + std::to_string(digits.fewest) + " to " +
           std::to_string(digits.most) + " digits";
  case FieldType::kList:
    return list_form(field);
  }
  return "a text";
}

Answer read_answer(const Definition &definition, const Date &today,
                   const openai::MessageExtractor &text, const AnswerEnd &end,
                   bool goes_on) {
  Answer answer;
  const auto useless = [&answer](std::string fault) {
    answer.fault = std::move(fault);
    return answer;
  };
  if (!end.refusal.empty())
    return useless("expected a JSON object, got a refusal");
  if (trim(text.text()).empty())
    return useless("expected a JSON object, got an empty answer");
  if (text.is_plain_text())
    return useless("expected a JSON object, got plain text");
  const auto parsed = JsonDocument::parse(text.object_text());
  if (!parsed || !parsed->root().is_object())
    return useless(not_whole(end.finish_reason));
  const JsonView root = parsed->root();
  const auto message = root["message"].string();
  if (!message)
    return useless(expected("message", "a text", root["message"]));
  if (std::string fault = action_fault(definition, root["action"]);
      !fault.empty())
    return useless(std::move(fault));
  answer.message = *message;
  answer.action = *root["action"].string();
  if (answer.action == "transfer") {
    const JsonView to = root["transfer_to"];
    answer.transfer = to.string().value_or("");
    if (definition.transfer_target(answer.transfer) == nullptr)
      return useless(
          expected("transfer_to", "one of " + target_names(definition), to));
  }
  // The definition has last words.
  const bool has_words =
      answer.action == "end_call" || answer.action == "transfer";
  if (trim(answer.message).empty() && !has_words && !goes_on)
    return useless("message: expected what to say, got an empty text");
  read_fields(definition, today, root["extracted"], answer);
  read_confirmed(definition, root["confirmed"], answer);
  return answer;
}

} // namespace patchcord::agent
