// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/handles.hpp"
#include "base/log.hpp"
#include "scenario/run.hpp"
#include "scenario/stage.hpp"

#include "../support/check_text.hpp"

#include <glib.h>
#include <glib/gstdio.h>
#include <gst/gst.h>

#include <fstream>
#include <string>
#include <vector>

// What went wrong in other people's voice agents, as whole calls in virtual
// time. docs/behaviours.md says which is where.
using namespace patchcord;
using namespace patchcord::scenario;

namespace {

// Two questions, or one long speech, and limits that are soon reached.
constexpr char kAgent[] = R"(name = "Desk"
greeting = "Hello."
instructions = "Ask."
[[fields]]
name = "what"
type = "choice"
question = "Which one?"
reprompt = "Which one, the red or the blue?"
choices = [{ value = "red" }, { value = "blue" }]
[[fields]]
name = "day"
type = "date"
question = "Which day?"
[end]
confirm = false
goodbye = "Done. Good bye."
apology = "Sorry, good bye."
not_understood = "Pardon?"
[limits]
max_turns = 3
max_reprompts = 9
silence_prompt_s = 5
max_silence_prompts = 2
max_duration_s = 60
[phrases]
silence = "Still there?"
hold = "One moment."
time_up = "Time is up. Good bye."
)";

class Desk {
public:
  explicit Desk(const std::string &greeting = "Hello.", const char *more = "") {
    const GCharPtr folder(g_dir_make_tmp("patchcord-XXXXXX", nullptr));
    folder_ = folder.get();
    agent_ = folder_ + "/desk.toml";
    std::string text = kAgent;
    text.replace(text.find("Hello."), 6, greeting);
    std::ofstream(agent_) << text << more;
  }
  ~Desk() {
    g_remove(agent_.c_str());
    g_rmdir(folder_.c_str());
  }
  Desk(const Desk &) = delete;
  Desk &operator=(const Desk &) = delete;

  // The rest of a scenario's file. What is checked of every call holds.
  Outcome play(const std::string &text) const {
    const auto scenario = parse_scenario(
        "name = \"x\"\nagent = \"" + agent_ + "\"\n" + text, "s.toml");
    if (!scenario.ok())
      g_error("%s", scenario.error().message.c_str());
    auto outcome = run(*scenario);
    if (!outcome.ok())
      g_error("%s", outcome.error().message.c_str());
    for (const Failure &failure : outcome->failures)
      g_error("%s: expected %s, got %s", failure.what.c_str(),
              failure.expected.c_str(), failure.got.c_str());
    return *std::move(outcome);
  }

private:
  std::string folder_, agent_;
};

// "agent: ... | caller: ...", as the record has it.
std::string story(const Outcome &outcome) {
  std::string text;
  for (const store::TurnRecord &turn : outcome.record.turns)
    for (const auto &[who, words] :
         {std::pair("caller: ", turn.caller), {"agent: ", turn.heard}})
      if (!words.empty())
        text += (text.empty() ? "" : " | ") + (who + words);
  return text;
}

std::string answer(const char *message, const char *action = "ask",
                   const char *what = "null") {
  return std::string("[[model.answers]]\ncontent = '''{\"message\":\"") +
         message + "\",\"action\":\"" + action +
         "\",\"extracted\":{\"what\":" + what + ",\"day\":null}}'''\n";
}

const char *const kHangUp = "[[caller]]\nhang_up = true\n";

// --- silence and limits ------------------------------------------------------

// 30 s of speech, 5 s of patience: the call is not over, and nobody asks.
void test_monologue() {
  std::string speech;
  for (int i = 0; i < 12; ++i)
    speech += "This is a rather long sentence of mine. ";
  const Desk desk(speech);
  const Outcome outcome =
      desk.play("[[caller]]\nsay = \"red\"\n[[caller]]\nhang_up = true\n"
                "[expect]\nnot_before_s = 30\nend = \"caller_hung_up\"\n");
  g_assert_null(strstr(story(outcome).c_str(), "Still there?"));
  g_assert_cmpint(outcome.interruptions, ==, 0);
}

