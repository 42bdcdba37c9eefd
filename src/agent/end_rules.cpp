// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/end_rules.hpp"

#include "agent/values.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace patchcord::agent {
namespace {

// As a recogniser may have written it: without what it cannot hear.
std::string letters(std::string_view text) {
  std::string out;
  for (const char c : to_lower(text))
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
        static_cast<unsigned char>(c) >= 0x80)
      out += c;
  return out;
}

bool sound_alike(const std::string &one, const std::string &other) {
  return one == other ||
         (!letters(one).empty() && letters(one) == letters(other));
}

bool is_text(const Field &field) {
  return field.type == FieldType::kString ||
         (field.type == FieldType::kList && field.choices.empty());
}

bool equals(const Field &field, const Value &value, const Value &wanted) {
  const auto same = [&](const std::string &text) {
    const auto &other = std::get<std::string>(wanted);
    return is_text(field) ? sound_alike(text, other) : text == other;
  };
  if (const auto *list = std::get_if<List>(&value))
    return std::any_of(list->begin(), list->end(), same);
  if (const auto *text = std::get_if<std::string>(&value))
    return same(*text);
  return value == wanted;
}

bool is_within(const EndRule &rule, const Value &value) {
  const auto *whole = std::get_if<std::int64_t>(&value);
  const double number =
      whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value);
  return (!rule.min || number >= *rule.min) &&
         (!rule.max || number <= *rule.max);
}

// But for the caller's confirmation.
bool holds(const Definition &definition, const EndRule &rule,
           const Values &values) {
  const Field &field = *definition.field(rule.field);
  const auto found = values.find(rule.field);
  if (found == values.end() || !applies(field, values) ||
      !is_valid(field, found->second))
    return false;
  return rule.value ? equals(field, found->second, *rule.value)
                    : is_within(rule, found->second);
}

// What counts as the same when it comes again. Of a list it is the one part.
std::pair<std::size_t, Value> application(const Definition &definition,
                                          const EndRule &rule,
                                          const Values &values) {
  const auto at = static_cast<std::size_t>(&rule - definition.end.rules.data());
  return {at, rule.value ? *rule.value : values.at(rule.field)};
}

bool is_confirmed(const Field &field, const Values &values,
                  const RuleState &state) {
  const auto confirmed = state.confirmed.find(field.name);
  return !field.confirm || (confirmed != state.confirmed.end() &&
                            confirmed->second == values.at(field.name));
}

const EndRule *first_rule(const Definition &definition, const Values &values,
                          const RuleState &state, bool confirmed) {
  for (const EndRule &rule : definition.end.rules)
    if (holds(definition, rule, values) &&
        is_confirmed(*definition.field(rule.field), values, state) ==
            confirmed &&
        !state.applied.contains(application(definition, rule, values)))
      return &rule;
  return nullptr;
}

} // namespace

const EndRule *due_rule(const Definition &definition, const Values &values,
                        const RuleState &state) {
  return first_rule(definition, values, state, true);
}

const Field *field_to_confirm(const Definition &definition,
                              const Values &values, const RuleState &state) {
  const EndRule *rule = first_rule(definition, values, state, false);
  return rule == nullptr ? nullptr : definition.field(rule->field);
}

void apply_rule(const Definition &definition, const EndRule &rule,
                const Values &values, RuleState &state) {
  state.applied.insert(application(definition, rule, values));
}

bool is_confirmed_for_rules(const Definition &definition, const Field &field) {
  const auto &rules = definition.end.rules;
  return field.confirm &&
         std::any_of(rules.begin(), rules.end(), [&](const EndRule &rule) {
           return rule.field == field.name;
         });
}

const char *action_of(const EndRule &rule) {
  return rule.transfer_to.empty() ? "end_call" : "transfer";
}

const std::string &words_of(const Definition &definition,
                            const TransferTarget &target) {
  return target.message.empty() ? definition.phrases.transfer : target.message;
}

const std::string &words_of(const Definition &definition, const EndRule &rule) {
  const TransferTarget *target = definition.transfer_target(rule.transfer_to);
  return rule.message.empty() && target != nullptr
             ? words_of(definition, *target)
             : rule.message;
}

std::string condition_of(const Definition &definition, const EndRule &rule) {
  const bool list = definition.field(rule.field)->type == FieldType::kList;
  if (rule.value) {
    JsonWriter json;
    write_value(json, *rule.value);
    return rule.field + (list ? " contains " : " is ") + json.take();
  }
  if (!rule.min)
    return rule.field + " is " + number_text(*rule.max) + " or less";
  return rule.field + " is " +
         (rule.max ? "from " + number_text(*rule.min) + " up to " +
                         number_text(*rule.max)
                   : number_text(*rule.min) + " or more");
}

} // namespace patchcord::agent
