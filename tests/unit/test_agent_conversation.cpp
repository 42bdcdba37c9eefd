// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include <glib.h>

// Conversations as tables: what happens, when, and what is done about it.
namespace {

const char *const kGreeting = "start 1; Hello.; Which city?; end 1";

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
       "\"Done. Bye.\" {\"day\":\"2026-04-30\"} {\"city\":\"Rome\",\"day\":"
       "\"2026-04-30\"}; expect nothing; ended goal {\"city\":\"Rome\","
       "\"day\":\"2026-04-30\"} goal; EOS"},
      // What was heard of the goodbye is told all the same.
      {6200, "started:3", "heard 2/3 started \"\""},
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

void test_cough() {
  auto script = ConversationScript::scripted("heard");
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", "heard 0/1 started \"\""},
      {1000, "speech", "hold"},
      {1010, "held:1:Hello. Which", ""},
      {1300, "quiet", ""},
      {3299, "wait", ""},
      {3300, "wait", "resume; heard 0/1 false-interruption \"Hello. Which\""},
      {3700, "ended:1", "heard 0/1 complete \"Hello. Which city?\""},
      {5000, "words:Rome", "start 2; Which day?; end 2"},
  });
  equal(script->history(), "agent: Hello. Which city? | caller: Rome");
}

void test_cough_where_words_come_early() {
  // From a recogniser that tells words while they are spoken.
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", ""},
      {1000, "ended:1", ""},
      {4000, "speech", ""},
      {4300, "partial:Rome", ""},
      {4600, "quiet@4400", ""},
      {4900, "words:Rome", "start 2; Which day?; end 2"},
      {5000, "started:2", ""},
      {5200, "speech@5140", "hold"},
      {5201, "held:2:", ""},
      {5700, "quiet@5490", ""},
      {5999, "wait", ""},
      {6000, "wait", "resume; heard 1/2 false-interruption \"\""},
      {6400, "words:", ""},
      // It was late for once.
      {6500, "speech", "hold"},
      {6501, "held:2:Which", ""},
      {7000, "quiet@6800", ""},
      {7300, "wait", "resume; heard 1/2 false-interruption \"Which\""},
      {7500, "words:no wait", "flush; start 3; Pardon?; Which day?; end 3"},
      {7501, "cut:2:Which", "interrupted 1/2 \"Which\" 500"},
  });
  // Words that come while somebody speaks on may be of what he said before.
  auto slow = ConversationScript::scripted();
  slow->run({
      {0, "start", kGreeting},
      {200, "started:1", ""},
      {1000, "ended:1", ""},
      {4000, "speech", ""},
      {4600, "quiet@4400", ""},
      {5000, "speech", ""},
      {5100, "partial:Rome", ""},
      {5400, "quiet@5200", ""},
      {5600, "words:Rome", "start 2; Which day?; end 2"},
      {5700, "started:2", ""},
      {6000, "speech", "hold"},
      {6001, "held:2:", ""},
      {6500, "quiet@6300", ""},
      {8299, "wait", ""},
      {8300, "wait", "resume; heard 1/2 false-interruption \"\""},
  });
}

void test_bump() {
  // Too short for any word: no need to wait for one.
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", ""},
      {1060, "speech@1000", "hold"},
      {1061, "held:1:Hello.", ""},
      {1400, "quiet@1140", "resume; heard 0/1 false-interruption \"Hello.\""},
      // It was one.
      {1900, "words:Rome", "flush; start 2; Which day?; end 2"},
      {1901, "cut:1:Hello. Which", "interrupted 0/1 \"Hello. Which\" 1200"},
  });
  equal(script->history(), "agent: Hello. Which | caller: Rome");
}

void test_backchannel() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", ""},
      {500, "speech", "hold"},
      {501, "held:1:", ""},
      {700, "partial:mm", ""},
      // At once when he has ceased to speak, whatever the recogniser waits for.
      {900, "quiet", "resume; heard 0/1 false-interruption \"\""},
      {1000, "partial:Mm-hm", ""},
      {1100, "words:Mm-hm, okay.", ""},
      {1300, "progress:1:Hello.", ""},
      // And once more; then he wants the turn, and the first word of it tells.
      {1400, "speech", "hold"},
      {1401, "held:1:Hello.", ""},
      {1500, "partial:okay", ""},
      {1700, "partial:okay but Rome", "flush"},
      {1701, "cut:1:Hello.", "interrupted 0/1 \"Hello.\" 600"},
      {2000, "quiet", ""},
      {2300, "words:okay but Rome", "start 2; Which day?; end 2"},
  });
  equal(script->history(), "agent: Hello. | caller: okay but Rome");
}

