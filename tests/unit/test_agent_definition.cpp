// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/definition.hpp"
#include "agent/definition_file.hpp"
#include "agent/language.hpp"
#include "agent/say_language.hpp"
#include "base/text.hpp"

#include "../support/temp_dir.hpp"

#include <glib.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

using namespace patchcord;
using namespace patchcord::agent;

namespace {

void equal(const std::string &is, const std::string &expected) {
  if (is != expected)
    g_error("expected \"%s\", got \"%s\"", expected.c_str(), is.c_str());
}

constexpr char kWhole[] = R"(name = "Test"
greeting = "Hello."
instructions = "Be kind."
language = "en"
[voice]
espeak = "en-us"
[[fields]]
name = "wish"
type = "choice"
label = "the wish"
question = "Tea or coffee?"
choices = [
  { value = "tea", spoken = ["tea", "a cup of tea"] },
  { value = "coffee" },
]
[[fields]]
name = "cups"
type = "integer"
question = "How many?"
reprompt = "How many cups?"
say = "{value} cups"
phrases = ["cups"]
min = 1
max = 9
required = false
confirm = true
only_if = { field = "wish", value = "tea" }
[end]
confirm = false
goodbye = "Bye."
[limits]
max_turns = 5
silence_prompt_s = 4
max_duration_s = 60
[phrases]
silence = "Hello?"
)";

void test_whole() {
  const auto definition = parse_definition(kWhole, "test.toml");
  if (!definition)
    g_error("%s", definition.error().message.c_str());
  equal(definition->name, "Test");
  equal(definition->voice.at("espeak"), "en-us");
  g_assert_cmpuint(definition->fields.size(), ==, 2);
  const Field &wish = definition->fields[0];
  g_assert_true(wish.type == FieldType::kChoice);
  g_assert_cmpuint(wish.choices[0].spoken.size(), ==, 2);
  equal(wish.choices[1].spoken[0], "coffee");
  equal(wish.say, "the wish: {value}");
  const Field &cups = *definition->field("cups");
  g_assert_false(cups.required);
  g_assert_true(cups.confirm);
  g_assert_cmpfloat(*cups.max, ==, 9);
  equal(cups.only_if_value, "tea");
  equal(cups.label, "cups");
  g_assert_false(definition->end.confirm);
  g_assert_cmpint(definition->limits.max_turns, ==, 5);
  g_assert_true(definition->limits.silence_prompt == 4s);
  g_assert_true(definition->limits.max_duration == 60s);
  equal(definition->phrases.silence.at(0), "Hello?");
  g_assert_cmpuint(definition->phrases.silence.size(), ==, 1);
  equal(definition->end.farewell, "Goodbye.");
  equal(opening(*definition), "Hello. Tea or coffee?");
}

void test_interruptions() {
  const std::string plain(kWhole);
  const auto defaults = parse_definition(plain, "test.toml");
  g_assert_true(defaults->interruptions.min_speech == 150ms);
  g_assert_cmpint(defaults->interruptions.min_words, ==, 1);
  g_assert_cmpuint(defaults->interruptions.backchannels.size(), >, 10);
  const auto given = parse_definition(plain + R"(
[interruptions]
min_speech_ms = 300
min_words = 2
backchannels = ["aye"]
)",
                                      "test.toml");
  g_assert_true(given->interruptions.min_speech == 300ms);
  g_assert_cmpint(given->interruptions.min_words, ==, 2);
  g_assert_cmpuint(given->interruptions.backchannels.size(), ==, 1);
  const auto bad =
      parse_definition(plain + "[interruptions]\nmin_words = 0\n", "test.toml");
  g_assert_false(bad.ok());
}

