// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include <glib.h>

// Preemptive thinking: the model is asked before the words are final.
using namespace patchcord;
using namespace patchcord::agent;

namespace {

constexpr char kThinking[] = R"(
[thinking]
preemptive = true
stable_ms = 200
max_tries = 2
)";
constexpr char kWithTool[] = R"(
[thinking]
preemptive = true
[[tools]]
name = "look"
description = "Looks."
url = "https://h.example/look"
)";

const char *const kAnswer = R"(model:{"message":"Which day?","action":"ask"})";

// The greeting was heard, and the caller speaks.
std::unique_ptr<ConversationScript> speaking(const char *more = kThinking,
                                             std::string shown = {}) {
  auto script = ConversationScript::model({}, more);
  script->run({{0, "start", "start 1; Hello.; Which city?; end 1"},
               {100, "started:1", ""},
               {1000, "ended:1", ""},
               {2000, "speech", ""}});
  script->show(std::move(shown));
  return script;
}

void test_off_by_default() {
  auto script = speaking("");
  script->run({{2300, "partial:Rome", ""},
               {2600, "quiet", ""},
               {3000, "words:Rome", "request 1"}});
}

void test_answers_what_was_said() {
  auto script = speaking(kThinking, "latency");
  script->run(
      {{2300, "partial:to Rome please", ""},
       {2499, "wait", ""},
       {2500, "wait", "request 1"},
       {2700, "quiet", ""},
       // Nothing of it is said yet.
       {2800, kAnswer, ""},
       {2900, "model-done", ""},
       // The same words, written otherwise.
       {3000, "words:To Rome, please!", "start 2; Which day?; end 2"},
       {3100, "started:2", "latency 1: 2700 3000 3000 3060 3080 preemptive"}});
  equal(script->history(),
        "agent: Hello. Which city? | caller: To Rome, please!");
}

void test_goes_on_when_the_words_are_there_first() {
  auto script = speaking();
  script->run({{2300, "partial:Rome", ""},
               {2500, "wait", "request 1"},
               {2700, R"(model:{"message":"Rome it is. And )", ""},
               {2800, "quiet", ""},
               {3000, "words:Rome", "start 2; Rome it is."},
               {3100, R"(model:which day?","action":"ask"})", "And which day?"},
               {3200, "model-done", "end 2"}});
}

void test_other_words() {
  auto script = speaking(kThinking, "latency");
  script->run(
      {{2300, "partial:Rome", ""},
       {2500, "wait", "request 1"},
       {2700, "quiet", ""},
       {2800, kAnswer, ""},
       {3000, "words:Rome on Friday", "cancel; request 2"},
       // The old answer is nobody's.
       {3100, R"(old-model:{"message":"x")", ""},
       {3300, kAnswer, "start 2; Which day?"},
       {3400, "model-done", "end 2"},
       {3500, "started:2", "latency 1: 2700 3000 3300 3460 3480 discarded 1"}});
  equal(script->history(),
        "agent: Hello. Which city? | caller: Rome on Friday");
}

void test_finished_and_other_words() {
  // Nothing is left to cancel.
  auto script = speaking();
  script->run({{2300, "partial:Rome", ""},
               {2500, "wait", "request 1"},
               {2600, kAnswer, ""},
               {2650, "model-done", ""},
               {2700, "quiet", ""},
               {3000, "words:Oslo", "request 2"}});
}

void test_words_that_change_are_not_stable() {
  auto script = speaking();
  script->run({{2300, "partial:I", ""},
               {2400, "partial:I want", ""},
               {2500, "partial:I want to", ""},
               // Told again, and spelled anew: no change.
               {2650, "partial:I want to", ""},
               {2690, "partial:I want to.", ""},
               {2700, "wait", "request 1"},
               {2800, "partial:I want to go", "cancel"},
               {2999, "wait", ""},
               {3000, "wait", "request 2"}});
}

void test_tries_of_a_turn() {
  auto script = speaking();
  script->run({{2300, "partial:Rome", ""},
               {2500, "wait", "request 1"},
               {2600, "partial:Rome today", "cancel"},
               {2800, "wait", "request 2"},
               {2900, "partial:Rome today please", "cancel"},
               {3300, "wait", ""},
               {3400, "quiet", ""},
               {3700, "words:Rome today please", "request 3"},
               {3800, kAnswer, "start 2; Which day?"},
               {3900, "model-done", "end 2"},
               {4000, "started:2", ""},
               {5000, "ended:2", ""},
               // The next turn has its own.
               {6000, "speech", ""},
               {6200, "partial:Friday", ""},
               {6400, "wait", "request 4"}});
}

void test_end_of_speech_makes_it_stable() {
  auto script = speaking();
  script->run({{2300, "partial:Rome", ""}, {2350, "quiet", "request 1"}});
}

void test_words_that_do_not_come() {
  // The silence prompt comes, and the answer is gone.
  auto script = speaking();
  script->run({{2300, "partial:Rome", ""},
               {2350, "quiet", "request 1"},
               {10350, "wait", "cancel; start 2; Still there?; end 2"}});
}

void test_not_understood() {
  auto script = speaking();
  script->run({{2300, "partial:Rome", ""},
               {2350, "quiet", "request 1"},
               {3000, "mumble", "cancel; start 2; Pardon?; end 2"}});
}

void test_keys_instead() {
  auto script = speaking();
  script->run({{2300, "partial:one", ""},
               {2350, "quiet", "request 1"},
               {2400, "key:1", ""},
               {2500, "key:#", "cancel; request 2"}});
}

