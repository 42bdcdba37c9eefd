// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include "base/text.hpp"

#include <glib.h>

#include <algorithm>
#include <cstring>
#include <utility>

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

// A sentence as recognisers tell it, word by word, with the settings that there
// are by default.
struct Spoken {
  const char *text;
  int word_ms; // from one to the next
  int lag_ms;  // of each word behind its end
};

// How that turn was answered: "preemptive", "preemptive discarded 1" ...
std::string answered(const Spoken &spoken) {
  constexpr int kHangover = 500; // until silence is told
  auto script = speaking("[thinking]\npreemptive = true\n", "latency");
  const std::vector<std::string> words = split(spoken.text, ' ');
  const int end = 2000 + spoken.word_ms * static_cast<int>(words.size());
  std::vector<std::pair<int, std::string>> steps = {
      {end + kHangover, "quiet@" + std::to_string(end)}};
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : " ") + words[i];
    const int told = 2000 + spoken.word_ms * static_cast<int>(i + 1);
    steps.emplace_back(told + spoken.lag_ms, "partial:" + text);
  }
  std::stable_sort(
      steps.begin(), steps.end(),
      [](const auto &a, const auto &b) { return a.first < b.first; });
  for (const auto &[ms, input] : steps)
    (void)script->step(ms, input);
  const int final = std::max(end + kHangover, end + spoken.lag_ms) + 300;
  (void)script->step(final, "words:" + text);
  (void)script->step(final + 100, kAnswer);
  (void)script->step(final + 200, "model-done");
  const std::string latency = script->step(final + 300, "started:2");
  const std::size_t tail = latency.find_first_of("pd", latency.find(':'));
  return tail == std::string::npos ? "" : latency.substr(tail);
}

void test_sentences_word_by_word() {
  const char *const texts[] = {
      "yes",
      "to Rome please",
      "I would like to book a room for Friday please",
      "could we do next Monday at nine",
      "my name is John Smith and I would like to go to Oslo today",
      "there are two of us and we have three bags"};
  for (const char *text : texts)
    for (const int word_ms : {250, 300, 350, 400})
      for (const int lag_ms : {0, 150, 300, 600}) {
        // Words that come behind the end of speech make two requests.
        const bool late = lag_ms > 500 && std::strchr(text, ' ') != nullptr;
        const std::string is = answered({text, word_ms, lag_ms});
        const std::string expected =
            late ? "preemptive discarded 1" : "preemptive";
        if (is != expected)
          g_error("\"%s\", a word each %d ms, told %d ms late: expected %s, "
                  "got %s",
                  text, word_ms, lag_ms, expected.c_str(), is.c_str());
      }
}

void test_slow_sentences() {
  // Each word might be the last: one request for nothing at most.
  for (const char *text :
       {"to Rome please", "there are two of us and we have three bags"})
    for (const int word_ms : {500, 700, 1000, 1900})
      equal(answered({text, word_ms, 150}), "preemptive discarded 1");
}

void test_answers_what_was_said() {
  auto script = speaking(kThinking, "latency");
  script->run(
      {{2300, "partial:to Rome please", ""},
       {2699, "wait", ""},
       {2700, "quiet", "request 1"},
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
               {2500, "quiet", "request 1"},
               {2700, R"(model:{"message":"Rome it is. And )", ""},
               {3000, "words:Rome", "start 2; Rome it is."},
               {3100, R"(model:which day?","action":"ask"})", "And which day?"},
               {3200, "model-done", "end 2"}});
}

void test_other_words() {
  auto script = speaking(kThinking, "latency");
  script->run(
      {{2300, "partial:Rome", ""},
       {2500, "quiet", "request 1"},
       {2800, kAnswer, ""},
       {3000, "words:Rome on Friday", "cancel; request 2"},
       // The old answer is nobody's.
       {3100, R"(old-model:{"message":"x")", ""},
       {3300, kAnswer, "start 2; Which day?"},
       {3400, "model-done", "end 2"},
       {3500, "started:2", "latency 1: 2500 3000 3300 3460 3480 discarded 1"}});
  equal(script->history(),
        "agent: Hello. Which city? | caller: Rome on Friday");
}

void test_finished_and_other_words() {
  // Nothing is left to cancel.
  auto script = speaking();
  script->run({{2300, "partial:Rome", ""},
               {2500, "quiet", "request 1"},
               {2600, kAnswer, ""},
               {2650, "model-done", ""},
               {3000, "words:Oslo", "request 2"}});
}

void test_words_that_change_are_not_stable() {
  auto script = speaking();
  script->run({{2150, "partial:I", ""},
               {2200, "quiet", "request 1"},
               {2400, "partial:I want", "cancel"},
               {2500, "partial:I want it", ""},
               // Told again, and spelled anew: no change.
               {2650, "partial:I want it", ""},
               {2690, "partial:I want it.", ""},
               {2699, "wait", ""},
               {2700, "wait", "request 2"}});
}

void test_while_he_speaks() {
  // Longer, for there may be another word, and once.
  auto script = speaking("[thinking]\npreemptive = true\n");
  script->run({{2300, "partial:I want", ""},
               {2749, "wait", ""},
               {2750, "wait", "request 1"},
               {2800, "partial:I want to go", "cancel"},
               {3900, "wait", ""},
               {4000, "quiet", "request 2"}});
  // Not behind what cannot be all.
  auto open = speaking();
  open->run({{2300, "partial:I want to", ""},
             {3900, "wait", ""},
             {4000, "quiet", "request 1"}});
  // The file may want to be surer.
  auto sure = speaking("[thinking]\npreemptive = true\nstable_ms = 700\n");
  sure->run({{2300, "partial:I want", ""},
             {2999, "wait", ""},
             {3000, "wait", "request 1"}});
}

void test_last_try_is_for_the_end() {
  auto script = speaking("[thinking]\npreemptive = true\nmax_tries = 1\n");
  script->run({{2300, "partial:Rome", ""},
               {2900, "wait", ""}, // he still speaks
               {3000, "partial:Rome and", ""},
               {3100, "quiet", ""}, // and has more to say
               {3200, "speech", ""},
               {3500, "partial:Rome and Oslo", ""},
               {3900, "quiet", "request 1"}});
}

void test_tries_of_a_turn() {
  auto script = speaking();
  script->run({{2300, "partial:Rome", ""},
               {2400, "quiet", "request 1"},
               {2600, "partial:Rome today", "cancel"},
               {2800, "wait", "request 2"},
               {2900, "partial:Rome today please", "cancel"},
               {3400, "wait", ""},
               {3700, "words:Rome today please", "request 3"},
               {3800, kAnswer, "start 2; Which day?"},
               {3900, "model-done", "end 2"},
               {4000, "started:2", ""},
               {5000, "ended:2", ""},
               // The next turn has its own.
               {6000, "speech", ""},
               {6200, "partial:Friday", ""},
               {6400, "quiet", "request 4"}});
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
               {3500, "quiet", "request 2"},
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
      {"answer-sentences-told-word-by-word", test_sentences_word_by_word},
      {"slow-sentences-cost-one-more", test_slow_sentences},
      {"answers-what-was-said", test_answers_what_was_said},
      {"goes-on-when-the-words-are-there-first",
       test_goes_on_when_the_words_are_there_first},
      {"dropped-for-other-words", test_other_words},
      {"dropped-when-it-is-finished", test_finished_and_other_words},
      {"words-that-change-are-not-stable",
       test_words_that_change_are_not_stable},
      {"once-while-he-speaks", test_while_he_speaks},
      {"last-try-is-for-the-end", test_last_try_is_for_the_end},
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