// The whole definition with one thing replaced, and what is said about it.
void test_refusals() {
  const struct {
    const char *from, *to, *error;
  } rows[] = {
      {"name = \"Test\"", "nam = \"Test\"",
       "test.toml:1: name: expected a text, got nothing\n"
       "test.toml:1: nam: expected one of "},
      {"name = \"Test\"", "name = 5",
       "test.toml:1: name: expected a text, got 5"},
      {"name = \"Test\"", "name = \" \"",
       "test.toml:1: name: expected a text that is not empty, got \" \""},
      {"language = \"en\"", "langauge = \"en\"",
       "test.toml:4: langauge: expected one of name, greeting, greeting_asks, "
       "instructions, language, voice, fields, tools, transfer, voicemail, "
       "end, limits, phrases, interruptions, fillers, thinking, got an unknown "
       "key (did you mean language?)"},
      {"language = \"en\"", "language = [1]",
       "test.toml:4: language: expected a text, got an array"},
      {"language = \"en\"", "language = \"English\"",
       "test.toml:4: language: expected the code of a language, such as "
       "en or de-AT, got \"English\""},
      {"espeak = \"en-us\"", "espaek = \"en-us\"",
       "test.toml:6: voice.espaek: expected one of espeak, elevenlabs, got an "
       "unknown key (did you mean espeak?)"},
      {"espeak = \"en-us\"", "elevenlabs = \"Rachel (calm)\"",
       "test.toml:6: voice.elevenlabs: expected a voice ID, letters and "
       "digits, "
       "got \"Rachel (calm)\""},
      {"espeak = \"en-us\"", "espeak = true",
       "test.toml:6: voice.espeak: expected a text, got true"},
      {"type = \"choice\"", "type = \"chioce\"",
       "test.toml:9: fields[0].type: expected one of string, number, integer, "
       "boolean, choice, date, time, phone, email, digits, list, got "
       "\"chioce\""},
      {"type = \"choice\"", "type = \"date\"",
       "test.toml:12: fields[0].choices: expected no choices in a field of "
       "type date, got an array"},
      {"question = \"Tea or coffee?\"", "",
       "test.toml:7: fields[0].question: expected a text, got nothing"},
      {"{ value = \"coffee\" }", "{ value = \"tea\" }",
       "test.toml:14: fields[0].choices[1].value: expected a value that no "
       "other choice has, got \"tea\""},
      {"{ value = \"coffee\" }", "\"coffee\"",
       "test.toml:14: fields[0].choices: expected a table, got \"coffee\""},
      {"{ value = \"coffee\" }", "{ value = \"coffee\", say = \"x\" }",
       "test.toml:14: fields[0].choices[1].say: expected one of value, "
       "spoken, got an unknown key"},
      {"name = \"cups\"", "name = \"Cups!\"",
       "test.toml:17: fields[1].name: expected lower-case letters, digits and "
       "_, got \"Cups!\""},
      {"name = \"cups\"", "name = \"wish\"",
       "test.toml:17: fields[1].name: expected a name that no other field "
       "has, got \"wish\""},
      {"say = \"{value} cups\"", "say = \"cups\"",
       "test.toml:21: fields[1].say: expected a text with {value} in it, got "
       "\"cups\""},
      {"max = 9", "max = 0",
       "test.toml:24: fields[1].max: expected a number that is not below min, "
       "got 0"},
      {"min = 1", "min = \"one\"",
       "test.toml:23: fields[1].min: expected a number, got \"one\""},
      {"required = false", "required = \"no\"",
       "test.toml:25: fields[1].required: expected true or false, got \"no\""},
      {"field = \"wish\"", "field = \"drink\"",
       "test.toml:27: fields[1].only_if.field: expected a choice field before "
       "this one, got \"drink\""},
      {"value = \"tea\" }\n[end]", "value = \"milk\" }\n[end]",
       "test.toml:27: fields[1].only_if.value: expected a value of the field "
       "wish, got \"milk\""},
      {"goodbye = \"Bye.\"", "goodbye = \"\"",
       "test.toml:30: end.goodbye: expected a text that is not empty, got "
       "\"\""},
      {"goodbye = \"Bye.\"", "read_back = \"All?\"",
       "test.toml:30: end.read_back: expected a text with {fields} in it, got "
       "\"All?\""},
      {"max_turns = 5", "max_turns = 0",
       "test.toml:32: limits.max_turns: expected a whole number from 1 to "
       "1000, got 0"},
      {"max_turns = 5", "max_turns = \"many\"",
       "test.toml:32: limits.max_turns: expected a whole number from 1 to "
       "1000, got \"many\""},
      {"max_turns = 5", "max_turns = 2.5",
       "test.toml:32: limits.max_turns: expected a whole number from 1 to "
       "1000, got 2.5"},
      {"[phrases]\n", "[phrases]\nsilense = \"x\"\n",
       "test.toml:36: phrases.silense: expected one of silence, hold, "
       "time_up, confirm, which, fallback, more, invalid, transfer, "
       "transfer_failed, summary, withheld, broken_off, got an unknown key "
       "(did you "
       "mean silence?)"},
      {"silence = \"Hello?\"", "silence = []",
       "test.toml:36: phrases.silence: expected a text, or an array of texts, "
       "got an array"},
      {"{ value = \"coffee\" }",
       "{ value = \"coffee\", spoken = [\"A cup of tea\"] }",
       "test.toml:14: fields[0].choices[1].spoken: expected phrases that no "
       "other choice has, got an array"},
      {"{ value = \"coffee\" }", "{ value = \"coffee\", spoken = [\"!!\"] }",
       "test.toml:14: fields[0].choices[1].spoken: expected phrases that can "
       "be said, got an array"},
      {"min = 1\n", "min = nan\n",
       "test.toml:23: fields[1].min: expected a finite number, got nan"},
      {"min = 1\nmax = 9\n", "min = 1.5\nmax = 1.7\n",
       "test.toml:24: fields[1].max: expected a limit with a whole number "
       "between it and min, got 1.7"},
      {"type = \"choice\"", "type = \"list\"\nmin = 3\nmax = 2",
       "test.toml:11: fields[0].max: expected a number that is not below min, "
       "got 2"},
      {"type = \"choice\"", "type = \"list\"\nmin = 1.2\nmax = 1.8",
       "test.toml:11: fields[0].max: expected a limit with a whole number "
       "between it and min, got 1.8"},
      {"type = \"choice\"", "type = \"list\"\nmin = 3",
       "test.toml:10: fields[0].min: expected no more than there are choices, "
       "got 3"},
      {"type = \"choice\"", "type = \"list\"\nmax = 0",
       "test.toml:10: fields[0].max: expected at least 1 of a list, got 0"},
      {"type = \"choice\"", "type = \"list\"\nmax = inf",
       "test.toml:10: fields[0].max: expected a finite number, got inf"},
      {"type = \"choice\"", "type = \"list\"\nmin_length = 5\nmax_length = 4",
       "test.toml:11: fields[0].max_length: expected a number that is not "
       "below min_length, got 4"},
      {"type = \"choice\"", "type = \"list\"\nphrases = [\"milk\"]",
       "test.toml:10: fields[0].phrases: expected no phrases beside choices, "
       "got an array"},
      {"[end]", "[end", "test.toml:28: "},
      {"language = \"en\"", "greeting_asks = \"colour\"",
       "test.toml:4: greeting_asks: expected the name of a field, got "
       "\"colour\""},
      {"phrases = [\"cups\"]", "phrases = [\"cups\", 3]",
       "test.toml:22: fields[1].phrases: expected a text, got 3"},
      {"min = 1\n", "min = 1\nmin_length = 2\n",
       "test.toml:24: fields[1].min_length: expected no min_length in a field "
       "of type integer, got 2"},
      {"type = \"integer\"", "type = \"digits\"",
       "test.toml:22: fields[1].phrases: expected no phrases in a field of "
       "type digits, got an array\n"
       "test.toml:23: fields[1].min: expected no min in a field of type "
       "digits, got 1\n"
       "test.toml:24: fields[1].max: expected no max in a field of type "
       "digits, got 9"},
      {"type = \"choice\"", "type = \"list\"\npattern = \"(a\"",
       "test.toml:10: fields[0].pattern: expected a regular expression of "
       "ECMAScript without back-references (Mismatched '(' and ')' in regular "
       "expression), got "
       "\"(a\""},
      {"type = \"choice\"", "type = \"list\"\npattern = \"(a)\\\\1\"",
       "test.toml:10: fields[0].pattern: expected a regular expression of "
       "ECMAScript without back-references (it has a back-reference), got "
       "\"(a)\\1\""},
      {"language = \"en\"", "send_dtmf = \"1\"",
       "test.toml:4: send_dtmf: expected no such key: a media stream cannot "
       "send DTMF"},
      {"phrases = [\"cups\"]", "phrases = \"cups\"",
       "test.toml:22: fields[1].phrases: expected an array of texts, got "
       "\"cups\""},
  };
  for (const auto &row : rows) {
    std::string text = kWhole;
    const auto at = text.find(row.from);
    g_assert_true(at != std::string::npos);
    text.replace(at, std::string(row.from).size(), row.to);
    const auto definition = parse_definition(text, "test.toml");
    if (definition)
      g_error("%s: expected \"%s\", got a definition", row.to, row.error);
    equal(definition.error().code, "bad_definition");
    const std::string &error = definition.error().message;
    const bool whole = row.error[std::string(row.error).size() - 1] != ' ';
    if (whole ? error != row.error : !error.starts_with(row.error))
      g_error("%s: expected\n  %s\ngot\n  %s", row.to, row.error,
              error.c_str());
  }
}

