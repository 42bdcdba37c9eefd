// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/add_tests.hpp"
#include "realtime_play.hpp"

#include <string>
#include <utility>
#include <vector>

// Turns, and the words of each.
using namespace patchcord;
using namespace patchcord::test;

namespace {

// Two turns whose results come in the wrong order; then a commit at the end
// that the server has nothing for.
void test_two_turns_out_of_order() {
  Play play(with_model("gpt-4o-transcribe"));
  play.ready(191);
  play.talk(200, 3160);
  play.event(3160, started("item_A", 620));
  play.event(3170, stopped("item_A", 2900));
  play.event(3171, committed("item_A"));
  play.event(3172, R"({"type":"conversation.item.added","item":{"id":"x"}})");
  play.event(3173, R"({"type":"conversation.item.done","item":{"id":"x"}})");
  equal(play.take(), "started 920\nstopped 2400\n");
  play.event(3480, delta("item_A", "I need"));
  play.talk(3480, 4480);
  play.event(4490, started("item_B", 2950));
  play.event(4500, stopped("item_B", 3980));
  play.event(4501, committed("item_B", "item_A"));
  play.event(4520, delta("item_B", "on Friday"));
  play.event(4540, completed("item_B", "on Friday."));
  equal(play.take(), "partial I need\n"
                     "started 3250\n"
                     "stopped 3480\n"
                     "partial I need on Friday\n"
                     "partial I need on Friday.\n");
  play.event(4600, delta("item_A", " a table for four"));
  play.event(4610, completed("item_A", "I need a table for four"));
  equal(play.take(), "partial I need a table for four on Friday.\n"
                     "result 920-2400 I need a table for four\n"
                     "result 3250-3480 on Friday.\n");
  play.finish(60'000, true);
  equal(play.take(), "> input_audio_buffer.commit commit_1\n");
  play.event(60'040, error("input_audio_buffer_commit_empty",
                           "buffer too small: 100ms needed, 0.00ms present",
                           "commit_1"));
  equal(play.take(), "disconnect\nfinished\n");
}

// A live model: the client commits, words come before that, results may be
// empty or fail, and after an hour the server ends the session.
void test_live_model() {
  Play play(with_model("gpt-live-transcribe"), Format::kPcm24k);
  play.ready(60);
  g_assert_true(play.session.needs_local_vad());
  play.talk(60, 560);
  g_assert_cmpuint(play.appended, ==, 0); // nobody speaks
  play.session.speech_started(400ms, play.now);
  play.settle();
  g_assert_cmpuint(play.appended, ==, 400 * 48); // 300 ms before it as well
  play.event(900, delta("item_L1", "My order"));
  play.talk(560, 2540);
  play.event(2541, delta("item_L1", " number is"));
  play.session.speech_stopped(2000ms, play.now);
  play.settle();
  equal(play.take(), "started 400\n"
                     "partial My order\n"
                     "partial My order number is\n"
                     "> input_audio_buffer.commit commit_1\n"
                     "stopped 2000\n");
  g_assert_cmpuint(play.appended, ==, 2380 * 48); // from 100 to 2480
  play.event(2640, committed("item_L1"));
  play.event(2700, delta("item_L1", " 427"));
  play.event(2720, completed("item_L1", "My order number is 427."));
  equal(play.take(), "partial My order number is 427\n"
                     "result 400-2000 My order number is 427.\n");

  play.talk(2720, 9000);
  play.session.speech_started(8000ms, play.now);
  play.session.speech_stopped(8200ms, play.now);
  play.settle();
  play.event(9040, committed("item_L2", "item_L1"));
  play.event(9300, completed("item_L2", ""));
  equal(play.take(), "> input_audio_buffer.commit commit_2\n"
                     "started 8000\nstopped 8200\n"
                     "no words 8000-8200\n"); // and no result
  play.talk(9300, 15'000);
  play.session.speech_started(13'000ms, play.now);
  play.session.speech_stopped(14'000ms, play.now);
  play.settle();
  play.event(15'040, committed("item_L3", "item_L2"));
  play.event(15'300, failed("item_L3"));
  equal(play.take(), "> input_audio_buffer.commit commit_3\n"
                     "started 13000\nstopped 14000\n");
  play.event(20'000, error("session_expired", "maximum duration of 60 "
                                              "minutes"));
  equal(play.take(), "disconnect\n");
  play.until(20'001);
  equal(play.take(),
        "connect wss://api.openai.com/v1/realtime?intent=transcription\n");
}

struct ResultCase {
  const char *name;
  std::vector<std::pair<int, std::string>> events;
  const char *expected;
};

void test_results() {
  const ResultCase cases[] = {
      {"completed replaces the deltas",
       {{0, committed("A")},
        {1, delta("A", "for two")},
        {2, completed("A", "42")}},
       "partial for two\nresult 0-0 42\n"},
      {"spaces around a transcript are cut",
       {{0, committed("A")}, {1, completed("A", " Hi. ")}},
       "result 0-0 Hi.\n"},
      {"an empty transcript takes its partial back",
       {{0, committed("A")}, {1, delta("A", "uh")}, {2, completed("A", " ")}},
       "partial uh\npartial \n"},
      {"a failed item gives its deltas",
       {{0, committed("A")}, {1, delta("A", "one two")}, {2, failed("A")}},
       "partial one two\nresult 0-0 one two\n"},
      {"a delta may name an item first",
       {{0, delta("A", "one")}, {1, committed("A")}, {2, completed("A", "1")}},
       "partial one\nresult 0-0 1\n"},
      {"completed may come before committed, or alone",
       {{0, completed("A", "one")},
        {1, committed("A")},
        {2, completed("B", "two")}},
       "result 0-0 one\nresult 0-0 two\n"},
      {"twice completed counts once",
       {{0, committed("A")},
        {1, completed("A", "x")},
        {2, completed("A", "y")}},
       "result 0-0 x\n"},
      {"three turns backwards",
       {{0, committed("A")},
        {1, committed("B", "A")},
        {2, committed("C", "B")},
        {3, completed("C", "c")},
        {4, completed("B", "b")},
        {5, completed("A", "a")}},
       "partial c\npartial b c\nresult 0-0 a\nresult 0-0 b\nresult 0-0 c\n"},
      {"the chain orders what the events do not",
       {{0, committed("B", "A")},
        {1, committed("A")},
        {2, completed("B", "b")},
        {3, completed("A", "a")}},
       "partial b\nresult 0-0 a\nresult 0-0 b\n"},
      {"the deadline is 3 s from the commit, then the deltas count",
       {{0, committed("A")},
        {1, delta("A", "one")},
        {4000, completed("A", "1")}},
       "partial one\nresult 0-0 one\n"},
      {"the next turn does not wait longer than that",
       {{0, committed("A")},
        {100, committed("B", "A")},
        {200, completed("B", "b")},
        {2900, R"({"type":"rate_limits.updated"})"},
        {3100, R"({"type":"rate_limits.updated"})"}},
       "partial b\nresult 0-0 b\n"},
      {"better late than never",
       {{0, committed("A")}, {5000, completed("A", "one")}},
       "result 0-0 one\n"},
      {"but not after something else was said",
       {{0, committed("A")},
        {3500, committed("B", "A")},
        {3600, completed("B", "b")},
        {5000, completed("A", "one")}},
       "result 0-0 b\n"},
      {"what is unknown is ignored",
       {{0, R"({"type":"conversation.item.frobnicated","item_id":17})"},
        {1, R"({"type":7})"},
        {2, "[]"},
        {3, "nonsense"},
        {4, R"({"type":"conversation.item.input_audio_transcription.delta"})"},
        {5, R"({"type":"input_audio_buffer.committed","item_id":null})"},
        {6, R"({"type":"input_audio_buffer.speech_started","item_id":"A",)"
            R"("audio_start_ms":99999999999})"},
        {7, R"({"type":"error"})"},
        {8, R"({"type":"error","error":"text"})"}},
       "started 0\n"},
      {"other errors do not end the session",
       {{0, error("some_code", "some text")},
        {1, error(nullptr, "buffer is empty")},
        {2, committed("A")},
        {3, completed("A", "a")}},
       "result 0-0 a\n"},
      {"words of other alphabets",
       {{0, committed("A")}, {1, completed("A", "süß 日本 😀")}},
       "result 0-0 süß 日本 😀\n"},
  };
  for (const auto &test : cases) {
    g_test_message("%s", test.name);
    Play play;
    play.ready();
    for (const auto &[t, json] : test.events)
      play.event(t, json);
    equal(play.take(), test.expected);
  }
}

void test_deadline_of_live_models() {
  Play play(with_model("gpt-realtime-whisper"));
  play.ready();
  play.audio(1000);
  play.session.speech_started(200ms, play.now);
  play.session.speech_stopped(500ms, play.now);
  play.settle();
  play.event(100, delta("A", "so far"));
  play.event(150, committed("A"));
  play.until(999);
  g_assert_true(play.take().ends_with("partial so far\n"));
  play.until(1000); // 1 s from our commit
  equal(play.take(), "result 200-500 so far\n");
}

void test_commit_without_any_answer() {
  Play play(with_model("gpt-live-transcribe"));
  play.ready();
  play.audio(1000);
  play.session.speech_started(200ms, play.now);
  play.session.speech_stopped(500ms, play.now);
  play.settle();
  play.event(100, delta("A", "so far"));
  play.take();
  play.until(1000);
  equal(play.take(), "result 200-500 so far\n");
  play.event(1100, committed("A"));
  play.event(1200, completed("A", "so far and further"));
  equal(play.take(), "");
}

void test_giant_turn_is_cut() {
  Play play(with_model("gpt-live-transcribe"));
  play.ready();
  play.talk(0, 400);
  play.session.speech_started(300ms, play.now);
  play.settle();
  play.talk(400, 45'000);
  equal(play.take(), "started 300\n> input_audio_buffer.commit commit_1\n"
                     "> input_audio_buffer.commit commit_2\n");
}

void test_one_speech_is_told_once() {
  Play play;
  play.ready();
  play.audio(3000);
  play.event(10, started("A", 0));
  play.event(20, started("A", 0));
  play.event(30, stopped("A", 1700));
  play.event(40, stopped("A", 1700));
  play.event(50, stopped("B", 1)); // before its own start
  equal(play.take(), "started 0\nstopped 1200\n");
}

} // namespace

void test::add_realtime_results() {
  add_tests({
      {"/realtime/two-turns-out-of-order", test_two_turns_out_of_order},
      {"/realtime/live-model", test_live_model},
      {"/realtime/results", test_results},
      {"/realtime/deadline-of-live-models", test_deadline_of_live_models},
      {"/realtime/commit-without-any-answer", test_commit_without_any_answer},
      {"/realtime/giant-turn-is-cut", test_giant_turn_is_cut},
      {"/realtime/one-speech-is-told-once", test_one_speech_is_told_once},
  });
}
