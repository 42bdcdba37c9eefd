// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include <glib.h>

// The end of a call is decided, and the caller goes on before he has heard a
// sound of it; and answers that have not begun to sound when he does.
namespace {

using Script = std::unique_ptr<ConversationScript>;

const char *const kGoal =
    "ended goal {\"city\":\"Rome\",\"day\":\"2026-04-30\"} goal; EOS";

// "Rome tomorrow" is all that is wanted: the goodbye is on its way.
Script closing(const char *more = "") {
  Script script = ConversationScript::scripted({}, more);
  script->run(
      {{0, "start", "start 1; Hello.; Which city?; end 1"},
       {100, "started:1", ""},
       {1000, "ended:1", ""},
       {2000, "speech", ""},
       {2500, "quiet", ""},
       {3000, "words@2500:Rome tomorrow", "start 2!; Done.; Bye.; end 2"}});
  return script;
}

// The same of a model, which says so in its own time.
Script closing_of_model(const char *more = "") {
  Script script = ConversationScript::asked({}, more);
  script->run({{3100,
                R"(model:{"message":"Rome, bye.","action":"end_call",)"
                R"("extracted":{"city":"Rome","day":"2026-04-30"}})",
                "start 2; Rome, bye."},
               {3200, "model-done", "end 2"}});
  return script;
}

void test_is_taken_back() {
  const Script script = closing();
  script->run({{3200, "speech", "hold"},
               {4000, "quiet", ""},
               {4200, "words@4000:no wait, Oslo",
                "flush; start 3!; Done.; Bye.; end 3"},
               {4400, "started:3",
                "ended goal {\"city\":\"Oslo\",\"day\":\"2026-04-30\"} goal; "
                "EOS"}});
  equal(script->history(),
        "agent: Hello. Which city? | caller: Rome tomorrow no wait, Oslo");
}

// He began before it was decided.
void test_decided_while_he_speaks() {
  const Script script = ConversationScript::asked();
  script->run({{3050, "speech", ""},
               {3100,
                R"(model:{"message":"Rome, bye.","action":"end_call",)"
                R"("extracted":{"city":"Rome"}})",
                "start 2; hold; Rome, bye."},
               {3200, "model-done", "end 2"},
               {3900, "quiet", ""},
               {4200, "words@3900:no, Oslo", "flush; request 2"},
               {4500, "gone", "cancel; ended caller_hung_up {}; EOS"}});
}

// Of a model the goal that was reached is none any more, either.
void test_of_a_model() {
  const Script script = closing_of_model();
  script->run({{3300, "speech", "hold"},
               {4000, "quiet", ""},
               {4200, "words@4000:no, Oslo", "flush; request 2"},
               {4300, "model:{\"message\":\"When?\",", "start 3; When?"},
               {4350, "model:\"action\":\"ask\",\"extracted\":{}}", ""},
               {4400, "model-done", "end 3"},
               {4500, "started:3", ""},
               {5000, "gone", "ended caller_hung_up {}; EOS"}});
}

void test_transfer_is_taken_back() {
  const Script script = ConversationScript::scripted({}, R"([[transfer]]
name = "desk"
number = "+14155550111"
when = "x"
phrases = ["operator"]
message = "One second."
)");
  script->run(
      {{0, "start", "start 1; Hello.; Which city?; end 1"},
       {100, "started:1", ""},
       {1000, "ended:1", ""},
       {2000, "speech", ""},
       {2500, "quiet", ""},
       {3000, "words@2500:operator", "start 2!; One second.; end 2"},
       {3200, "speech", "hold"},
       {4000, "quiet", ""},
       {4200, "first:mumble", "resume"},
       {4300, "speech", "hold"},
       {5000, "quiet", ""},
       {5200, "words@5000:no wait, Rome", "flush; start 3; Which day?; end 3"},
       {5300, "started:3", ""}});
}

// Late, but said.
void test_what_does_not_take_it_back() {
  const struct {
    const char *what;
    std::initializer_list<ConversationScript::Step> steps;
  } rows[] = {
      {"a noise that is too short", {{3320, "quiet", "resume"}}},
      {"a noise, by the recogniser's word",
       {{4000, "quiet", ""}, {4500, "mumble", "resume"}}},
      {"the same, in silence",
       {{4000, "quiet", ""}, {4500, "words@4000:", "resume"}}},
      {"speech without words",
       {{4000, "quiet", ""}, {5999, "wait", ""}, {6000, "wait", "resume"}}},
      {"mm-hm", {{3600, "quiet", ""}, {4100, "words@3600:mm-hm", "resume"}}},
      {"mm-hm, told early",
       {{3400, "partial:mm-hm", ""},
        {3600, "quiet", "resume"},
        {4100, "words@3600:mm-hm", ""}}},
      {"mm-hm, and a noise behind it",
       {{3500, "quiet", ""},
        {3900, "speech", ""},
        {4100, "words@3500:mm-hm", ""},
        {4200, "quiet", ""},
        {6199, "wait", ""},
        {6200, "wait", "resume"}}},
      {"what takes leave as well",
       {{3900, "quiet", ""}, {4400, "words@3900:Thanks, bye!", "resume"}}},
      {"the same, told early",
       {{3400, "partial:okay thank you", ""},
        {3900, "quiet", "resume"},
        {4400, "words@3900:Okay, thank you very much. Goodbye.", ""}}},
      {"noise without an end",
       {{33199, "wait", ""}, {33200, "wait", "resume"}}},
  };
  for (const auto &row : rows) {
    g_test_message("%s", row.what);
    const Script script = closing();
    script->run({{3200, "speech", "hold"}});
    script->run(row.steps);
    script->run({{40000, "started:2", kGoal}, {41000, "ended:2", ""}});
    equal(script->history(),
          "agent: Hello. Which city? | caller: Rome tomorrow | agent: Done. "
          "Bye.");
  }
}

// "Mm-hm" may go on, and an end that sounds is for good: it waits until he is
// quiet.
void test_more_behind_mm_hm() {
  closing()->run({{3200, "speech", "hold"},
                  {3400, "partial:mm-hm", ""},
                  {3800, "partial:mm-hm no Oslo", ""},
                  {4200, "quiet", ""},
                  {4700, "words@4200:mm-hm no Oslo",
                   "flush; start 3!; Done.; Bye.; end 3"}});
  closing()->run({{3200, "speech", "hold"},
                  {3400, "partial:mm-hm", ""},
                  {4199, "wait", ""},
                  {4200, "quiet", "resume"}});
}

// Nor does a click behind his words, before they are known, carry it out.
void test_noise_behind_words() {
  for (const char *early : {"", "partial:no wait"}) {
    const Script script = closing();
    script->run({{3200, "speech", "hold"}});
    if (*early != 0)
      script->run({{3500, early, ""}});
    script->run({{3700, "quiet", ""},
                 {3800, "speech", ""},
                 {3880, "quiet", ""},
                 {4300, "words@3700:no wait, Oslo",
                  "flush; start 3!; Done.; Bye.; end 3"}});
  }
  // They were none.
  closing()->run({{3200, "speech", "hold"},
                  {3700, "quiet", ""},
                  {3800, "speech", ""},
                  {3880, "quiet", ""},
                  {4300, "words@3700:", "resume"},
                  {4400, "words@3880:", ""}});
}

// The agent bears being talked over; what cannot be interrupted does not begin.
void test_waits_at_once() {
  closing("[interruptions]\nhold_after_ms = 600\n")
      ->run({{3200, "speech", "hold"}, {3320, "quiet", "resume"}});
}

void test_stands_once_it_sounds() {
  const Script script = closing();
  script->run({{3200, "started:2", kGoal},
               {3300, "speech", ""},
               {4000, "quiet", ""},
               {4500, "words@4000:no, Oslo", ""},
               {5000, "ended:2", ""}});
}

// Behind a filler it begins with its own first word.
void test_behind_a_filler() {
  constexpr char kFillers[] = "[fillers]\nphrases = [\"Let me see.\"]\n"
                              "after_ms = 1000\n";
  const Script script = ConversationScript::asked({}, kFillers);
  script->run({{4000, "wait", "start 2; Let me see."},
               {4100, "started:2", ""},
               {4200,
                R"(model:{"message":"Bye.","action":"end_call",)"
                R"("extracted":{"city":"Rome"}})",
                "Bye."},
               {4300, "model-done", "end 2"},
               {4400, "speech", "hold"},
               {4500, "held:2:Let me", ""},
               {5000, "quiet", ""},
               {5300, "words@5000:no, Oslo", "flush; request 2"},
               {5400, "cut:2:Let me", "interrupted 1/2 \"Let me\" 600"},
               {5500, "gone", "cancel; ended caller_hung_up {}; EOS"}});
}

// Nor do they begin behind one, whatever the agent bears otherwise.
void test_behind_a_filler_at_once() {
  constexpr char kPatient[] = "[fillers]\nphrases = [\"Let me see.\"]\n"
                              "after_ms = 1000\n"
                              "[interruptions]\nhold_after_ms = 600\n";
  constexpr char kEnds[] = R"(model:{"message":"Bye.","action":"end_call",)"
                           R"("extracted":{"city":"Rome"}})";
  const Script script = ConversationScript::asked({}, kPatient);
  script->run({{4000, "wait", "start 2; Let me see."},
               {4100, "started:2", ""},
               {4200, kEnds, "Bye."},
               {4300, "model-done", "end 2"},
               {4400, "speech", "hold"},
               {4500, "gone",
                "resume; ended caller_hung_up "
                "{\"city\":\"Rome\"}; EOS"}});
  // Keys that are not complete yet.
  const Script keys = ConversationScript::asked({}, kPatient);
  keys->run({{3500, "key:7", ""},
             {4500, "wait", "start 2; Let me see."},
             {4600, "started:2", ""},
             {4700, kEnds, "Bye."},
             {4800, "model-done", "end 2; hold"},
             {5500, "wait", "flush; request 2"}});
}

// What the agent has said, and he has heard, stays true when its end does not.
void test_behind_what_was_said() {
  const Script script = ConversationScript::asked();
  script->run(
      {{3100,
        R"(model:{"message":"Rome, noted.","action":"say",)"
        R"("extracted":{"city":"Rome"}})",
        "start 2; Rome, noted."},
       {3200, "model-done", "request 2"},
       {3300, "started:2", ""},
       {3400,
        R"(model:{"message":"Bye.","action":"end_call",)"
        R"("extracted":{}})",
        "Bye."},
       {3500, "model-done", "end 2"},
       {3600, "speech", "hold"},
       {4000, "quiet", ""},
       {4500, "words@4000:one more thing", "flush; request 3"},
       {4600, "cut:2:Rome, noted.", "interrupted 1/2 \"Rome, noted.\" 1200"},
       {5000, "gone",
        "cancel; ended caller_hung_up {\"city\":\"Rome\"}; EOS"}});
}

// A value that the definition does not allow is taken back with the others.
void test_refused_value_is_taken_back() {
  const Script script = ConversationScript::asked("found");
  script->run({{3100,
                R"(model:{"message":"Bye.","action":"end_call",)"
                R"("extracted":{"day":"soon"}})",
                "start 2; Bye."}});
  (void)script->step(3200, "model-done");
  script->run({{3300, "speech", "hold"}, {4000, "quiet", ""}});
  (void)script->step(4200, "words@4000:no, Oslo");
  equal(script->step(4500, "gone"),
        "cancel; ended caller_hung_up {} {} [\"city\",\"day\"] []; EOS");
}

// Keys are an answer as well.
void test_keys_take_it_back() {
  closing()->run({{3200, "key:7", "hold"}, {3300, "key:*", "resume"}});
  closing()->run({{3200, "key:7", "hold"},
                  {5199, "wait", ""},
                  {5200, "wait", "flush; start 3!; Done.; Bye.; end 3"}});
  // Nor does a noise meanwhile, such as the key's own, carry the end out.
  closing()->run({{3200, "key:7", "hold"},
                  {3250, "speech", ""},
                  {3300, "quiet", ""},
                  {3400, "words@3300:", ""},
                  {5300, "wait", "flush; start 3!; Done.; Bye.; end 3"}});
  // Pressed while the model was thinking.
  ConversationScript::asked()->run(
      {{3050, "key:7", ""},
       {3100,
        R"(model:{"message":"Rome, bye.","action":"end_call",)"
        R"("extracted":{"city":"Rome"}})",
        "start 2; Rome, bye."},
       {3200, "model-done", "end 2; hold"},
       {5050, "wait", "flush; request 2"}});
}

// Of who has not said a word, before what he answers has begun to sound.
void test_keys_alone_silence_what_was_not_heard() {
  const Script script = ConversationScript::scripted(
      {}, "[[fields]]\nname = \"code\"\ntype = \"digits\"\n"
          "question = \"Code?\"\nmax_digits = 2\n");
  script->run(
      {{0, "start", "start 1; Hello.; Which city?; end 1"},
       {100, "started:1", ""},
       {1000, "ended:1", ""},
       {2000, "key:#", ""},
       {2100, "key:7", ""},
       {4100, "wait", "start 2; Pardon?; Rome or Oslo?; end 2"},
       {4150, "key:8", ""},
       {6150, "wait", "flush; start 3; Pardon?; Rome or Oslo?; end 3"}});
  equal(script->history(), "agent: Hello. Which city? | caller: 7 8");
}

// Of who has no voice, only words: nothing would let it go on again.
void test_words_without_speech_hold_nothing() {
  const Script script = ConversationScript::scripted();
  script->run({{0, "start", "start 1; Hello.; Which city?; end 1"},
               {100, "started:1", ""},
               {1000, "ended:1", ""},
               {3000, "words:Rome", "start 2; Which day?; end 2"},
               {3100, "partial:no wait", ""},
               {3200, "words:no, Oslo", "flush; start 3; Which day?; end 3"}});
}

// What ends a call whatever the caller says is not put off.
void test_what_ends_it_all_the_same() {
  closing()->run({{3100, "gone", kGoal}});
  closing()->run({{3200, "speech", "hold"},
                  {3300, "gone",
                   "resume; ended caller_hung_up "
                   "{\"city\":\"Rome\",\"day\":\"2026-04-30\"} goal; EOS"}});
  // Twilio's end of the stream is told by the sink first.
  closing()->run({{3200, "speech", "hold"},
                  {3300, "cut:2:", "resume"},
                  {3300, "gone",
                   "ended caller_hung_up "
                   "{\"city\":\"Rome\",\"day\":\"2026-04-30\"} goal; EOS"}});
  closing()->run(
      {{3200, "speech", "hold"},
       {3300, "deaf:x", std::string("resume; ") + kGoal + "; trouble x"}});
  closing()->run({{3100, "ended:2", kGoal}});
  closing()->run({{3100, "cut:2:", kGoal}});
  // By time: nobody tells of it any more, or he speaks on until it is up.
  closing()->run({{60000, "wait", kGoal}});
  const Script script = closing();
  script->run({{3200, "speech", "hold"}});
  for (int ms = 10000; ms < 120000; ms += 10000)
    script->run({{ms, "partial:no, Oslo", ""}});
  script->run({{120000, "wait", std::string("resume; ") + kGoal}});
}

// Where nobody tells what is heard, nobody can tell when it is too late.
void test_without_reports() {
  const Script script = ConversationScript::scripted();
  script->run({{0, "start", "start 1; Hello.; Which city?; end 1"},
               {2000, "words:Rome tomorrow",
                std::string("start 2!; Done.; Bye.; end 2; ") + kGoal}});
}

// --- answers that have not begun to sound ------------------------------------

// His words are about to come: what was decided without them does not begin.
void test_stale_answer_waits() {
  constexpr char kAsks[] = R"(model:{"message":"Rome. Which day?",)"
                           R"("action":"ask","extracted":{"city":"Rome"}})";
  // He has spoken on, and is quiet when the answer comes.
  const Script script = ConversationScript::asked();
  script->run({{3100, "speech", ""},
               {3900, "quiet", ""},
               {4000, kAsks, "start 2; hold; Rome.; Which day?"},
               {4100, "model-done", "end 2"},
               {4400, "words@3900:no, Oslo", "flush; request 2"}});
  equal(script->history(), "agent: Hello. Which city? | caller: Rome no, Oslo");
  // There are none.
  ConversationScript::asked()->run(
      {{3100, "speech", ""},
       {3900, "quiet", ""},
       {4000, kAsks, "start 2; hold; Rome.; Which day?"},
       {4100, "model-done", "end 2"},
       {5899, "wait", ""},
       {5900, "wait", "resume"},
       {6000, "started:2", ""}});
  // It was known before that it was nothing.
  ConversationScript::asked()->run(
      {{3100, "speech", ""},
       {3200, "quiet", ""},
       {4000, kAsks, "start 2; Rome.; Which day?"}});
  ConversationScript::asked()->run(
      {{3100, "speech", ""},
       {3600, "quiet", ""},
       {3700, "mumble", ""},
       {4000, kAsks, "start 2; Rome.; Which day?"}});
  // He bears less than he spoke.
  ConversationScript::asked({}, "[interruptions]\nhold_after_ms = 600\n")
      ->run({{3100, "speech", ""},
             {3600, "quiet", ""},
             {4000, kAsks, "start 2; Rome.; Which day?"}});
}

// It is on its way when he speaks on.
void test_answer_on_its_way_waits() {
  const Script script = ConversationScript::scripted();
  script->run(
      {{0, "start", "start 1; Hello.; Which city?; end 1"},
       {100, "started:1", ""},
       {1000, "ended:1", ""},
       {2000, "speech", ""},
       {2500, "quiet", ""},
       {3000, "words@2500:Rome", "start 2; Which day?; end 2"},
       {3100, "speech", "hold"},
       {3900, "quiet", ""},
       {4400, "words@3900:no, Oslo", "flush; start 3; Which day?; end 3"}});
}

// A key too many in the same run answers no question that he has not heard.
void test_one_key_too_many() {
  const char *const kTwo = "[[fields]]\nname = \"pin\"\ntype = \"digits\"\n"
                           "question = \"Pin?\"\nmax_digits = 2\n"
                           "[[fields]]\nname = \"more\"\ntype = \"digits\"\n"
                           "question = \"More?\"\nmax_digits = 2\n";
  const auto asked = [kTwo] {
    Script script = ConversationScript::scripted({}, kTwo);
    script->run({{0, "start", "start 1; Hello.; Which city?; end 1"},
                 {100, "started:1", ""},
                 {1000, "ended:1", ""},
                 {2000, "words:Rome tomorrow", "start 2; Pin?; end 2"},
                 {2100, "started:2", ""},
                 {2500, "ended:2", ""},
                 {3000, "key:1", ""},
                 {3200, "key:2", "start 3; More?; end 3"}});
    return script;
  };
  asked()->run({{3400, "key:3", ""},
                {3600, "started:3", ""},
                {4000, "ended:3", ""},
                {6000, "key:4", ""},
                {6100, "key:5", "start 4!; Done.; Bye.; end 4"}});
  // The next run is the whole of it anew; who has heard the question answers.
  asked()->run(
      {{5300, "key:4", ""}, {5400, "key:5", "flush; start 4; More?; end 4"}});
  asked()->run({{3300, "started:3", ""},
                {3400, "key:4", "flush"},
                {3500, "key:5", "start 4!; Done.; Bye.; end 4"}});
}

// Nor while a model thinks about the digits.
void test_one_key_too_many_for_a_model() {
  const Script script = ConversationScript::model(
      {}, "[[fields]]\nname = \"pin\"\ntype = \"digits\"\n"
          "question = \"Pin?\"\nmax_digits = 2\n");
  script->run({{0, "start", "start 1; Hello.; Which city?; end 1"},
               {100, "started:1", ""},
               {1000, "ended:1", ""},
               {2000, "key:1", ""},
               {2200, "key:2", "request 1"},
               {2400, "key:3", ""},
               {4500, "wait", ""}});
}

// A noise that seemed to be words does not ask for what is being keyed in.
void test_retracted_words_before_keys() {
  const Script script = ConversationScript::scripted();
  script->run({{0, "start", "start 1; Hello.; Which city?; end 1"},
               {100, "started:1", ""},
               {1000, "ended:1", ""},
               {2000, "key:1", ""},
               {2100, "speech", ""},
               {2200, "partial:two", ""},
               {2300, "quiet", ""},
               {2500, "words@2300:", ""},
               {2600, "key:2", ""}});
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*run)();
  } tests[] = {
      {"is-taken-back", test_is_taken_back},
      {"decided-while-he-speaks", test_decided_while_he_speaks},
      {"of-a-model", test_of_a_model},
      {"transfer-is-taken-back", test_transfer_is_taken_back},
      {"what-does-not-take-it-back", test_what_does_not_take_it_back},
      {"more-behind-mm-hm", test_more_behind_mm_hm},
      {"waits-at-once", test_waits_at_once},
      {"stands-once-it-sounds", test_stands_once_it_sounds},
      {"behind-a-filler", test_behind_a_filler},
      {"noise-behind-words", test_noise_behind_words},
      {"behind-a-filler-at-once", test_behind_a_filler_at_once},
      {"behind-what-was-said", test_behind_what_was_said},
      {"refused-value-is-taken-back", test_refused_value_is_taken_back},
      {"keys-alone-silence-what-was-not-heard",
       test_keys_alone_silence_what_was_not_heard},
      {"keys-take-it-back", test_keys_take_it_back},
      {"what-ends-it-all-the-same", test_what_ends_it_all_the_same},
      {"without-reports", test_without_reports},
      {"words-without-speech-hold-nothing",
       test_words_without_speech_hold_nothing},
      {"stale-answer-waits", test_stale_answer_waits},
      {"answer-on-its-way-waits", test_answer_on_its_way_waits},
      {"one-key-too-many", test_one_key_too_many},
      {"one-key-too-many-for-a-model", test_one_key_too_many_for_a_model},
      {"retracted-words-before-keys", test_retracted_words_before_keys},
  };
  for (const auto &test : tests)
    g_test_add_func((std::string("/agent/endings/") + test.name).c_str(),
                    test.run);
  return g_test_run();
}
