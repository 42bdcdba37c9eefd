// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/add_tests.hpp"
#include "conversation_script.hpp"
#include "conversation_tests.hpp"

// What time does: silence, limits, and reports that do not come.
namespace {

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

} // namespace

void add_conversation_times() {
  patchcord::test::add_tests({
      {"/conversation/idle-timer-starts-when-playout-ended", test_idle_timer},
      {"/conversation/noise-does-not-put-off-the-silence-prompt-for-ever",
       test_noise_is_no_sign_of_life},
      {"/conversation/idle-timer-rests-while-the-caller-speaks",
       test_idle_timer_and_speech},
      {"/conversation/speech-without-end-does-not-hold-the-line",
       test_stuck_speech},
      {"/conversation/without-reports-the-clock-decides", test_no_reports},
      {"/conversation/turns-are-limited-without-reports",
       test_limits_without_reports},
      {"/conversation/the-last-answer-counts", test_last_answer_counts},
      {"/conversation/duration-is-limited-whatever-happens", test_max_duration},
      {"/conversation/end-of-playout-that-is-never-told-is-presumed",
       test_lost_end},
      {"/conversation/playout-that-begins-late-still-counts", test_late_start},
      {"/conversation/reports-that-make-no-sense-change-nothing",
       test_odd_reports},
  });
}
