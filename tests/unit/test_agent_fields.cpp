// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include "agent/findings.hpp"
#include "agent/llm_mind.hpp"
#include "agent/scripted_mind.hpp"
#include "agent/values.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

#include <glib.h>

// Digits, what a value may be, and where values came from.
using namespace patchcord;
using namespace patchcord::agent;

namespace {

constexpr char kCode[] = R"([[fields]]
name = "code"
type = "digits"
question = "Your code?"
invalid = "It has four to six digits."
min_digits = 4
max_digits = 6
timeout_s = 3
)";

// --- what a value may be -----------------------------------------------------

void test_validity() {
  const auto definition = with_fields(R"([[fields]]
name = "plate"
type = "string"
question = "q"
pattern = "[A-Z]{1,3} ?[0-9]+"
min_length = 4
max_length = 8
[[fields]]
name = "people"
type = "integer"
question = "q"
min = 1
max = 20
)" + std::string(kGuests) + kCode + kEquipment);
  const struct {
    const char *field;
    Value value;
    bool valid;
  } rows[] = {
      {"plate", std::string("AB 1234"), true},
      {"plate", std::string("AB1"), false},
      {"plate", std::string("ABC 12345"), false},
      {"plate", std::string("ab 1234"), false},
      {"plate", std::string("AB 1234 x"), false},
      {"plate", std::int64_t{5}, false},
      {"people", std::int64_t{20}, true},
      {"people", std::int64_t{21}, false},
      {"people", 3.5, false},
      {"guests", List{"Anna", "Bo"}, true},
      {"guests", List{"Anna"}, false},
      {"guests", List{"Anna", "Bartholomea of"}, false},
      // Twelve characters, and more bytes.
      {"guests", List{"Anna", "Ååååååååååå."}, true},
      {"code", std::string("0123"), true},
      {"code", std::string("012"), false},
      {"code", std::string("0123456"), false},
      {"code", std::string("012a"), false},
      {"equipment", List{}, true},
      {"equipment", List{"sofa"}, false},
  };
  for (const auto &row : rows)
    if (is_valid(*definition->field(row.field), row.value) != row.valid)
      g_error("%s: expected %d of %s", row.field, row.valid,
              to_json(*definition, {{row.field, row.value}}).c_str());
}

void test_pattern_takes_no_time() {
  // Hours with a matcher that backtracks.
  const auto pattern = Pattern::compile("(a+)+b");
  g_assert_true(pattern.ok());
  g_assert_false(pattern->matches(std::string(400, 'a')));
  g_assert_true(pattern->matches(std::string(400, 'a') + "b"));
  g_assert_false(pattern->matches(std::string(100000, 'a') + "b"));
}

void test_refused_values() {
  const auto definition = with_fields(R"([[fields]]
name = "plate"
type = "string"
question = "Your plate?"
reprompt = "Say the plate."
pattern = "[A-Z]+ [0-9]+"
confirm = true
)");
  const char *refused = "Sorry, I cannot take that. Say the plate.";
  equal(play_lines(definition, {{"I have none", refused},
                                {"AB 12", "Plate: AB 12. Is that right?"},
                                {"no", "Your plate?"},
                                {"whatever", refused},
                                {"whatever", refused},
                                {"whatever", "Sorry, bye."}}),
        "{}");
}

void test_model_is_told() {
  const auto definition = with_fields(kGuests);
  openai::ChatRequest request;
  request.model = "m";
  LlmMind mind(definition, kWednesday, request);
  const auto tell = [&mind](const char *guests) {
    (void)mind.answer("x", {{Said::Who::kCaller, "x"}});
    mind.model_begin();
    (void)mind.model_text(R"({"message":"m","action":"ask","extracted":)"
                          R"({"guests":)" +
                          std::string(guests) + "}}");
    g_assert_true(
        std::holds_alternative<Reply>(mind.model_done("stop", "", "m")));
  };
  tell(R"(["Anna","Bo"])");
  tell(R"(["Anna"])"); // a correction that is not right
  equal(to_json(*definition, mind.values()), "{}");
  const Thought thought = mind.answer("x", {{Said::Who::kCaller, "x"}});
  const std::string body = std::get<ModelRequest>(thought).body;
  g_assert_nonnull(strstr(body.c_str(), "told for guests is not accepted"));
  tell(R"(["Anna","Cleo"])");
  g_assert_true(mind.rejected().empty());
}