void test_languages() {
  for (const char *known : {"en", "de-AT", "EN-us", "zh-Hant-TW", "no", "iw",
                            "fil-PH", "cmn", "es-419"})
    g_assert_true(is_language(known));
  for (const char *unknown : {"", "xx", "tlh", "eng", "e", "e-US", "en-", "-en",
                              "english", "en_US", "en us", "zz-DE"})
    g_assert_false(is_language(unknown));
}

// Who mends one mistake would not like to meet the next one then.
void test_all_mistakes() {
  const auto told = [](const std::string &text) {
    const auto definition = parse_definition(text, "t.toml");
    g_assert_false(definition.ok());
    return definition.error().message;
  };
  equal(told(R"(name = "x"
greting = "Hello."
instructions = 5
[[fields]]
name = "wish"
typ = "choice"
question = "What?"
min = "one"
[[fields.choices]]
valu = "tea"
[[fields]]
name = "Cups!"
type = "integer"
question = "How many?"
only_if = { field = "wish", value = "tea" }
[limits]
max_turns = 0
[[tools]]
name = "look"
url = "https://h/{day}"
timeout_s = 900
)"),
        "t.toml:1: greeting: expected a text, got nothing\n"
        "t.toml:2: greting: expected one of name, greeting, greeting_asks, "
        "instructions, language, voice, fields, tools, transfer, voicemail, "
        "end, limits, phrases, interruptions, fillers, thinking, got an "
        "unknown key (did you mean greeting?)\n"
        "t.toml:3: instructions: expected a text, got 5\n"
        "t.toml:4: fields[0].type: expected a text, got nothing\n"
        "t.toml:6: fields[0].typ: expected one of name, type, label, "
        "description, phrases, question, reprompt, invalid, say, min, max, "
        "min_length, max_length, pattern, terminator, min_digits, max_digits, "
        "timeout_s, required, confirm, only_if, choices, got an unknown key "
        "(did you mean type?)\n"
        "t.toml:8: fields[0].min: expected a number, got \"one\"\n"
        "t.toml:9: fields[0].choices[0].value: expected a text, got nothing\n"
        "t.toml:10: fields[0].choices[0].valu: expected one of value, spoken, "
        "got an unknown key (did you mean value?)\n"
        "t.toml:12: fields[1].name: expected lower-case letters, digits and "
        "_, got \"Cups!\"\n"
        "t.toml:17: limits.max_turns: expected a whole number from 1 to 1000, "
        "got 0\n"
        "t.toml:18: tools[0].description: expected a text, got nothing\n"
        "t.toml:21: tools[0].timeout_s: expected a number of seconds from 0.1 "
        "to 60, got 900");
  // A type is judged whatever else of its field is wrong, and what depends on
  // it when it is right.
  equal(told(R"(name = "x"
greeting = "Hello."
instructions = "x"
[[fields]]
name = "wish"
type = "choise"
question = "What?"
min = 1
[[fields.choices]]
valu = "tea"
[[fields]]
name = "Cups!"
type = "integer"
question = 5
pattern = "a"
)"),
        "t.toml:6: fields[0].type: expected one of string, number, integer, "
        "boolean, choice, date, time, phone, email, digits, list, got "
        "\"choise\"\n"
        "t.toml:9: fields[0].choices[0].value: expected a text, got nothing\n"
        "t.toml:10: fields[0].choices[0].valu: expected one of value, spoken, "
        "got an unknown key (did you mean value?)\n"
        "t.toml:12: fields[1].name: expected lower-case letters, digits and "
        "_, got \"Cups!\"\n"
        "t.toml:14: fields[1].question: expected a text, got 5\n"
        "t.toml:15: fields[1].pattern: expected no pattern in a field of type "
        "integer, got \"a\"");
}

