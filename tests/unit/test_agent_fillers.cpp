// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include <glib.h>

// What is said while a model or a tool lets the caller wait.
using namespace patchcord;
using namespace patchcord::agent;

namespace {

constexpr char kFillers[] = R"(
[fillers]
phrases = ["Let me see.", "Well."]
after_ms = 1000
max_per_turn = 2
)";
constexpr char kWithTool[] = R"(
[fillers]
phrases = ["Let me see."]
after_ms = 1000
[[tools]]
name = "look"
description = "Looks."
url = "https://h.example/look"
)";

const char *const kAnswer = R"(model:{"message":"Which day?","action":"ask"})";

void test_none_without_phrases() {
  auto script = ConversationScript::asked();
  script->run({{6900, "wait", ""}, {6950, kAnswer, "start 2; Which day?"}});
}

void test_slow_model() {
  // Asked at 3000. The first fills the silence until it is over by estimate
  // (840 ms), then as much silence again.
  auto script = ConversationScript::asked({}, kFillers);
  script->run({{3999, "wait", ""},
               {4000, "wait", "start 2; Let me see."},
               {4100, "started:2", ""},
               {5839, "wait", ""},
               {5840, "wait", "Well."},
               {6900, kAnswer, "Which day?"},
               {6950, "model-done", "end 2"},
               {8000, "ended:2", ""}});
  equal(script->history(), "agent: Hello. Which city? | caller: Rome | "
                           "agent: (Let me see.) (Well.) Which day?");
}

void test_limit_of_a_turn() {
  auto script = ConversationScript::asked({}, kFillers);
  script->run({{4000, "wait", "start 2; Let me see."},
               {5840, "wait", "Well."},
               // No third one; then the model's time is up.
               {6999, "wait", ""},
               {7000, "wait", "cancel; trouble timeout"}});
}

void test_in_turn_over_turns() {
  auto script = ConversationScript::asked({}, kFillers);
  script->run({{4000, "wait", "start 2; Let me see."},
               {4100, "started:2", ""},
               {4200, kAnswer, "Which day?"},
               {4300, "model-done", "end 2"},
               {6000, "ended:2", ""},
               {7000, "speech", ""},
               {7400, "quiet", ""},
               {7600, "words:Friday", "request 2"},
               {8600, "wait", "start 3; Well."}});
}

void test_a_quick_answer_needs_none() {
  auto script = ConversationScript::asked({}, kFillers);
  script->run({{3900, kAnswer, "start 2; Which day?"},
               {4000, "model-done", "end 2"},
               {6000, "ended:2", ""}});
  equal(script->history(), "agent: Hello. Which city? | caller: Rome | "
                           "agent: Which day?");
}

void test_not_behind_the_first_words() {
  // A model that stalls in mid-answer has begun.
  auto script = ConversationScript::asked({}, kFillers);
  script->run(
      {{3500, R"(model:{"message":"Rome it is. And )", "start 2; Rome it is."},
       {8000, "wait", ""}});
}

void test_slow_tool() {
  auto script = ConversationScript::asked({}, kWithTool);
  script->run({{3800, "calls:look({})", "run 1 GET https://h.example/look"},
               {4000, "wait", "start 2; Let me see."},
               {4500, "tool:1:200:{}", "tool 1 look ok 700; request 2"},
               {4800, kAnswer, "Which day?"},
               {4900, "model-done", "end 2"}});
}

void test_behind_what_is_said_before_a_tool() {
  // The wait begins when that was said, by estimate: 15 letters, 1050 ms.
  auto script = ConversationScript::asked({}, kWithTool);
  script->run({{3400, R"(model:{"message":"Let me look it)", ""},
               {3500, "calls:look({})",
                "start 2; Let me look it; run 1 GET https://h.example/look"},
               {5549, "wait", ""},
               {5550, "wait", "Let me see."}});
}

void test_not_while_the_caller_speaks() {
  auto script = ConversationScript::asked({}, kFillers);
  script->run({{3900, "speech", ""},
               {4500, "wait", ""},
               {4600, "quiet", ""},
               {5599, "wait", ""},
               {5600, "wait", "start 2; Let me see."}});
}

void test_is_interrupted_like_the_answer() {
  auto script = ConversationScript::asked("decided", kFillers);
  script->run({{4000, "wait", "start 2; Let me see."},
               {4100, "started:2", ""},
               {4300, "speech", "hold"},
               {4400, "held:2:Let me", ""},
               {4500, "partial:no, Oslo",
                "decided 1/2 ask \"Rome\" -> \"\" {} {}; cancel; flush"},
               {4600, "cut:2:Let me", "interrupted 1/2 \"Let me\" 600"},
               {4800, "quiet", ""},
               {5000, "words:no, Oslo", "request 2"}});
  equal(script->history(), "agent: Hello. Which city? | caller: Rome | "
                           "agent: (Let me) | caller: no, Oslo");
}

