// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/definition.hpp"

#include "agent/toml_reader.hpp"
#include "agent/turn_policy.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace patchcord::agent {
namespace {

struct TypeWord {
  FieldType type;
  const char *word;
};
constexpr std::array<TypeWord, 9> kTypes{{{FieldType::kString, "string"},
                                          {FieldType::kNumber, "number"},
                                          {FieldType::kInteger, "integer"},
                                          {FieldType::kBoolean, "boolean"},
                                          {FieldType::kChoice, "choice"},
                                          {FieldType::kDate, "date"},
                                          {FieldType::kTime, "time"},
                                          {FieldType::kPhone, "phone"},
                                          {FieldType::kEmail, "email"}}};

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

class DefinitionReader {
public:
  explicit DefinitionReader(const std::string &file) : file_{file, {}} {}

  Result<Definition> read(const toml::table &root) {
    TomlReader reader(file_, root);
    reader.read("name", definition_.name, true);
    reader.read("greeting", definition_.greeting, true);
    reader.read("greeting_asks", definition_.greeting_asks);
    reader.read("instructions", definition_.instructions, true);
    reader.read("language", definition_.language);
    reader.read("voice", definition_.voice);
    const auto fields = reader.tables("fields");
    for (std::size_t i = 0; i < fields.size() && !reader.failed(); ++i)
      read_field(*fields[i], "fields[" + std::to_string(i) + "]");
    if (const toml::table *end = reader.table("end"))
      read_end(*end);
    if (const toml::table *limits = reader.table("limits"))
      read_limits(*limits);
    if (const toml::table *phrases = reader.table("phrases"))
      read_phrases(*phrases);
    read_interruptions(reader.table("interruptions"));
    reader.finish();
    if (!reader.failed() && !definition_.greeting_asks.empty() &&
        definition_.field(definition_.greeting_asks) == nullptr)
      reader.fail("greeting_asks", "the name of a field");
    if (file_.error)
      return *file_.error;
    return std::move(definition_);
  }

private:
  void read_field(const toml::table &table, const std::string &path) {
    TomlReader reader(file_, table, path);
    Field field;
    std::string type = "string";
    reader.read("name", field.name, true);
    reader.read("type", type, true);
    reader.read("label", field.label);
    reader.read("description", field.description);
    reader.read("phrases", field.phrases);
    reader.read("min", field.min);
    reader.read("max", field.max);
    reader.read("required", field.required);
    reader.read("confirm", field.confirm);
    // The greeting may be the question.
    reader.read("question", field.question,
                field.name != definition_.greeting_asks);
    reader.read("reprompt", field.reprompt,
                field.name == definition_.greeting_asks);
    reader.read("say", field.say);
    const toml::table *only_if = reader.table("only_if");
    const auto choices = reader.tables("choices");
    for (std::size_t i = 0; i < choices.size() && !reader.failed(); ++i)
      read_choice(*choices[i], path + ".choices[" + std::to_string(i) + "]",
                  field);
    reader.finish();
    if (reader.failed())
      return;
    check_field(reader, type, field);
    if (only_if != nullptr && !reader.failed())
      read_only_if(*only_if, path + ".only_if", field);
    if (field.label.empty())
      field.label = with_spaces(field.name);
    if (field.question.empty())
      field.question = field.reprompt;
    if (field.say.empty())
      field.say = field.label + ": {value}";
    definition_.fields.push_back(std::move(field));
  }

  void check_field(TomlReader &reader, const std::string &type, Field &field) {
    const auto *word =
        std::find_if(kTypes.begin(), kTypes.end(),
                     [&](const TypeWord &entry) { return type == entry.word; });
    if (word == kTypes.end()) {
      std::vector<std::string> words;
      words.reserve(kTypes.size());
      for (const TypeWord &entry : kTypes)
        words.emplace_back(entry.word);
      return reader.fail("type", "one of " + join(words, ", "));
    }
    field.type = word->type;
    const bool numeric =
        field.type == FieldType::kNumber || field.type == FieldType::kInteger;
    if (!is_key(field.name))
      reader.fail("name", "lower-case letters, digits and _");
    else if (definition_.field(field.name) != nullptr)
      reader.fail("name", "a name that no other field has");
    else if (field.type == FieldType::kChoice && field.choices.empty())
      reader.fail("choices", "at least one choice");
    else if (field.type != FieldType::kChoice && !field.choices.empty())
      reader.fail("choices", "no choices in a field of type " + type);
    else if (!numeric && field.min)
      reader.fail("min", "no limit in a field of type " + type);
    else if (!numeric && field.max)
      reader.fail("max", "no limit in a field of type " + type);
    else if (field.min && field.max && *field.min > *field.max)
      reader.fail("max", "a number that is not below min");
    else if (!field.phrases.empty() && !numeric &&
             field.type != FieldType::kString)
      reader.fail("phrases", "no phrases in a field of type " + type);
    else if (!field.say.empty() &&
             field.say.find("{value}") == std::string::npos)
      reader.fail("say", "a text with {value} in it");
  }

  void read_choice(const toml::table &table, const std::string &path,
                   Field &field) {
    TomlReader reader(file_, table, path);
    Choice choice;
    reader.read("value", choice.value, true);
    std::vector<std::string> spoken;
    reader.read("spoken", spoken);
    reader.finish();
    if (reader.failed())
      return;
    for (const Choice &other : field.choices)
      if (other.value == choice.value)
        return reader.fail("value", "a value that no other choice has");
    // A value that is said as it is written needs no `spoken`.
    choice.spoken = spoken.empty() ? std::vector{choice.value} : spoken;
    field.choices.push_back(std::move(choice));
  }

