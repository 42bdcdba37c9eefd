// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include "agent/findings.hpp"
#include "agent/llm_mind.hpp"
#include "agent/scripted_mind.hpp"
#include "agent/values.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

#include <glib.h>

// What a value may be, and where values came from.
using namespace patchcord;
using namespace patchcord::agent;

namespace {

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
       "[]"},
      {4000, "started:3",
       "ended goal {\"city\":\"Oslo\",\"day\":\"2026-04-30\"} "
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
               {2700, "speech", "hold"},
               {3000, "quiet", ""},
               {3100, "words:tomorrow", "flush; start 3!; Done.; Bye.; end 3"},
               {3100, "started:3",
                "ended goal {\"city\":\"Rome\",\"day\":\"2026-04-30\"} "
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
