// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/phone.hpp"
#include "scenario/scenario.hpp"

#include "../support/check_text.hpp"

#include <glib.h>

#include <cstring>
#include <string>
#include <vector>

using namespace patchcord;
using namespace patchcord::scenario;

static const std::string kHead = "name: x\nagent: room-booking\n";

static std::string refusal(const std::string &text,
                           const char *file = "s.yaml") {
  const auto scenario = parse_scenario(text, file);
  return scenario ? "taken" : scenario.error().message;
}

// --- what it says ------------------------------------------------------------

static void test_says_what_its_toml_says() {
  const char *toml = R"(
name = "Everything"
agent = "room-booking"
mind = "openai"
[stt]
delay_ms = 120
[voice]
timings = false
[[model.answers]]
content = '{"message":"Hello: #1"}'
calls = [{ name = "look", arguments = '{"a":1}' }]
[[caller]]
say = "book a room"
heard = "look a broom"
at_word = 3
[[caller]]
noise_ms = 250
silence_s = 1.5
[[caller]]
dtmf = "1#"
[[caller]]
hang_up = true
after_s = 2
[expect]
reply_within_ms = 900
goal_reached = false
fields = { people = 4, location = "Sunnyvale", offices = ["a", "b"] }
history = ["agent: Hello.", "caller: no"]
replies = [{ number = 1, contains = "Hello" }]
)";
  const char *yaml = R"(%YAML 1.2
---
# In each of the ways in which YAML writes the same.
name: Everything
agent: room-booking
mind: 'openai'
stt: { delay_ms: 120 }
"voice": {timings: false}
model:
  answers:
  - content: '{"message":"Hello: #1"}'
    calls: [{ name: look, arguments: '{"a":1}' }]
caller:
  - say: >-
      book
      a room
    heard: |
      look a broom
    at_word: 3
  - noise_ms: 0xFA
    silence_s: 15e-1
  - dtmf: "1#"
  - {hang_up: true, after_s: 2}
expect:
  reply_within_ms: 900
  goal_reached: false
  fields:
    people: 4
    location: Sunnyvale
    offices: [a, "b"]
  history:
  - "agent: Hello."
  - 'caller: no'
  replies:
  - ? number
    : 1
    contains: Hello
...
)";
  for (const char *file : {"s.toml", "s.yaml", "s.yml"}) {
    const bool is_toml = std::string(file).ends_with(".toml");
    const auto scenario = parse_scenario(is_toml ? toml : yaml, file);
    if (!scenario)
      g_error("%s", scenario.error().message.c_str());
    CHECK_TEXT(scenario->name, "Everything");
    CHECK_TEXT(scenario->mind, "openai");
    g_assert_true(scenario->stt.delay == 120ms);
    g_assert_false(scenario->voice.timings);
    const ModelAnswer &answer = scenario->model.answers.at(0);
    CHECK_TEXT(answer.content, "{\"message\":\"Hello: #1\"}");
    CHECK_TEXT(answer.calls.at(0).name, "look");
    CHECK_TEXT(answer.calls.at(0).arguments, "{\"a\":1}");
    const auto &lines = scenario->lines;
    g_assert_cmpuint(lines.size(), ==, 4);
    CHECK_TEXT(lines[0].text, "book a room");
    CHECK_TEXT(*lines[0].heard, "look a broom");
    g_assert_true(lines[0].cue.kind == Cue::Kind::kWord);
    g_assert_cmpint(lines[0].cue.word, ==, 3);
    g_assert_true(lines[1].length == 250ms);
    g_assert_true(lines[1].cue.time == 1500ms);
    CHECK_TEXT(lines[2].text, "1#");
    g_assert_true(lines[3].what == Line::What::kHangUp);
    g_assert_true(lines[3].cue.time == 2s);
    const Expectations &expect = scenario->expect;
    g_assert_true(*expect.reply_within == 900ms);
    g_assert_false(*expect.goal_reached);
    CHECK_TEXT(expect.fields.at("people"), "4");
    CHECK_TEXT(expect.fields.at("location"), "\"Sunnyvale\"");
    CHECK_TEXT(expect.fields.at("offices"), "[\"a\",\"b\"]");
    CHECK_TEXT(expect.history.at(1), "caller: no");
    CHECK_TEXT(expect.replies.at(0).pattern, "*Hello*");
  }
}

