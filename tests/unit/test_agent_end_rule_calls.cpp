// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include "agent/resumption.hpp"

#include <glib.h>

// Calls that a rule ends, or hands over: [[end.rules]].
using namespace patchcord;
using namespace patchcord::agent;

namespace {

// --- the scripted mind -------------------------------------------------------

constexpr char kTripRules[] = R"([[end.rules]]
field = "city"
value = "Rome"
message = "Rome is full. Bye."
)";

constexpr char kTransferRule[] = R"([[transfer]]
name = "desk"
number = "+14155550111"
when = "w"
[[end.rules]]
field = "city"
value = "Rome"
transfer_to = "desk"
message = "Rome is for the desk."
)";

void test_ends_before_anything_is_asked() {
  auto script = ConversationScript::scripted("decided found", kTripRules);
  script->run({
      {0, "start",
       "start 1; Hello.; Which city?; end 1; decided 0/1 ask \"\" -> \"Hello. "
       "Which city?\" {} {} {} [\"city\",\"day\"] []"},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "words:Rome",
       "start 2!; Rome is full.; Bye.; end 2; decided 1/2 end_call \"Rome\" -> "
       "\"Rome is full. Bye.\" {\"city\":\"Rome\"} {\"city\":\"Rome\"} "
       "{\"city\":1} [\"day\"] []"},
      {2100, "started:2",
       "ended end_rule {\"city\":\"Rome\"} {\"city\":1} [\"day\"] []; EOS"},
  });
}

// What complete() says of it.
void test_goal() {
  auto script = ConversationScript::scripted({}, kTripRules);
  script->run({
      {0, "start", "start 1; Hello.; Which city?; end 1"},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "words:Rome tomorrow", "start 2!; Rome is full.; Bye.; end 2"},
      {2100, "started:2",
       "ended end_rule {\"city\":\"Rome\",\"day\":\"2026-04-30\"} goal; EOS"},
  });
  script = ConversationScript::scripted({}, kTransferRule);
  script->run({
      {0, "start", "start 1; Hello.; Which city?; end 1"},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "words:Rome tomorrow", "start 2!; Rome is for the desk.; end 2"},
      {2100, "started:2",
       "transfer desk; ended transfer "
       "{\"city\":\"Rome\",\"day\":\"2026-04-30\"} goal; EOS"},
  });
}

// What he says before he leaves counts.
void test_with_a_goodbye() {
  play_lines(trip_definition(kTripRules),
             {{"Rome, bye", "Rome is full. Bye."}});
  play_lines(trip_definition(kTripRules), {{"Oslo, bye", "Goodbye."}});
  play_lines(trip_definition(kTransferRule), {{"Rome, bye", "Goodbye."}});
}

void test_taken_back() {
  auto script = ConversationScript::scripted({}, kTripRules);
  script->run({
      {0, "start", "start 1; Hello.; Which city?; end 1"},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "speech", ""},
      {2500, "quiet", ""},
      {3000, "words@2500:Rome", "start 2!; Rome is full.; Bye.; end 2"},
      {3200, "speech", "hold"},
      {4000, "quiet", ""},
      {4200, "words@4000:no wait, Oslo", "flush; start 3; Which day?; end 3"},
      {4300, "started:3", ""},
      {5000, "ended:3", ""},
      // Judged anew, and not as one that was applied.
      {6000, "words:sorry, Rome", "start 4!; Rome is full.; Bye.; end 4"},
      {6100, "started:4", "ended end_rule {\"city\":\"Rome\"}; EOS"},
  });
}

// --- a model -----------------------------------------------------------------