// Which of many are told is not a matter of which were found first: unknown
// keys are found last.
void test_many_mistakes() {
  const auto told = [](int keys) {
    std::string text;
    for (int i = 0; i < keys; ++i)
      text += "key" + std::to_string(i) + " = 1\n";
    text += "name = 5\ngreeting = \"x\"\ninstructions = \"x\"\n";
    const auto definition = parse_definition(text, "t.toml");
    g_assert_false(definition.ok());
    return split(definition.error().message, '\n');
  };
  const auto many = told(500);
  g_assert_cmpuint(many.size(), ==, 21);
  for (int i = 0; i < 20; ++i)
    g_assert_true(many[static_cast<std::size_t>(i)].starts_with(
        "t.toml:" + std::to_string(i + 1) + ": key" + std::to_string(i)));
  equal(many.back(), "t.toml: and 481 more mistakes");
  // A single one is told in place of the words that there is one more.
  const auto one_more = told(20);
  g_assert_cmpuint(one_more.size(), ==, 21);
  equal(one_more.back(), "t.toml:21: name: expected a text, got 5");
  equal(told(21).back(), "t.toml: and 2 more mistakes");
}

// Twilio speaks the summary, and not every language.
void test_summary_language() {
  const auto read = [](const char *language, const char *summary) {
    return parse_definition(
        std::string("name = \"x\"\ngreeting = \"x\"\ninstructions = \"x\"\n") +
            "language = \"" + language +
            "\"\n[[transfer]]\nname = \"desk\"\nnumber = \"+14155550111\"\n" +
            "when = \"x\"\nsummary = " + summary + "\n",
        "test.toml");
  };
  g_assert_true(read("de", "true").ok());
  g_assert_true(read("ga", "false").ok());
  const auto irish = read("ga", "true");
  g_assert_false(irish.ok());
  equal(irish.error().message,
        "test.toml:4: language: expected one that Twilio's <Say> speaks, since "
        "a transfer target wants a summary, got \"ga\"");

  const struct {
    const char *language, *spoken;
  } rows[] = {{"en", "en-US"},     {"en-GB", "en-GB"},
              {"de", "de-DE"},     {"de-AT", "de-AT"},
              {"de-li", "de-DE"},  {"fr", "fr-FR"},
              {"es", "es-ES"},     {"pt", "pt-BR"},
              {"pt-PT", "pt-PT"},  {"it", "it-IT"},
              {"nl", "nl-NL"},     {"zh-Hant-TW", "cmn-CN"},
              {"zh-TW", "cmn-TW"}, {"no", "nb-NO"},
              {"ga", ""},          {"e", ""}};
  for (const auto &row : rows)
    equal(say_language(row.language), row.spoken);
}

