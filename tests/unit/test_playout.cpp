// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/add_tests.hpp"
#include "../support/check_text.hpp"
#include "playout_tests.hpp"

// What was heard of each utterance, to its end or where it was cut.
using namespace patchcord;
using namespace patchcord::twilio;
using test::open_line;

namespace {

void test_stale_marks() {
  Line line;
  open_line(line, 100);
  line.say(1, 40'000);
  line.run(1000);
  line.playout.flush(line.now());
  CHECK_TEXT(line.take_story(), "started 1");
  // The next one begins at once, and the old marks come back into it.
  line.say(2, 16'000);
  const auto before = line.peer.mark_names.size();
  line.run(600);
  g_assert_cmpuint(before, >, 1);
  CHECK_TEXT(line.take_story(), "cut 1 8000/40000, started 2");
  line.playout.flush(line.now());
  CHECK_TEXT(line.take_story(), "");
  line.run(3000);
  CHECK_TEXT(line.take_story(), "cut 2 4800/16000");
  // What the caller heard is what was said to be heard.
  g_assert_cmpuint(line.peer.heard.size(), ==, 8000 + 4800);
  g_assert_cmpint(line.peer.clears, ==, 2);
}

void test_clear_when_all_is_sent() {
  Line line;
  open_line(line);
  line.say(1, 3200); // within the window: all sent at once
  g_assert_cmpuint(line.peer.sent, ==, 3200);
  line.run(100);
  line.playout.flush(line.now());
  line.run(1000);
  g_assert_cmpint(line.peer.clears, ==, 1);
  g_assert_cmpuint(line.peer.heard.size(), ==, 800);
  CHECK_TEXT(line.take_story(), "started 1, cut 1 800/3200");
}

void test_no_clear_without_playback() {
  Line line;
  open_line(line);
  line.playout.flush(line.now());
  line.playout.utterance_start(1, line.now());
  line.playout.flush(line.now());
  line.say(2, 800);
  line.run(1000); // heard, and its mark is back
  line.playout.flush(line.now());
  g_assert_cmpint(line.peer.clears, ==, 0);
  CHECK_TEXT(line.take_story(), "cut 1 0/0, started 2, ended 2 800/800");
}

void test_each_at_its_own_position() {
  Line line;
  open_line(line);
  line.say(1, 4000, "one");
  line.say(2, 8000, "two and a half");
  line.say(3, 8000, "three");
  line.run(1000);
  line.playout.flush(line.now());
  line.run(100);
  CHECK_TEXT(line.take_story(),
             "started 1, ended 1 4000/4000 \"one\", started 2, "
             "cut 2 4000/8000 \"two and\", cut 3 0/8000");
}

void test_late_audio_of_the_interrupted() {
  Line line;
  open_line(line);
  line.playout.utterance_start(1, line.now());
  line.audio(8000);
  line.run(200);
  line.playout.flush(line.now());
  const auto sent = line.peer.sent;
  line.audio(8000); // the voice was not done
  line.playout.utterance_end(1, line.now());
  line.audio(80);
  line.run(2000);
  g_assert_cmpuint(line.peer.sent, ==, sent);
  g_assert_cmpuint(line.playout.dropped(), ==, 8080);
  line.say(2, 800);
  line.run(500);
  CHECK_TEXT(line.take_story(),
             "started 1, cut 1 1600/8000, started 2, ended 2 800/800");
}

void test_flush_under_way() {
  // The mark of the end is on its way back when the flush comes.
  Line line;
  open_line(line, 200);
  line.say(1, 1600, "yes");
  line.run(300);
  line.playout.flush(line.now());
  g_assert_cmpint(line.peer.clears, ==, 1);
  CHECK_TEXT(line.take_story(), "started 1");
  line.run(500);
  CHECK_TEXT(line.take_story(), "ended 1 1600/1600 \"yes\"");
}

void test_goodbye() {
  Line line;
  open_line(line, 80);
  line.say(1, 50'001, "goodbye");
  line.playout.eos(line.now());
  while (!line.playout.finished()) {
    line.run(1);
    g_assert_cmpint(line.ms, <, 10'000);
  }
  g_assert_cmpuint(line.peer.heard.size(), >=, 50'001);
  g_assert_cmpint(line.ms, <=, 50'080 / 8 + 80 + 80 + 2);
  CHECK_TEXT(line.take_story(), "started 1, ended 1 50001/50001 \"goodbye\"");
  // With nothing to say it is over at once.
  Line silent;
  open_line(silent);
  silent.playout.eos(silent.now());
  g_assert_true(silent.playout.finished());
}

void test_goodbye_interrupted() {
  Line line;
  open_line(line);
  line.say(1, 50'000);
  line.playout.eos(line.now());
  line.run(1000);
  line.playout.flush(line.now());
  g_assert_false(line.playout.finished()); // a flush undoes EOS
  line.say(2, 800);
  line.playout.eos(line.now());
  line.run(1000);
  g_assert_true(line.playout.finished());
  CHECK_TEXT(line.take_story(), "started 1, cut 1 8000/50000, started 2, "
                                "ended 2 800/800");
}

void test_split_tail() {
  Line line;
  open_line(line);
  line.playout.utterance_start(1, line.now());
  line.audio(1600);
  line.playout.utterance_end(1, line.now());
  line.audio(40); // the last buffer, which the encoder split
  line.audio(41);
  line.run(1000);
  // 40 samples were a frame by then; the rest is one of its own.
  CHECK_TEXT(line.take_story(), "started 1, ended 1 1801/1801");
  g_assert_cmpuint(line.peer.heard.size(), ==, 1920);
  // And when it comes after all was heard, it is heard as well.
  line.audio(41);
  line.run(1000);
  g_assert_cmpuint(line.peer.heard.size(), ==, 1920 + 160);
  line.say(2, 160);
  line.run(1000);
  CHECK_TEXT(line.take_story(),
             "started 0, ended 0 41/41, started 2, ended 2 160/160");
}

void test_swallowed_last_buffer() {
  Line line;
  open_line(line);
  line.playout.utterance_start(1, line.now());
  line.audio(800);
  line.playout.utterance_end(1, line.now());
  line.run(2000);
  CHECK_TEXT(line.take_story(), "started 1, ended 1 800/800");
}

void test_no_utterances() {
  // audiotestsrc ! mulawenc ! twiliosink
  Line line;
  open_line(line);
  line.audio(8000);
  line.run(500);
  line.playout.flush(line.now());
  line.audio(8000);
  line.playout.eos(line.now());
  line.run(2000);
  CHECK_TEXT(line.take_story(), "started 0, cut 0 4000/8000, started 0, "
                                "ended 0 8000/8000");
  g_assert_true(line.playout.finished());
  // A voice used as a plain source says what it speaks all the same.
  Line voice;
  open_line(voice);
  voice.playout.spoken_text(7, "hello", {}, voice.now());
  voice.audio(800);
  voice.playout.utterance_end(7, voice.now());
  voice.audio(80);
  voice.run(500);
  CHECK_TEXT(voice.take_story(), "started 7, ended 7 880/880 \"hello\"");
}

void test_stream_ends() {
  Line line;
  open_line(line);
  line.say(1, 16'000, "one two three four");
  line.say(2, 8000);
  line.run(1000);
  line.playout.close(line.now());
  CHECK_TEXT(line.take_story(),
             "started 1, cut 1 8000/16000 \"one two\", cut 2 0/8000");
  line.say(3, 800);
  line.playout.flush(line.now());
  line.playout.eos(line.now());
  line.run(100);
  CHECK_TEXT(line.take_story(), "cut 3 0/0");
  g_assert_true(line.playout.finished());
  g_assert_cmpint(line.peer.clears, ==, 0);
  g_assert_false(line.playout.next_deadline().has_value());
}

void test_times() {
  Line line;
  open_line(line, 30);
  line.say(1, 8000);
  line.run(500);
  const TimePoint begun = line.now();
  line.say(2, 8000);
  line.run(3000);
  for (const auto &event : line.events)
    if (event.utterance == 2) {
      g_assert_true(*event.first_audio == begun);
      // Sent when the window had room for its 100 ms, 300 ms before the end, or
      // with the message behind it.
      g_assert_true(*event.first_sent >= begun + 200ms);
      g_assert_true(*event.first_sent <= begun + 302ms);
      if (event.what == PlayoutEvent::What::kEnded)
        g_assert_true(event.time <= begun + 1500ms + 70ms);
    }
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  test::add_playout_pacing();
  test::add_tests({
      {"/playout/stale-marks-after-clear-are-not-heard", test_stale_marks},
      {"/playout/clear-also-when-all-was-sent-long-ago",
       test_clear_when_all_is_sent},
      {"/playout/no-clear-before-or-after-playback",
       test_no_clear_without_playback},
      {"/playout/queued-utterances-are-cut-each-at-its-own-position",
       test_each_at_its_own_position},
      {"/playout/late-audio-of-an-interrupted-utterance-is-not-sent",
       test_late_audio_of_the_interrupted},
      {"/playout/a-mark-under-way-at-the-flush-counts-when-it-was-due",
       test_flush_under_way},
      {"/playout/goodbye-is-heard-to-its-last-sample", test_goodbye},
      {"/playout/a-goodbye-may-be-interrupted", test_goodbye_interrupted},
      {"/playout/split-utterance-tail-is-not-dropped", test_split_tail},
      {"/playout/a-swallowed-last-buffer-does-not-keep-it-open",
       test_swallowed_last_buffer},
      {"/playout/audio-without-utterances-is-utterance-0", test_no_utterances},
      {"/playout/the-end-of-the-stream-cuts", test_stream_ends},
      {"/playout/first-audio-and-first-sent-are-told", test_times},
  });
  test::add_playout_marks();
  test::add_playout_text();
  test::add_playout_calls();
  return g_test_run();
}