void test_of_a_model() {
  const struct {
    const char *what, *rules, *answer, *said, *done, *ended;
  } rows[] = {
      {"its question is out, and the rule's words follow", kTripRules,
       R"({"message":"Rome. Which day?","action":"ask","extracted":)"
       R"({"city":"Rome"}})",
       "start 2; Rome.; Which day?", "Rome is full.; Bye.; end 2",
       "ended end_rule {\"city\":\"Rome\"}; EOS"},
      {"it goes on in the same breath", kTripRules,
       R"({"message":"Rome.","action":"say","extracted":{"city":"Rome"}})",
       "start 2; Rome.", "Rome is full.; Bye.; end 2",
       "ended end_rule {\"city\":\"Rome\"}; EOS"},
      {"it ends the call in its own words", kTripRules,
       R"({"message":"Not Rome. Bye.","action":"end_call","extracted":)"
       R"({"city":"Rome"}})",
       "start 2; Not Rome.; Bye.", "end 2",
       "ended end_rule {\"city\":\"Rome\"}; EOS"},
      {"it ends the call without any", kTripRules,
       R"({"message":"","action":"end_call","extracted":{"city":"Rome"}})", "",
       "start 2; Rome is full.; Bye.; end 2",
       "ended end_rule {\"city\":\"Rome\"}; EOS"},
      {"it has said the rule's words already", kTripRules,
       R"({"message":"Well, Rome is full! Bye.","action":"ask","extracted":)"
       R"({"city":"Rome"}})",
       "start 2; Well, Rome is full!; Bye.", "end 2",
       "ended end_rule {\"city\":\"Rome\"}; EOS"},
      {"it has said a word that ends like them", kTripRules,
       R"({"message":"xRome is full! Bye.","action":"ask","extracted":)"
       R"({"city":"Rome"}})",
       "start 2; xRome is full!; Bye.", "Rome is full.; Bye.; end 2",
       "ended end_rule {\"city\":\"Rome\"}; EOS"},
      {"it may be the goal", kTripRules,
       R"({"message":"Done.","action":"end_call","extracted":{"city":"Rome",)"
       R"("day":"2026-05-01"}})",
       "start 2; Done.", "end 2",
       "ended end_rule {\"city\":\"Rome\",\"day\":\"2026-05-01\"} goal; EOS"},
      {"another field is wrong", kTripRules,
       R"({"message":"Rome.","action":"ask","extracted":{"city":"Rome",)"
       R"("day":7}})",
       "start 2; Rome.", "trouble bad_answer; Rome is full.; Bye.; end 2",
       "ended end_rule {\"city\":\"Rome\"}; EOS"},
      {"it does not hold", kTripRules,
       R"({"message":"When?","action":"ask","extracted":{"city":"Oslo"}})",
       "start 2; When?", "end 2", ""},
      {"it hands over behind its question", kTransferRule,
       R"({"message":"When?","action":"ask","transfer_to":null,)"
       R"("extracted":{"city":"Rome"}})",
       "start 2; When?", "Rome is for the desk.; end 2",
       "transfer desk; ended transfer {\"city\":\"Rome\"}; EOS"},
      {"it hands over in its own words", kTransferRule,
       R"({"message":"To the desk.","action":"transfer","transfer_to":"desk",)"
       R"("extracted":{"city":"Rome"}})",
       "start 2; To the desk.", "end 2",
       "transfer desk; ended transfer {\"city\":\"Rome\"}; EOS"},
      {"it hands over with the goal", kTransferRule,
       R"({"message":"","action":"transfer","transfer_to":"desk",)"
       R"("extracted":{"city":"Rome","day":"2026-05-01"}})",
       "", "start 2; Rome is for the desk.; end 2",
       "transfer desk; ended transfer "
       "{\"city\":\"Rome\",\"day\":\"2026-05-01\"} goal; EOS"},
      {"it would have ended the call", kTransferRule,
       R"({"message":"Bye.","action":"end_call","transfer_to":null,)"
       R"("extracted":{"city":"Rome"}})",
       "start 2; Bye.", "Rome is for the desk.; end 2",
       "transfer desk; ended transfer {\"city\":\"Rome\"}; EOS"},
  };
  for (const auto &row : rows) {
    g_test_message("%s", row.what);
    auto script = ConversationScript::asked({}, row.rules);
    script->run({{3100, std::string("model:") + row.answer, row.said},
                 {3200, "model-done", row.done}});
    // Behind words of its own the rule's are awaited.
    std::string is = script->step(3300, "started:2");
    if (is.empty())
      is = script->step(3400, "ended:2");
    equal(is, row.ended);
  }
}

