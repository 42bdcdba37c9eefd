// SPDX-License-Identifier: LGPL-2.1-or-later

// What is checked of every call holds of an agent that is right: where speech
// is cut, goes on, and is cut again, to the sample.
#include "scenario/run.hpp"

#include "../support/check_text.hpp"

#include "base/json.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

#include <glib.h>
#include <gst/gst.h>

#include <cstdio>
#include <string>
#include <vector>

using namespace patchcord;
using namespace patchcord::scenario;

static const std::string kHead = "name = \"x\"\nagent = \"room-booking\"\n";

static Outcome play(const std::string &text) {
  const auto scenario = parse_scenario(kHead + text, "s.toml");
  if (!scenario.ok())
    g_error("%s", scenario.error().message.c_str());
  auto outcome = run(*scenario);
  if (!outcome.ok())
    g_error("%s", outcome.error().message.c_str());
  return *std::move(outcome);
}

static Outcome play_rightly(const std::string &text) {
  Outcome outcome = play(text);
  for (const Failure &failure : outcome.failures)
    g_error("%s\n%s: expected %s, got %s", text.c_str(), failure.what.c_str(),
            failure.expected.c_str(), failure.got.c_str());
  return outcome;
}

static std::string seconds(int ms) {
  char text[16];
  std::snprintf(text, sizeof text, "%d.%03d", ms / 1000, ms % 1000);
  return text;
}

// What was cut stays cut where it was, when the reply behind it is cut as well,
// or is held back before its first sound.
static void test_a_second_clear_cuts_nothing_again() {
  int twice = 0;
  for (int after = 600; after <= 1000; after += 10) {
    const Outcome outcome =
        play_rightly("[[caller]]\nsay = \"cancel a booking\"\n"
                     "[[caller]]\nsay = \"what about tomorrow\"\nat_word = 1\n"
                     "[[caller]]\nsay = \"Sunnyvale\"\nafter_s = " +
                     seconds(after) +
                     "\n[[caller]]\nhang_up = true\n"
                     "[expect]\noverlap_ms = 150\n");
    const auto &cut = outcome.heard.at(1).stretches.at(0);
    g_assert_cmpint(cut.cut_at - cut.from, <, phone::kRate / 10);
    twice += outcome.interruptions == 2 ? 1 : 0;
  }
  g_assert_cmpint(twice, >, 0);
}

// Speech that goes on does so some samples before its cut: the end of a word is
// heard twice, and the word once.
static void test_what_is_said_again_is_heard_once() {
  for (int at = 200; at < 4000; at += 20) {
    const Outcome outcome =
        play_rightly("[[caller]]\nnoise_ms = 300\nat_s = " + seconds(at) +
                     "\n[[caller]]\nhang_up = true\n");
    CHECK_TEXT(heard_text(outcome.heard.at(0), outcome.words),
               reply_text(1, outcome.words));
  }
}

// Where a call ends soon after speech went on, before another word was heard
// to its end, that was heard as well.
static void test_what_goes_on_counts_without_a_word() {
  int in_word = 0;
  for (int at = 200; at < 4000; at += 150)
    for (int after = 800; after < 1200; after += 50) {
      const Outcome outcome = play_rightly(
          "[[caller]]\nnoise_ms = 300\nat_s = " + seconds(at) +
          "\n[[caller]]\nhang_up = true\nafter_s = " + seconds(after) + "\n");
      const auto &stretches = outcome.heard.at(0).stretches;
      if (stretches.size() < 2 || !stretches[1].words.empty() ||
          stretches[1].to == stretches[1].from)
        continue;
      ++in_word;
      g_assert_cmpint(stretches[1].cut_at, ==, outcome.duration);
      g_assert_true(stretches[1].in_word.has_value());
    }
  g_assert_cmpint(in_word, >, 10);
}

// The agent takes the end of a text's last word from its length: cut shortly
// before it, the word may count, and no sooner.
static void test_a_word_that_was_all_but_heard_may_count() {
  const std::string text = "[[caller]]\nsay = \"book\"\nat_s = 1.49\n"
                           "[[caller]]\nhang_up = true\n";
  Outcome outcome = play_rightly(text);
  const HeardReply &greeting = outcome.heard.at(0);
  CHECK_TEXT(heard_text(greeting, outcome.words), "Hello, room");
  CHECK_TEXT(outcome.beliefs.at(0).text, "Hello, room desk.");
  // Of "desk." 344 ms were heard of 357.
  const Samples length =
      outcome.words.at(greeting.stretches.at(0).in_word->word).length;
  const auto passes = [&](Samples less) {
    Outcome changed = outcome;
    changed.heard[0].stretches[0].cut_at -= less;
    changed.heard[0].stretches[0].to -= less;
    changed.beliefs = {{1, false, "Hello, room desk.", {}}};
    check(*parse_scenario(kHead + text, "s.toml"), changed);
    return changed.passed();
  };
  g_assert_true(passes(0));
  g_assert_true(passes(length / 10));
  g_assert_false(passes(length / 5));
  // Of a word within the text the next one's timing tells the end.
  outcome.words[1].last = outcome.words[2].last = false;
  g_assert_false(passes(0));
}

