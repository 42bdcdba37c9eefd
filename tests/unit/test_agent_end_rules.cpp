// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include "agent/end_rules.hpp"
#include "agent/llm_mind.hpp"
#include "agent/resumption.hpp"
#include "agent/scripted_mind.hpp"
#include "base/json.hpp"

#include <glib.h>

#include <algorithm>

// Ends of a call by what a field is: [[end.rules]].
using namespace patchcord;
using namespace patchcord::agent;

namespace {

constexpr char kHead[] = "name = \"n\"\n"
                         "greeting = \"g\"\n"
                         "instructions = \"i\"\n";
constexpr char kFields[] = R"([[fields]]
name = "danger"
type = "boolean"
question = "Danger?"
[[fields]]
name = "kind"
type = "choice"
question = "Which?"
choices = [{ value = "power" }, { value = "water" }]
[[fields]]
name = "floor"
type = "integer"
question = "Floor?"
min = 0
max = 9
[[fields]]
name = "depth"
type = "number"
question = "How deep?"
[[fields]]
name = "word"
type = "string"
question = "Word?"
max_length = 8
[[fields]]
name = "badge"
type = "digits"
question = "Badge?"
min_digits = 4
[[fields]]
name = "parts"
type = "list"
question = "Parts?"
choices = [{ value = "lights" }, { value = "lift" }]
min = 2
[[fields]]
name = "notes"
type = "list"
question = "Notes?"
[[fields]]
name = "lamps"
type = "integer"
question = "Lamps?"
only_if = { field = "kind", value = "power" }
[[fields]]
name = "day"
type = "date"
question = "Day?"
[[transfer]]
name = "desk"
number = "+14155550111"
when = "w"
message = "To the desk."
)";

Result<Definition> with_rule(const std::string &rule) {
  return parse_definition(
      std::string(kHead) + kFields + "[[end.rules]]\n" + rule, "t.toml");
}

// --- the agent file ----------------------------------------------------------