// "no" is what callers say.
static void test_types_of_scalars() {
  const struct {
    const char *yaml, *json;
  } rows[] = {
      {"true", "true"},
      {"false", "false"},
      {"True", "\"True\""},
      {"no", "\"no\""},
      {"yes", "\"yes\""},
      {"on", "\"on\""},
      {"Off", "\"Off\""},
      {"\"true\"", "\"true\""},
      {"'12'", "\"12\""},
      {"\"\\x41\\u00e9\"", "\"A\xc3\xa9\""},
      {"12", "12"},
      {"-12", "-12"},
      {"+12", "12"},
      {"007", "7"},
      {"0x1F", "31"},
      {"0o17", "15"},
      {"-0x1F", "\"-0x1F\""},
      {"0x", "\"0x\""},
      {"0o8", "\"0o8\""},
      {"9223372036854775807", "9223372036854775807"},
      {"1_000", "\"1_000\""},
      {"1.5", "1.5"},
      {".5", "0.5"},
      {"-2.5e3", "-2500"},
      {"1.2.3", "\"1.2.3\""},
      {"1e", "\"1e\""},
      {".", "\".\""},
      {"inf", "\"inf\""},
      {"nan", "\"nan\""},
      {"12:30", "\"12:30\""},
      {"2026-05-04", "\"2026-05-04\""},
      {"+14155550100x", "\"+14155550100x\""},
      {"well... on Friday # a comment", "\"well... on Friday\""},
      {"\n    two\n    lines", "\"two lines\""},
      {"|\n    two\n    lines", "\"two\\nlines\\n\""},
      {">\n    two\n    lines", "\"two lines\\n\""},
      {"!!str 12", "\"12\""},
      {"!!str", "\"\""},
      {"! 12", "\"12\""},
      {"!!int 12", "12"},
      {"!!float 12", "12"},
      {"!!bool true", "true"},
      {"!!seq [a]", "[\"a\"]"},
  };
  for (const auto &row : rows) {
    const auto scenario = parse_scenario(
        kHead + "expect:\n  fields:\n   value: " + row.yaml + "\n", "s.yaml");
    if (!scenario)
      g_error("%s: %s", row.yaml, scenario.error().message.c_str());
    CHECK_TEXT(scenario->expect.fields.at("value"), row.json);
  }
}

// --- what is refused ---------------------------------------------------------