void test_backchannel_that_goes_on() {
  // The recogniser's last word is another than its words so far.
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", ""},
      {500, "speech", "hold"},
      {501, "held:1:", ""},
      {600, "partial:okay", ""},
      {800, "partial:okay", ""},
      {899, "wait", ""},
      // Nothing came behind it.
      {900, "wait", "resume; heard 0/1 false-interruption \"\""},
      {1200, "words:okay Rome", "flush; start 2; Which day?; end 2"},
      {1201, "cut:1:Hello.", "interrupted 0/1 \"Hello.\" 600"},
  });
  equal(script->history(), "agent: Hello. | caller: okay Rome");
}

void test_hold_after() {
  // Who had rather be talked over for a while than be silenced by "mm-hm".
  auto script = ConversationScript::scripted(
      {}, "[interruptions]\nhold_after_ms = 600\n");
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", ""},
      {300, "speech", ""},
      {850, "quiet@650", ""},
      {1000, "words:Mm-hm", ""},
      // It goes on for longer, but is no more than that so far.
      {1100, "speech", ""},
      {1600, "partial:mm-hm", ""},
      {1800, "wait", ""},
      {1900, "quiet@1700", ""},
      {2000, "words:Mm-hm", ""},
      // Nobody knows what it is: held; and it was noise.
      {2100, "speech@2040", ""},
      {2639, "wait", ""},
      {2640, "wait", "hold"},
      {2641, "held:1:Hello.", ""},
      {3000, "quiet", ""},
      {3200, "words:", "resume; heard 0/1 false-interruption \"Hello.\""},
      // Words are not waited for.
      {3300, "speech", ""},
      {3500, "partial:Rome", "flush"},
      {3501, "cut:1:Hello.", "interrupted 0/1 \"Hello.\" 600"},
      {3900, "wait", ""},
  });
}

// A word that comes later than noise is given up for is an answer all the same:
// the question was out when he spoke.
void test_late_answer_over_the_end() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", ""},
      {1000, "ended:1", ""},
      {4000, "speech", ""},
      {4300, "partial:Rome", ""},
      {4600, "quiet@4400", ""},
      {4900, "words:Rome", "start 2; Which day?; end 2"},
      {5000, "started:2", ""},
      {5200, "speech@5140", "hold"},
      {5201, "held:2:Which", ""},
      {5700, "quiet@5490", ""},
      {6000, "wait", "resume; heard 1/2 false-interruption \"Which\""},
      {6200, "words:yeah", "flush; start 3; Pardon?; Which day?; end 3"},
      {6201, "cut:2:Which", "interrupted 1/2 \"Which\" 500"},
  });
}

// Not of what is said after the noise, nor of a question that was not out.
void test_late_word_to_another_question() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", ""},
      {1000, "ended:1", ""},
      {4000, "speech", ""},
      {4300, "partial:Rome", ""},
      {4600, "quiet@4400", ""},
      {4900, "words:Rome", "start 2; Which day?; end 2"},
      {5000, "started:2", ""},
      {5200, "speech@5140", "hold"},
      {5201, "held:2:Which", ""},
      {5700, "quiet@5490", ""},
      {6000, "wait", "resume; heard 1/2 false-interruption \"Which\""},
      {6400, "ended:2", ""},
      {14400, "wait", "start 3; Still there?; Which day?; end 3"},
      {14500, "started:3", ""},
      {14600, "words:yeah", ""},
  });
  script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", ""},
      {300, "speech@240", "hold"},
      {301, "held:1:", ""},
      {800, "quiet@590", ""},
      {2800, "wait", "resume; heard 0/1 false-interruption \"\""},
      {3500, "progress:1:Hello. Which", ""},
      {3600, "words:yeah", ""},
  });
}

void test_answer_over_the_end() {
  // "Okay" into the last word of a question answers it.
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", ""},
      {1500, "speech", "hold"},
      {1501, "held:1:Hello. Which", ""},
      {1700, "partial:okay", ""},
      {1800, "quiet", ""},
      {2000, "words:okay", "flush; start 2; Pardon?; Rome or Oslo?; end 2"},
      {2001, "cut:1:Hello. Which", "interrupted 0/1 \"Hello. Which\" 1200"},
  });
}