  void read_only_if(const toml::table &table, const std::string &path,
                    Field &field) {
    TomlReader reader(file_, table, path);
    reader.read("field", field.only_if_field, true);
    reader.read("value", field.only_if_value, true);
    reader.finish();
    if (reader.failed())
      return;
    const Field *other = definition_.field(field.only_if_field);
    if (other == nullptr || other->type != FieldType::kChoice)
      return reader.fail("field", "a choice field before this one");
    for (const Choice &choice : other->choices)
      if (choice.value == field.only_if_value)
        return;
    reader.fail("value", "a value of the field " + field.only_if_field);
  }

  void read_end(const toml::table &table) {
    TomlReader reader(file_, table, "end");
    auto &end = definition_.end;
    reader.read("confirm", end.confirm);
    reader.read("read_back", end.read_back);
    reader.read("goodbye", end.goodbye);
    reader.read("apology", end.apology);
    reader.read("not_understood", end.not_understood);
    reader.read("farewell", end.farewell);
    reader.finish();
    if (end.read_back.find("{fields}") == std::string::npos)
      reader.fail("read_back", "a text with {fields} in it");
    require(reader, {{"goodbye", &end.goodbye},
                     {"apology", &end.apology},
                     {"not_understood", &end.not_understood},
                     {"farewell", &end.farewell}});
  }

  void read_limits(const toml::table &table) {
    TomlReader reader(file_, table, "limits");
    auto &limits = definition_.limits;
    int silence_s = static_cast<int>(limits.silence_prompt / 1s);
    int duration_s = static_cast<int>(limits.max_duration / 1s);
    reader.read("max_turns", limits.max_turns, 1, 1000);
    reader.read("max_reprompts", limits.max_reprompts, 0, 20);
    reader.read("silence_prompt_s", silence_s, 1, 600);
    reader.read("max_silence_prompts", limits.max_silence_prompts, 0, 20);
    reader.read("max_duration_s", duration_s, 1, 86400);
    reader.finish();
    limits.silence_prompt = std::chrono::seconds(silence_s);
    limits.max_duration = std::chrono::seconds(duration_s);
  }

  void read_phrases(const toml::table &table) {
    TomlReader reader(file_, table, "phrases");
    auto &phrases = definition_.phrases;
    reader.read("silence", phrases.silence);
    reader.read("hold", phrases.hold);
    reader.read("time_up", phrases.time_up);
    reader.read("confirm", phrases.confirm);
    reader.read("which", phrases.which);
    reader.read("fallback", phrases.fallback);
    reader.finish();
    if (phrases.confirm.find("{field}") == std::string::npos)
      reader.fail("confirm", "a text with {field} in it");
    require(reader, {{"silence", &phrases.silence},
                     {"hold", &phrases.hold},
                     {"time_up", &phrases.time_up},
                     {"which", &phrases.which},
                     {"fallback", &phrases.fallback}});
  }

  void read_interruptions(const toml::table *table) {
    auto &settings = definition_.interruptions;
    settings.backchannels = default_backchannels(definition_.language);
    if (table == nullptr)
      return;
    TomlReader reader(file_, *table, "interruptions");
    int speech_ms = static_cast<int>(settings.min_speech / 1ms);
    reader.read("min_speech_ms", speech_ms, 0, 5000);
    reader.read("min_words", settings.min_words, 1, 20);
    reader.read("backchannels", settings.backchannels);
    reader.finish();
    settings.min_speech = std::chrono::milliseconds(speech_ms);
  }

  static void
  require(TomlReader &reader,
          std::initializer_list<std::pair<const char *, std::string *>> texts) {
    for (const auto &[key, text] : texts)
      if (text->empty())
        reader.fail(key, "a text that is not empty");
  }

  TomlReader::File file_;
  Definition definition_;
};

} // namespace

const char *to_string(FieldType type) {
  for (const TypeWord &entry : kTypes)
    if (entry.type == type)
      return entry.word;
  return "string";
}

const Field *Definition::field(std::string_view field_name) const {
  for (const Field &entry : fields)
    if (entry.name == field_name)
      return &entry;
  return nullptr;
}

Result<Definition> parse_definition(std::string_view text,
                                    const std::string &file) {
  try {
    const toml::table root = toml::parse(text, file);
    return DefinitionReader(file).read(root);
  } catch (const toml::parse_error &error) {
    return make_error("bad_definition",
                      file + ":" + std::to_string(error.source().begin.line) +
                          ": " + std::string(error.description()));
  } catch (const std::exception &error) {
    return make_error("bad_definition", file + ": " + error.what());
  }
}

std::string to_json(const Definition &definition, const Values &values) {
  JsonWriter json;
  json.begin_object();
  for (const Field &field : definition.fields) {
    const auto found = values.find(field.name);
    if (found == values.end())
      continue;
    json.key(field.name);
    std::visit([&](const auto &value) { json.value(value); }, found->second);
  }
  json.end_object();
  return json.take();
}

bool applies(const Field &field, const Values &values) {
  if (field.only_if_field.empty())
    return true;
  const auto found = values.find(field.only_if_field);
  return found != values.end() && found->second == Value(field.only_if_value);
}

Values applicable(const Definition &definition, const Values &values) {
  Values out;
  for (const Field &field : definition.fields)
    if (const auto found = values.find(field.name);
        found != values.end() && applies(field, values))
      out.insert(*found);
  return out;
}

bool complete(const Definition &definition, const Values &values) {
  return std::all_of(definition.fields.begin(), definition.fields.end(),
                     [&](const Field &field) {
                       return !field.required || !applies(field, values) ||
                              values.contains(field.name);
                     });
}

std::string opening(const Definition &definition) {
  if (!definition.greeting_asks.empty() || definition.fields.empty())
    return definition.greeting;
  return definition.greeting + " " + definition.fields.front().question;
}

} // namespace patchcord::agent