void test_digits() {
  const std::string field = std::string(kWhole) + R"([[fields]]
name = "code"
type = "digits"
question = "Your code?"
)";
  const auto plain = parse_definition(field, "test.toml");
  if (!plain)
    g_error("%s", plain.error().message.c_str());
  equal(plain->field("code")->digits.terminator, "#");
  g_assert_true(plain->field("code")->digits.timeout == 2s);
  const struct {
    const char *keys, *error;
  } rows[] = {
      {"terminator = \"*\"\nmin_digits = 4\nmax_digits = 4\ntimeout_s = 1.5",
       ""},
      {"terminator = \"\"", ""},
      {"terminator = \"1\"",
       "fields[2].terminator: expected \"#\", \"*\", or \"\" for none, got "
       "\"1\""},
      {"min_digits = 5\nmax_digits = 4",
       "fields[2].max_digits: expected a number that is not below min_digits, "
       "got 4"},
      {"max_digits = 33",
       "fields[2].max_digits: expected a whole number from 1 to 32, got 33"},
      {"timeout_s = 0.25",
       "fields[2].timeout_s: expected seconds from 0.5 to 30, got 0.25"},
  };
  for (const auto &row : rows) {
    const auto given = parse_definition(field + row.keys + "\n", "test.toml");
    const std::string error = given ? "" : given.error().message;
    if (*row.error == '\0' ? !error.empty() : !error.ends_with(row.error))
      g_error("%s: expected \"%s\", got \"%s\"", row.keys, row.error,
              error.c_str());
  }
}