void test_mistakes() {
  const struct {
    const char *rule, *error; // behind "t.toml:"; lines from the rule's first
  } rows[] = {
      {"field = \"dangr\"\nvalue = true\nmessage = \"m\"\n",
       "1: end.rules[0].field: expected the name of a field, got \"dangr\""},
      {"value = true\nmessage = \"m\"\n",
       "0: end.rules[0].field: expected a text, got nothing"},
      {"field = \"danger\"\nvalue = \"yes\"\nmessage = \"m\"\n",
       "2: end.rules[0].value: expected true or false, got \"yes\""},
      {"field = \"kind\"\nvalue = \"powr\"\nmessage = \"m\"\n",
       "2: end.rules[0].value: expected one of power, water, got \"powr\""},
      {"field = \"kind\"\nvalue = true\nmessage = \"m\"\n",
       "2: end.rules[0].value: expected one of power, water, got true"},
      {"field = \"floor\"\nvalue = 2.5\nmessage = \"m\"\n",
       "2: end.rules[0].value: expected a whole number from 0 up to 9, got "
       "2.5"},
      {"field = \"floor\"\nvalue = 12\nmessage = \"m\"\n",
       "2: end.rules[0].value: expected a whole number from 0 up to 9, got 12"},
      {"field = \"depth\"\nvalue = inf\nmessage = \"m\"\n",
       "2: end.rules[0].value: expected a number, got inf"},
      {"field = \"word\"\nvalue = \"much too long\"\nmessage = \"m\"\n",
       "2: end.rules[0].value: expected a text of at most 8 characters, got "
       "\"much too long\""},
      {"field = \"word\"\nvalue = \" \"\nmessage = \"m\"\n",
       "2: end.rules[0].value: expected a text that is not empty, got \" \""},
      {"field = \"badge\"\nvalue = \"12\"\nmessage = \"m\"\n",
       "2: end.rules[0].value: expected a text of 4 to 32 digits, got \"12\""},
      {"field = \"badge\"\nvalue = 1234\nmessage = \"m\"\n",
       "2: end.rules[0].value: expected a text of 4 to 32 digits, got 1234"},
      {"field = \"parts\"\nvalue = \"sockets\"\nmessage = \"m\"\n",
       "2: end.rules[0].value: expected one of lights, lift, got \"sockets\""},
      {"field = \"parts\"\nvalue = [\"lift\"]\nmessage = \"m\"\n",
       "2: end.rules[0].value: expected one of lights, lift, got an array"},
      {"field = \"day\"\nvalue = \"2026-05-03\"\nmessage = \"m\"\n",
       "1: end.rules[0].field: expected a field of type boolean, choice, "
       "integer, number, string, digits or list, got \"day\""},
      {"field = \"floor\"\nvalue = 1\nmin = 1\nmessage = \"m\"\n",
       "2: end.rules[0].value: expected no value beside min and max, got 1"},
      {"field = \"floor\"\nmessage = \"m\"\n",
       "0: end.rules[0].value: expected a value, or min or max, got nothing"},
      {"field = \"floor\"\nmin = 5\nmax = 4\nmessage = \"m\"\n",
       "3: end.rules[0].max: expected a number that is not below min, got 4"},
      {"field = \"floor\"\nmin = \"low\"\nmessage = \"m\"\n",
       "2: end.rules[0].min: expected a number, got \"low\""},
      {"field = \"depth\"\nmin = nan\nmessage = \"m\"\n",
       "2: end.rules[0].min: expected a finite number, got nan"},
      {"field = \"depth\"\nmax = -inf\nmessage = \"m\"\n",
       "2: end.rules[0].max: expected a finite number, got -inf"},
      {"field = \"danger\"\nmin = 1\nmessage = \"m\"\n",
       "2: end.rules[0].min: expected no min of a field of type boolean, got "
       "1"},
      {"field = \"parts\"\nmax = 2\nmessage = \"m\"\n",
       "2: end.rules[0].max: expected no max of a field of type list, got 2"},
      {"field = \"floor\"\nmin = 10\nmessage = \"m\"\n",
       "2: end.rules[0].min: expected a limit that the field can meet, which "
       "is a whole number from 0 up to 9, got 10"},
      {"field = \"floor\"\nmax = -1\nmessage = \"m\"\n",
       "2: end.rules[0].max: expected a limit that the field can meet, which "
       "is a whole number from 0 up to 9, got -1"},
      {"field = \"floor\"\nmin = 2.25\nmax = 2.75\nmessage = \"m\"\n",
       "3: end.rules[0].max: expected a limit that the field can meet, which "
       "is a whole number from 0 up to 9, got 2.75"},
      {"field = \"danger\"\nvalue = true\n",
       "0: end.rules[0].message: expected a text, got nothing"},
      {"field = \"danger\"\nvalue = true\nmessage = \" \"\n",
       "3: end.rules[0].message: expected a text that is not empty, got \" \""},
      {"field = \"danger\"\nvalue = true\ntransfer_to = \"desk\"\n"
       "message = \"\"\n",
       "4: end.rules[0].message: expected a text that is not empty, got \"\""},
      {"field = \"danger\"\nvalue = true\ntransfer_to = \"dsk\"\n",
       "3: end.rules[0].transfer_to: expected the name of a transfer target, "
       "got \"dsk\""},
      {"field = \"danger\"\nvalue = true\ntransfer_to = \"\"\n",
       "3: end.rules[0].transfer_to: expected the name of a transfer target, "
       "got \"\""},
      {"field = \"floor\"\nvalue = 12\nmessage = \"m\"\n[[end.rules]]\n"
       "field = \"danger\"\nvalue = 1\nmessage = \"m\"\n",
       "2: end.rules[0].value: expected a whole number from 0 up to 9, got 12\n"
       "t.toml:6: end.rules[1].value: expected true or false, got 1"},
      {"field = \"danger\"\nvalue = true\nmesage = \"m\"\n",
       "0: end.rules[0].message: expected a text, got nothing\n"
       "t.toml:3: end.rules[0].mesage: expected one of field, value, min, max, "
       "message, transfer_to, got an unknown key (did you mean message?)"},
  };
  const auto lines = [](const std::string &text) {
    return std::count(text.begin(), text.end(), '\n');
  };
  const auto first = lines(std::string(kHead) + kFields) + 1;
  for (const auto &row : rows) {
    const auto definition = with_rule(row.rule);
    if (definition)
      g_error("taken:\n%s", row.rule);
    std::string expected;
    std::string_view rest = row.error;
    while (!rest.empty()) { // each line begins with a number of its own
      if (rest.starts_with("t.toml:"))
        rest.remove_prefix(7);
      const auto colon = rest.find(':');
      const auto end = std::min(rest.find('\n'), rest.size());
      expected += expected.empty() ? "" : "\n";
      expected += "t.toml:" +
                  std::to_string(
                      first + std::stoi(std::string(rest.substr(0, colon)))) +
                  std::string(rest.substr(colon, end - colon));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    equal(definition.error().message, expected);
  }
  equal(parse_definition(std::string(kHead) + "[end]\nrules = 5\n", "t.toml")
            .error()
            .message,
        "t.toml:5: end.rules: expected an array of tables, got 5");
}

// --- when a rule holds -------------------------------------------------------

void test_holds() {
  const Values other = {{"kind", std::string("water")}};
  const Values power = {{"kind", std::string("power")}};
  const auto with = [](Values values, const char *name, Value value) {
    values.insert_or_assign(name, std::move(value));
    return values;
  };
  const struct {
    const char *rule;
    Values values;
    bool holds;
  } rows[] = {
      {"field = \"danger\"\nvalue = true\n", {}, false},
      {"field = \"danger\"\nvalue = true\n", {{"danger", true}}, true},
      {"field = \"danger\"\nvalue = true\n", {{"danger", false}}, false},
      {"field = \"danger\"\nvalue = false\n", {{"danger", false}}, true},
      {"field = \"kind\"\nvalue = \"power\"\n", power, true},
      {"field = \"kind\"\nvalue = \"power\"\n", other, false},
      {"field = \"floor\"\nvalue = 3\n", {{"floor", std::int64_t{3}}}, true},
      {"field = \"floor\"\nvalue = 3\n", {{"floor", std::int64_t{4}}}, false},
      {"field = \"depth\"\nvalue = 3\n", {{"depth", 3.0}}, true},
      {"field = \"depth\"\nvalue = 2.5\n", {{"depth", 2.6}}, false},
      {"field = \"floor\"\nmin = 3\n", {{"floor", std::int64_t{3}}}, true},
      {"field = \"floor\"\nmin = 3\n", {{"floor", std::int64_t{2}}}, false},
      {"field = \"floor\"\nmax = 3\n", {{"floor", std::int64_t{3}}}, true},
      {"field = \"floor\"\nmax = 3\n", {{"floor", std::int64_t{4}}}, false},
      {"field = \"depth\"\nmin = 1.5\nmax = 2\n", {{"depth", 1.5}}, true},
      {"field = \"depth\"\nmin = 1.5\nmax = 2\n", {{"depth", 2.1}}, false},
      // What the field does not allow is no value of it.
      {"field = \"floor\"\nmin = 3\n", {{"floor", std::int64_t{12}}}, false},
      // As a recogniser may write it.
      {"field = \"word\"\nvalue = \"fire\"\n",
       {{"word", std::string("Fire!")}},
       true},
      {"field = \"word\"\nvalue = \"gr\u00fc\u00df\"\n",
       {{"word", std::string("gr\u00f6\u00df")}},
       false},
      {"field = \"word\"\nvalue = \"?\"\n",
       {{"word", std::string("!")}},
       false},
      {"field = \"badge\"\nvalue = \"0471\"\n",
       {{"badge", std::string("0471")}},
       true},
      {"field = \"badge\"\nvalue = \"0471\"\n",
       {{"badge", std::string("04711")}},
       false},
      {"field = \"parts\"\nvalue = \"lift\"\n",
       {{"parts", List{"lights", "lift"}}},
       true},
      {"field = \"parts\"\nvalue = \"lift\"\n", // too few so far
       {{"parts", List{"lift"}}},
       false},
      {"field = \"notes\"\nvalue = \"gas smell\"\n",
       {{"notes", List{"noise", "Gas smell."}}},
       true},
      {"field = \"notes\"\nvalue = \"gas\"\n",
       {{"notes", List{"gas smell"}}},
       false},
      {"field = \"notes\"\nvalue = \"gas\"\n", {{"notes", List{}}}, false},
      // A field that does not apply.
      {"field = \"lamps\"\nmin = 1\n", with(power, "lamps", std::int64_t{2}),
       true},
      {"field = \"lamps\"\nmin = 1\n", with(other, "lamps", std::int64_t{2}),
       false},
  };
  for (const auto &row : rows) {
    const auto definition =
        with_rule(std::string(row.rule) + "message = \"m\"\n");
    if (!definition)
      g_error("%s", definition.error().message.c_str());
    if ((due_rule(*definition, row.values, {}) != nullptr) != row.holds)
      g_error("%s of %s: expected %d", row.rule,
              to_json(*definition, row.values).c_str(), row.holds);
  }
}

constexpr char kTwoRules[] = R"(field = "floor"
min = 3
transfer_to = "desk"
[[end.rules]]
field = "danger"
value = true
message = "Two."
)";

