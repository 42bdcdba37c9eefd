// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/answer.hpp"
#include "agent/llm_mind.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

// What the model is told and how it is to answer.
namespace patchcord::agent {
namespace {

const char *json_type(FieldType type) {
  switch (type) {
  case FieldType::kNumber:
    return "number";
  case FieldType::kInteger:
    return "integer";
  case FieldType::kBoolean:
    return "boolean";
  case FieldType::kList:
    return "array";
  default:
    return "string";
  }
}

std::string describe(const Field &field) {
  std::string line = "* " + field.name + " (" + form_of(field);
  line += field.required ? ", required" : ", optional";
  if (!field.only_if_field.empty())
    line += ", only if " + field.only_if_field + " is " + field.only_if_value;
  if (field.confirm)
    line += ", read it back and let the caller confirm it";
  line += "): " + (field.description.empty() ? field.label : field.description);
  if (!field.question.empty())
    line += " You may ask: \"" + field.question + "\"";
  return line + "\n";
}

void write_enum(JsonWriter &json, const Field &field) {
  json.key("enum").begin_array();
  for (const Choice &choice : field.choices)
    json.value(choice.value);
  json.end_array();
}

void write_field(JsonWriter &json, const Field &field) {
  json.key(field.name).begin_object();
  if (field.type == FieldType::kChoice) {
    json.key("anyOf").begin_array();
    json.begin_object().member("type", "string");
    write_enum(json, field);
    json.end_object();
    json.begin_object().member("type", "null").end_object();
    json.end_array();
  } else {
    json.key("type").begin_array();
    json.value(json_type(field.type)).value("null").end_array();
  }
  if (field.type == FieldType::kList) {
    json.key("items").begin_object().member("type", "string");
    if (!field.choices.empty())
      write_enum(json, field);
    json.end_object();
  }
  json.end_object();
}

void write_transfer_to(JsonWriter &json, const Definition &definition) {
  json.key("transfer_to").begin_object().key("anyOf").begin_array();
  json.begin_object().member("type", "string").key("enum").begin_array();
  for (const TransferTarget &target : definition.transfer)
    json.value(target.name);
  json.end_array().end_object();
  json.begin_object().member("type", "null").end_object();
  json.end_array().end_object();
}

std::string people(const Definition &definition) {
  std::string text = "# People who can take the call\n\n"
                     "With the action transfer the caller is put through and "
                     "you are out of the call.\n\n";
  for (const TransferTarget &target : definition.transfer)
    text += "* " + target.name + ": " + target.when + "\n";
  return text + "\n";
}

void write_confirmed(JsonWriter &json, const std::vector<std::string> &names) {
  json.key("confirmed").begin_object().member("type", "array");
  json.key("items").begin_object().member("type", "string");
  json.key("enum").begin_array();
  for (const std::string &name : names)
    json.value(name);
  json.end_array().end_object().end_object();
}

std::string rules_of(const Definition &definition) {
  std::string text = "As soon as one of these holds, and before you ask "
                     "anything else, say its words, and take its action. If "
                     "several do, the first counts.\n\n";
  for (const EndRule &rule : definition.end.rules) {
    text += "* " + condition_of(definition, rule);
    if (definition.field(rule.field)->confirm)
      text += ", and the caller has confirmed it";
    text += ": say \"" + words_of(definition, rule) + "\" with the action " +
            action_of(rule);
    text += rule.transfer_to.empty() ? "." : " to " + rule.transfer_to + ".";
    text += "\n";
  }
  return text + "\n";
}

// Nobody took the call.
std::string rules_done(const Definition &definition, const RuleState &state) {
  std::string text;
  const auto &rules = definition.end.rules;
  for (const auto &[at, value] : state.applied)
    if (!rules[at].transfer_to.empty())
      text += "Nobody took the call when " +
              condition_of(definition, rules[at]) + " had you transfer it to " +
              rules[at].transfer_to +
              ": that is done, and is not to be done again for it.\n";
  return text;
}

} // namespace

std::string answer_schema(const Definition &definition) {
  JsonWriter json;
  json.begin_object().member("type", "object").key("properties").begin_object();
  json.key("message").begin_object().member("type", "string").end_object();
  json.key("action").begin_object().member("type", "string");
  json.key("enum").begin_array();
  for (const std::string &action : model_actions(definition))
    json.value(action);
  json.end_array().end_object();
  if (!definition.transfer.empty())
    write_transfer_to(json, definition);
  json.key("extracted").begin_object().member("type", "object");
  json.key("properties").begin_object();
  for (const Field &field : definition.fields)
    write_field(json, field);
  json.end_object().key("required").begin_array();
  for (const Field &field : definition.fields)
    json.value(field.name);
  json.end_array().member("additionalProperties", false).end_object();
  const auto to_confirm = fields_to_confirm(definition);
  if (!to_confirm.empty())
    write_confirmed(json, to_confirm);
  json.end_object().key("required").begin_array();
  json.value("message").value("action");
  if (!definition.transfer.empty())
    json.value("transfer_to");
  json.value("extracted");
  if (!to_confirm.empty())
    json.value("confirmed");
  json.end_array();
  json.member("additionalProperties", false).end_object();
  return json.take();
}

std::string system_prompt(const Definition &definition, const Values &known,
                          const Rejected &rejected, const Date &today,
                          const RuleState &rules) {
  // What never changes stands first: providers cache equal beginnings.
  std::string prompt = definition.instructions;
  prompt += "\n\n# The call\n\n"
            "You are on the telephone. What you write in \"message\" is spoken "
            "to the caller: short plain sentences, no markup, no lists, no "
            "symbols. The caller's words come from a speech recogniser and "
            "may be misheard. Speak the language \"" +
            definition.language + "\".";
  if (!definition.fillers.phrases.empty())
    prompt += " Of what you said, words in parentheses only filled a wait: "
              "never write such words.";
  prompt += "\n\n";
  prompt += "# Your answer\n\n"
            "A JSON object with these members, in this order:\n"
            "* message: what you say next.\n"
            "* action: \"ask\" when it is the caller's turn to speak; \"say\" "
            "when you go on speaking without an answer, in a message of its "
            "own; \"end_call\" when message is the last you say";
  if (!definition.transfer.empty())
    prompt += "; \"transfer\" when message is the last you say before you "
              "put the caller through.\n"
              "* transfer_to: with the action transfer, to whom; else null";
  prompt += ".\n"
            "* extracted: what the caller has told so far in the whole call; "
            "null for what is not known. Never guess.\n";
  if (const auto names = fields_to_confirm(definition); !names.empty())
    prompt += "* confirmed: of " + join(names, ", ") +
              ", those that you have read back and the caller has said are "
              "right.\n";
  prompt += "\n";
  if (!definition.tools.empty())
    prompt += "# Functions\n\n"
              "Call one when you need what it tells or does; the caller waits "
              "meanwhile. Its result is an object with \"error\" when it "
              "failed: then say so in plain words, and never make a result "
              "up.\n\n";
  if (!definition.transfer.empty())
    prompt += people(definition);
  if (!definition.fields.empty()) {
    prompt += "# Fields to find out, in this order\n\n";
    for (const Field &field : definition.fields)
      prompt += describe(field);
  }
  prompt += "\n# The end\n\n";
  if (!definition.end.rules.empty())
    prompt += rules_of(definition);
  prompt += "When all required fields that apply are known, ";
  if (definition.end.confirm)
    prompt += "read them back and ask whether they are right. Where what you "
              "said breaks off, the caller spoke into it and heard no more: a "
              "yes does not confirm what he has not heard, so read that to him "
              "again. Once the caller has confirmed, ";
  prompt += "say \"" + definition.end.goodbye +
            "\" with the action end_call. If the caller wants to stop, say \"" +
            definition.end.farewell + "\" with the action end_call.\n";
  const std::chrono::weekday day{std::chrono::sys_days(today)};
  constexpr const char *kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};
  prompt += "\n# Now\n\nToday is " + std::string(kDays[day.c_encoding()]) +
            ", " + iso_date(today) + ".\n";
  if (!known.empty())
    prompt += "Known so far: " + to_json(definition, known) + "\n";
  for (const Field &field : definition.fields)
    if (rejected.contains(field.name))
      prompt += "What was told for " + field.name +
                " is not accepted. Ask for it again: it is to be " +
                form_of(field) + ".\n";
  return prompt + rules_done(definition, rules);
}

} // namespace patchcord::agent