void test_backchannel_leaves_it() {
  auto script = ConversationScript::asked("heard", kFillers);
  script->run({{4000, "wait", "start 2; Let me see."},
               {4100, "started:2", "heard 1/2 started \"\""},
               {4900, "speech", "hold"},
               {5000, "held:2:Let me see.", ""},
               {5200, "quiet", ""},
               {5300, "words:mm-hm",
                "resume; heard 1/2 false-interruption \"Let me see.\""},
               {5400, kAnswer, "Which day?"}});
}

void test_the_wait_is_told() {
  // What was heard first was not the reply, and the latency says so.
  auto script = ConversationScript::asked("latency", kFillers);
  script->run({{4000, "wait", "start 2; Let me see."},
               {4100, "started:2", ""},
               {4400, kAnswer,
                "latency 1: 2500 3000 4400 4060 4080 filler; Which day?"}});
}

void test_holding_phrase_counts() {
  // A failed request is made again behind a phrase, unless one was just said.
  auto first = ConversationScript::asked({}, kFillers);
  first->run({{3500, "model-broken:x", "trouble x; start 2; One moment."},
              {4000, "wait", "request 2"},
              {5339, "wait", ""},
              {5340, "wait", "Let me see."},
              {5700, kAnswer, "Which day?"}});
  auto second = ConversationScript::asked({}, kFillers);
  second->run({{4000, "wait", "start 2; Let me see."},
               {4200, "model-broken:x", "trouble x"},
               {4700, "wait", "request 2"}});
}

void test_goodbye_follows_it() {
  auto script = ConversationScript::asked({}, kFillers);
  script->run(
      {{4000, "wait", "start 2; Let me see."},
       {4100, "started:2", ""},
       {4200, R"(model:{"message":"Bye.","action":"end_call"})", "Bye."},
       {4300, "model-done", "end 2"},
       {4400, "progress:2:Let me see.", ""},
       {4900, "progress:2:Let me see. B", "ended agent_ended {}; EOS"},
       // It is not interrupted any more.
       {5000, "speech", ""},
       {5100, "partial:wait", ""}});
}

void test_mistakes() {
  const struct {
    const char *text, *problem;
  } rows[] = {
      {"[fillers]\nphrases = \"x\"\n", "fillers.phrases: expected an array"},
      {"[fillers]\nphrases = [\"\"]\n", "fillers.phrases: expected a text"},
      {"[fillers]\nafter_ms = 10\n", "fillers.after_ms: expected a whole"},
      {"[fillers]\nmax_per_turn = 0\n", "fillers.max_per_turn: expected"},
      {"[fillers]\nevery = 1\n", "fillers.every: expected one of phrases"},
  };
  for (const auto &row : rows) {
    const auto definition = parse_definition(
        std::string("name = \"n\"\ngreeting = \"g\"\ninstructions = \"i\"\n") +
            row.text,
        "f.toml");
    g_assert_false(definition.ok());
    if (definition.error().message.find(row.problem) == std::string::npos)
      g_error("%s: %s", row.text, definition.error().message.c_str());
  }
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"none-without-phrases", test_none_without_phrases},
      {"said-while-a-model-is-slow", test_slow_model},
      {"limit-of-a-turn", test_limit_of_a_turn},
      {"in-turn-over-turns", test_in_turn_over_turns},
      {"a-quick-answer-needs-none", test_a_quick_answer_needs_none},
      {"not-behind-the-first-words", test_not_behind_the_first_words},
      {"said-while-a-tool-is-slow", test_slow_tool},
      {"behind-what-is-said-before-a-tool",
       test_behind_what_is_said_before_a_tool},
      {"not-while-the-caller-speaks", test_not_while_the_caller_speaks},
      {"interrupted-like-the-answer", test_is_interrupted_like_the_answer},
      {"backchannel-leaves-it", test_backchannel_leaves_it},
      {"latency-tells-of-it", test_the_wait_is_told},
      {"holding-phrase-counts", test_holding_phrase_counts},
      {"goodbye-follows-it", test_goodbye_follows_it},
      {"mistakes", test_mistakes},
  };
  for (const auto &test : tests)
    g_test_add_func(("/fillers/" + std::string(test.name)).c_str(), test.test);
  return g_test_run();
}