// What can be satisfied is not refused: limits that meet, or lie apart.
void test_lists() {
  const std::string field = std::string(kWhole) + R"([[fields]]
name = "extras"
type = "list"
question = "What else?"
)";
  for (const char *keys :
       {"min = 2\nmax = 2", "min = 1.5\nmax = 2.5", "min = 0", "max = 1",
        "min = 2\nchoices = [{ value = \"milk\" }, { value = \"sugar\" }]",
        // Texts are as many as the caller likes.
        "min = 9", "min_length = 4\nmax_length = 4"})
    if (const auto given = parse_definition(field + keys + "\n", "test.toml");
        !given)
      g_error("%s: %s", keys, given.error().message.c_str());
}

void test_outside_bytes() {
  for (const std::string &text :
       {std::string(), std::string("\xff\xfe"), std::string("a = \"\0\"", 7),
        std::string(10000, '['),
        "fields = " + std::string(5000, '[') + std::string(5000, ']')})
    g_assert_false(parse_definition(text, "x").ok());
}

void test_ours() {
  const char *data = g_getenv("PATCHCORD_DATA_DIR");
  g_assert_nonnull(data);
  for (const char *name :
       {"intake", "room-booking", "appointment-reminder", "train-desk"}) {
    const std::string path = std::string(data) + "/agents/" + name + ".toml";
    char *text = nullptr;
    gsize size = 0;
    g_assert_true(g_file_get_contents(path.c_str(), &text, &size, nullptr));
    const auto definition = parse_definition({text, size}, path);
    g_free(text);
    if (!definition)
      g_error("%s", definition.error().message.c_str());
    g_assert_cmpuint(definition->fields.size(), >=, 3);
    g_assert_cmpuint(definition->instructions.size(), >, 100);
    // Callers wait while it is said.
    g_assert_cmpuint(definition->greeting.size(), <, 120);
    for (const Field &field : definition->fields)
      g_assert_cmpuint(field.question.size(), <, 100);
    // Who says nothing is asked twice, and not in the same words.
    const auto &silence = definition->phrases.silence;
    g_assert_cmpuint(silence.size(), ==, 2);
    g_assert_true(silence[0] != silence[1]);
    g_assert_true(definition->end.farewell != Definition().end.farewell);
  }
}

