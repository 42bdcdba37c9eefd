// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/end_rule_reader.hpp"

#include "agent/answer.hpp"
#include "agent/values.hpp"

#include <algorithm>
#include <cmath>

namespace patchcord::agent {
namespace {

bool is_number(const Field &field) {
  return field.type == FieldType::kInteger || field.type == FieldType::kNumber;
}

// What a value is compared with: the field, or each part of a list.
Field compared(Field field) {
  if (field.type != FieldType::kList)
    return field;
  field.type = field.choices.empty() ? FieldType::kString : FieldType::kChoice;
  field.min = field.max = std::nullopt;
  return field;
}

class EndRuleReader {
public:
  EndRuleReader(TomlReader::File &file, const toml::table &table,
                const std::string &path, const Definition *definition)
      : table_(table), definition_(definition), reader_(file, table, path) {}

  EndRule read() {
    reader_.read("field", rule_.field, true);
    const toml::node *value = reader_.node("value");
    reader_.read("min", rule_.min);
    reader_.read("max", rule_.max);
    reader_.read("message", rule_.message, !table_.contains("transfer_to"));
    reader_.read("transfer_to", rule_.transfer_to);
    reader_.finish();
    check_keys(value != nullptr);
    if (definition_ == nullptr || reader_.failed())
      return std::move(rule_);
    if (table_.contains("transfer_to") &&
        definition_->transfer_target(rule_.transfer_to) == nullptr)
      reader_.fail("transfer_to", "the name of a transfer target");
    const Field *field = definition_->field(rule_.field);
    if (field == nullptr)
      reader_.fail("field", "the name of a field");
    else if (value != nullptr)
      read_value(*field, *value);
    else
      check_range(*field);
    return std::move(rule_);
  }

private:
  void check_keys(bool has_value) {
    const bool has_range = table_.contains("min") || table_.contains("max");
    if (has_value && has_range)
      reader_.fail("value", "no value beside min and max");
    else if (!has_value && !has_range)
      reader_.fail("value", "a value, or min or max");
    if (table_.contains("message") && rule_.message.empty())
      reader_.fail("message", "a text that is not empty");
    if (rule_.min && !std::isfinite(*rule_.min))
      reader_.fail("min", "a finite number");
    else if (rule_.max && !std::isfinite(*rule_.max))
      reader_.fail("max", "a finite number");
    else if (rule_.min && rule_.max && *rule_.min > *rule_.max)
      reader_.fail("max", "a number that is not below min");
  }

  void read_value(const Field &whole, const toml::node &node) {
    const Field field = compared(whole);
    switch (field.type) {
    case FieldType::kBoolean:
      if (const auto truth = node.value_exact<bool>())
        rule_.value = *truth;
      break;
    case FieldType::kInteger:
      if (const auto number = node.value_exact<std::int64_t>())
        rule_.value = *number;
      break;
    case FieldType::kNumber:
      if (node.is_number())
        rule_.value = *node.value<double>();
      break;
    case FieldType::kString:
    case FieldType::kChoice:
    case FieldType::kDigits:
      if (node.is_string()) {
        std::string text;
        reader_.read("value", text, true);
        rule_.value = text;
      }
      break;
    default: // A day or an address has more than one spelling.
      return reader_.fail("field", "a field of type boolean, choice, integer, "
                                   "number, string, digits or list");
    }
    if (!rule_.value || !is_valid(field, *rule_.value))
      reader_.fail("value", form_of(field));
  }

  // Some number is within the rule's limits and the field's own.
  void check_range(const Field &field) {
    for (const char *key : {"min", "max"})
      if (table_.contains(key) && !is_number(field))
        return reader_.fail(key, std::string("no ") + key +
                                     " of a field of type " +
                                     to_string(field.type));
    const auto fail = [&](const char *key) {
      reader_.fail(key, "a limit that the field can meet, which is " +
                            form_of(field));
    };
    if (rule_.min && field.max && *rule_.min > *field.max)
      return fail("min");
    if (rule_.max && field.min && *rule_.max < *field.min)
      return fail("max");
    const auto least = std::max(rule_.min, field.min);
    const auto most = !rule_.max || (field.max && *field.max < *rule_.max)
                          ? field.max
                          : rule_.max;
    if (field.type == FieldType::kInteger && least && most &&
        std::ceil(*least) > std::floor(*most))
      fail(rule_.max ? "max" : "min");
  }

  const toml::table &table_;
  const Definition *definition_;
  TomlReader reader_;
  EndRule rule_;
};

} // namespace

EndRule read_end_rule(TomlReader::File &file, const toml::table &table,
                      const std::string &path, const Definition *definition) {
  return EndRuleReader(file, table, path, definition).read();
}

} // namespace patchcord::agent