// --- digits ------------------------------------------------------------------

using Step = ConversationScript::Step;

std::unique_ptr<ConversationScript> code_asked(const std::string &field) {
  const auto definition = with_fields(field);
  auto script = std::make_unique<ConversationScript>(
      std::make_unique<ScriptedMind>(definition, kWednesday), "", definition);
  script->run({{0, "start", "start 1; Hello.; Your code?; end 1"},
               {100, "started:1", ""},
               {1000, "ended:1", ""}});
  return script;
}

const char *const kTaken = "start 2!; Done.; Bye.; end 2; ended goal "
                           "{\"code\":\"0471\"} goal; EOS";

void test_digits_end() {
  // By the terminator, by the pause, by the last of them.
  code_asked(kCode)->run({{2000, "key:0", ""},
                          {2100, "key:4", ""},
                          {2200, "key:7", ""},
                          {2300, "key:1", ""},
                          {2400, "key:#", kTaken}});
  code_asked(kCode)->run({{2000, "key:0", ""},
                          {4900, "key:4", ""},
                          {5000, "key:7", ""},
                          {5100, "key:1", ""},
                          {8099, "wait", ""},
                          {8100, "wait", kTaken}});
  code_asked(kCode)->run({{2000, "key:0", ""},
                          {2100, "key:4", ""},
                          {2200, "key:7", ""},
                          {2300, "key:1", ""},
                          {2400, "key:1", ""},
                          {2500, "key:1",
                           "start 2!; Done.; Bye.; end 2; ended goal "
                           "{\"code\":\"047111\"} goal; EOS"}});
}

void test_digits_said() {
  code_asked(kCode)->run({{2000, "speech", ""},
                          {3000, "quiet", ""},
                          // Six would be all; four may be.
                          {3100, "words:oh four seven one", ""},
                          {3699, "wait", ""},
                          {3700, "wait", kTaken}});
  code_asked(kCode)->run(
      {{2000, "speech", ""},
       {3000, "quiet", ""},
       {3100, "words:it is oh four seven one double one",
        "start 2!; Done.; Bye.; end 2; ended goal {\"code\":\"047111\"} goal; "
        "EOS"}});
}

void test_digits_refused() {
  auto script = code_asked(kCode);
  script->run({{2000, "key:0", ""},
               {2100, "key:#",
                "start 2; It has four to six digits.; Your code?; end 2"},
               // It ended them already, and interrupts nobody.
               {2300, "started:2", ""},
               {2400, "key:#", ""},
               {2500, "key:0", "flush"},
               {2510, "cut:2:It has", "interrupted 1/2 \"It has\" 600"},
               {2600, "key:4", ""},
               {2650, "key:5", ""},
               {2700, "key:*", ""}, // away with it
               {2800, "key:0", ""},
               {2900, "key:4", ""},
               {3000, "key:7", ""},
               {3100, "key:1", ""},
               {3200, "key:#",
                "start 3!; Done.; Bye.; end 3; ended goal "
                "{\"code\":\"0471\"} goal; EOS"}});
}

void test_other_terminators() {
  code_asked(kCode + std::string("terminator = \"*\"\n"))
      ->run({{2000, "key:0", ""},
             {2100, "key:4", ""},
             {2200, "key:7", ""},
             {2300, "key:1", ""},
             {2400, "key:#", ""},
             {2500, "key:*", kTaken}});
  code_asked(kCode + std::string("terminator = \"\"\n"))
      ->run({{2000, "key:0", ""},
             {2100, "key:4", ""},
             {2200, "key:7", ""},
             {2300, "key:1", ""},
             {2400, "key:#", ""},
             {5299, "wait", ""},
             {5300, "wait", kTaken}});
}