void test_hold_at_the_end() {
  // All had been heard when the sink was to hold it.
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", ""},
      {2000, "speech", "hold"},
      {2001, "ended:1", "resume"},
      {2400, "quiet", ""},
      {2600, "words:Rome", "start 2; Which day?; end 2"},
  });
  equal(script->history(), "agent: Hello. Which city? | caller: Rome");
}

void test_noise_at_the_end() {
  // A goodbye into which a noise falls is said.
  auto script = ConversationScript::model();
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "speech", ""},
      {2400, "quiet", ""},
      {2500, "words:bye", "request 1"},
      {2600, "model:{\"message\":\"Good. ", "start 2; Good."},
      {2800, "started:2", ""},
      {2900, "speech", "hold"},
      {2901, "held:2:", ""},
      {3000,
       "model:Bye.\",\"action\":\"end_call\",\"extracted\":{\"city\":null,"
       "\"day\":null}}",
       "Bye."},
      {3100, "model-done", "end 2; resume; ended agent_ended {}; EOS"},
      {3200, "words:wait", ""},
      {4000, "ended:2", ""},
  });
  equal(script->history(),
        "agent: Hello. Which city? | caller: bye | agent: Good. Bye.");
}

void test_writes_on_while_held() {
  auto script = ConversationScript::model();
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "speech", ""},
      {2400, "quiet", ""},
      {2500, "words:Rome", "request 1"},
      {2600, "model:{\"message\":\"Rome it is. And", "start 2; Rome it is."},
      {2800, "started:2", ""},
      {2900, "speech", "hold"},
      {2901, "held:2:Rome", ""},
      {3000,
       "model: which day?\",\"action\":\"ask\",\"extracted\":{\"city\":"
       "\"Rome\",\"day\":null}}",
       "And which day?"},
      {3100, "model-done", "end 2"},
      // Nothing is presumed of what stands still.
      {25000, "partial:hm", ""},
      {30000, "quiet", "resume; heard 1/2 false-interruption \"Rome\""},
      {30200, "words:", ""},
      {32000, "ended:2", ""},
  });
  equal(script->history(), "agent: Hello. Which city? | caller: Rome | agent: "
                           "Rome it is. And which day?");
}

void test_cough_told() {
  // The recogniser heard no words: no need to wait for them.
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {200, "started:1", ""},
      {1000, "speech", "hold"},
      {1010, "held:1:", ""},
      {1300, "quiet", ""},
      {1400, "words: ", "resume; heard 0/1 false-interruption \"\""},
      {1500, "words: ", ""},
  });
}

void test_cough_before_reply() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {100, "speech", ""},
      {150, "quiet", ""},
      {200, "words:", ""},
      {300, "started:1", ""},
      {2000, "ended:1", ""},
  });
  equal(script->history(), "agent: Hello. Which city?");
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
      {2550, "speech", ""},
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
      {11700, "words@11200:May",
       "start 4!; Done.; Bye.; end 4; ended goal "
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
      {3300, "words@3000:Oslo",
       "start 2!; Done.; Bye.; end 2; ended goal "
       "{\"city\":\"Oslo\",\"day\":\"2026-04-30\"} "
       "goal; EOS"},
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
      {7300, "words@6700:third",
       "start 3!; Done.; Bye.; end 3; ended goal "
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

void test_goodbye() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "words:Rome tomorrow",
       "start 2!; Done.; Bye.; end 2; ended goal {\"city\":\"Rome\",\"day\":"
       "\"2026-04-30\"} goal; EOS"},
      {2100, "started:2", ""},
      {2200, "speech", ""},
      {2300, "partial:wait", ""},
      {2400, "quiet", ""},
      {2500, "words:wait a moment", ""},
      {2600, "key:1", ""},
      {2700, "deaf:lost", "trouble lost"},
      {2800, "gone", ""},
      {3000, "ended:2", ""},
      {500000, "wait", ""},
  });
}

void test_idle_timer() {
  auto script = ConversationScript::scripted("decided");
  script->run({
      {0, "start",
       "start 1; Hello.; Which city?; end 1; decided 0/1 ask \"\" -> \"Hello. "
       "Which city?\" {} {}"},
      {2000, "started:1", ""},
      // A slow voice: long after the text was sent.
      {12000, "ended:1", ""},
      {19999, "wait", ""},
      {20000, "wait",
       "start 2; Still there?; Which city?; end 2; decided 1/2 prompt \"\" -> "
       "\"Still there? Which city?\" {} {}"},
      {20100, "started:2", ""},
      {22000, "ended:2", ""},
      {29999, "wait", ""},
      {30000, "wait",
       "start 3!; Goodbye.; end 3; decided 2/3 end_call \"\" -> "
       "\"Goodbye.\" {} {}; ended no_answer {}; EOS"},
  });
}