// The prompts come one by one, and the last words once.
void test_prompts_once() {
  const Desk desk;
  for (const char *marks : {"true", "false"}) {
    const Outcome outcome = desk.play(std::string("[phone]\nmarks = ") + marks +
                                      "\n[expect]\nend = \"no_answer\"\n");
    CHECK_TEXT(story(outcome),
               "agent: Hello. Which one? | agent: Still there? Which one? | "
               "agent: Still there? Which one? | agent: Goodbye.");
    g_assert_cmpuint(outcome.record.turns.size(), ==, 4);
    CHECK_TEXT(outcome.caller_end, "agent_closed");
  }
}

void test_most_turns() {
  std::string says;
  for (int i = 0; i < 3; ++i)
    says += "[[caller]]\nsay = \"what a day it is\"\n";
  const Desk desk;
  for (const char *marks : {"true", "false"}) {
    const Outcome outcome = desk.play(
        std::string("[phone]\nmarks = ") + marks + "\n" + says +
        "[expect]\nend = \"max_turns\"\ncaller_end = \"agent_closed\"\n");
    CHECK_TEXT(outcome.record.turns.back().heard, "Time is up. Good bye.");
  }
}

// Whoever talks without end, and a phone that tells nothing: the call has one.
void test_duration_whatever_happens() {
  const Desk desk;
  for (const char *marks : {"true", "false"}) {
    std::string text = std::string("max_duration_s = 20\n[phone]\nmarks = ") +
                       marks + "\n[[caller]]\nnoise_ms = 60000\nat_s = 3\n";
    const Outcome outcome =
        desk.play(text + "[expect]\nended_by_s = 28\nend = \"max_duration\"\n"
                         "caller_end = \"agent_closed\"\n");
    CHECK_TEXT(outcome.record.turns.back().heard, "Time is up. Good bye.");
  }
}

// --- interruptions -----------------------------------------------------------

// A cough while the answer is on its way is no reason not to give it.
void test_cough_before_the_reply() {
  const Desk desk;
  const Outcome outcome =
      desk.play("[[caller]]\nsay = \"red\"\n"
                "[[caller]]\nnoise_ms = 300\nafter_s = 0.9\n"
                "[[caller]]\nsay = \"tomorrow\"\n"
                "[expect]\nend = \"goal\"\n");
  CHECK_TEXT(story(outcome),
             "agent: Hello. Which one? | caller: red | agent: Which day? | "
             "caller: tomorrow | agent: Done. Good bye.");
}

// "Mm-hm" and a cough, three times: one utterance, heard in whole, to the word.
void test_backchannels() {
  const Desk desk("I have a few things to tell you, so listen. It is long.");
  const Outcome outcome =
      desk.play("[[caller]]\nsay = \"mm-hm\"\nat_word = 5\n"
                "[[caller]]\nnoise_ms = 250\nat_word = 10\n"
                "[[caller]]\nsay = \"okay\"\nat_word = 13\n"
                "[[caller]]\nsay = \"red\"\n" +
                std::string(kHangUp) + "[expect]\ninterruptions = 0\n");
  const auto &greeting = outcome.record.turns.at(0);
  CHECK_TEXT(greeting.heard, "I have a few things to tell you, so listen. It "
                             "is long. Which one?");
  g_assert_cmpint(greeting.false_interruptions, ==, 3);
  g_assert_false(greeting.interrupted);
  const auto &stretches = outcome.heard.at(0).stretches;
  g_assert_cmpuint(stretches.size(), ==, 4);
  // "Mm-hm", a cough, which may be words, and "okay".
  const int most[] = {8 * 900, 8 * 1150, 8 * 750};
  for (std::size_t i = 1; i < stretches.size(); ++i)
    g_assert_cmpint(stretches[i].from - stretches[i - 1].to, <, most[i - 1]);
}

// An agent that lets itself be talked over for a while: not silenced at all.
void test_backchannels_without_a_gap() {
  const Desk desk("I have a few things to tell you, so listen. It is long.",
                  "[interruptions]\nhold_after_ms = 600\n");
  const Outcome outcome =
      desk.play("[[caller]]\nsay = \"mm-hm\"\nat_word = 5\n"
                "[[caller]]\nnoise_ms = 250\nat_word = 10\n"
                "[[caller]]\nsay = \"okay\"\nat_word = 13\n"
                "[[caller]]\nsay = \"red\"\n" +
                std::string(kHangUp) + "[expect]\ninterruptions = 0\n");
  g_assert_cmpint(outcome.record.turns.at(0).false_interruptions, ==, 0);
  g_assert_cmpuint(outcome.heard.at(0).stretches.size(), ==, 1);
}