void test_digits_and_model() {
  const auto definition = with_fields(kCode);
  LlmMind mind(definition, kWednesday, {});
  g_assert_true(mind.expectation().digits->timeout == 3s);
  g_assert_cmpint(mind.expectation().digits->most, ==, 6);
  // It may ask for a telephone number first, or have one corrected.
  const auto more =
      with_fields(std::string(kCode) + "[[fields]]\nname = \"phone\"\ntype = "
                                       "\"phone\"\nquestion = \"Phone?\"\n");
  const LlmMind of_two(more, kWednesday, {});
  g_assert_cmpint(of_two.expectation().digits->most, ==, 32);
  mind.model_begin();
  (void)mind.model_text(
      R"({"message":"m","action":"ask","extracted":{"code":"0471"}})");
  (void)mind.model_done("stop", "", "m");
  equal(to_json(*definition, mind.values()), R"({"code":"0471"})");
  g_assert_false(mind.expectation().digits.has_value());
}

// Typed or said, and whatever the model makes of it: what is too long for the
// field is no value of it.
void test_too_many_digits_and_model() {
  const auto definition = with_fields(kCode);
  LlmMind mind(definition, kWednesday, {});
  for (const char *digits : {"0471111", "471", ""}) {
    mind.model_begin();
    (void)mind.model_text((std::string(R"({"message":"m","action":"ask",)") +
                           R"("extracted":{"code":")" + digits + "\"}}")
                              .c_str());
    (void)mind.model_done("stop", "", "m");
    equal(to_json(*definition, mind.values()), "{}");
  }
  g_assert_cmpint(mind.expectation().digits->most, ==, 6);
}

void test_too_many_digits_said() {
  code_asked(kCode)->run(
      {{2000, "speech", ""},
       {3000, "quiet", ""},
       {3100, "words:oh four seven one double one two",
        "start 2; It has four to six digits.; Your code?; end 2"}});
}

// --- where values came from --------------------------------------------------

std::string shown(const Found &found) {
  return found.fields + " " + found.turns + " " + found.missing + " " +
         found.invalid;
}

void test_findings() {
  const auto definition = with_fields(R"([[fields]]
name = "wish"
type = "choice"
question = "q"
choices = [{ value = "tea" }, { value = "milk" }]
[[fields]]
name = "cups"
type = "integer"
question = "q"
max = 9
only_if = { field = "wish", value = "tea" }
[[fields]]
name = "note"
type = "string"
question = "q"
required = false
)");
  Findings findings(definition);
  equal(shown(findings.all()), R"({} {} ["wish"] [])");
  findings.begin_turn();
  findings.update({{"wish", std::string("tea")}}, {"cups"}, 1);
  equal(shown(findings.all()), R"({"wish":"tea"} {"wish":1} [] ["cups"])");
  findings.begin_turn();
  Values values = {{"wish", std::string("tea")}, {"cups", std::int64_t{2}}};
  findings.update(values, {}, 2);
  equal(findings.of_turn(2), R"({"cups":2})");
  equal(shown(findings.all()),
        R"({"wish":"tea","cups":2} {"wish":1,"cups":2} [] [])");
  // A correction is of its own turn; the same again is not.
  findings.begin_turn();
  values["cups"] = std::int64_t{3};
  findings.update(values, {}, 3);
  equal(findings.of_turn(3), R"({"cups":3})");
  equal(findings.all().turns, R"({"wish":1,"cups":3})");
  // It was never heard: the turn before stands.
  findings.take_back();
  equal(findings.all().turns, R"({"wish":1,"cups":2})");
  values["cups"] = std::int64_t{10};
  findings.update(values, {}, 4);
  equal(findings.all().invalid, R"(["cups"])");
  // Of what does not apply nothing is missing, nor kept.
  values["wish"] = std::string("milk");
  findings.update(values, {"cups"}, 5);
  equal(shown(findings.all()), R"({"wish":"milk"} {"wish":5} [] [])");
  findings.update({}, {}, 6);
  equal(shown(findings.all()), R"({} {} ["wish"] [])");
}