void test_first_and_once() {
  const auto definition = with_rule(kTwoRules);
  const auto &rules = definition->end.rules;
  Values values = {{"danger", true}, {"floor", std::int64_t{4}}};
  RuleState state;
  g_assert_true(due_rule(*definition, values, state) == &rules[0]);
  equal(words_of(*definition, rules[0]), "To the desk.");
  apply_rule(*definition, rules[0], values, state);
  // The next that holds; and the same again for another value.
  g_assert_true(due_rule(*definition, values, state) == &rules[1]);
  values["floor"] = std::int64_t{5};
  g_assert_true(due_rule(*definition, values, state) == &rules[0]);
  values["floor"] = std::int64_t{4};
  apply_rule(*definition, rules[1], values, state);
  g_assert_null(due_rule(*definition, values, state));
}

// --- what is confirmed
// ---------------------------------------------------------

constexpr char kCups[] = R"([[fields]]
name = "cups"
type = "integer"
question = "How many?"
phrases = ["cups"]
say = "{value} cups"
confirm = true
[[fields]]
name = "milk"
type = "boolean"
question = "Milk?"
[[end.rules]]
field = "cups"
min = 10
message = "Too many. Bye."
)";

void test_waits_for_confirmation() {
  const auto definition = with_fields(kCups, true);
  play_lines(definition, {{"twelve", "12 cups. Is that right?"},
                          {"no, eleven", "11 cups. Is that right?"},
                          {"yes", "Too many. Bye."}});
  play_lines(definition, {{"twelve", "12 cups. Is that right?"},
                          {"no", "How many?"},
                          {"two", "2 cups. Is that right?"},
                          {"yes", "Milk?"}});
  // Corrected at the end, it is read back by itself, for the call may be over.
  play_lines(definition,
             {{"two", "2 cups. Is that right?"},
              {"yes", "Milk?"},
              {"no", "Let me check: 2 cups, milk: no. Is that right?"},
              {"no, twelve cups", "12 cups. Is that right?"},
              {"yes", "Too many. Bye."}});
  play_lines(
      definition,
      {{"two", "2 cups. Is that right?"},
       {"yes", "Milk?"},
       {"no", "Let me check: 2 cups, milk: no. Is that right?"},
       {"no, three cups", "Let me check: 3 cups, milk: no. Is that right?"},
       {"yes", "Done. Bye."}});
}