// The model's own words are heard; the rule's are not, and he goes on.
void test_taken_back_of_a_model() {
  auto script = ConversationScript::asked({}, kTripRules);
  script->run({
      {3100,
       R"(model:{"message":"Rome it is.","action":"ask","extracted":)"
       R"({"city":"Rome"}})",
       "start 2; Rome it is."},
      {3150, "started:2", ""},
      {3200, "model-done", "Rome is full.; Bye.; end 2"},
      {3300, "progress:2:Rome it", ""},
      {3400, "speech", "hold"},
      {3450, "held:2:Rome it is.", ""},
      {4000, "quiet", ""},
      {4200, "words@4000:no, Oslo", "flush; request 2"},
      {4250, "cut:2:Rome it is.", "interrupted 1/2 \"Rome it is.\" 1100"},
      {4300,
       R"(model:{"message":"When?","action":"ask","extracted":)"
       R"({"city":"Oslo"}})",
       "start 3; When?"},
      {4400, "model-done", "end 3"},
      {4500, "started:3", ""},
      {5500, "ended:3", ""},
      {6000, "words:Rome after all", "request 3"},
      {6100,
       R"(model:{"message":"","action":"end_call","extracted":)"
       R"({"city":"Rome"}})",
       ""},
      {6200, "model-done", "start 4; Rome is full.; Bye.; end 4"},
      {6300, "started:4", "ended end_rule {\"city\":\"Rome\"}; EOS"},
  });
  // From the first sound of the rule's words on it stands.
  script = ConversationScript::asked({}, kTripRules);
  script->run({
      {3100,
       R"(model:{"message":"Rome it is.","action":"ask","extracted":)"
       R"({"city":"Rome"}})",
       "start 2; Rome it is."},
      {3150, "started:2", ""},
      {3200, "model-done", "Rome is full.; Bye.; end 2"},
      {4000, "progress:2:Rome it is.", ""},
      {4100, "progress:2:Rome it is. Rome",
       "ended end_rule {\"city\":\"Rome\"}; EOS"},
  });
  equal(script->history(), "agent: Hello. Which city? | caller: Rome | agent: "
                           "Rome it is. Rome");
}

// What goes on when the model's answers are of no use knows the rules.
void test_taken_over() {
  auto script = ConversationScript::asked({}, kTripRules);
  script->run({
      {3100, "model:{}", ""},
      {3200, "model-done", "trouble bad_answer; request 2"},
      {3300, "model:{}", ""},
      {3400, "model-done",
       "trouble bad_answer; start 2; Rome is full.; Bye.; end "
       "2"},
      {3500, "started:2", "ended end_rule {\"city\":\"Rome\"}; EOS"},
  });
  // Behind words that were spoken: they are a decision of their own.
  script = ConversationScript::asked({}, kTripRules);
  script->run({
      {3100, R"(model:{"message":"Rome. Well)", "start 2; Rome."},
      {3150, "started:2", ""},
      {3200, "model-done", "trouble bad_answer; request 2"},
      {3300, "model:{}", ""},
      {3400, "model-done", "trouble bad_answer; Rome is full.; Bye.; end 2"},
      {3500, "progress:2:Rome.", ""},
      {3600, "speech", "hold"},
      {3900, "quiet", ""},
      {4200, "words@3900:no, Oslo", "flush; start 3; Which day?; end 3"},
  });
}

// --- nobody took the call ----------------------------------------------------

constexpr char kOnce[] = R"([[transfer]]
name = "desk"
number = "+14155550111"
when = "w"
[[end.rules]]
field = "city"
value = "Rome"
transfer_to = "desk"
)";

const char *const kState =
    R"({"turn":2,"caller_turns":1,"utterances":2,"elapsed_ms":2000,)"
    R"("values":{"city":"Rome"},"rejected":[],"turns":{"city":1},"history":)"
    R"([{"agent":"Hello. Which city?"},{"caller":"Rome"},)"
    R"({"agent":"I am putting you through."}],)"
    R"("applied":[{"rule":0,"field":"city","value":"Rome"}]})";

