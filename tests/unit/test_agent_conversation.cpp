// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/add_tests.hpp"
#include "conversation_script.hpp"
#include "conversation_tests.hpp"

#include <glib.h>

// Turns: what is said, what of it was heard, and what the caller says to it.
namespace {

void test_greeting() {
  auto script = ConversationScript::scripted("expect decided");
  script->run({{0, "start",
                "start 1; Hello.; Which city?; end 1; decided 0/1 ask \"\" -> "
                "\"Hello. Which city?\" {} {}; expect choice"},
               {10, "start", ""}});
}

void test_to_the_end() {
  auto script = ConversationScript::scripted("expect decided heard");
  script->run({
      {0, "start",
       "start 1; Hello.; Which city?; end 1; decided 0/1 ask \"\" -> \"Hello. "
       "Which city?\" {} {}; expect choice"},
      {200, "started:1", "heard 0/1 started \"\""},
      {2000, "ended:1", "heard 0/1 complete \"Hello. Which city?\""},
      {2500, "speech", ""},
      {3000, "quiet", ""},
      {3400, "words:Rome",
       "start 2; Which day?; end 2; decided 1/2 ask \"Rome\" -> \"Which "
       "day?\" {\"city\":\"Rome\"} {\"city\":\"Rome\"}; expect date"},
      {3600, "started:2", "heard 1/2 started \"\""},
      {4600, "ended:2", "heard 1/2 complete \"Which day?\""},
      {6000, "words:tomorrow",
       "start 3!; Done.; Bye.; end 3; decided 2/3 end_call \"tomorrow\" -> "
       "\"Done. Bye.\" {\"day\":\"2026-04-30\"} "
       "{\"city\":\"Rome\",\"day\":\"2026-04-30\"}"},
      // What was heard of the goodbye is told all the same.
      {6200, "started:3",
       "heard 2/3 started \"\"; expect nothing; ended goal "
       "{\"city\":\"Rome\",\"day\":\"2026-04-30\"} goal; EOS"},
      {7000, "ended:3", "heard 2/3 complete \"Done. Bye.\""},
      {500000, "wait", ""},
  });
  equal(script->history(), "agent: Hello. Which city? | caller: Rome | agent: "
                           "Which day? | caller: tomorrow | agent: Done. Bye.");
}

void test_history() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", ""},
      {900, "progress:1:Hello.", ""},
      {1000, "speech", "hold"},
      {1001, "held:1:Hello. Which", ""},
      {1500, "quiet", ""},
      {1700, "words:Rome", "flush; start 2; Which day?; end 2"},
      {1701, "cut:1:Hello. Which", "interrupted 0/1 \"Hello. Which\" 1200"},
  });
  equal(script->history(), "agent: Hello. Which | caller: Rome");
}

void test_late_cut() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", ""},
      {900, "progress:1:Hello.", ""},
      {1000, "speech", "hold"},
      {1200, "quiet", ""},
      {1300, "words:Rome", "flush; start 2; Which day?; end 2"},
      {1500, "cut:1:Hello. Which", "interrupted 0/1 \"Hello. Which\" 1200"},
  });
  equal(script->history(), "agent: Hello. Which | caller: Rome");
}

void test_no_cut() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", ""},
      {900, "progress:1:Hello.", ""},
      {1000, "speech", "hold"},
      {1200, "partial:the big", "flush"},
      {5199, "wait", ""},
      {5200, "wait", "interrupted 0/1 \"Hello.\" 600"},
      // Told once.
      {5300, "cut:1:Hello. Which", ""},
  });
}

void test_nothing_heard() {
  // Cut before a word: it was not said.
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {100, "speech", ""},
      {200, "started:1", "hold"},
      {201, "held:1:", ""},
      {900, "quiet", ""},
      {1000, "words:Oslo", "flush; start 2; Which day?; end 2"},
      {1010, "cut:1:", "interrupted 0/1 \"\" 0"},
  });
  equal(script->history(), "caller: Oslo");
}

void test_empty_transcript() {
  auto script = ConversationScript::scripted("decided");
  script->run({{0, "start",
                "start 1; Hello.; Which city?; end 1; decided 0/1 ask \"\" -> "
                "\"Hello. Which city?\" {} {}"},
               {100, "started:1", ""},
               {1000, "ended:1", ""},
               {2000, "speech", ""},
               {2500, "quiet", ""},
               {2600, "words:", ""},
               {2700, "words:  ", ""}});
  equal(script->history(), "agent: Hello. Which city?");
}

