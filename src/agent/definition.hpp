// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/expectation.hpp"
#include "agent/pattern.hpp"
#include "agent/tool.hpp"
#include "agent/transfer.hpp"
#include "base/result.hpp"
#include "worker/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace patchcord {
class JsonWriter;
}

namespace patchcord::agent {

enum class FieldType {
  kString,
  kNumber,
  kInteger,
  kBoolean,
  kChoice,
  kDate,  // ISO 8601: "2026-05-03"
  kTime,  // 24 hours: "14:30"
  kPhone, // digits, with a leading "+" when it was said
  kEmail,
  kDigits, // spoken or by the phone's keys; leading zeros count
  kList,   // of texts, or of some of the choices
};
const char *to_string(FieldType type);

// One of the answers to a choice, and the ways to say it.
struct Choice {
  std::string value;
  std::vector<std::string> spoken; // the value itself first
};

// A piece of information that the conversation is to bring.
struct Field {
  std::string name;        // a key of the record: [a-z][a-z0-9_]*
  std::string label;       // how the agent calls it: "the day"
  std::string description; // for the model
  FieldType type = FieldType::kString;
  std::vector<Choice> choices;
  // Strings: answers that the offline recogniser can hear. Numbers: the unit
  // words that may follow ("people").
  std::vector<std::string> phrases;
  std::optional<double> min, max; // of numbers; how many, of lists
  // Texts, each one of a list: in characters; 0: no limit.
  int min_length = 0, max_length = 0;
  std::optional<Pattern> pattern;
  DigitRules digits;
  bool required = true;
  bool confirm = false; // read back at once
  std::string question;
  std::string reprompt; // empty: the question again
  std::string invalid;  // before it, when the value is not right
  std::string say;      // read-back: "for {value} people"
  // Asked only when this choice field has this value.
  std::string only_if_field, only_if_value;
};

// What was found out, in the types of its fields.
using List = std::vector<std::string>;
using Value = std::variant<std::string, std::int64_t, double, bool, List>;
using Values = std::map<std::string, Value>;

// What ends the call, or hands the caller over, as soon as it is known: of a
// field that it is that value (of a list: contains it), or within limits.
struct EndRule {
  std::string field;
  std::optional<Value> value; // or
  std::optional<double> min, max;
  std::string message;     // said last; of a transfer it may be empty
  std::string transfer_to; // a target's name; empty: the call ends
};

// A whole agent (data/agents/NAME.toml); docs/agents.md describes the keys.
struct Definition {
  std::string name;
  std::string greeting;
  std::string greeting_asks; // the field that the greeting asks for, if any
  std::string instructions;  // Markdown, for the model
  std::string language = "en";
  std::map<std::string, std::string> voice; // hints: provider -> voice
  // Of the file: where voice.espeak stands, else language; 0: neither does.
  int voice_line = 0;
  std::vector<Field> fields;
  std::vector<Tool> tools;
  std::vector<TransferTarget> transfer; // the first is "a person"

  // Of calls that we place: what an answering machine is told; empty: nothing.
  struct Voicemail {
    std::string message;
  } voicemail;

  struct End {
    bool confirm = true;
    std::string read_back = "Let me check: {fields}. Is that right?";
    std::string goodbye = "Thank you. Goodbye.";
    std::string apology =
        "I am sorry, I cannot help you right now. Please call again later.";
    std::string not_understood = "Sorry, I did not get that.";
    std::string farewell = "Goodbye."; // the caller leaves before the end
    std::vector<EndRule> rules;        // the first that holds counts
  } end;

  struct Limits {
    int max_turns = 40;
    int max_reprompts = 2; // of one question
    Duration silence_prompt = 8s;
    int max_silence_prompts = 2;
    Duration max_duration = 600s;
    int max_tool_rounds = 4; // of a turn
  } limits;

  struct Phrases {
    // In turn, the last of them for good.
    std::vector<std::string> silence = {"Are you still there?",
                                        "Can you hear me?"};
    std::string hold = "One moment, please.";
    std::string time_up = "I am sorry, our time is up. Goodbye.";
    std::string confirm = "{field}. Is that right?"; // of one field
    std::string which = "What should I change?";
    std::string more = "Anything else?"; // behind each part of a list
    std::string invalid = "Sorry, I cannot take that.";
    // When the model's answers are of no use; the next question follows.
    std::string fallback = "Let us go on step by step.";
    std::string transfer = "I am putting you through.";
    std::string transfer_failed = "I am sorry, nobody could be reached.";
    // To who takes the call, before the two are joined.
    std::string summary = "You have a call from {caller}. {summary}";
    std::string broken_off = "Sorry, I lost my words. Please go on.";
    std::string withheld = "a withheld number"; // for {caller}
  } phrases;

  // Whether a model is asked before the recogniser is sure of the words.
  struct Thinking {
    bool preemptive = false; // it costs requests that are not used
    Duration stable = 200ms; // that a partial transcript has not changed
    int max_tries = 3;       // of a turn
  } thinking;

  // Said while a model or a tool lets the caller wait.
  struct Fillers {
    std::vector<std::string> phrases; // in turn; none: no fillers
    Duration after = 1500ms;          // of silence
    int max_per_turn = 2;
  } fillers;

  // What of the caller's speech takes the turn from the agent.
  struct Interruptions {
    Duration min_speech = 150ms; // shorter noise without words is none
    Duration hold_after{};       // of speech, or of words: silent from then on
    int min_words = 1;
    std::vector<std::string> backchannels;     // "mm-hm": of the language
    std::vector<std::string> acknowledgements; // "thanks": the same
  } interruptions;

  const Field *field(std::string_view field_name) const;
  const Tool *tool(std::string_view tool_name) const;
  const TransferTarget *transfer_target(std::string_view target_name) const;
};

// Reads a definition. Errors ("bad_definition") say where and what:
// "intake.toml:12: limits.max_turns: expected a whole number from 1 to 1000,
// got "many"". `file` only names it.
Result<Definition> parse_definition(std::string_view toml,
                                    const std::string &file);

void write_value(JsonWriter &json, const Value &value);
// A JSON object in the order of the definition.
std::string to_json(const Definition &definition, const Values &values);
// Whether the field is to be asked, given what is known.
bool applies(const Field &field, const Values &values);
// Without the values of fields that do not apply (any more).
Values applicable(const Definition &definition, const Values &values);
// All required fields that apply are known.
bool complete(const Definition &definition, const Values &values);
// What the greeting says: with the first question unless it asks itself.
std::string opening(const Definition &definition);

} // namespace patchcord::agent