// What the recogniser told of the caller's words, in the end or on the way
// there.
static std::vector<std::string> transcripts(const Outcome &outcome,
                                            bool final) {
  std::vector<std::string> texts;
  for (const std::string &json : outcome.events) {
    const auto document = JsonDocument::parse(json);
    const JsonView event = document->root();
    if (event["event"].string() == "transcript" &&
        event["final"].boolean() == final && event["text"].string() != "")
      texts.push_back(*event["text"].string());
  }
  return texts;
}

// Where the line stands still in mid-speech, for less time than after which
// there is silence, all is as if it had not; for longer, what was said is two
// turns, and no word is lost, heard twice, or taken back.
static void test_no_word_is_lost_where_the_line_stands_still() {
  const std::string said = "book a room in Mountain View";
  for (const int length : {60, 100, 400, 600, 700, 800, 1500})
    for (int at = 0; at < 1600; at += 50) {
      g_test_message("%d ms, %d in", length, at);
      const Outcome outcome =
          play_rightly("[[caller]]\nsay = \"" + said +
                       "\"\nstall_ms = " + std::to_string(length) +
                       "\nstall_at_ms = " + std::to_string(at) +
                       "\n[[caller]]\nhang_up = true\nreply_ms = 2500\n");
      const auto finals = transcripts(outcome, true);
      CHECK_TEXT(join(finals, " "), said);
      if (length < 750)
        g_assert_cmpuint(finals.size(), ==, 1);
      std::size_t turn = 0;
      for (const std::string &partial : transcripts(outcome, false)) {
        while (turn < finals.size() && !finals[turn].starts_with(partial))
          ++turn;
        if (turn == finals.size())
          g_error("\"%s\" was taken back", partial.c_str());
      }
    }
}

// While the line stands still no mark comes back: of a reply that is silenced
// when it goes on the agent cannot know how much was heard since. It may say
// words once more, too, and need not be believed to have said them twice.
static void test_what_is_heard_while_the_line_stands_still() {
  const std::string text = "[voice]\nfirst_byte_ms = 0\n"
                           "[[caller]]\nsay = \"the time\"\nat_word = 4\n"
                           "stall_at_ms = 40\nstall_ms = 1000\n"
                           "[[caller]]\nhang_up = true\n";
  const auto scenario = parse_scenario(kHead + text, "s.toml");
  const Outcome outcome = play_rightly(text);
  CHECK_TEXT(heard_text(outcome.heard.at(0), outcome.words),
             "Hello, room desk. Book a room,");
  const auto passes = [&](const char *belief, Samples earlier) {
    Outcome changed = outcome;
    changed.beliefs = {{1, false, belief, {}}};
    changed.said.at(0).from -= earlier;
    check(*scenario, changed);
    return changed.passed();
  };
  const struct {
    const char *belief;
    bool stands_still, else_passes;
  } rows[] = {
      {"Hello, room desk. Book a room,", true, true},
      {"Hello, room desk. Book a", true, true},
      {"Hello, room desk. Book", true, false},
      {"Hello, room", true, false},
      {"Hello,", false, false}, // was heard before, and half a second of marks
      {"Hello, room desk. Book a room, or", false, false}, // was not heard
      {"Hello, desk.", false, false},
  };
  for (const auto &row : rows) {
    g_test_message("%s", row.belief);
    g_assert_true(passes(row.belief, 0) == row.stands_still);
    // Had it gone on long before.
    g_assert_true(passes(row.belief, phone::kRate) == row.else_passes);
  }
}

static void test_words_that_are_said_again_count_once() {
  int again = 0;
  for (int length = 400; length < 1500; length += 50)
    for (int word = 1; word < 7; word += 2) {
      const Outcome outcome = play_rightly(
          "[stt]\ndelay_ms = 900\n[[caller]]\nnoise_ms = 300\nat_word = " +
          std::to_string(word) +
          "\nstall_at_ms = 40\nstall_ms = " + std::to_string(length) +
          "\n[[caller]]\nsay = \"cancel\"\nafter_s = 3\n"
          "[[caller]]\nhang_up = true\n");
      const auto &words = outcome.heard.at(0).stretches;
      for (std::size_t i = 1; i < words.size(); ++i)
        again += !words[i].words.empty() && !words[i - 1].words.empty() &&
                         words[i].words.front() <= words[i - 1].words.back()
                     ? 1
                     : 0;
    }
  g_assert_cmpint(again, >, 0);
}

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  g_test_init(&argc, &argv, nullptr);
  register_elements();
  log::set_threshold(log::Level::kError);
  g_test_add_func("/scenario-heard/a-second-clear-cuts-nothing-again",
                  test_a_second_clear_cuts_nothing_again);
  g_test_add_func("/scenario-heard/what-is-said-again-is-heard-once",
                  test_what_is_said_again_is_heard_once);
  g_test_add_func("/scenario-heard/what-goes-on-counts-without-a-word",
                  test_what_goes_on_counts_without_a_word);
  g_test_add_func("/scenario-heard/a-word-that-was-all-but-heard-may-count",
                  test_a_word_that_was_all_but_heard_may_count);
  g_test_add_func("/scenario-heard/no-word-is-lost-where-the-line-stands-still",
                  test_no_word_is_lost_where_the_line_stands_still);
  g_test_add_func("/scenario-heard/nobody-knows-what-a-line-at-rest-lets-hear",
                  test_what_is_heard_while_the_line_stands_still);
  g_test_add_func("/scenario-heard/words-that-are-said-again-count-once",
                  test_words_that_are_said_again_count_once);
  return g_test_run();
}