void test_mumble() {
  auto script = ConversationScript::scripted("decided");
  script->run({
      {0, "start",
       "start 1; Hello.; Which city?; end 1; decided 0/1 ask \"\" -> \"Hello. "
       "Which city?\" {} {}"},
      {100, "started:1", ""},
      // Into the agent's words: they go on.
      {500, "speech", "hold"},
      {510, "held:1:Hello.", ""},
      {700, "quiet", ""},
      {800, "mumble", "resume; heard 0/1 false-interruption \"Hello.\""},
      {1500, "ended:1", ""},
      // An answer: it is asked for again.
      {2000, "speech", ""},
      {2500, "quiet", ""},
      {2600, "mumble",
       "start 2; Pardon?; Rome or Oslo?; end 2; decided 1/2 ask \"\" -> "
       "\"Pardon? Rome or Oslo?\" {} {}"},
  });
  equal(script->history(), "agent: Hello. Which city?");
}

void test_sentence_goes_on() {
  // "the" ... "Rome one": the answer to the first half was not heard yet.
  auto script = ConversationScript::scripted("decided");
  script->run({
      {0, "start",
       "start 1; Hello.; Which city?; end 1; decided 0/1 ask \"\" -> \"Hello. "
       "Which city?\" {} {}"},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "speech", ""},
      {2300, "quiet", ""},
      {2500, "words:the big",
       "start 2; Pardon?; Rome or Oslo?; end 2; decided 1/2 ask \"the big\" "
       "-> \"Pardon? Rome or Oslo?\" {} {}"},
      {2550, "speech", "hold"},
      {2800, "quiet", ""},
      {3000, "words:one Rome",
       "flush; start 3; Which day?; end 3; decided 2/3 ask \"the big one "
       "Rome\" -> \"Which day?\" {\"city\":\"Rome\"} {\"city\":\"Rome\"}"},
      {3100, "started:3", ""},
      {4000, "ended:3", ""},
  });
  equal(script->history(), "agent: Hello. Which city? | caller: the big one "
                           "Rome | agent: Which day?");
}

void test_open_turn() {
  // The recogniser takes "the third of" for a whole turn; nobody else would.
  auto script = ConversationScript::scripted("latency");
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", "latency 0: - - 0 60 80"},
      {1000, "ended:1", ""},
      {2000, "words:Rome", "start 2; Which day?; end 2"},
      {2100, "started:2", "latency 1: - 2000 2000 2060 2080"},
      {3000, "ended:2", ""},
      {4000, "speech", ""},
      {4800, "quiet@4500", ""},
      {4900, "words@4500:the day of", ""},
      {5900, "speech@5850", ""},
      {6500, "quiet@6200", ""},
      {6700, "words@6200:um", ""}, // and another 1.5 s from there
      {7699, "wait", ""},
      {7700, "wait", "start 3; Pardon?; Which day?; end 3"},
      // The words came before; the rest was patience.
      {7800, "started:3", "latency 2: 6200 6700 7700 7760 7780"},
      {8800, "ended:3", ""},
      {9000, "speech", ""},
      {9800, "quiet@9500", ""},
      {9900, "words@9500:the third of", ""},
      {10900, "speech@10850", ""},
      {11500, "quiet@11200", ""},
      {11700, "words@11200:May", "start 4!; Done.; Bye.; end 4"},
      {11700, "started:4",
       "latency 3: 11200 11700 11700 11660 11680; ended goal "
       "{\"city\":\"Rome\",\"day\":\"2026-05-03\"} goal; EOS"},
  });
  equal(script->history(),
        "agent: Hello. Which city? | caller: Rome | agent: Which day? | "
        "caller: the day of um | agent: Pardon? Which day? | caller: the "
        "third of May");
}

void test_held_words() {
  // The first half's words come while the second is being spoken.
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "speech", ""},
      {2300, "quiet", ""},
      {2500, "speech", ""},
      {2600, "words@2300:tomorrow to", ""},
      {3000, "quiet", ""},
      {3300, "words@3000:Oslo", "start 2!; Done.; Bye.; end 2"},
      {3300, "started:2",
       "ended goal {\"city\":\"Oslo\",\"day\":\"2026-04-30\"} goal; EOS"},
  });
  equal(script->history(),
        "agent: Hello. Which city? | caller: tomorrow to Oslo");
}

