// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/add_tests.hpp"
#include "conversation_script.hpp"
#include "conversation_tests.hpp"

// Speech and noise into the agent's words: what holds them, and what ends them.
namespace {

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

void test_goodbye() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "words:Rome tomorrow", "start 2!; Done.; Bye.; end 2"},
      {2100, "started:2",
       "ended goal {\"city\":\"Rome\",\"day\":\"2026-04-30\"} goal; EOS"},
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

} // namespace

void add_conversation_holds() {
  patchcord::test::add_tests({
      {"/conversation/cough-does-not-end-the-reply", test_cough},
      {"/conversation/cough-costs-less-where-words-come-early",
       test_cough_where_words_come_early},
      {"/conversation/noise-too-short-for-a-word-costs-no-wait", test_bump},
      {"/conversation/what-began-as-listening-may-interrupt",
       test_backchannel_that_goes_on},
      {"/conversation/backchannel-is-no-interruption", test_backchannel},
      {"/conversation/hold-may-wait-for-longer-speech", test_hold_after},
      {"/conversation/late-word-into-the-end-of-a-question-answers-it",
       test_late_answer_over_the_end},
      {"/conversation/late-word-answers-the-question-that-was-out",
       test_late_word_to_another_question},
      {"/conversation/okay-into-the-last-word-of-a-question-answers-it",
       test_answer_over_the_end},
      {"/conversation/what-was-over-is-not-held", test_hold_at_the_end},
      {"/conversation/closing-words-are-not-held", test_noise_at_the_end},
      {"/conversation/model-writes-on-while-its-words-are-held",
       test_writes_on_while_held},
      {"/conversation/cough-that-the-recogniser-knows-costs-no-wait",
       test_cough_told},
      {"/conversation/cough-before-the-reply-changes-nothing",
       test_cough_before_reply},
      {"/conversation/goodbye-is-not-interrupted", test_goodbye},
  });
}