// What a model still has to say to words that the caller has gone on from is
// not said, also if it was all there.
void test_stale_answer() {
  const Desk desk;
  const Outcome outcome =
      desk.play("mind = \"openai\"\n[model]\nfirst_token_ms = 2500\n" +
                answer("The red one costs a lot.") +
                answer("So the blue one.", "ask", "\"blue\"") +
                "[[caller]]\nsay = \"the red one\"\n"
                "[[caller]]\nsay = \"no, the blue one\"\nafter_s = 0.9\n" +
                kHangUp + "[expect]\nmodel_requests = 2\n");
  const std::string said = story(outcome);
  g_assert_null(strstr(said.c_str(), "costs a lot"));
  CHECK_TEXT(said, "agent: Hello. Which one? | caller: the red one no, the "
                   "blue one | agent: So the blue one.");
}

// The next request has what was heard of the interrupted answer, no more.
void test_model_is_told_what_was_heard() {
  const Desk desk;
  const Outcome outcome = desk.play(
      "mind = \"openai\"\n" +
      answer("There are seven red ones and nine blue ones here. Which?") +
      answer("Good. Which day?", "ask", "\"red\"") +
      "[[caller]]\nsay = \"what do you have\"\n"
      "[[caller]]\nsay = \"just give me red\"\nat_word = 5\n" +
      kHangUp + "[expect]\ninterruptions = 1\nmodel_requests = 2\n");
  const std::string &request = outcome.requests.back();
  g_assert_nonnull(strstr(request.c_str(), "There are seven red"));
  g_assert_null(strstr(request.c_str(), "nine blue"));
}

// --- the end -----------------------------------------------------------------

// Who says something and hangs up has said it.
void test_last_words() {
  const Desk desk;
  const Outcome outcome = desk.play("[[caller]]\nsay = \"never mind then\"\n"
                                    "[[caller]]\nhang_up = true\n"
                                    "after_s = 0.85\n");
  g_assert_nonnull(strstr(story(outcome).c_str(), "caller: never mind then"));
  CHECK_TEXT(outcome.record.end_reason, "caller_hung_up");
}

// Nothing of the goodbye is cut: neither by who hears it, nor by what ends the
// call; and nothing is waited for behind it.
void test_goodbye() {
  const Desk desk;
  for (const char *marks : {"true", "false"}) {
    const Outcome outcome = desk.play(
        std::string("[phone]\nmarks = ") + marks +
        "\n[[caller]]\nsay = \"red\"\n[[caller]]\nsay = \"tomorrow\"\n"
        "[[caller]]\nsay = \"wait, what about me\"\nat_word = 1\n"
        "[expect]\nend = \"goal\"\ncaller_end = \"agent_closed\"\n");
    const auto &last = outcome.heard.back();
    CHECK_TEXT(heard_text(last, outcome.words), "Done. Good bye.");
    const auto waited = outcome.duration - last.stretches.back().to;
    g_assert_cmpint(static_cast<int>(waited / 8), <=,
                    *marks == 't' ? 700 : 3000);
  }
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  g_test_init(&argc, &argv, nullptr);
  register_elements();
  log::set_threshold(log::Level::kError);
  const std::pair<const char *, void (*)()> tests[] = {
      {"a-monologue-is-no-silence", test_monologue},
      {"each-silence-prompt-is-said-once", test_prompts_once},
      {"turns-are-limited-with-marks-and-without", test_most_turns},
      {"duration-is-limited-whatever-the-caller-does",
       test_duration_whatever_happens},
      {"a-cough-before-the-reply-does-not-stop-it",
       test_cough_before_the_reply},
      {"backchannels-and-coughs-leave-the-reply-whole", test_backchannels},
      {"backchannels-need-not-even-leave-a-gap",
       test_backchannels_without_a_gap},
      {"a-stale-answer-is-not-said", test_stale_answer},
      {"the-model-is-told-what-was-heard", test_model_is_told_what_was_heard},
      {"last-words-before-a-hang-up-are-kept", test_last_words},
      {"a-goodbye-is-heard-and-not-waited-for", test_goodbye},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func((std::string("/incident/") + name).c_str(), test);
  return g_test_run();
}