void test_held_words_alone() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "speech", ""},
      {2300, "quiet", ""},
      {2500, "speech", ""},
      {2600, "words@2300:Oslo", ""},
      {2700, "quiet", ""}, // it was a cough
      {5200, "wait", "start 2; Which day?; end 2"},
  });
}

void test_speech_told_twice() {
  // By a stage of its own, and later by the recogniser.
  auto script = ConversationScript::scripted("latency");
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", "latency 0: - - 0 60 80"},
      {1000, "ended:1", ""},
      {2060, "speech@2000", ""},
      {2250, "speech@1950", ""},
      {2800, "quiet@2500", ""},
      {3000, "quiet@2600", ""},
      {3100, "words@2600:Rome", "start 2; Which day?; end 2"},
      {3200, "started:2", "latency 1: 2500 3100 3100 3160 3180"},
      {4000, "ended:2", ""},
      // The late end of it, while the caller speaks on.
      {6060, "speech@6000", ""},
      {6100, "quiet@5900", ""},
      {6200, "words@5900:May", ""},
      {7000, "quiet@6700", ""},
      {7300, "words@6700:third", "start 3!; Done.; Bye.; end 3"},
      {7300, "started:3",
       "latency 2: 6700 7300 7300 7260 7280; ended goal "
       "{\"city\":\"Rome\",\"day\":\"2026-05-03\"} goal; EOS"},
  });
}

// The line stood still: what was taken for the end of speech was silence made
// up, and the rest comes then, from where it broke off.
void test_speech_whose_rest_is_late() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2060, "speech@2000", ""},
      {3200, "quiet@2400", ""},
      {3400, "words@2400:Rome", "start 2; Which day?; end 2"},
      {3500, "started:2", ""},
      {4000, "speech@2400", "hold"},
      {4000, "quiet@3000", ""},
      {4200, "words@3000:no wait Oslo", "flush; start 3; Which day?; end 3"},
      {4300, "cut:2:", "interrupted 1/2 \"\" 0"},
  });
}

void test_speech_told_too_late() {
  // It is over when the recogniser says that it began: it is not under way for
  // ever.
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {5060, "speech@5000", ""},
      {5300, "quiet@5200", ""},
      {5400, "speech@5000", ""},
      {13299, "wait", ""},
      {13300, "wait", "start 2; Still there?; Which city?; end 2"},
  });
}

// Words that were none in the end were said all the same.
void test_retracted() {
  auto script = ConversationScript::scripted();
  script->run({{0, "start", kGreeting},
               {100, "started:1", ""},
               {1000, "ended:1", ""},
               {2000, "speech", ""},
               {2300, "partial:Rome", ""},
               {2500, "quiet", ""},
               {3000, "words@2500:", "start 2; Pardon?; Rome or Oslo?; end 2"},
               {3100, "started:2", ""},
               // They silenced it.
               {3500, "speech", "hold"},
               {3700, "partial:Oslo", "flush"},
               {3701, "cut:2:Pardon?", "interrupted 1/2 \"Pardon?\" 700"},
               {3900, "quiet", ""},
               {4400, "words@3900:", "start 3; Pardon?; Rome or Oslo?; end 3"},
               {4500, "started:3", ""},
               {5500, "ended:3", ""},
               // What nobody waits for an answer to.
               {6000, "speech", ""},
               {6200, "partial:mm-hm", ""},
               {6400, "quiet", ""},
               {6900, "words@6400:", ""}});
}

void test_deaf() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {1000, "deaf:invalid_api_key",
       "trouble invalid_api_key!; start 2!; Sorry, bye.; end 2; ended "
       "provider_failed {}; EOS"},
      {1100, "speech", ""},
      {1200, "deaf:invalid_api_key", "trouble invalid_api_key"},
  });
}

void test_deaf_from_the_start() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {10, "deaf:connect",
       "trouble connect!; flush; start 2!; Sorry, bye.; end 2; ended "
       "provider_failed {}; EOS"},
  });
}

void test_mute() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {1000, "mute:quota_exceeded", "trouble quota_exceeded"},
      {2000, "started:1", ""},
      {3000, "ended:1", ""},
      {4000, "words:Rome", "start 2; Which day?; end 2"},
  });
}

void test_gone() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "gone", ""}, // before it began
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {1000, "gone", "ended caller_hung_up {}; EOS"},
      {1010, "gone", ""},
      {1020, "words:hello", ""},
      {1030, "cut:1:Hello.", ""},
      {500000, "wait", ""},
  });
  equal(script->history(), "agent: Hello.");
}