std::unique_ptr<LlmMind>
mind_of(const std::shared_ptr<const Definition> &definition) {
  openai::ChatRequest request;
  request.model = "m";
  return std::make_unique<LlmMind>(definition, kWednesday, request);
}

Reply answer_of(LlmMind &mind, const std::string &caller,
                const std::string &answer) {
  (void)mind.answer(caller, {{Said::Who::kCaller, caller}});
  mind.model_begin();
  (void)mind.model_text(answer);
  const Thought thought = mind.model_done("stop", "", "");
  if (!std::holds_alternative<Reply>(thought))
    g_error("%s", std::get<ModelRequest>(thought).fault.c_str());
  return std::get<Reply>(thought);
}

void test_model_tells_what_is_confirmed() {
  const auto definition = with_fields(kCups);
  const std::string schema = answer_schema(*definition);
  g_assert_true(JsonDocument::parse(schema).ok());
  g_assert_nonnull(g_strstr_len(
      schema.c_str(), -1,
      R"("confirmed":{"type":"array","items":{"type":"string","enum":["cups"]}}},)"
      R"("required":["message","action","extracted","confirmed"])"));
  g_assert_null(g_strstr_len(answer_schema(*with_rule(kTwoRules)).c_str(), -1,
                             "confirmed"));

  const auto say = [](const char *cups, const char *confirmed) {
    return std::string(
               R"({"message":"m","action":"ask","extracted":{"cups":)") +
           cups + R"(,"milk":null},"confirmed":)" + confirmed + "}";
  };
  const auto mind = mind_of(definition);
  // Not in the turn in which it was told: nobody read it back.
  equal(answer_of(*mind, "twelve", say("12", R"(["cups"])")).action, "ask");
  equal(answer_of(*mind, "hm", say("12", "[]")).action, "ask");
  equal(answer_of(*mind, "hm", say("12", "null")).action, "ask");
  equal(answer_of(*mind, "no, eleven", say("11", R"(["cups"])")).action, "ask");
  const Reply last = answer_of(*mind, "yes", say("11", R"(["cups"])"));
  equal(last.action, "end_call");
  equal(last.last_words, "Too many. Bye.");
  mind->take_back();
  equal(answer_of(*mind, "well", say("11", "[]")).action, "ask");

  // What is none of it is asked for again.
  (void)mind->answer("x", {{Said::Who::kCaller, "x"}});
  mind->model_begin();
  (void)mind->model_text(say("11", R"(["milk"])"));
  equal(std::get<ModelRequest>(mind->model_done("stop", "", "")).fault,
        "confirmed: expected an array of some of cups, got \"milk\"");
}

