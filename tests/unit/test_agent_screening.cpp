// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include <glib.h>

// Calls that we place: who answered is known later.
namespace {

const char *const kGreeting = "start 1; Hello.; Which city?; end 1";
constexpr char kVoicemail[] = "[voicemail]\nmessage = \"Call us back.\"\n";

std::unique_ptr<ConversationScript> placed(const char *more = kVoicemail) {
  auto script = ConversationScript::scripted({}, more);
  script->conversation().screen();
  return script;
}

void test_human() {
  auto script = placed();
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "answered:human", "human: goes_on"},
      {3000, "words:Rome", "start 2; Which day?; end 2"},
      // The network's second thoughts.
      {3500, "answered:machine_end_beep", "machine_end_beep: late"},
      {3600, "answered:human", "human: late"},
  });
}

// What was said before the verdict is answered with it.
void test_held_words() {
  for (const char *verdict : {"human", "unknown"}) {
    auto script = placed();
    script->run({
        {0, "start", kGreeting},
        {100, "started:1", ""},
        {1000, "ended:1", ""},
        {1100, "speech", ""},
        {1500, "quiet", ""},
        {1700, "words:Rome", ""},
        {4000, "wait", ""},
        {4200, verdict[0] == 'h' ? "answered:human" : "answered:unknown",
         std::string(verdict) + ": goes_on; start 2; Which day?; end 2"},
    });
    equal(script->history(), "agent: Hello. Which city? | caller: Rome");
  }
}

// Into the greeting: it falls silent, and goes on or is dropped by the verdict.
void test_words_into_the_greeting() {
  auto script = placed();
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {300, "speech", "hold"},
      {301, "held:1:Hello.", ""},
      {900, "quiet", ""},
      {1100, "words:hello this is Rome", ""},
      {3000, "answered:human",
       "human: goes_on; flush; start 2; Which day?; end 2"},
      {3001, "cut:1:Hello.", "interrupted 0/1 \"Hello.\" 600"},
  });
}

void test_machine() {
  for (const char *end :
       {"machine_end_beep", "machine_end_silence", "machine_end_other"}) {
    auto script = placed();
    script->run({
        {0, "start", kGreeting},
        {100, "started:1", ""},
        {300, "speech", "hold"},
        {301, "held:1:Hello.", ""},
        {2000, "quiet", ""},
        {2200, "words:you have reached Rome", ""},
        {2400, "speech", ""},
        {4000, "quiet", ""},
        {4200, "words:leave a message", ""},
        {5000, std::string("answered:") + end,
         std::string(end) +
             ": message; flush; start 2!; Call us back.; end 2; ended "
             "voicemail {}; EOS"},
        {5001, "cut:1:Hello.", "interrupted 0/1 \"Hello.\" 600"},
        {5100, "started:2", ""},
        // Once, whatever is said and told again.
        {5200, "answered:machine_end_beep", "machine_end_beep: late"},
        {5300, "words:beep", ""},
        {5400, "answered:human", "human: late"},
        {6000, "ended:2", ""},
        {500000, "wait", ""},
    });
    // Nothing of what the machine said was taken for an answer.
    equal(script->history(), "agent: Hello. | agent: Call us back.");
  }
}

void test_no_message() {
  auto script = placed("");
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {2000, "answered:machine_end_beep",
       "machine_end_beep: hang_up; flush; ended machine {}; EOS"},
  });
  auto fax = placed();
  fax->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {2000, "answered:fax", "fax: hang_up; flush; ended fax {}; EOS"},
  });
}

// Where detection tells of machines before their greeting is over.
void test_machine_start() {
  auto script = placed();
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {1000, "answered:machine_start", "machine_start: waits; flush"},
      {1001, "cut:1:Hello.", "interrupted 0/1 \"Hello.\" 600"},
      {2000, "words:leave a message", ""},
      {2500, "answered:machine_start", "machine_start: late"},
      {15000, "wait", ""},
      {16000, "answered:machine_end_beep",
       "machine_end_beep: message; start 2!; Call us back.; end 2; ended "
       "voicemail {}; EOS"},
  });
  auto alone = placed();
  alone->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {1000, "answered:machine_start", "machine_start: waits; flush"},
      {1001, "cut:1:Hello.", "interrupted 0/1 \"Hello.\" 600"},
      {20999, "wait", ""},
      {21000, "wait",
       "start 2!; Call us back.; end 2; ended voicemail {}; EOS"},
  });
}

// Machines press no keys.
void test_key() {
  auto script = placed();
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {1100, "words:Rome", ""},
      {2000, "key:1", "start 2; Which day?; end 2"},
      {2500, "answered:machine_end_beep", "machine_end_beep: late"},
  });
}

// No verdict comes: who is silent behind words waits for an answer.
void test_no_verdict() {
  auto script = placed();
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {1100, "speech", ""},
      {1500, "quiet", ""},
      {1700, "words:Rome", ""},
      {7600, "wait", ""},
      {7700, "wait", "start 2; Which day?; end 2"},
      {8000, "answered:machine_end_beep", "machine_end_beep: late"},
  });
  // Somebody who speaks without an end is answered in the end.
  auto talker = placed();
  talker->run(
      {{0, "start", kGreeting}, {100, "started:1", ""}, {1000, "ended:1", ""}});
  for (int ms = 2000; ms < 40000; ms += 5000)
    talker->run({{ms, "words:well", ""}});
  talker->run({{39999, "wait", ""},
               {40000, "wait", "start 2; Pardon?; Rome or Oslo?; end 2"}});
}

// Not screened: an inbound call, or one without detection.
void test_not_screened() {
  auto script = ConversationScript::scripted({}, kVoicemail);
  script->run({
      {0, "start", kGreeting},
      {100, "started:1", ""},
      {500, "answered:machine_end_beep", "machine_end_beep: late"},
      {1000, "ended:1", ""},
      {2000, "words:Rome", "start 2; Which day?; end 2"},
  });
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/screening/a-human-being-goes-on", test_human);
  g_test_add_func("/screening/words-wait-for-the-verdict", test_held_words);
  g_test_add_func("/screening/words-into-the-greeting-hold-it",
                  test_words_into_the_greeting);
  g_test_add_func("/screening/a-machine-hears-its-message-once", test_machine);
  g_test_add_func("/screening/without-a-message-it-hangs-up", test_no_message);
  g_test_add_func("/screening/a-machine-may-finish-its-greeting",
                  test_machine_start);
  g_test_add_func("/screening/a-key-is-a-human-being", test_key);
  g_test_add_func("/screening/no-verdict-keeps-nobody-waiting",
                  test_no_verdict);
  g_test_add_func("/screening/only-calls-that-we-place-are-screened",
                  test_not_screened);
  return g_test_run();
}