Resumption state_of(const Definition &definition, const std::string &json) {
  auto state = parse_resumption(definition, json);
  if (!state)
    g_error("%s", state.error().message.c_str());
  return *std::move(state);
}

void test_not_again() {
  const std::string rules = kOnce;
  const auto definition = trip_definition(rules.c_str());
  auto script = ConversationScript::scripted("state", rules.c_str());
  script->run({
      {0, "start", "start 1; Hello.; Which city?; end 1"},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "words:Rome", "start 2!; I am putting you through.; end 2"},
      {2000, "started:2",
       std::string("transfer desk ") + kState +
           "; ended transfer {\"city\":\"Rome\"}; EOS"},
  });
  equal(to_json(*definition, state_of(*definition, kState)), kState);

  auto back = ConversationScript::scripted({}, rules.c_str());
  back->conversation().resume(state_of(*definition, kState));
  back->run({
      {0, "start",
       "start 3; I am sorry, nobody could be reached.; Which day?; end 3"},
      {100, "started:3", ""},
      {1000, "ended:3", ""},
      {2000, "words:hello", "start 4; Pardon?; Which day?; end 4"},
      {2100, "started:4", ""},
      {3000, "ended:4", ""},
      {4000, "words:tomorrow", "start 5!; Done.; Bye.; end 5"},
  });

  auto model = ConversationScript::model({}, rules.c_str());
  model->conversation().resume(state_of(*definition, kState));
  const std::string body = model->request_body(0, "start");
  g_assert_nonnull(
      g_strstr_len(body.c_str(), -1, "Nobody took the call when city is"));
  model->run({
      {500,
       R"(model:{"message":"Which day?","action":"ask","transfer_to":null,)"
       R"("extracted":{"city":"Rome"}})",
       "Which day?"},
      {600, "model-done", "end 3"},
      {700, "started:3", ""},
      {2000, "ended:3", ""},
      // Nor of who goes on for it.
      {3000, "words:hm", "request 2"},
      {3100, "model:{}", ""},
      {3200, "model-done", "trouble bad_answer; request 3"},
      {3300, "model:{}", ""},
      {3400, "model-done",
       "trouble bad_answer; start 4; Step by step.; Which day?; end 4"},
  });
}

// The next rule in the file is for when nobody took the call.
void test_the_next_one() {
  const std::string rules = std::string(kOnce) + kTripRules;
  const auto definition = trip_definition(rules.c_str());
  auto script = ConversationScript::scripted({}, rules.c_str());
  script->conversation().resume(state_of(*definition, kState));
  script->run({
      {0, "start",
       "start 3!; I am sorry, nobody could be reached.; Rome is full.; Bye.; "
       "end 3; ended end_rule {\"city\":\"Rome\"}; EOS"},
  });
  auto model = ConversationScript::model({}, rules.c_str());
  model->conversation().resume(state_of(*definition, kState));
  model->run({
      {0, "start", "start 3; I am sorry, nobody could be reached.; request 1"},
      {500,
       R"(model:{"message":"","action":"end_call","transfer_to":null,)"
       R"("extracted":{"city":"Rome"}})",
       ""},
      {550, "started:3", ""},
      {600, "model-done", "Rome is full.; Bye.; end 3"},
      {2000, "progress:3:I am sorry, nobody could be reached. Rome",
       "ended end_rule {\"city\":\"Rome\"}; EOS"},
  });
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"the-call-ends-before-anything-is-asked",
       test_ends_before_anything_is_asked},
      {"the-goal-may-be-reached-with-it", test_goal},
      {"what-comes-with-a-goodbye-counts", test_with_a_goodbye},
      {"taken-back-it-is-judged-anew", test_taken_back},
      {"whatever-a-model-answers-the-call-ends", test_of_a_model},
      {"of-a-model-it-is-taken-back-until-its-words-are-heard",
       test_taken_back_of_a_model},
      {"who-goes-on-for-a-model-knows-the-rules", test_taken_over},
      {"a-transfer-that-nobody-took-does-not-come-again", test_not_again},
      {"the-next-rule-is-for-when-nobody-took-the-call", test_the_next_one},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func((std::string("/end-rules/") + name).c_str(), test);
  return g_test_run();
}
