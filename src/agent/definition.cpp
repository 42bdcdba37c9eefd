// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/definition.hpp"

#include "agent/end_rule_reader.hpp"
#include "agent/field_reader.hpp"
#include "agent/language.hpp"
#include "agent/say_language.hpp"
#include "agent/toml_reader.hpp"
#include "agent/tool_reader.hpp"
#include "agent/transfer_reader.hpp"
#include "agent/turn_policy.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <utility>

namespace patchcord::agent {
namespace {

class DefinitionReader {
public:
  explicit DefinitionReader(const std::string &file) : file_{file, {}} {}

  Result<Definition> read(const toml::table &root) {
    TomlReader reader(file_, root);
    reader.read("name", definition_.name, true);
    reader.read("greeting", definition_.greeting, true);
    reader.read("greeting_asks", definition_.greeting_asks);
    reader.read("instructions", definition_.instructions, true);
    read_language(reader);
    const auto fields = reader.tables("fields");
    for (std::size_t i = 0; i < fields.size(); ++i)
      if (auto field =
              read_field(file_, *fields[i], "fields[" + std::to_string(i) + "]",
                         definition_))
        definition_.fields.push_back(*std::move(field));
    const auto tools = reader.tables("tools");
    for (std::size_t i = 0; i < tools.size(); ++i)
      definition_.tools.push_back(read_tool(file_, *tools[i],
                                            "tools[" + std::to_string(i) + "]",
                                            definition_.tools));
    const auto targets = reader.tables("transfer");
    for (std::size_t i = 0; i < targets.size(); ++i)
      definition_.transfer.push_back(read_transfer_target(
          file_, *targets[i], "transfer[" + std::to_string(i) + "]",
          definition_.transfer));
    if (!reader.failed() && say_language(definition_.language).empty() &&
        std::any_of(
            definition_.transfer.begin(), definition_.transfer.end(),
            [](const TransferTarget &target) { return target.summary; }))
      reader.fail("language",
                  "one that Twilio's <Say> speaks, since a transfer "
                  "target wants a summary");
    if (const toml::table *voicemail = reader.table("voicemail")) {
      TomlReader inner(file_, *voicemail, "voicemail");
      inner.read("message", definition_.voicemail.message, true);
      inner.finish();
    }
    if (const toml::table *end = reader.table("end"))
      read_end(*end);
    if (const toml::table *limits = reader.table("limits"))
      read_limits(*limits);
    if (const toml::table *phrases = reader.table("phrases"))
      read_phrases(*phrases);
    read_interruptions(reader.table("interruptions"));
    if (const toml::table *fillers = reader.table("fillers"))
      read_fillers(*fillers);
    if (const toml::table *thinking = reader.table("thinking"))
      read_thinking(*thinking);
    reader.finish();
    if (!reader.failed() && !definition_.greeting_asks.empty() &&
        definition_.field(definition_.greeting_asks) == nullptr)
      reader.fail("greeting_asks", "the name of a field");
    if (file_.error)
      return *file_.error;
    return std::move(definition_);
  }

private:
  void read_language(TomlReader &reader) {
    reader.read("language", definition_.language);
    if (!is_language(definition_.language))
      reader.fail("language", "the code of a language, such as en or de-AT");
    definition_.voice_line = reader.line_of("language");
    const toml::table *table = reader.table("voice");
    if (table == nullptr)
      return;
    TomlReader voices(file_, *table, "voice");
    for (const char *provider : {"espeak", "elevenlabs"}) {
      std::string voice;
      voices.read(provider, voice);
      if (!voice.empty())
        definition_.voice[provider] = voice;
    }
    voices.finish();
    if (definition_.voice.contains("espeak"))
      definition_.voice_line = voices.line_of("espeak");
    const auto eleven = definition_.voice.find("elevenlabs");
    if (eleven != definition_.voice.end() && !is_alnum(eleven->second))
      voices.fail("elevenlabs", "a voice ID, letters and digits");
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
    const Definition *whole = file_.error ? nullptr : &definition_;
    const auto rules = reader.tables("rules");
    for (std::size_t i = 0; i < rules.size(); ++i)
      end.rules.push_back(read_end_rule(
          file_, *rules[i], "end.rules[" + std::to_string(i) + "]", whole));
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
    reader.read("max_tool_rounds", limits.max_tool_rounds, 1, 20);
    reader.finish();
    limits.silence_prompt = std::chrono::seconds(silence_s);
    limits.max_duration = std::chrono::seconds(duration_s);
  }

  // A text, or several.
  static void read_silence(TomlReader &reader, const toml::table &table,
                           std::vector<std::string> &silence) {
    if (table["silence"].is_array())
      return reader.read("silence", silence);
    std::string only;
    reader.read("silence", only);
    if (table.contains("silence"))
      silence = {only};
  }

