// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/add_tests.hpp"
#include "realtime_play.hpp"

#include <cstring>
#include <string>

// Errors of a session that was ready, and the sessions after it.
using namespace patchcord;
using namespace patchcord::test;

namespace {

void test_reconnect_delays() {
  Play play;
  play.ready();
  const struct {
    int low, high; // ms
  } delays[] = {
      {375, 500}, {750, 1000}, {1125, 1500}, {1125, 1500}, {1125, 1500}};
  int t = 1000;
  for (const auto &delay : delays) {
    play.closed(t, 1006);
    equal(play.take(), "disconnect\n");
    play.until(t + delay.low - 1);
    equal(play.take(), "");
    play.until(t + delay.high + 1);
    g_assert_true(play.take().starts_with("connect "));
    t += delay.high + 10;
    play.ready(t); // but not for long
  }
  play.closed(t, 1006, "gone");
  equal(play.take(), "disconnect\ndisconnect\nfailed connection_lost "
                     "retryable\n");
}

// Wherever it hangs: who is not heard is told so five seconds later.
void test_unheard() {
  const auto failed = [](Play &play, int at) {
    play.until(at - 1);
    g_assert_null(std::strstr(play.take().c_str(), "failed"));
    play.until(at);
    g_assert_true(play.take().ends_with("failed connection_lost retryable\n"));
    g_assert_false(play.session.deadline().has_value());
  };
  Play refused;
  refused.ready();
  for (int t = 2000; t < 7000; t += 50)
    refused.closed(t, 1006, "refused");
  failed(refused, 7000);
  Play silent;
  silent.take();
  failed(silent, 5000);
  Play no_session;
  no_session.until(1000);
  no_session.session.on_open(no_session.now);
  no_session.settle();
  failed(no_session, 5000);
  // What was said in a shorter break is heard behind it.
  Play late;
  late.ready();
  late.talk(0, 2000);
  late.closed(2000, 1006);
  late.talk(2000, 6900);
  late.connected(6950);
  g_assert_true(late.session.ready());
  late.appended = 0;
  late.until(6960);
  g_assert_null(std::strstr(late.take().c_str(), "failed"));
  late.until(60'000);
  g_assert_true(late.session.ready());
}

// Before there is audio nobody is unheard.
void test_nobody_to_be_heard() {
  RealtimeTranscription session{Settings()};
  TimePoint now = 100s;
  session.start(now);
  session.on_open(now);
  session.on_message(R"({"type":"session.created","session":{"id":"a"}})", now);
  g_assert_false(session.deadline().has_value());
  // And from then on there is.
  session.set_format(Format::kMulaw8k, now + 60s);
  g_assert_true(session.deadline() <= now + 65s);
}

void test_attempts_start_anew_once_stable() {
  Play play;
  play.ready();
  int t = 0;
  for (int i = 0; i < 20; ++i) {
    t += 11'000;
    play.closed(t, 1011);
    play.connected(t + 600);
    g_assert_true(play.session.ready());
  }
  g_assert_true(play.take().find("failed") == std::string::npos);
}

void test_startup_timeouts() {
  Play play;
  play.take();
  play.until(3499);
  equal(play.take(), "");
  play.until(3500); // no upgrade
  equal(play.take(), "disconnect\n");
  play.until(4000); // once more
  g_assert_true(play.take().starts_with("connect "));
  play.connected(4500);
  g_assert_true(play.session.ready());
}

// Closed in the middle of a turn: what was said is said again to the next
// session, and nothing of what was understood already.
void test_unfinished_turn_is_sent_again() {
  Play play;
  play.ready();
  play.talk(0, 2000);
  play.event(2000, started("A", 200));
  play.event(2001, stopped("A", 1500));
  play.event(2002, committed("A"));
  play.event(2100, completed("A", "first"));
  play.talk(2100, 3900); // a second behind its first sample
  play.event(3900, started("B", 2900));
  equal(play.take(), "started 500\nstopped 1000\nresult 500-1000 first\n"
                     "started 3200\n");
  play.talk(3900, 6100);
  play.closed(6101, 1006);
  equal(play.take(), "disconnect\nstopped 6000\n");
  play.talk(6100, 6900); // meanwhile
  play.connected(6901);
  // From 500 ms before the start of B to 6800, of audio time.
  g_assert_cmpuint(play.appended, ==, (6800 - 2700) * 8);
  play.take();
  play.event(7000, started("B2", 200));
  play.event(7001, stopped("B2", 3600));
  play.event(7002, committed("B2"));
  play.event(7400, completed("B2", "second"));
  // The new session's time 0 is 2700.
  equal(play.take(), "started 3200\nstopped 5800\nresult 3200-5800 second\n");
}

void test_committed_turn_is_sent_again() {
  Play play(with_model("gpt-live-transcribe"));
  play.ready();
  play.talk(0, 900);
  play.session.speech_started(500ms, play.now);
  play.settle();
  play.talk(900, 2000);
  play.session.speech_stopped(1500ms, play.now);
  play.settle();
  play.event(2010, committed("A"));
  play.event(2020, delta("A", "lost"));
  play.take();
  play.closed(2030, 1006);
  play.connected(3000);
  equal(play.take(),
        "disconnect\n"
        "connect wss://api.openai.com/v1/realtime?intent=transcription\n"
        "> session.update\n"
        "> input_audio_buffer.commit commit_2\n");
  g_assert_cmpuint(play.appended, ==, 2000 * 8); // 500 ms before it as well
  play.event(3100, committed("A2"));
  play.event(3200, completed("A2", "all of it"));
  equal(play.take(), "result 500-1500 all of it\n");
}

void test_replay_is_bounded() {
  Play play;
  play.ready();
  play.talk(0, 1000);
  play.event(1000, started("A", 0));
  play.talk(1000, 60'000); // a minute in one breath
  play.closed(60'000, 1006);
  play.connected(60'600);
  g_assert_cmpuint(play.appended, <=, 21'000 * 8);
  g_assert_cmpuint(play.appended, >, 20'000 * 8);
}

void test_recycled_between_turns() {
  Settings settings = with_model("gpt-4o-transcribe");
  for (const std::uint32_t seed : {1U, 2U, 3U}) {
    settings.seed = seed;
    Play play(settings);
    play.ready();
    play.audio(1000);
    play.until(45 * 60'000 - 1);
    equal(play.take(), ""); // never before 45 minutes
    play.event(45 * 60'000 - 1, started("A", 0));
    play.until(51 * 60'000);
    equal(play.take(), "started 0\n"); // not while somebody speaks
    play.event(51 * 60'000, stopped("A", 900));
    play.event(51 * 60'000, committed("A"));
    equal(play.take(), "stopped 400\n");
    play.event(51 * 60'000 + 100, completed("A", "done"));
    play.until(51 * 60'000 + 101);
    equal(play.take(),
          "result 0-400 done\ndisconnect\n"
          "connect wss://api.openai.com/v1/realtime?intent=transcription\n");
  }
}

void test_errors_when_ready() {
  const struct {
    const char *name;
    std::string event;
    const char *expected;
  } cases[] = {
      {"expired", error("session_expired", "60 minutes"), "disconnect\n"},
      {"expired by its text", error(nullptr, "the maximum duration of 60 min"),
       "disconnect\n"},
      {"rate", error("rate_limit_exceeded", "slow down"), "disconnect\n"},
      {"quota", error("insufficient_quota", "no money"),
       "disconnect\nfailed insufficient_quota\n"},
      {"key", error("invalid_api_key", "revoked"),
       "disconnect\nfailed invalid_api_key\n"},
      {"empty commit", error("input_audio_buffer_commit_empty", "x"), ""},
      {"empty commit by its text", error(nullptr, "buffer too small"), ""},
      {"server error", error("server_error", "sorry"), ""},
  };
  for (const auto &test : cases) {
    g_test_message("%s", test.name);
    Play play;
    play.ready();
    play.event(100, test.event);
    equal(play.take(), test.expected);
  }
}

void test_failure_gives_what_was_heard() {
  Play play(with_model("gpt-live-transcribe"));
  play.ready();
  play.audio(1000);
  play.session.speech_started(200ms, play.now);
  play.settle();
  play.event(10, delta("A", "my number is"));
  play.event(20, error("insufficient_quota", "no money"));
  equal(play.take(), "started 200\npartial my number is\nstopped 1000\n"
                     "result 1000-1000 my number is\n"
                     "disconnect\nfailed insufficient_quota\n");
}

} // namespace

void test::add_realtime_breaks() {
  add_tests({
      {"/realtime/reconnect-delays", test_reconnect_delays},
      {"/realtime/who-is-not-heard-is-told-in-five-seconds", test_unheard},
      {"/realtime/before-there-is-audio-nobody-is-unheard",
       test_nobody_to_be_heard},
      {"/realtime/attempts-start-anew-once-stable",
       test_attempts_start_anew_once_stable},
      {"/realtime/startup-timeouts", test_startup_timeouts},
      {"/realtime/unfinished-turn-is-sent-again",
       test_unfinished_turn_is_sent_again},
      {"/realtime/committed-turn-is-sent-again",
       test_committed_turn_is_sent_again},
      {"/realtime/replay-is-bounded", test_replay_is_bounded},
      {"/realtime/recycled-between-turns", test_recycled_between_turns},
      {"/realtime/errors-when-ready", test_errors_when_ready},
      {"/realtime/failure-gives-what-was-heard",
       test_failure_gives_what_was_heard},
  });
}