void test_noise_is_no_sign_of_life() {
  // It puts the question off, but not for ever.
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "speech", ""},
      {7000, "quiet", ""},
      {8000, "speech", ""},
      {13000, "quiet", ""},
      {14000, "speech", ""},
      {16900, "quiet", ""},
      {17000, "wait", "start 2; Still there?; Which city?; end 2"},
  });
}

void test_idle_timer_and_speech() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {8900, "speech", ""},
      {15000, "partial:well I", ""},
      {20000, "quiet", ""},
      {20500, "words:um", ""}, // He thinks.
      {21500, "wait", "start 2; Pardon?; Rome or Oslo?; end 2"},
      {21600, "started:2", ""},
      {22000, "ended:2", ""},
      // A prompt that was answered is forgotten.
      {30000, "wait", "start 3; Still there?; Rome or Oslo?; end 3"},
      {30100, "started:3", ""},
      {31000, "ended:3", ""},
      {32000, "words:Rome", "start 4; Which day?; end 4"},
      {32100, "started:4", ""},
      {33000, "ended:4", ""},
      {41000, "wait", "start 5; Still there?; Which day?; end 5"},
  });
}

void test_stuck_speech() {
  // The end of speech is never told.
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "speech", ""},
      {39999, "wait", ""},
      {40000, "wait", "start 2; Still there?; Which city?; end 2"},
  });
}

void test_no_reports() {
  // Nobody tells what was heard: by estimate, 500 ms and 70 ms a character,
  // and 5 s of patience at first.
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting}, // 19 characters: 1.83 s
      {6829, "wait", ""},
      {14829, "wait", ""},
      {14830, "wait", "start 2; Still there?; Which city?; end 2"},
      // Nobody would hold it: words decide, and a partial has some.
      {15000, "speech", ""},
      {15600, "quiet", ""},
      {15700, "words:Rome",
       "flush; interrupted 1/2 \"Still\" 870; start 3; Which day?; end 3"},
      {16500, "speech", ""},
      {16600, "partial:on", "flush; interrupted 2/3 \"Which\" 900"},
  });
  equal(script->history(), "agent: Hello. Which city? | agent: Still | caller: "
                           "Rome | agent: Which");
}

void test_limits_without_reports() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {1000, "words:a", "start 2; Pardon?; Rome or Oslo?; end 2"},
      {2000, "words:Rome", "start 3; Which day?; end 3"},
      {3000, "words:b", "start 4; Pardon?; Which day?; end 4"},
      // Nothing is asked of which the answer would not be taken.
      {4000, "words:c",
       "start 5!; Time is up.; end 5; ended max_turns "
       "{\"city\":\"Rome\"}; EOS"},
  });
}

void test_last_answer_counts() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {1000, "words:a", "start 2; Pardon?; Rome or Oslo?; end 2"},
      {2000, "words:b", "start 3; Pardon?; Rome or Oslo?; end 3"},
      {3000, "words:Rome", "start 4; Which day?; end 4"},
      {4000, "words:tomorrow",
       "start 5!; Done.; Bye.; end 5; ended goal "
       "{\"city\":\"Rome\",\"day\":\"2026-04-30\"} goal; EOS"},
  });
}

void test_max_duration() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      // Its end is never told, and the caller mumbles on.
      {10000, "speech", "hold"},
      {30000, "partial:a", "flush"},
      {34000, "wait", "interrupted 0/1 \"\" 0"},
      {55000, "partial:a", ""},
      {79000, "partial:b", ""},
      {108000, "partial:c", ""},
      {119999, "wait", ""},
      {120000, "wait",
       "start 2!; Time is up.; end 2; ended max_duration {}; EOS"},
  });
}

void test_lost_end() {
  // The sink told the beginning and then nothing: twice the estimate and 10 s.
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {1000, "started:1", ""},
      {14659, "wait", ""},
      {22659, "wait", ""},
      {22660, "wait", "start 2; Still there?; Which city?; end 2"},
  });
  equal(script->history(), "agent: Hello. Which city?");
}

void test_late_start() {
  // A voice that is slower than patience: it counts as soon as it is heard.
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {7000, "wait", ""}, // presumed over
      {7500, "started:1", ""},
      {8000, "speech", "hold"},
      {8010, "held:1:Hello.", ""},
      {8100, "partial:Rome", "flush"},
      {8110, "cut:1:Hello.", "interrupted 0/1 \"Hello.\" 600"},
  });
}