  void read_phrases(const toml::table &table) {
    TomlReader reader(file_, table, "phrases");
    auto &phrases = definition_.phrases;
    read_silence(reader, table, phrases.silence);
    reader.read("hold", phrases.hold);
    reader.read("time_up", phrases.time_up);
    reader.read("confirm", phrases.confirm);
    reader.read("which", phrases.which);
    reader.read("fallback", phrases.fallback);
    reader.read("more", phrases.more);
    reader.read("invalid", phrases.invalid);
    reader.read("transfer", phrases.transfer);
    reader.read("transfer_failed", phrases.transfer_failed);
    reader.read("summary", phrases.summary);
    reader.read("withheld", phrases.withheld);
    reader.read("broken_off", phrases.broken_off);
    reader.finish();
    if (phrases.confirm.find("{field}") == std::string::npos)
      reader.fail("confirm", "a text with {field} in it");
    if (phrases.summary.find("{summary}") == std::string::npos)
      reader.fail("summary", "a text with {summary} in it");
    if (phrases.silence.empty() || phrases.silence.front().empty())
      reader.fail("silence", "a text, or an array of texts");
    require(reader, {{"hold", &phrases.hold},
                     {"time_up", &phrases.time_up},
                     {"which", &phrases.which},
                     {"fallback", &phrases.fallback},
                     {"more", &phrases.more},
                     {"transfer", &phrases.transfer},
                     {"transfer_failed", &phrases.transfer_failed},
                     {"withheld", &phrases.withheld},
                     {"broken_off", &phrases.broken_off},
                     {"invalid", &phrases.invalid}});
  }

  void read_interruptions(const toml::table *table) {
    auto &settings = definition_.interruptions;
    settings.backchannels = default_backchannels(definition_.language);
    settings.acknowledgements = default_acknowledgements(definition_.language);
    if (table == nullptr)
      return;
    TomlReader reader(file_, *table, "interruptions");
    int speech_ms = static_cast<int>(settings.min_speech / 1ms);
    reader.read("min_speech_ms", speech_ms, 0, 5000);
    int hold_ms = 0;
    reader.read("hold_after_ms", hold_ms, 0, 5000);
    reader.read("min_words", settings.min_words, 1, 20);
    reader.read("backchannels", settings.backchannels);
    reader.read("acknowledgements", settings.acknowledgements);
    reader.finish();
    settings.min_speech = std::chrono::milliseconds(speech_ms);
    settings.hold_after = std::chrono::milliseconds(hold_ms);
  }

  void read_fillers(const toml::table &table) {
    TomlReader reader(file_, table, "fillers");
    auto &fillers = definition_.fillers;
    int after_ms = static_cast<int>(fillers.after / 1ms);
    reader.read("phrases", fillers.phrases);
    reader.read("after_ms", after_ms, 200, 20'000);
    reader.read("max_per_turn", fillers.max_per_turn, 1, 10);
    reader.finish();
    fillers.after = std::chrono::milliseconds(after_ms);
  }

  void read_thinking(const toml::table &table) {
    TomlReader reader(file_, table, "thinking");
    auto &thinking = definition_.thinking;
    int stable_ms = static_cast<int>(thinking.stable / 1ms);
    reader.read("preemptive", thinking.preemptive);
    reader.read("stable_ms", stable_ms, 50, 2000);
    reader.read("max_tries", thinking.max_tries, 1, 10);
    reader.finish();
    thinking.stable = std::chrono::milliseconds(stable_ms);
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

const Field *Definition::field(std::string_view field_name) const {
  for (const Field &entry : fields)
    if (entry.name == field_name)
      return &entry;
  return nullptr;
}

const Tool *Definition::tool(std::string_view tool_name) const {
  for (const Tool &entry : tools)
    if (entry.name == tool_name)
      return &entry;
  return nullptr;
}

const TransferTarget *
Definition::transfer_target(std::string_view target_name) const {
  for (const TransferTarget &entry : transfer)
    if (entry.name == target_name)
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

void write_value(JsonWriter &json, const Value &value) {
  if (const auto *list = std::get_if<List>(&value)) {
    json.begin_array();
    for (const std::string &item : *list)
      json.value(item);
    json.end_array();
    return;
  }
  std::visit(
      [&json]<typename T>(const T &one) {
        if constexpr (!std::is_same_v<T, List>)
          json.value(one);
      },
      value);
}

std::string to_json(const Definition &definition, const Values &values) {
  JsonWriter json;
  json.begin_object();
  for (const Field &field : definition.fields) {
    const auto found = values.find(field.name);
    if (found == values.end())
      continue;
    json.key(field.name);
    write_value(json, found->second);
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