void test_typed() {
  // No recogniser and no sink: lines are answered one after the other.
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {0, "words:Rome", "start 2; Which day?; end 2"},
      {0, "words:tomorrow",
       "start 3!; Done.; Bye.; end 3; ended goal "
       "{\"city\":\"Rome\",\"day\":\"2026-04-30\"} goal; "
       "EOS"},
  });
  equal(script->history(), "agent: Hello. Which city? | caller: Rome | agent: "
                           "Which day? | caller: tomorrow");
}

void test_keys() {
  auto script = ConversationScript::scripted("decided");
  script->run({
      {0, "start",
       "start 1; Hello.; Which city?; end 1; decided 0/1 ask \"\" -> \"Hello. "
       "Which city?\" {} {}"},
      {100, "started:1", ""},
      {500, "key:4", "flush"},
      {510, "cut:1:Hello.", "interrupted 0/1 \"Hello.\" 600"},
      {1000, "key:2", ""},
      {2999, "wait", ""},
      {3000, "wait",
       "start 2; Pardon?; Rome or Oslo?; end 2; decided 1/2 ask \"42\" -> "
       "\"Pardon? Rome or Oslo?\" {} {}"},
      {3100, "started:2", ""},
      {4000, "ended:2", ""},
      {5000, "key:7", ""},
      {5100, "key:*", ""}, // away with it
      {5200, "key:1", ""},
      {5300, "key:#",
       "start 3; Pardon?; Rome or Oslo?; end 3; decided 2/3 ask \"1\" -> "
       "\"Pardon? Rome or Oslo?\" {} {}"},
      {5400, "key:#", ""},
      {5500, "key:", ""},
  });
}

void test_latency() {
  auto script = ConversationScript::scripted("latency");
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", "latency 0: - - 0 160 180"},
      {210, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "speech", ""},
      {2500, "quiet", ""},
      {2900, "words@2400:Rome", "start 2; Which day?; end 2"},
      {3200, "started:2", "latency 1: 2500 2900 2900 3160 3180"},
      {4000, "ended:2", ""},
      // Without word of the end of speech, the end of the words' audio.
      {5000, "words@4600:Rome", "start 3; Pardon?; Which day?; end 3"},
      {5200, "started:3", "latency 2: 4600 5000 5000 5160 5180"},
  });
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  patchcord::test::add_tests({
      {"/conversation/greeting-is-spoken-at-once", test_greeting},
      {"/conversation/leads-from-the-greeting-to-the-end", test_to_the_end},
      {"/conversation/history-keeps-only-what-was-heard", test_history},
      {"/conversation/late-word-of-what-was-heard-corrects-the-history",
       test_late_cut},
      {"/conversation/interruption-is-told-even-if-the-sink-says-nothing",
       test_no_cut},
      {"/conversation/reply-that-was-not-heard-was-not-said",
       test_nothing_heard},
      {"/conversation/empty-transcripts-make-no-turn", test_empty_transcript},
      {"/conversation/words-that-were-not-understood-are-asked-for",
       test_mumble},
      {"/conversation/sentence-that-goes-on-is-answered-as-one",
       test_sentence_goes_on},
      {"/conversation/turn-stays-open-while-a-sentence-breaks-off",
       test_open_turn},
      {"/conversation/words-of-a-sentence-that-goes-on-are-held",
       test_held_words},
      {"/conversation/held-words-are-answered-if-no-more-come",
       test_held_words_alone},
      {"/conversation/speech-that-is-told-twice-is-one",
       test_speech_told_twice},
      {"/conversation/speech-whose-rest-is-late-goes-on",
       test_speech_whose_rest_is_late},
      {"/conversation/speech-that-is-told-when-it-is-over-is-over",
       test_speech_told_too_late},
      {"/conversation/words-that-were-none-are-asked-for-again",
       test_retracted},
      {"/conversation/deaf-agent-apologises-and-ends", test_deaf},
      {"/conversation/agent-deaf-from-the-start-says-so",
       test_deaf_from_the_start},
      {"/conversation/voice-that-fails-over-is-only-noted", test_mute},
      {"/conversation/caller-who-hangs-up-ends-it", test_gone},
      {"/conversation/typed-lines-are-answered-in-order", test_typed},
      {"/conversation/keys-are-words-after-a-pause", test_keys},
      {"/conversation/every-stage-of-a-turn-is-timed", test_latency},
  });
  add_conversation_holds();
  add_conversation_times();
  return g_test_run();
}