void test_odd_reports() {
  auto script = ConversationScript::scripted("heard");
  script->run({
      {0, "start", kGreeting},
      {100, "ended:7", ""},
      {200, "started:1", "heard 0/1 started \"\""},
      {210, "started:1", ""},
      {1000, "ended:1", "heard 0/1 complete \"Hello. Which city?\""},
      {1010, "cut:1:Hello", ""},
      {1020, "ended:1", ""},
      {1030, "progress:1:He", ""},
  });
  equal(script->history(), "agent: Hello. Which city?");
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
      {0, "deaf:connect", "trouble connect!"},
      {10, "start",
       "start 1!; Sorry, bye.; end 1; ended provider_failed {}; EOS"},
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
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"greeting-is-spoken-at-once", test_greeting},
      {"leads-from-the-greeting-to-the-end", test_to_the_end},
      {"history-keeps-only-what-was-heard", test_history},
      {"late-word-of-what-was-heard-corrects-the-history", test_late_cut},
      {"interruption-is-told-even-if-the-sink-says-nothing", test_no_cut},
      {"reply-that-was-not-heard-was-not-said", test_nothing_heard},
      {"cough-does-not-end-the-reply", test_cough},
      {"cough-costs-less-where-words-come-early",
       test_cough_where_words_come_early},
      {"noise-too-short-for-a-word-costs-no-wait", test_bump},
      {"what-began-as-listening-may-interrupt", test_backchannel_that_goes_on},
      {"backchannel-is-no-interruption", test_backchannel},
      {"hold-may-wait-for-longer-speech", test_hold_after},
      {"late-word-into-the-end-of-a-question-answers-it",
       test_late_answer_over_the_end},
      {"late-word-answers-the-question-that-was-out",
       test_late_word_to_another_question},
      {"okay-into-the-last-word-of-a-question-answers-it",
       test_answer_over_the_end},
      {"what-was-over-is-not-held", test_hold_at_the_end},
      {"closing-words-are-not-held", test_noise_at_the_end},
      {"model-writes-on-while-its-words-are-held", test_writes_on_while_held},
      {"cough-that-the-recogniser-knows-costs-no-wait", test_cough_told},
      {"cough-before-the-reply-changes-nothing", test_cough_before_reply},
      {"empty-transcripts-make-no-turn", test_empty_transcript},
      {"words-that-were-not-understood-are-asked-for", test_mumble},
      {"sentence-that-goes-on-is-answered-as-one", test_sentence_goes_on},
      {"turn-stays-open-while-a-sentence-breaks-off", test_open_turn},
      {"words-of-a-sentence-that-goes-on-are-held", test_held_words},
      {"held-words-are-answered-if-no-more-come", test_held_words_alone},
      {"speech-that-is-told-twice-is-one", test_speech_told_twice},
      {"speech-whose-rest-is-late-goes-on", test_speech_whose_rest_is_late},
      {"speech-that-is-told-when-it-is-over-is-over",
       test_speech_told_too_late},
      {"goodbye-is-not-interrupted", test_goodbye},
      {"idle-timer-starts-when-playout-ended", test_idle_timer},
      {"noise-does-not-put-off-the-silence-prompt-for-ever",
       test_noise_is_no_sign_of_life},
      {"idle-timer-rests-while-the-caller-speaks", test_idle_timer_and_speech},
      {"speech-without-end-does-not-hold-the-line", test_stuck_speech},
      {"without-reports-the-clock-decides", test_no_reports},
      {"turns-are-limited-without-reports", test_limits_without_reports},
      {"the-last-answer-counts", test_last_answer_counts},
      {"duration-is-limited-whatever-happens", test_max_duration},
      {"end-of-playout-that-is-never-told-is-presumed", test_lost_end},
      {"playout-that-begins-late-still-counts", test_late_start},
      {"reports-that-make-no-sense-change-nothing", test_odd_reports},
      {"deaf-agent-apologises-and-ends", test_deaf},
      {"agent-deaf-from-the-start-says-so", test_deaf_from_the_start},
      {"voice-that-fails-over-is-only-noted", test_mute},
      {"caller-who-hangs-up-ends-it", test_gone},
      {"typed-lines-are-answered-in-order", test_typed},
      {"keys-are-words-after-a-pause", test_keys},
      {"every-stage-of-a-turn-is-timed", test_latency},
  };
  for (const auto &test : tests)
    g_test_add_func(("/conversation/" + std::string(test.name)).c_str(),
                    test.test);
  return g_test_run();
}
