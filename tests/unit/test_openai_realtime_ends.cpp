// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/add_tests.hpp"
#include "realtime_play.hpp"

#include <string>
#include <utility>
#include <vector>

// What ends a session, or what it has heard so far.
using namespace patchcord;
using namespace patchcord::test;

namespace {

void test_finish() {
  const struct {
    const char *name;
    bool speech_left;
    std::vector<std::pair<int, std::string>> events;
    const char *expected;
  } cases[] = {
      {"silence: at once", false, {}, "disconnect\nfinished\n"},
      {"speech: its result is awaited",
       true,
       {{1050, committed("A")}, {1400, completed("A", "bye")}},
       "> input_audio_buffer.commit commit_1\nresult 0-1000 bye\n"
       "disconnect\nfinished\n"},
      {"speech seen by the server as well",
       true,
       {{1010, started("A", 100)},
        {1011, stopped("A", 900)},
        {1012, committed("A")},
        {1013, error("input_audio_buffer_commit_empty", "x", "commit_1")},
        {1400, completed("A", "bye")}},
       "> input_audio_buffer.commit commit_1\nstarted 400\nstopped 400\n"
       "result 400-400 bye\ndisconnect\nfinished\n"},
      {"no result: 5 s",
       true,
       {{1050, committed("A")}, {1060, delta("A", "good")}},
       "> input_audio_buffer.commit commit_1\npartial good\n"
       "result 0-1000 good\ndisconnect\nfinished\n"},
      {"no answer at all: 5 s",
       true,
       {},
       "> input_audio_buffer.commit commit_1\ndisconnect\nfinished\n"},
      {"the connection breaks", true, {}, ""},
  };
  for (const auto &test : cases) {
    g_test_message("%s", test.name);
    Play play;
    play.ready();
    play.talk(0, 1000);
    play.finish(1000, test.speech_left);
    if (*test.expected == '\0') {
      play.closed(1010, 1006);
      play.until(6000);
      g_assert_true(play.take().ends_with("disconnect\nfinished\n"));
      continue;
    }
    for (const auto &[t, json] : test.events)
      play.event(t, json);
    play.until(6000);
    equal(play.take(), test.expected);
    play.until(60'000);
    equal(play.take(), "");
  }
}

void test_finish_before_ready() {
  Play play;
  play.take();
  play.audio(800);
  play.finish(10, true);
  equal(play.take(), "");
  play.connected(500);
  equal(play.take(),
        "> session.update\n> input_audio_buffer.commit commit_1\n");
  g_assert_cmpuint(play.appended, ==, 800 * 8);
  play.event(600, committed("A"));
  play.event(700, completed("A", "short"));
  equal(play.take(), "result 0-800 short\ndisconnect\nfinished\n");

  Play never;
  never.take();
  never.audio(800);
  never.finish(10, true);
  never.until(10'020);
  g_assert_true(never.take().ends_with("finished\n"));
}

void test_flush() {
  Play play;
  play.ready();
  play.audio(1000);
  play.event(10, started("A", 0));
  play.event(11, delta("A", "one"));
  play.take();
  play.audio(50); // not sent yet
  play.session.flush(play.now);
  play.settle();
  equal(play.take(), "> input_audio_buffer.clear\n");
  play.event(20, stopped("A", 900));
  play.event(21, committed("A"));
  play.event(22, completed("A", "one two"));
  equal(play.take(), "");
  play.audio(1000);
  play.event(30, started("B", 1000)); // the 50 ms were never the server's
  equal(play.take(), "started 1350\n");
}

void test_flush_after_the_end_starts_anew() {
  Play play;
  play.ready();
  play.finish(10, false);
  equal(play.take(), "disconnect\nfinished\n");
  play.session.flush(play.now);
  play.settle();
  g_assert_true(play.take().starts_with("connect "));
}

} // namespace

void test::add_realtime_ends() {
  add_tests({
      {"/realtime/finish", test_finish},
      {"/realtime/finish-before-ready", test_finish_before_ready},
      {"/realtime/flush", test_flush},
      {"/realtime/flush-after-the-end-starts-anew",
       test_flush_after_the_end_starts_anew},
  });
}