// Whole files, to which the head does not belong.
static void test_refuses_what_is_no_table() {
  const std::string anchor = "expected no anchor (&) and no alias (*); a text "
                             "that begins so needs quotes";
  const std::string tag = "expected no tag but that of what the value is "
                          "(!!str, !!int, !!float, !!bool, !!map, !!seq)";
  const std::string quote =
      "expected the quote at the end of a text that begins in line ";
  const struct {
    std::string text, error; // behind "s.yaml:"
  } rows[] = {
      {"", "1: expected keys with values, got nothing"},
      {"# nothing\n\n", "2: expected keys with values, got nothing"},
      {"---\n", "1: expected keys with values, got nothing"},
      {"hello\n", "1: expected keys with values, got another value"},
      {"\n- a: 1\n", "2: expected keys with values, got another value"},
      // null
      {"a: 1\nb:\nc: 2\n", "2: b: expected a value, got nothing"},
      {"a: {b: ~}\n", "1: a.b: expected a value, got nothing"},
      {"a:\n  b: null\n", "2: a.b: expected a value, got nothing"},
      {"a: [b,\n  ~]\n", "2: a: expected a value, got nothing"},
      {"a:\n- b\n-\n# - c\n\n- d\n", "3: a: expected a value, got nothing"},
      {"a:\n- b\n-   # c\n\nd: 1\n", "3: a: expected a value, got nothing"},
      {"a:\n- b\n-", "3: a: expected a value, got nothing"},
      {"a:\n- b\n- ~\n", "3: a: expected a value, got nothing"},
      {"a:\r\n- b\r\n-\r\n- d\r\n", "3: a: expected a value, got nothing"},
      // keys
      {"a: 1\nb: {c: 1, d: 2,\n  c: 3}\n",
       "3: b.c: expected this key once, got it again"},
      {"a: 1\n\"a\": 1\n", "2: a: expected this key once, got it again"},
      {"a: 1\n1: 2\n",
       "2: expected a text as a key, got another value (in quotes it is a "
       "text)"},
      {"a: 1\ntrue: 2\n",
       "2: expected a text as a key, got another value (in quotes it is a "
       "text)"},
      {"a: 1\n[b]: 2\n",
       "2: expected a text as a key, got a table or an array"},
      {"a: 1\n{b: c}: 2\n",
       "2: expected a text as a key, got a table or an array"},
      {"a: 1\n~: 2\n", "2: expected a text as a key, got nothing"},
      {"a: 1\n: 2\n", "2: expected a text as a key, got nothing"},
      // anchors, aliases, tags, documents
      {"a: &b 1\n", "1: a: " + anchor},
      {"a: 1\nb: &c [d]\n", "2: b: " + anchor},
      {"&a b: 1\n", "1: " + anchor},
      {"a: 1\nb: *c\n",
       "2: expected no alias (*); a text that begins so needs quotes"},
      {"a: 1\nb: !mine c\n", "2: b: " + tag},
      {"a: 1\nb: !!int c\n", "2: b: " + tag},
      {"a: 1\nb: !!binary aGk=\n", "2: b: " + tag},
      {"a: 1\nb: !!set {c: 1}\n", "2: b: " + tag},
      {"a: 1\nb: !!omap [c]\n", "2: b: " + tag},
      {"a: 1\nb: !!null\n", "2: b: " + tag},
      {"a: 1\n---\nb: 2\n", "2: expected nothing behind the first document"},
      {"a: 1\n...\nb: 2\n", "3: expected nothing behind the first document"},
      {"%YAML 2.0\n---\na: 1\n", "1: expected YAML: YAML major version too "
                                 "large"},
      // numbers
      {"a: 1\nb: 9223372036854775808\n",
       "2: b: expected a number of 64 bits, or a text in quotes"},
      {"a: 1\nb: 0x10000000000000000\n",
       "2: b: expected a number of 64 bits, or a text in quotes"},
      {"a: 1\nb: 1e999\n",
       "2: b: expected a number of 64 bits, or a text in quotes"},
      // characters
      {"a: 1\nb: \xff\n", "2: expected UTF-8"},
      {"a: 1\n# \xc3\n", "2: expected UTF-8"},
      {"a: 1\nb: \x04\nc: 2\n", "2: expected no control characters"},
      {std::string("a: 1\nb: \0\n", 10), "2: expected no control characters"},
      {std::string("\xff\xfe"
                   "a\0:\0",
                   6),
       "1: expected no control characters"},
      // what is no YAML
      {"a: b: c\n", "1: expected one key and its value (a text with \": \" in "
                    "it needs quotes)"},
      {"a:\n  b: 1\n c: 2\n",
       "3: expected a key, as far in as those above (behind a quote or a "
       "bracket the line ends)"},
      {"a: \"b\" c\n",
       "1: expected a key, as far in as those above (behind a quote or a "
       "bracket the line ends)"},
      {"a:\n  - b: 1\n   c: 2\n",
       "3: expected \"- \", as far in as those above"},
      {"a: - b\n",
       "1: expected \"- \" only at the beginning of a line, behind spaces"},
      {"a: 1\n\tb: 2\n", "2: expected spaces at the beginning of a line"},
      {"a: {b: 1\nc: 2\n", "2: expected \",\" or \"}\""},
      {"a: [b\nc: 2\n", "2: expected \",\" or \"]\""},
      {"a: b]\nc: ]\n", "2: expected YAML: illegal flow end"},
      {"a: 1\nb: \"c\nd: e\nf: g\n", "4: " + quote + "2 or behind it"},
      {"a: 1\nb: 'c", "2: " + quote + "2 or behind it"},
      {"a: 1\nb: \"\\q\"\n", "2: expected YAML: unknown escape character: q"},
      {"a: 1\nb: @c\n", "2: expected a value (a text that begins with @, ` or "
                        "% needs quotes)"},
  };
  for (const auto &row : rows)
    CHECK_TEXT(refusal(row.text), "s.yaml:" + row.error);
}

