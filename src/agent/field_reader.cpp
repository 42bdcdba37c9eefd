// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/field_reader.hpp"

#include "agent/words.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

namespace patchcord::agent {
namespace {

using Type = FieldType;

struct TypeWord {
  Type type;
  const char *word;
};
constexpr std::array<TypeWord, 11> kTypes{{{Type::kString, "string"},
                                           {Type::kNumber, "number"},
                                           {Type::kInteger, "integer"},
                                           {Type::kBoolean, "boolean"},
                                           {Type::kChoice, "choice"},
                                           {Type::kDate, "date"},
                                           {Type::kTime, "time"},
                                           {Type::kPhone, "phone"},
                                           {Type::kEmail, "email"},
                                           {Type::kDigits, "digits"},
                                           {Type::kList, "list"}}};

constexpr int kLongestText = 500;
constexpr int kMostDigits = 32;

template <typename... T> constexpr unsigned set_of(T... types) {
  return ((1U << static_cast<unsigned>(types)) | ...);
}

// Keys that say something about values of some types only.
struct TypedKey {
  const char *key;
  unsigned types;
};
constexpr unsigned kTexts = set_of(Type::kString, Type::kList);
constexpr unsigned kSizes = set_of(Type::kNumber, Type::kInteger, Type::kList);
constexpr std::array<TypedKey, 11> kTypedKeys{
    {{"choices", set_of(Type::kChoice, Type::kList)},
     {"min", kSizes},
     {"max", kSizes},
     {"phrases", kTexts | kSizes},
     {"pattern", kTexts},
     {"min_length", kTexts},
     {"max_length", kTexts},
     {"terminator", set_of(Type::kDigits)},
     {"timeout_s", set_of(Type::kDigits)},
     {"min_digits", set_of(Type::kDigits)},
     {"max_digits", set_of(Type::kDigits)}}};

bool is_key(std::string_view name) {
  if (name.empty() || name.size() > 64 || name[0] < 'a' || name[0] > 'z')
    return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string with_spaces(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

bool says(const Choice &choice, const std::string &phrase) {
  const Words words = to_words(phrase);
  return std::any_of(
      choice.spoken.begin(), choice.spoken.end(),
      [&](const std::string &other) { return to_words(other) == words; });
}

class FieldReader {
public:
  FieldReader(TomlReader::File &file, const toml::table &table,
              std::string path, const Definition &before)
      : file_(file), table_(table), path_(std::move(path)), before_(before),
        reader_(file, table, path_) {}

  std::optional<Field> read() {
    std::string type; // empty: not a text
    reader_.read("name", field_.name, true);
    reader_.read("type", type, true);
    read_texts();
    read_limits();
    reader_.read("required", field_.required);
    reader_.read("confirm", field_.confirm);
    const toml::table *only_if = reader_.table("only_if");
    const auto choices = reader_.tables("choices");
    for (std::size_t i = 0; i < choices.size(); ++i)
      read_choice(*choices[i], path_ + ".choices[" + std::to_string(i) + "]");
    reader_.finish();
    const bool known = !type.empty() && check_type(type);
    check_name();
    if (known)
      check_keys(type);
    if (!reader_.failed())
      check_values();
    if (only_if != nullptr)
      read_only_if(*only_if);
    if (reader_.failed())
      return std::nullopt;
    if (field_.label.empty())
      field_.label = with_spaces(field_.name);
    if (field_.question.empty())
      field_.question = field_.reprompt;
    if (field_.say.empty())
      field_.say = field_.label + ": {value}";
    return std::move(field_);
  }

private:
  void read_texts() {
    const bool greeted = field_.name == before_.greeting_asks;
    reader_.read("label", field_.label);
    reader_.read("description", field_.description);
    reader_.read("phrases", field_.phrases);
    // The greeting may be the question.
    reader_.read("question", field_.question, !greeted);
    reader_.read("reprompt", field_.reprompt, greeted);
    reader_.read("invalid", field_.invalid);
    reader_.read("say", field_.say);
  }

  void read_limits() {
    reader_.read("min", field_.min);
    reader_.read("max", field_.max);
    reader_.read("min_length", field_.min_length, 1, kLongestText);
    reader_.read("max_length", field_.max_length, 1, kLongestText);
    std::string expression;
    reader_.read("pattern", expression);
    if (!expression.empty()) {
      auto pattern = Pattern::compile(expression);
      if (pattern)
        field_.pattern = *std::move(pattern);
      else
        reader_.fail("pattern", "a regular expression of ECMAScript without "
                                "back-references (" +
                                    pattern.error().message + ")");
    }
    DigitRules &digits = field_.digits;
    reader_.read("terminator", digits.terminator);
    reader_.read("min_digits", digits.fewest, 1, kMostDigits);
    reader_.read("max_digits", digits.most, 1, kMostDigits);
    std::optional<double> timeout;
    reader_.read("timeout_s", timeout);
    if (timeout && (*timeout < 0.5 || *timeout > 30))
      reader_.fail("timeout_s", "seconds from 0.5 to 30");
    else if (timeout)
      digits.timeout = std::chrono::duration_cast<Duration>(
          std::chrono::duration<double>(*timeout));
  }

  // False: no such type, and nothing more can be told of the field.
  bool check_type(const std::string &type) {
    const auto *word =
        std::find_if(kTypes.begin(), kTypes.end(),
                     [&](const TypeWord &entry) { return type == entry.word; });
    if (word == kTypes.end()) {
      std::vector<std::string> words;
      words.reserve(kTypes.size());
      for (const TypeWord &entry : kTypes)
        words.emplace_back(entry.word);
      reader_.fail("type", "one of " + join(words, ", "));
      return false;
    }
    field_.type = word->type;
    return true;
  }

  void check_name() {
    if (!is_key(field_.name))
      reader_.fail("name", "lower-case letters, digits and _");
    else if (before_.field(field_.name) != nullptr)
      reader_.fail("name", "a name that no other field has");
  }

  void check_keys(const std::string &type) {
    for (const auto &[key, types] : kTypedKeys)
      if (table_.contains(key) && (types & set_of(field_.type)) == 0)
        reader_.fail(key,
                     std::string("no ") + key + " in a field of type " + type);
  }

  void check_values() {
    const std::string &terminator = field_.digits.terminator;
    const bool list = field_.type == Type::kList;
    const bool whole = list || field_.type == Type::kInteger;
    if (field_.type == Type::kChoice && field_.choices.empty())
      reader_.fail("choices", "at least one choice");
    else if (!field_.choices.empty() && !field_.phrases.empty())
      reader_.fail("phrases", "no phrases beside choices");
    else if (field_.min && !std::isfinite(*field_.min))
      reader_.fail("min", "a finite number");
    else if (field_.max && !std::isfinite(*field_.max))
      reader_.fail("max", "a finite number");
    else if (field_.min && field_.max && *field_.min > *field_.max)
      reader_.fail("max", "a number that is not below min");
    else if (whole && field_.min && field_.max &&
             std::ceil(*field_.min) > std::floor(*field_.max))
      reader_.fail("max", "a limit with a whole number between it and min");
    else if (list && field_.max && *field_.max < 1)
      reader_.fail("max", "at least 1 of a list");
    else if (list && field_.min && !field_.choices.empty() &&
             *field_.min > static_cast<double>(field_.choices.size()))
      reader_.fail("min", "no more than there are choices");
    else if (field_.max_length != 0 && field_.max_length < field_.min_length)
      reader_.fail("max_length", "a number that is not below min_length");
    else if (field_.digits.most < field_.digits.fewest)
      reader_.fail("max_digits", "a number that is not below min_digits");
    else if (!terminator.empty() && terminator != "#" && terminator != "*")
      reader_.fail("terminator", "\"#\", \"*\", or \"\" for none");
    else if (!field_.say.empty() &&
             field_.say.find("{value}") == std::string::npos)
      reader_.fail("say", "a text with {value} in it");
  }

  void read_choice(const toml::table &table, const std::string &path) {
    TomlReader reader(file_, table, path);
    Choice choice;
    reader.read("value", choice.value, true);
    std::vector<std::string> spoken;
    reader.read("spoken", spoken);
    reader.finish();
    if (reader.failed())
      return;
    for (const Choice &other : field_.choices)
      if (other.value == choice.value)
        return reader.fail("value", "a value that no other choice has");
    // A value that is said as it is written needs no `spoken`.
    choice.spoken = spoken.empty() ? std::vector{choice.value} : spoken;
    for (const std::string &phrase : choice.spoken)
      if (to_words(phrase).empty())
        return reader.fail(spoken.empty() ? "value" : "spoken",
                           "phrases that can be said");
    for (const Choice &other : field_.choices)
      for (const std::string &phrase : choice.spoken)
        if (says(other, phrase))
          return reader.fail(spoken.empty() ? "value" : "spoken",
                             "phrases that no other choice has");
    field_.choices.push_back(std::move(choice));
  }

  void read_only_if(const toml::table &table) {
    TomlReader reader(file_, table, path_ + ".only_if");
    reader.read("field", field_.only_if_field, true);
    reader.read("value", field_.only_if_value, true);
    reader.finish();
    if (reader.file_failed())
      return;
    const Field *other = before_.field(field_.only_if_field);
    if (other == nullptr || other->type != Type::kChoice)
      return reader.fail("field", "a choice field before this one");
    for (const Choice &choice : other->choices)
      if (choice.value == field_.only_if_value)
        return;
    reader.fail("value", "a value of the field " + field_.only_if_field);
  }

  TomlReader::File &file_;
  const toml::table &table_;
  const std::string path_;
  const Definition &before_;
  TomlReader reader_;
  Field field_;
};

} // namespace

std::optional<Field> read_field(TomlReader::File &file,
                                const toml::table &table,
                                const std::string &path,
                                const Definition &before) {
  return FieldReader(file, table, path, before).read();
}

const char *to_string(FieldType type) {
  for (const TypeWord &entry : kTypes)
    if (entry.type == type)
      return entry.word;
  return "string";
}

} // namespace patchcord::agent