void test_turns_of_a_call() {
  auto script = ConversationScript::scripted("decided found");
  script->run({
      {0, "start",
       "start 1; Hello.; Which city?; end 1; decided 0/1 ask \"\" -> \"Hello. "
       "Which city?\" {} {} {} [\"city\",\"day\"] []"},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "words:Rome",
       "start 2; Which day?; end 2; decided 1/2 ask \"Rome\" -> \"Which day?\" "
       "{\"city\":\"Rome\"} {\"city\":\"Rome\"} {\"city\":1} [\"day\"] []"},
      {2100, "started:2", ""},
      {3000, "ended:2", ""},
      {4000, "words:Oslo, sorry, tomorrow",
       "start 3!; Done.; Bye.; end 3; decided 2/3 end_call \"Oslo, sorry, "
       "tomorrow\" -> \"Done. Bye.\" "
       "{\"city\":\"Oslo\",\"day\":\"2026-04-30\"} "
       "{\"city\":\"Oslo\",\"day\":\"2026-04-30\"} {\"city\":2,\"day\":2} [] "
       "[]; ended goal {\"city\":\"Oslo\",\"day\":\"2026-04-30\"} "
       "{\"city\":2,\"day\":2} [] [] goal; EOS"},
  });
}

void test_turn_of_what_was_never_heard() {
  // The turn that found the city was taken back; the next one found both.
  auto script = ConversationScript::scripted("found");
  script->run({{0, "start", "start 1; Hello.; Which city?; end 1"},
               {100, "started:1", ""},
               {1000, "ended:1", ""},
               {2000, "speech", ""},
               {2500, "quiet", ""},
               {2600, "words:Rome", "start 2; Which day?; end 2"},
               {2700, "speech", ""},
               {3000, "quiet", ""},
               {3100, "words:tomorrow",
                "flush; start 3!; Done.; Bye.; end 3; ended goal "
                "{\"city\":\"Rome\",\"day\":\"2026-04-30\"} "
                "{\"city\":2,\"day\":2} [] [] goal; EOS"}});
}

void test_what_is_missing() {
  auto script = ConversationScript::scripted("found");
  script->run({{0, "start", "start 1; Hello.; Which city?; end 1"},
               {100, "started:1", ""},
               {1000, "ended:1", ""},
               {2000, "words:Rome", "start 2; Which day?; end 2"},
               {3000, "gone",
                "ended caller_hung_up {\"city\":\"Rome\"} {\"city\":1} "
                "[\"day\"] []; EOS"}});
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"/value/is-what-the-definition-allows", test_validity},
      {"/value/pattern-takes-no-time", test_pattern_takes_no_time},
      {"/value/that-is-not-right-is-asked-for-again", test_refused_values},
      {"/value/that-is-not-right-is-told-to-the-model", test_model_is_told},
      {"/digits/end-at-key-pause-or-length", test_digits_end},
      {"/digits/are-said-as-well", test_digits_said},
      {"/digits/too-few-are-asked-for-again", test_digits_refused},
      {"/digits/may-end-at-another-key-or-none", test_other_terminators},
      {"/digits/of-a-model-are-for-the-field-that-is-missing",
       test_digits_and_model},
      {"/digits/too-many-of-a-model-are-no-value",
       test_too_many_digits_and_model},
      {"/digits/too-many-that-are-said-are-asked-for-again",
       test_too_many_digits_said},
      {"/findings/keep-the-turn-they-came-from", test_findings},
      {"/findings/of-a-call-are-told-with-each-decision", test_turns_of_a_call},
      {"/findings/of-a-reply-that-was-never-heard-are-of-the-next-turn",
       test_turn_of_what_was_never_heard},
      {"/findings/that-are-missing-are-told-at-the-end", test_what_is_missing},
  };
  for (const auto &test : tests)
    g_test_add_func(test.name, test.test);
  return g_test_run();
}
