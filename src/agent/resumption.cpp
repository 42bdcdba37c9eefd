// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/resumption.hpp"

#include "agent/values.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace patchcord::agent {
namespace {

constexpr JsonLimits kLimits{std::size_t{1} << 20, 16};
constexpr std::int64_t kMostTurns = 1'000'000;
constexpr std::uint32_t kMostUtterances = 100'000;

std::optional<Value> read_value(const Field &field, JsonView given) {
  switch (field.type) {
  case FieldType::kNumber:
    if (const auto number = given.number())
      return Value(*number);
    return std::nullopt;
  case FieldType::kInteger:
    if (const auto number = given.integer())
      return Value(*number);
    return std::nullopt;
  case FieldType::kBoolean:
    if (const auto truth = given.boolean())
      return Value(*truth);
    return std::nullopt;
  case FieldType::kList: {
    List list;
    for (std::size_t i = 0; i < given.size(); ++i)
      list.push_back(given.at(i).string().value_or(""));
    return given.is_array() ? std::optional<Value>(std::move(list))
                            : std::nullopt;
  }
  default:
    if (auto text = given.string())
      return Value(*std::move(text));
    return std::nullopt;
  }
}

void write_rules(JsonWriter &json, const Definition &definition,
                 const RuleState &rules) {
  if (!rules.confirmed.empty())
    json.key("confirmed").raw(to_json(definition, rules.confirmed));
  if (rules.applied.empty())
    return;
  json.key("applied").begin_array();
  for (const auto &[at, value] : rules.applied) {
    json.begin_object().member("rule", static_cast<std::int64_t>(at));
    json.member("field", definition.end.rules[at].field);
    write_value(json.key("value"), value);
    json.end_object();
  }
  json.end_array();
}

// The file may have other rules by now.
void read_rules(const Definition &definition, JsonView root,
                Resumption &state) {
  for (const Field &field : definition.fields)
    if (auto value = read_value(field, root["confirmed"][field.name]);
        value && is_valid(field, *value))
      state.rules.confirmed.emplace(field.name, *std::move(value));
  const auto &rules = definition.end.rules;
  for (std::size_t i = 0; i < root["applied"].size(); ++i) {
    const JsonView given = root["applied"].at(i);
    const auto at =
        static_cast<std::size_t>(given["rule"].integer().value_or(-1));
    if (at >= rules.size() || given["field"].string() != rules[at].field)
      continue;
    Field field = *definition.field(rules[at].field);
    if (field.type == FieldType::kList) // of which it is one part
      field.type = FieldType::kString;
    if (auto value = read_value(field, given["value"]))
      state.rules.applied.emplace(at, *std::move(value));
  }
}

std::uint32_t count(JsonView given) {
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(given.integer().value_or(0), 0, kMostTurns));
}

} // namespace

std::string to_json(const Definition &definition, const Resumption &state) {
  JsonWriter json;
  json.begin_object().member("turn", std::int64_t{state.turn});
  json.member("caller_turns", std::int64_t{state.caller_turns});
  json.member("utterances", std::int64_t{state.utterances});
  json.member("elapsed_ms", std::int64_t{state.elapsed / 1ms});
  json.key("values").raw(to_json(definition, state.values));
  json.key("rejected").begin_array();
  for (const std::string &name : state.rejected)
    json.value(name);
  json.end_array().key("turns").begin_object();
  for (const auto &[name, turn] : state.turns)
    json.member(name, std::int64_t{turn});
  json.end_object().key("history").begin_array();
  for (const Said &said : state.history)
    json.begin_object()
        .member(said.who == Said::Who::kAgent ? "agent" : "caller", said.text)
        .end_object();
  json.end_array();
  if (!state.tools.empty())
    state.tools.write(json.key("tools"));
  write_rules(json, definition, state.rules);
  json.end_object();
  return json.take();
}

Result<Resumption> parse_resumption(const Definition &definition,
                                    std::string_view text) {
  const auto document = JsonDocument::parse(text, kLimits);
  if (!document || !document->root().is_object())
    return make_error("bad_state", "the state of the conversation before is "
                                   "not the JSON object that it was");
  const JsonView root = document->root();
  Resumption state;
  state.turn = count(root["turn"]);
  state.caller_turns = static_cast<int>(count(root["caller_turns"]));
  state.utterances = std::min(count(root["utterances"]), kMostUtterances);
  state.elapsed = std::chrono::milliseconds(std::clamp<std::int64_t>(
      root["elapsed_ms"].integer().value_or(0), 0, 86'400'000));
  for (const Field &field : definition.fields) {
    if (auto value = read_value(field, root["values"][field.name]);
        value && is_valid(field, *value)) {
      state.values.emplace(field.name, *std::move(value));
      state.turns.emplace(field.name, count(root["turns"][field.name]));
    }
  }
  for (std::size_t i = 0; i < root["rejected"].size(); ++i)
    if (const auto name = root["rejected"].at(i).string();
        name && definition.field(*name) != nullptr)
      state.rejected.insert(*name);
  for (std::size_t i = 0; i < root["history"].size(); ++i) {
    const JsonView said = root["history"].at(i);
    const bool agent = said["agent"].string().has_value();
    std::string words = said[agent ? "agent" : "caller"].string().value_or("");
    if (!words.empty())
      state.history.push_back(
          {agent ? Said::Who::kAgent : Said::Who::kCaller, std::move(words)});
  }
  state.tools = ToolLog::read(root["tools"]);
  read_rules(definition, root, state);
  return state;
}

std::string spoken_field(const Field &field, const Value &value,
                         const Date &today) {
  constexpr std::string_view kPlace = "{value}";
  std::string text = field.say;
  const std::size_t at = text.find(kPlace);
  return text.replace(at, kPlace.size(), spoken_value(field, value, today));
}

std::string spoken_summary(const Definition &definition, const Values &values,
                           const Date &today) {
  std::vector<std::string> parts;
  for (const Field &field : definition.fields) {
    const auto found = values.find(field.name);
    if (found != values.end() && applies(field, values))
      parts.push_back(spoken_field(field, found->second, today));
  }
  return join(parts, ", ");
}

} // namespace patchcord::agent