void test_prompt() {
  const auto definition = with_rule(std::string(kTwoRules) +
                                    "[[end.rules]]\nfield = \"depth\"\n"
                                    "max = 2.5\nmessage = \"Three.\"\n"
                                    "[[end.rules]]\nfield = \"depth\"\n"
                                    "min = 3\nmax = 4\nmessage = \"Four.\"\n"
                                    "[[end.rules]]\nfield = \"parts\"\n"
                                    "value = \"lift\"\nmessage = \"Five.\"\n");
  RuleState state;
  const auto has = [&](const Definition &whose, const char *text) {
    const std::string prompt = system_prompt(whose, {}, {}, kWednesday, state);
    if (prompt.find(text) == std::string::npos)
      g_error("no %s in\n%s", text, prompt.c_str());
  };
  has(*definition, "* floor is 3 or more: say \"To the desk.\" with the action "
                   "transfer to desk.\n"
                   "* danger is true: say \"Two.\" with the action end_call.\n"
                   "* depth is 2.5 or less: say \"Three.\"");
  has(*definition, "* depth is from 3 up to 4: say \"Four.\"");
  has(*definition, "* parts contains \"lift\": say \"Five.\"");
  has(*with_fields(kCups),
      "* cups is 10 or more, and the caller has confirmed it: say \"Too many. "
      "Bye.\" with the action end_call.\n");
  has(*with_fields(kCups), "* confirmed: of cups, those that you have read "
                           "back and the caller has said are right.\n");
  state.applied.emplace(0, Value(std::int64_t{4}));
  has(*definition, "Nobody took the call when floor is 3 or more had you "
                   "transfer it to desk");
}

Resumption state_of(const Definition &definition, const std::string &json) {
  auto state = parse_resumption(definition, json);
  if (!state)
    g_error("%s", state.error().message.c_str());
  return *std::move(state);
}

// What another file, or nobody, has written is not taken.
void test_state_of_another_file() {
  const auto definition = with_rule(
      "field = \"parts\"\nvalue = \"lift\"\ntransfer_to = \"desk\"\n");
  const auto state = state_of(
      *definition,
      R"({"confirmed":{"floor":3,"danger":"yes","colour":1},"applied":[7,)"
      R"({"rule":-1,"field":"parts","value":"lift"},)"
      R"({"rule":1,"field":"parts","value":"lift"},)"
      R"({"rule":0,"field":"floor","value":3},)"
      R"({"rule":0,"field":"parts","value":5},)"
      R"({"rule":0,"field":"parts","value":"lift"}]})");
  g_assert_cmpuint(state.rules.confirmed.size(), ==, 1);
  g_assert_cmpuint(state.rules.applied.size(), ==, 1);
  const std::string json = to_json(*definition, state);
  g_assert_true(json.ends_with(
      R"("confirmed":{"floor":3},"applied":[{"rule":0,"field":"parts",)"
      R"("value":"lift"}]})"));
  equal(to_json(*definition, state_of(*definition, json)), json);
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"mistakes-are-told-with-their-lines", test_mistakes},
      {"a-rule-holds-when-its-field-is-that", test_holds},
      {"the-first-counts-and-once-for-a-value", test_first_and_once},
      {"a-field-that-is-confirmed-counts-then", test_waits_for_confirmation},
      {"a-model-tells-what-is-confirmed", test_model_tells_what_is_confirmed},
      {"a-model-is-told-the-rules", test_prompt},
      {"state-of-another-file-is-not-taken", test_state_of_another_file},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func((std::string("/end-rules/") + name).c_str(), test);
  return g_test_run();
}