// --- the file ----------------------------------------------------------------

// Whatever is written has the same size.
class AgentFile {
public:
  const std::string &path() const { return path_; }
  void write(const char *greeting, std::filesystem::file_time_type written) {
    std::ofstream(path_) << "name = \"x\"\ninstructions = \"x\"\ngreeting = \""
                         << greeting << "\"\n";
    std::filesystem::last_write_time(path_, written);
  }
  std::string greeting() const {
    const auto definition = load_definition(path_);
    if (!definition)
      g_error("%s", definition.error().message.c_str());
    return (*definition)->greeting;
  }

private:
  test::TempDir dir_;
  const std::string path_ = dir_ / "x.toml";
};

void test_file_is_read_once() {
  AgentFile file;
  const auto long_ago = std::filesystem::file_time_type::clock::now() - 60s;
  file.write("Hello.", long_ago);
  equal(file.greeting(), "Hello.");
  // Nobody can tell that it is another one.
  file.write("Howdy.", long_ago);
  equal(file.greeting(), "Hello.");
  file.write("Howdy.", long_ago + 1s);
  equal(file.greeting(), "Howdy.");
}

// Within a tick of its clock the file system cannot tell either.
void test_file_that_just_changed() {
  AgentFile file;
  const auto now = std::filesystem::file_time_type::clock::now();
  file.write("Hello.", now);
  equal(file.greeting(), "Hello.");
  file.write("Howdy.", now);
  equal(file.greeting(), "Howdy.");
}

void test_file_with_mistakes() {
  AgentFile file;
  const auto long_ago = std::filesystem::file_time_type::clock::now() - 60s;
  file.write("Hello.", long_ago);
  equal(file.greeting(), "Hello.");
  file.write("Hello\"", long_ago + 1s);
  g_assert_false(load_definition(file.path()).ok());
  std::filesystem::remove(file.path());
  equal(load_definition(file.path()).error().code, "bad_agent");
}

void test_fields_that_do_not_apply() {
  const auto definition = parse_definition(kWhole, "test.toml");
  Values values;
  g_assert_false(complete(*definition, values));
  values["wish"] = std::string("tea");
  values["cups"] = std::int64_t{2};
  equal(to_json(*definition, applicable(*definition, values)),
        R"({"wish":"tea","cups":2})");
  g_assert_true(complete(*definition, values));
  values["wish"] = std::string("coffee");
  equal(to_json(*definition, applicable(*definition, values)),
        R"({"wish":"coffee"})");
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/definition/reads-a-whole-file", test_whole);
  g_test_add_func("/definition/refuses-with-the-line-and-the-key",
                  test_refusals);
  g_test_add_func("/definition/interruptions-have-their-own-table",
                  test_interruptions);
  g_test_add_func("/definition/languages-have-codes", test_languages);
  g_test_add_func("/definition/tells-all-mistakes-at-once", test_all_mistakes);
  g_test_add_func("/definition/tells-the-first-of-many-mistakes",
                  test_many_mistakes);
  g_test_add_func("/definition/a-summary-is-in-a-language-that-twilio-speaks",
                  test_summary_language);
  g_test_add_func("/definition/digits-have-rules", test_digits);
  g_test_add_func("/definition/lists-have-limits-that-can-be-met", test_lists);
  g_test_add_func("/definition/refuses-outside-bytes", test_outside_bytes);
  g_test_add_func("/definition/the-agents-that-come-along-are-whole",
                  test_ours);
  g_test_add_func("/definition/values-of-fields-that-do-not-apply-are-left-out",
                  test_fields_that_do_not_apply);
  g_test_add_func("/definition/a-file-is-read-once-for-all-calls",
                  test_file_is_read_once);
  g_test_add_func("/definition/a-file-that-just-changed-is-read-again",
                  test_file_that_just_changed);
  g_test_add_func("/definition/a-file-with-mistakes-is-refused-though-it-was-"
                  "good",
                  test_file_with_mistakes);
  return g_test_run();
}