void test_in_two_pieces() {
  // A sentence that breaks off stays open, and its second half belongs to it.
  auto script = speaking();
  script->run({{2300, "partial:Rome and", ""},
               {2400, "quiet", "request 1"},
               {2800, "words:Rome and", ""},
               {3000, "speech", ""},
               {3200, "partial:Oslo", "cancel"},
               {3400, "wait", "request 2"},
               {3500, "quiet", ""},
               {3600, kAnswer, ""},
               {3900, "words:Oslo", "start 2; Which day?"}});
}

void test_waits_for_more() {
  // The same words, but the turn is not over: nothing is said until it is.
  auto script = speaking();
  script->run({{2300, "partial:Rome and", ""},
               {2400, "quiet", "request 1"},
               {2600, kAnswer, ""},
               {2800, "words:Rome and", ""},
               {3899, "wait", ""},
               {3900, "wait", "start 2; Which day?"}});
}

void test_not_into_the_agents_words() {
  auto script = ConversationScript::model({}, kThinking);
  script->run({{0, "start", "start 1; Hello.; Which city?; end 1"},
               {100, "started:1", ""},
               {300, "speech", "hold"},
               {500, "partial:okay", ""},
               {799, "wait", ""},
               {800, "wait", "resume; heard 0/1 false-interruption \"\""},
               {1100, "quiet", ""},
               {1200, "words:okay", ""}});
}

void test_after_an_interruption() {
  // Not before it is known how much was heard.
  auto script = ConversationScript::model({}, kThinking);
  script->run({{0, "start", "start 1; Hello.; Which city?; end 1"},
               {100, "started:1", ""},
               {300, "speech", "hold"},
               {400, "held:1:Hello.", ""},
               {500, "partial:no", "flush"},
               {700, "wait", ""},
               {750, "cut:1:Hello.", "interrupted 0/1 \"Hello.\" 600"},
               {800, "quiet", "request 1"},
               {900, kAnswer, ""},
               {1000, "words:no", "start 2; Which day?"}});
}

void test_heard_otherwise() {
  // It answers another history than there is.
  auto script = ConversationScript::model({}, kThinking);
  script->run({{0, "start", "start 1; Hello.; Which city?; end 1"},
               {8000, "speech", ""}, // presumed to be heard by now
               {8200, "partial:Rome", ""},
               {8300, "quiet", "request 1"},
               {8400, "ended:1:Hello.", ""},
               {8700, "words:Rome", "cancel; request 2"}});
}

void test_a_failure_is_not_told() {
  auto script = speaking(kThinking, "latency");
  script->run(
      {{2300, "partial:Rome", ""},
       {2350, "quiet", "request 1"},
       {2500, "model-broken:x", "cancel"},
       {3000, "words:Rome", "request 2"},
       {3100, kAnswer, "start 2; Which day?"},
       {3200, "started:2", "latency 1: 2350 3000 3100 3160 3180 discarded 1"}});
}

void test_tools_wait() {
  // They do things: not on a guess.
  auto script = speaking(kWithTool);
  script->run({{2300, "partial:Rome", ""},
               {2350, "quiet", "request 1"},
               {2500, "calls:look({})", ""},
               {3000, "words:Rome", "run 1 GET https://h.example/look"}});
  auto other = speaking(kWithTool);
  other->run({{2300, "partial:Rome", ""},
              {2350, "quiet", "request 1"},
              {2500, "calls:look({})", ""},
              {3000, "words:Oslo", "request 2"}});
}

void test_a_used_answer_may_be_late() {
  // From the words on it has the time that any has.
  auto script = speaking();
  script->run({{2300, "partial:Rome", ""},
               {2350, "quiet", "request 1"},
               {3000, "words:Rome", ""},
               {6999, "wait", ""},
               {7000, "wait", "cancel; trouble timeout; start 2; One moment."},
               {7500, "wait", "request 2"}});
}

void test_too_long() {
  auto script = speaking();
  const std::string long_text = "model:" + std::string(70'000, ' ');
  script->run({{2300, "partial:Rome", ""},
               {2350, "quiet", "request 1"},
               {2500, long_text, "cancel"}});
}

void test_hanging_up() {
  auto script = speaking();
  script->run({{2300, "partial:Rome", ""},
               {2350, "quiet", "request 1"},
               {2500, "gone", "cancel; ended caller_hung_up {}; EOS"}});
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"off-by-default", test_off_by_default},
      {"answers-what-was-said", test_answers_what_was_said},
      {"goes-on-when-the-words-are-there-first",
       test_goes_on_when_the_words_are_there_first},
      {"dropped-for-other-words", test_other_words},
      {"dropped-when-it-is-finished", test_finished_and_other_words},
      {"words-that-change-are-not-stable",
       test_words_that_change_are_not_stable},
      {"tries-of-a-turn", test_tries_of_a_turn},
      {"end-of-speech-makes-it-stable", test_end_of_speech_makes_it_stable},
      {"words-that-do-not-come", test_words_that_do_not_come},
      {"not-understood", test_not_understood},
      {"keys-instead", test_keys_instead},
      {"sentence-in-two-pieces", test_in_two_pieces},
      {"waits-for-the-end-of-the-turn", test_waits_for_more},
      {"not-into-the-agents-words", test_not_into_the_agents_words},
      {"after-an-interruption", test_after_an_interruption},
      {"dropped-when-less-was-heard", test_heard_otherwise},
      {"failure-is-not-told", test_a_failure_is_not_told},
      {"tools-wait-for-the-words", test_tools_wait},
      {"used-answer-may-be-late", test_a_used_answer_may_be_late},
      {"too-long", test_too_long},
      {"hanging-up", test_hanging_up},
  };
  for (const auto &test : tests)
    g_test_add_func(("/guesses/" + std::string(test.name)).c_str(), test.test);
  return g_test_run();
}