// By the reader of both, which is told where a node stands.
static void test_mistakes_have_their_lines() {
  const struct {
    const char *text;
    std::vector<const char *> words;
  } rows[] = {
      {"agnet: x\n", {"s.yaml:3: agnet: ", "unknown key", "agent"}},
      {"mind: clever\n", {"s.yaml:3: mind: ", "openai", "clever"}},
      {"today: 2026-13-04\n", {"s.yaml:3: today: ", "2026-05-04"}},
      {"stt: {delay_ms: soon}\n", {"s.yaml:3: stt.delay_ms: ", "\"soon\""}},
      {"stt:\n\n  delay_ms: 1.5\n", {"s.yaml:5: stt.delay_ms: ", "1.5"}},
      {"stt:\n  - delay_ms: 1\n", {"s.yaml:3: stt: expected a table"}},
      {"voice:\n  timings: no\n",
       {"s.yaml:4: voice.timings: expected true or false, got \"no\""}},
      {"caller: hello\n", {"s.yaml:3: caller: expected an array of tables"}},
      {"caller:\n- say: a\n- hello\n",
       {"s.yaml:5: caller: expected a table, got \"hello\""}},
      {"caller:\n- say: a\n- sya: b\n",
       {"s.yaml:5: caller.say: ", "s.yaml:5: caller.sya: "}},
      {"caller:\n- say: a\n-\n  reply_ms: 2\n", {"s.yaml:6: caller.say: "}},
      {"caller:\n- say: 12\n",
       {"s.yaml:4: caller.say: expected a text, got 12"}},
      {"caller:\n- dtmf:\n    12a\n", {"s.yaml:4: caller.dtmf: ", "12a"}},
      {"caller:\n- say: |\n    a\n    b\n  at_s: .nan\n",
       {"s.yaml:7: caller.at_s: ", "nan"}},
      {"caller:\n- say: a\n  wav: a.wav\n",
       {"s.yaml:5: caller.wav: expected nothing besides say"}},
      {"expect: {edn: goal}\n", {"s.yaml:3: expect.edn: ", " action,"}},
      {"expect:\n  heard: [a,\n    b, 3]\n",
       {"s.yaml:5: expect.heard: expected a text, got 3"}},
      {"expect:\n  heard:\n  - a\n  - \"\"\n", {"s.yaml:6: expect.heard: "}},
      {"expect:\n  fields:\n    a: [1]\n    b: {c: 1}\n",
       {"s.yaml:6: expect.fields.b: "}},
      {"model:\n  answers:\n  - content: a\n  - status: 200\n",
       {"s.yaml:6: model.answers.content: "}},
  };
  for (const auto &row : rows) {
    const std::string error = refusal(kHead + row.text);
    for (const char *word : row.words)
      if (error.find(word) == std::string::npos)
        g_error("%s: \"%s\" is not in: %s", row.text, word, error.c_str());
  }
  CHECK_TEXT(refusal("\n# No name.\nagent: intake\n"),
             "s.yaml:3: name: expected a text, got nothing");
  // All of them at once, in the order of the file.
  const std::string all =
      refusal(kHead + "caller:\n- at_s: x\nmind: clever\nnmae: x\n");
  std::size_t at = 0;
  for (const char *word : {"s.yaml:4: caller.say", "s.yaml:4: caller.at_s",
                           "s.yaml:5: mind", "s.yaml:6: nmae"}) {
    at = all.find(word, at);
    if (at == std::string::npos)
      g_error("%s, in this order, is not in: %s", word, all.c_str());
  }
}

static void test_sound_that_is_not_there() {
  const auto scenario = parse_scenario(
      kHead + "caller:\n- say: a\n- heard: a\n  wav: /nowhere/none.wav\n",
      "s.yaml");
  g_assert_true(scenario.ok());
  const auto lines = prepare(*scenario);
  g_assert_false(lines.ok());
  g_assert_true(lines.error().message.starts_with("s.yaml:6: caller.wav: "));
}

// None crashes yaml-cpp, or keeps it for long.
static void test_bombs_are_refused() {
  const auto many = [](const std::string &piece) {
    std::string text;
    while (text.size() < 100'000)
      text += piece;
    return text;
  };
  for (const char *piece : {"[", "{", "- ", "? ", "[\n", "{a: ", ": ", "[[],",
                            "!!seq [", "\"", "&a ", "- - \n", "a: ", "-\n"})
    for (const std::string &text : {many(piece), "a: " + many(piece)}) {
      const std::string error = refusal(text);
      if (!error.starts_with("s.yaml:"))
        g_error("%s...: %s", piece, error.c_str());
    }
  std::string stairs;
  for (int i = 0; i < 400; ++i)
    stairs += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  g_assert_true(refusal(stairs).starts_with("s.yaml:33: a.a.a."));
  const std::string deep(31, '['), deeper(32, '[');
  CHECK_TEXT(refusal("a: " + deeper + "1" + std::string(32, ']')),
             "s.yaml:1: a: expected at most 32 levels");
  g_assert_nonnull(
      strstr(refusal("a: " + deep + "1" + std::string(31, ']')).c_str(),
             "unknown key"));
  CHECK_TEXT(refusal(kHead + "#" + std::string(std::size_t{1} << 20, ' ')),
             "s.yaml:1: expected at most 1 MiB, got 1048605 bytes");
  // A thousand million laughs.
  std::string laughs = "a0: &a0 [ha, ha]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = std::to_string(i - 1), now = std::to_string(i);
    laughs +=
        "a" + now + ": &a" + now + " [*a" + before + ", *a" + before + "]\n";
  }
  g_assert_true(
      refusal(laughs).starts_with("s.yaml:1: a0: expected no anchor"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/scenario-yaml/says-what-its-toml-says",
                  test_says_what_its_toml_says);
  g_test_add_func("/scenario-yaml/only-what-looks-so-is-no-text",
                  test_types_of_scalars);
  g_test_add_func("/scenario-yaml/what-is-no-table-is-refused-with-its-line",
                  test_refuses_what_is_no_table);
  g_test_add_func("/scenario-yaml/mistakes-are-told-with-their-lines",
                  test_mistakes_have_their_lines);
  g_test_add_func(
      "/scenario-yaml/sound-that-is-not-there-is-told-with-its-line",
      test_sound_that_is_not_there);
  g_test_add_func("/scenario-yaml/bombs-are-refused", test_bombs_are_refused);
  return g_test_run();
}
