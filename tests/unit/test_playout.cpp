// SPDX-License-Identifier: LGPL-2.1-or-later
#include "playout_line.hpp"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <utility>

using namespace patchcord;
using namespace patchcord::twilio;

#define assert_story(line, expected)                                           \
  do {                                                                         \
    const std::string story_text = (line).take_story();                        \
    g_assert_cmpstr(story_text.c_str(), ==, expected);                         \
  } while (false)

// A line that is open, with this many ms there and as many back.
static void open_line(Line &line, int way = 30) {
  line.peer.there = line.peer.back = [way] { return way; };
  line.playout.open(line.now());
}

// --- pacing ------------------------------------------------------------------

static void test_first_message_at_once() {
  Line line;
  open_line(line);
  line.playout.utterance_start(1, line.now());
  line.audio(4000);
  // The window's worth, in messages of 100 ms.
  g_assert_true(line.peer.media_sizes ==
                (std::vector<std::size_t>{800, 800, 800, 800}));
  assert_story(line, "started 1");
}

static void test_trickle_is_bundled() {
  Line line;
  open_line(line);
  line.playout.utterance_start(1, line.now());
  for (int i = 0; i < 100; ++i) { // in real time, 20 ms each
    line.audio(160);
    line.run(20);
  }
  // 50 messages a second would be one for each.
  g_assert_cmpuint(line.peer.media_sizes.size(), <=, 50);
  g_assert_cmpuint(line.peer.media_sizes.size(), >, 10);
  g_assert_cmpuint(line.peer.heard.size(), >, 15'000);
}

static void test_window() {
  Line line;
  open_line(line);
  line.playout.utterance_start(1, line.now());
  line.audio(80'000);
  std::size_t most = 0, least = 100'000, writes = 0;
  std::size_t sent = line.peer.media_sizes.size();
  for (int i = 0; i < 9000; ++i) {
    line.run(1);
    most = std::max(most, line.peer.queued());
    if (i > 100)
      least = std::min(least, line.peer.queued());
    writes += std::exchange(sent, line.peer.media_sizes.size()) != sent ? 1 : 0;
  }
  g_assert_cmpuint(most, <=, 3200);
  // Two messages go together, but where a mark is due between them.
  g_assert_cmpuint(writes, <=, 9000 / 160);
  g_assert_cmpuint(least, >=, 1600 - 16);
  g_assert_true(line.peer.underruns.empty());
}

static void test_narrow_window() {
  // A message as long as the window would leave the peer dry each time.
  Line line({100ms, 100ms, 500ms});
  open_line(line);
  line.say(1, 40'000);
  line.run(5200);
  g_assert_true(line.peer.underruns.empty());
  g_assert_cmpuint(line.peer.media_sizes.front(), ==, 320);
  assert_story(line, "started 1, ended 1 40000/40000");
}

static void test_late_timers() {
  Line line;
  std::mt19937 random(3);
  line.late = [&] { return static_cast<int>(random() % 120); };
  open_line(line);
  line.say(1, 60 * 8000);
  line.run(60'000 + 200);
  g_assert_true(line.peer.underruns.empty());
  // To the last sample, and no more than the way and the last tick late.
  assert_story(line, "started 1, ended 1 480000/480000");
  g_assert_cmpuint(line.peer.heard.size(), ==, 480'000);
}

static void test_whole_frames_and_padding() {
  for (const std::size_t samples : {1U, 159U, 160U, 161U, 12'345U}) {
    Line line;
    open_line(line);
    line.say(1, samples);
    line.run(3000); // the model asserts whole frames
    const Bytes &heard = line.peer.heard;
    g_assert_cmpuint(heard.size(), ==, (samples + 159) / 160 * 160);
    for (std::size_t i = 0; i < heard.size(); ++i)
      g_assert_cmpuint(heard[i], ==, i < samples ? 1 : 0xff);
    const std::string expected = "started 1, ended 1 " +
                                 std::to_string(samples) + '/' +
                                 std::to_string(samples);
    assert_story(line, expected.c_str());
  }
}

static void test_marks() {
  Line line;
  open_line(line);
  line.say(1, 20'000);
  line.say(2, 3000);
  line.run(4000);
  // The first one tells the way.
  const std::vector<std::uint64_t> expected = {800,    4000,   8000,  12'000,
                                               16'000, 20'000, 23'040};
  g_assert_true(line.peer.marks_at == expected);
  // Each once, and each gave a progress but the two ends.
  const auto progress = std::count_if(
      line.events.begin(), line.events.end(), [](const PlayoutEvent &event) {
        return event.what == PlayoutEvent::What::kProgress;
      });
  g_assert_cmpint(progress, ==, 5);
  assert_story(line, "started 1, ended 1 20000/20000, started 2, "
                     "ended 2 3000/3000");
}

static void test_marks_of_an_uneven_line() {
  Line line;
  open_line(line);
  line.say(1, 80'000);
  line.run(2000);
  g_assert_false(line.playout.line_is_uneven());
  line.peer.there = [] { return 630; };
  line.run(250);
  line.peer.there = [] { return 30; };
  line.run(3000);
  g_assert_true(line.playout.line_is_uneven());
  const auto &marks = line.peer.marks_at;
  g_assert_cmpuint(marks.size(), >, 20);
  for (std::size_t i = marks.size() - 10; i < marks.size(); ++i)
    g_assert_cmpuint(marks[i] - marks[i - 1], ==, 800);
}

static void test_underrun_restarts() {
  Line line;
  open_line(line);
  line.playout.utterance_start(1, line.now());
  line.audio(4000);
  line.run(5000); // the voice is stuck
  line.audio(8000);
  line.run(100);
  // A full window again, not a burst of what was "missed".
  g_assert_cmpuint(line.peer.queued(), <=, 3200);
  line.playout.flush(line.now());
  line.run(100);
  g_assert_cmpint(line.peer.underruns.at(0), >, 4000);
  // 100 ms are heard of what came after the break.
  assert_story(line, "started 1, cut 1 4800/12000");
}

static void test_waits_for_the_stream() {
  Line line;
  line.say(1, 8000);
  line.run(3000);
  g_assert_cmpuint(line.peer.sent, ==, 0);
  open_line(line);
  line.run(1100);
  assert_story(line, "started 1, ended 1 8000/8000");
  // Bounded: what ten minutes do not hold is dropped.
  Line full;
  full.playout.utterance_start(1, full.now());
  for (int i = 0; i < 700; ++i)
    full.audio(8000);
  g_assert_cmpuint(full.playout.waiting(), ==, Playout::kMaxWaiting);
  g_assert_cmpuint(full.playout.dropped(), ==, 100 * 8000);
}

// --- heard -------------------------------------------------------------------

static void test_stale_marks() {
  Line line;
  open_line(line, 100);
  line.say(1, 40'000);
  line.run(1000);
  line.playout.flush(line.now());
  assert_story(line, "started 1");
  // The next one begins at once, and the old marks come back into it.
  line.say(2, 16'000);
  const auto before = line.peer.mark_names.size();
  line.run(600);
  g_assert_cmpuint(before, >, 1);
  assert_story(line, "cut 1 8000/40000, started 2");
  line.playout.flush(line.now());
  assert_story(line, "");
  line.run(3000);
  assert_story(line, "cut 2 4800/16000");
  // What the caller heard is what was said to be heard.
  g_assert_cmpuint(line.peer.heard.size(), ==, 8000 + 4800);
  g_assert_cmpint(line.peer.clears, ==, 2);
}

static void test_clear_when_all_is_sent() {
  Line line;
  open_line(line);
  line.say(1, 3200); // within the window: all sent at once
  g_assert_cmpuint(line.peer.sent, ==, 3200);
  line.run(100);
  line.playout.flush(line.now());
  line.run(1000);
  g_assert_cmpint(line.peer.clears, ==, 1);
  g_assert_cmpuint(line.peer.heard.size(), ==, 800);
  assert_story(line, "started 1, cut 1 800/3200");
}

static void test_no_clear_without_playback() {
  Line line;
  open_line(line);
  line.playout.flush(line.now());
  line.playout.utterance_start(1, line.now());
  line.playout.flush(line.now());
  line.say(2, 800);
  line.run(1000); // heard, and its mark is back
  line.playout.flush(line.now());
  g_assert_cmpint(line.peer.clears, ==, 0);
  assert_story(line, "cut 1 0/0, started 2, ended 2 800/800");
}

static void test_each_at_its_own_position() {
  Line line;
  open_line(line);
  line.say(1, 4000, "one");
  line.say(2, 8000, "two and a half");
  line.say(3, 8000, "three");
  line.run(1000);
  line.playout.flush(line.now());
  line.run(100);
  assert_story(line, "started 1, ended 1 4000/4000 \"one\", started 2, "
                     "cut 2 4000/8000 \"two and\", cut 3 0/8000");
}

static void test_late_audio_of_the_interrupted() {
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
  assert_story(line, "started 1, cut 1 1600/8000, started 2, ended 2 800/800");
}

static void test_flush_under_way() {
  // The mark of the end is on its way back when the flush comes.
  Line line;
  open_line(line, 200);
  line.say(1, 1600, "yes");
  line.run(300);
  line.playout.flush(line.now());
  g_assert_cmpint(line.peer.clears, ==, 1);
  assert_story(line, "started 1");
  line.run(500);
  assert_story(line, "ended 1 1600/1600 \"yes\"");
}

static void test_goodbye() {
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
  assert_story(line, "started 1, ended 1 50001/50001 \"goodbye\"");
  // With nothing to say it is over at once.
  Line silent;
  open_line(silent);
  silent.playout.eos(silent.now());
  g_assert_true(silent.playout.finished());
}

static void test_goodbye_interrupted() {
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
  assert_story(line, "started 1, cut 1 8000/50000, started 2, "
                     "ended 2 800/800");
}

static void test_split_tail() {
  Line line;
  open_line(line);
  line.playout.utterance_start(1, line.now());
  line.audio(1600);
  line.playout.utterance_end(1, line.now());
  line.audio(40); // the last buffer, which the encoder split
  line.audio(41);
  line.run(1000);
  // 40 samples were a frame by then; the rest is one of its own.
  assert_story(line, "started 1, ended 1 1801/1801");
  g_assert_cmpuint(line.peer.heard.size(), ==, 1920);
  // And when it comes after all was heard, it is heard as well.
  line.audio(41);
  line.run(1000);
  g_assert_cmpuint(line.peer.heard.size(), ==, 1920 + 160);
  line.say(2, 160);
  line.run(1000);
  assert_story(line, "started 0, ended 0 41/41, started 2, ended 2 160/160");
}

static void test_swallowed_last_buffer() {
  Line line;
  open_line(line);
  line.playout.utterance_start(1, line.now());
  line.audio(800);
  line.playout.utterance_end(1, line.now());
  line.run(2000);
  assert_story(line, "started 1, ended 1 800/800");
}

static void test_no_utterances() {
  // audiotestsrc ! mulawenc ! twiliosink
  Line line;
  open_line(line);
  line.audio(8000);
  line.run(500);
  line.playout.flush(line.now());
  line.audio(8000);
  line.playout.eos(line.now());
  line.run(2000);
  assert_story(line, "started 0, cut 0 4000/8000, started 0, "
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
  assert_story(voice, "started 7, ended 7 880/880 \"hello\"");
}

static void test_never_echoes() {
  Line line;
  open_line(line);
  line.peer.back = [] { return TwilioModel::kNever; };
  line.say(1, 12'000, "one two three");
  // The first mark was due at 100 ms; with it all are given up.
  line.run(100 + 1999);
  assert_story(line, "started 1");
  line.run(10);
  assert_story(line, "ended 1 12000/12000 \"one two three\" estimated");
  // From here on it is known, and the clock is enough.
  line.say(2, 12'000);
  line.run(1500 + 190);
  assert_story(line, "started 2");
  line.run(20);
  assert_story(line, "ended 2 12000/12000 estimated");
  line.say(3, 16'000);
  line.run(1000);
  line.playout.flush(line.now());
  assert_story(line, "started 3, cut 3 8000/16000 estimated");
  line.run(1000);
  g_assert_cmpuint(line.peer.heard.size(), ==, 32'000);
  // The deadline of a goodbye is its length and a grace.
  line.say(4, 8000);
  line.playout.eos(line.now());
  line.run(1250);
  g_assert_true(line.playout.finished());
}

static void test_echoes_late() {
  // Slower than the grace, but they come: a clear is still sent.
  Line line;
  open_line(line);
  line.peer.back = [] { return 5000; };
  line.say(1, 8000);
  line.run(1000 + 2001);
  assert_story(line, "started 1, ended 1 8000/8000 estimated");
  line.run(10'000);
  line.peer.back = [] { return 30; };
  line.say(2, 8000);
  line.run(1100);
  assert_story(line, "started 2, ended 2 8000/8000");
}

static void test_echoes_at_once() {
  // jambonz-feature-server#811: marks acknowledged unheard.
  Line line;
  open_line(line);
  line.peer.echo_at_once = true;
  line.say(1, 16'000, "one two three four");
  line.run(1000);
  line.playout.flush(line.now());
  line.run(100);
  assert_story(line, "started 1, cut 1 8000/16000 \"one two\"");
  g_assert_cmpuint(line.peer.heard.size(), ==, 8000);
  line.say(2, 8000);
  line.run(999);
  assert_story(line, "started 2");
  line.run(2);
  assert_story(line, "ended 2 8000/8000 estimated");
}

// Late marks moved the clock by 30 ms. The next one may be as much less late,
// and was played then: at 1500 ms at the earliest, and not at 1530 ms.
static void test_marks_in_time_again() {
  const struct {
    int back; // ms, when the mark of 1500 ms comes
    int told; // when it is told to be played
    bool trusted;
  } rows[] = {
      {1560, 1560, true},  {1510, 1510, true},  {1500, 1500, true},
      {1495, 1495, true},  {1494, 1530, true},  {1480, 1530, true},
      {1479, 1530, false}, {1300, 1530, false},
  };
  for (const auto &row : rows) {
    g_test_message("back at %d ms", row.back);
    Line line;
    open_line(line);
    line.peer.back = [] { return TwilioModel::kNever; };
    line.say(1, 40'000);
    const auto back = [&line](std::uint64_t position, int ms) {
      line.run(ms - line.ms);
      const auto &at = line.peer.marks_at;
      const auto mark = std::find(at.begin(), at.end(), position) - at.begin();
      line.playout.mark_echo(
          line.peer.mark_names.at(static_cast<std::size_t>(mark)), line.now());
      line.collect();
    };
    const auto is_told = [&line](int ms, bool estimated) {
      g_assert_cmpuint(line.events.size(), >, 0);
      const PlayoutEvent &last = line.events.back();
      g_assert_true(last.what == PlayoutEvent::What::kProgress);
      g_assert_cmpint((last.time - 1s) / 1ms, ==, ms);
      g_assert_true(last.estimated == estimated);
      line.events.clear();
    };
    back(800, 160);
    back(4000, 500 + 90);
    back(8000, 1000 + 90);
    line.events.clear();
    back(12'000, row.back);
    line.run(1570 - line.ms);
    is_told(row.told, row.back != row.told);
    // One that came a little early is no reason to trust no other.
    back(16'000, 2090);
    is_told(row.trusted ? 2090 : 2000, !row.trusted);
  }
}

static void test_foreign_marks() {
  Line line;
  open_line(line);
  line.say(1, 8000);
  for (const char *name : {"", "x", "1", "1.", "1.99", "1.0", "2.1", "1.1x",
                           "01.1", "1.18446744073709551617", "1.-1"})
    line.playout.mark_echo(name, line.now() + 10s);
  assert_story(line, "started 1");
  line.run(1100);
  const auto names = line.peer.mark_names;
  for (const auto &name : names) // each a second time
    line.playout.mark_echo(name, line.now());
  assert_story(line, "ended 1 8000/8000");
}

static void test_late_peer_moves_the_clock() {
  // The first utterance shows the way; in the second all audio is held up by
  // 300 ms on the network before it plays.
  Line line;
  open_line(line, 30);
  line.say(1, 8000);
  line.run(1200);
  line.peer.there = [] { return 330; };
  line.say(2, 40'000);
  line.run(100);
  line.peer.there = [] { return 30; }; // what follows waits behind it
  line.run(2400);
  line.playout.flush(line.now());
  line.run(100);
  const auto truth = static_cast<std::int64_t>(line.peer.heard.size()) - 8000;
  const auto said = static_cast<std::int64_t>(line.events.back().heard_samples);
  g_test_message("heard %ld, said %ld", static_cast<long>(truth),
                 static_cast<long>(said));
  g_assert_cmpint(std::abs(truth - said), <=, 30 * 8);
}

static void test_stalled_peer_is_not_heard() {
  // Nothing reaches the peer any more: after the first marks none come.
  Line line;
  open_line(line, 30);
  line.say(1, 80'000);
  line.run(1600);
  line.peer.there = line.peer.back = [] { return 100'000; };
  line.run(1500);
  line.playout.flush(line.now());
  // At least what came back, at most the first mark that did not.
  const auto heard = line.events.back().heard_samples;
  g_assert_cmpuint(heard, >=, 12'000);
  g_assert_cmpuint(heard, <=, 20'000);
}

static void test_stream_ends() {
  Line line;
  open_line(line);
  line.say(1, 16'000, "one two three four");
  line.say(2, 8000);
  line.run(1000);
  line.playout.close(line.now());
  assert_story(line, "started 1, cut 1 8000/16000 \"one two\", cut 2 0/8000");
  line.say(3, 800);
  line.playout.flush(line.now());
  line.playout.eos(line.now());
  line.run(100);
  assert_story(line, "cut 3 0/0");
  g_assert_true(line.playout.finished());
  g_assert_cmpint(line.peer.clears, ==, 0);
  g_assert_false(line.playout.next_deadline().has_value());
}

static void test_times() {
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

// --- text --------------------------------------------------------------------

static void test_heard_text() {
  const std::vector<WordTiming> timings = {{0, 100}, {4, 400}, {8, 700}};
  const struct {
    const char *text;
    const std::vector<WordTiming> *timings;
    std::uint64_t samples, total;
    bool complete;
    const char *heard;
  } cases[] = {
      {"one two six", nullptr, 0, 8000, true, ""},
      {"one two six", nullptr, 1990, 8000, true, ""},
      {"one two six", nullptr, 2010, 8000, true, "one"},
      {"one two six", nullptr, 7900, 8000, true, "one two"},
      {"one two six", nullptr, 8000, 8000, true, "one two six"},
      // More of it may come: 11 characters take 726 ms.
      {"one two six", nullptr, 2000, 2000, false, "one"},
      {"one two six", nullptr, 8000, 8000, false, "one two six"},
      // By the timings a word is heard when the next one begins.
      {"one two six", &timings, 3199, 8000, true, ""},
      {"one two six", &timings, 3200, 8000, true, "one"},
      {"one two six", &timings, 5600, 8000, true, "one two"},
      {"one two six", &timings, 7300, 8000, true, "one two six"},
      {"one two six", &timings, 7000, 8000, true, "one two"},
      {"grün süß weiß", nullptr, 6000, 8000, true, "grün süß"},
      {"\xe4\xbd\xa0\xe5\xa5\xbd\xe5\x90\x97", nullptr, 5400, 8000, true,
       "\xe4\xbd\xa0\xe5\xa5\xbd"},
      {"hello", nullptr, 7900, 8000, true, ""},
      {"", nullptr, 4000, 8000, true, ""},
  };
  for (const auto &c : cases) {
    g_test_message("%s %d of %d", c.text, static_cast<int>(c.samples),
                   static_cast<int>(c.total));
    SpokenScript script;
    script.add(c.text,
               c.timings != nullptr ? *c.timings : std::vector<WordTiming>(),
               0);
    const std::string heard = script.heard(c.samples, c.total, c.complete);
    g_assert_cmpstr(heard.c_str(), ==, c.heard);
  }
}

static void test_heard_text_of_segments() {
  SpokenScript script;
  script.add("Hello there. ", {}, 0);
  script.add("How are you?", {}, 8000);
  const struct {
    std::uint64_t samples;
    const char *heard;
  } cases[] = {{0, ""},
               {4000, "Hello"},
               {8000, "Hello there."},
               {12'000, "Hello there. How"},
               {16'000, "Hello there. How are you?"}};
  for (const auto &c : cases) {
    const std::string heard = script.heard(c.samples, 16'000, true);
    g_assert_cmpstr(heard.c_str(), ==, c.heard);
  }
  // Text that has no audio yet was not heard.
  SpokenScript unspoken;
  unspoken.add("one", {}, 0);
  unspoken.add("two", {}, 0);
  const std::string nothing = unspoken.heard(0, 0, false);
  g_assert_cmpstr(nothing.c_str(), ==, "");
}

static void test_hostile_timings() {
  SpokenScript script;
  script.add("abc \xc3\xa4", {{99, 0}, {5, 10}, {5, 20}}, 0);
  for (std::uint64_t samples = 0; samples < 9000; samples += 7)
    script.heard(samples, 8000, true);
}

// --- random calls ------------------------------------------------------------

namespace {

std::uint8_t sample_of(std::uint32_t utterance, std::size_t index) {
  std::uint64_t x = utterance * 0x9e3779b97f4a7c15ULL + index;
  x ^= x >> 31;
  x *= 0xbf58476d1ce4e5b9ULL;
  return static_cast<std::uint8_t>(x >> 57); // under 0x80: never silence
}

struct RandomCall {
  explicit RandomCall(unsigned seed) : random(seed) {
    const int there = below(150), back = below(150);
    jitter = below(3) == 0 ? 1 + below(80) : 0;
    const bool echoes = below(5) != 0;
    line.peer.there = [there] { return there; };
    line.peer.back = [this, back, echoes] {
      return echoes ? back + (jitter != 0 ? below(jitter + 1) : 0)
                    : TwilioModel::kNever;
    };
    if (below(2) == 0)
      line.late = [this] { return below(30); };
  }
  int below(int limit) {
    return static_cast<int>(random() % static_cast<unsigned>(limit));
  }

  void utterance(std::uint32_t id) {
    const auto total =
        static_cast<std::size_t>(80 + below(below(3) == 0 ? 60'000 : 8000));
    totals.push_back(total);
    line.playout.utterance_start(id, line.now());
    // Sometimes in one piece, sometimes in dribs and drabs, sometimes stuck.
    const bool slow = below(3) == 0;
    const int flush_after = below(3) == 0 ? below(3000) : -1;
    const int begun = line.ms;
    std::size_t given = 0;
    while (given < total) {
      std::size_t piece = slow ? 1 + static_cast<std::size_t>(below(1600))
                               : 1 + static_cast<std::size_t>(below(20'000));
      piece = std::min(piece, total - given);
      if (given + piece == total)
        line.playout.utterance_end(id, line.now());
      Bytes audio(piece);
      for (std::size_t i = 0; i < piece; ++i)
        audio[i] = sample_of(id, given + i);
      line.playout.audio(audio, line.now());
      given += piece;
      if (slow)
        line.run(below(200));
      if (flush_after >= 0 && line.ms - begun >= flush_after)
        break;
    }
    if (flush_after >= 0) {
      line.run(std::max(0, begun + flush_after - line.ms));
      line.playout.flush(line.now());
      if (below(2) == 0) // the voice has not noticed
        line.audio(400, 0x55);
    } else if (below(2) == 0) {
      line.run(below(9000));
    }
  }

  // Compares what the model played with what was said to be heard.
  void check(bool finished) {
    g_assert_true(line.playout.finished() == finished);
    std::size_t at = 0;
    const Bytes &heard = line.peer.heard;
    for (std::uint32_t id = 1; id <= totals.size(); ++id) {
      std::size_t count = 0;
      while (at < heard.size() && count < totals[id - 1] &&
             heard[at] == sample_of(id, count))
        ++count, ++at;
      while (at < heard.size() && heard[at] == 0xff)
        ++at;
      check_events(id, count);
    }
    g_assert_cmpuint(at, ==, heard.size()); // nothing else, in this order
  }

  void check_events(std::uint32_t id, std::size_t truth) {
    int closed = 0, started = 0;
    std::uint64_t last = 0;
    for (const auto &event : line.events) {
      if (event.utterance != id)
        continue;
      g_assert_cmpint(closed, ==, 0); // nothing behind the end
      g_assert_cmpuint(event.heard_samples, >=, last);
      last = event.heard_samples;
      started += event.what == PlayoutEvent::What::kStarted ? 1 : 0;
      if (event.what == PlayoutEvent::What::kEnded) {
        ++closed;
        g_assert_cmpuint(event.heard_samples, ==, totals[id - 1]);
      } else if (event.what == PlayoutEvent::What::kCut) {
        ++closed;
      }
    }
    g_assert_cmpint(closed, ==, 1);
    g_assert_cmpint(started, <=, 1);
    // Timers are of 1 ms; marks that jitter may move the clock by as much.
    const auto error =
        static_cast<std::int64_t>(last) - static_cast<std::int64_t>(truth);
    worst = std::max(worst, std::abs(error));
    if (std::abs(error) > (jitter + 2) * 8)
      g_error("utterance %u: said %d, heard %d, jitter %d ms", id,
              static_cast<int>(last), static_cast<int>(truth), jitter);
  }

  std::mt19937 random;
  Line line;
  int jitter = 0;
  std::vector<std::size_t> totals;
  std::int64_t worst = 0;
};

} // namespace

static void test_random_calls() {
  std::int64_t worst = 0, worst_steady = 0;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    RandomCall call(seed);
    call.line.playout.open(call.line.now());
    const int count = 1 + call.below(8);
    for (std::uint32_t id = 1; id <= static_cast<std::uint32_t>(count); ++id)
      call.utterance(id);
    call.line.playout.eos(call.line.now());
    for (int i = 0; i < 120 && !call.line.playout.finished(); ++i)
      call.line.run(1000);
    call.line.run(1000);
    g_test_message("seed %u", seed);
    call.check(true);
    worst = std::max(worst, call.worst);
    if (call.jitter == 0)
      worst_steady = std::max(worst_steady, call.worst);
  }
  g_test_message("worst error: %ld samples, %ld without jitter",
                 static_cast<long>(worst), static_cast<long>(worst_steady));
  g_assert_cmpint(worst_steady, <=, 16);
}

static void test_long_call_costs_no_memory() {
  Line line;
  open_line(line);
  std::uint32_t id = 0;
  const auto turn = [&] {
    line.say(++id, 4000, "some words");
    line.run(300);
    if (id % 3 == 0)
      line.playout.flush(line.now());
    line.run(400);
    line.events.clear();
    line.peer.heard.clear();
    line.peer.media_sizes.clear();
    line.peer.mark_names.clear();
    line.peer.marks_at.clear();
    line.peer.cleared_at.clear();
    line.returned.clear();
  };
  for (int i = 0; i < 200; ++i)
    turn();
  const auto before = mallinfo2().uordblks;
  for (int i = 0; i < 3000; ++i)
    turn();
  const auto after = mallinfo2().uordblks;
  g_assert_cmpuint(after, <=, before + 65'536);
}

static void test_speed() {
  if (!g_test_perf()) {
    g_test_skip("run with -m perf");
    return;
  }
  struct Nobody final : Playout::Peer {
    void send_media(ByteSpan mulaw) override { bytes += mulaw.size(); }
    void send_mark(std::string_view name) override { last = name; }
    void send_clear() override {}
    std::uint64_t bytes = 0;
    std::string last;
  } peer;
  Playout playout({}, peer);
  TimePoint now = 1s;
  playout.open(now);
  playout.utterance_start(1, now);
  const Bytes audio(800, 1);
  constexpr int kMessages = 500'000;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kMessages; ++i) {
    playout.audio(audio, now);
    now += 100ms;
    playout.tick(now);
    if (!peer.last.empty())
      playout.mark_echo(std::exchange(peer.last, ""), now);
    while (playout.next_event()) {
    }
  }
  const std::chrono::duration<double, std::nano> spent =
      std::chrono::steady_clock::now() - begin;
  g_assert_cmpuint(peer.bytes, >, kMessages * 799ULL);
  g_test_minimized_result(spent.count() / kMessages,
                          "a message of 100 ms through the playout: %.0f ns",
                          spent.count() / kMessages);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const std::pair<const char *, void (*)()> tests[] = {
      {"first-message-goes-out-at-once", test_first_message_at_once},
      {"audio-that-trickles-is-bundled", test_trickle_is_bundled},
      {"the-peer-is-kept-ahead-by-the-window-and-no-more", test_window},
      {"a-narrow-window-holds-two-messages", test_narrow_window},
      {"late-timers-do-not-add-up", test_late_timers},
      {"messages-are-whole-frames-and-the-last-is-padded",
       test_whole_frames_and_padding},
      {"a-mark-every-500-ms-and-at-the-end", test_marks},
      {"a-mark-with-each-message-on-an-uneven-line",
       test_marks_of_an_uneven_line},
      {"an-underrun-restarts-the-schedule", test_underrun_restarts},
      {"audio-waits-for-the-stream", test_waits_for_the_stream},
      {"stale-marks-after-clear-are-not-heard", test_stale_marks},
      {"clear-also-when-all-was-sent-long-ago", test_clear_when_all_is_sent},
      {"no-clear-before-or-after-playback", test_no_clear_without_playback},
      {"queued-utterances-are-cut-each-at-its-own-position",
       test_each_at_its_own_position},
      {"late-audio-of-an-interrupted-utterance-is-not-sent",
       test_late_audio_of_the_interrupted},
      {"a-mark-under-way-at-the-flush-counts-when-it-was-due",
       test_flush_under_way},
      {"goodbye-is-heard-to-its-last-sample", test_goodbye},
      {"a-goodbye-may-be-interrupted", test_goodbye_interrupted},
      {"split-utterance-tail-is-not-dropped", test_split_tail},
      {"a-swallowed-last-buffer-does-not-keep-it-open",
       test_swallowed_last_buffer},
      {"audio-without-utterances-is-utterance-0", test_no_utterances},
      {"peer-that-never-echoes", test_never_echoes},
      {"peer-that-echoes-too-late", test_echoes_late},
      {"peer-that-echoes-at-once-gains-nothing", test_echoes_at_once},
      {"foreign-and-repeated-marks-are-ignored", test_foreign_marks},
      {"a-late-peer-moves-the-clock", test_late_peer_moves_the_clock},
      {"marks-that-are-in-time-again-were-played", test_marks_in_time_again},
      {"a-stalled-peer-has-not-heard", test_stalled_peer_is_not_heard},
      {"the-end-of-the-stream-cuts", test_stream_ends},
      {"first-audio-and-first-sent-are-told", test_times},
      {"heard-text-is-cut-at-the-word", test_heard_text},
      {"heard-text-of-several-segments", test_heard_text_of_segments},
      {"hostile-timings-do-no-harm", test_hostile_timings},
      {"random-calls-agree-with-a-model-of-twilio", test_random_calls},
      {"a-long-call-costs-no-memory", test_long_call_costs_no_memory},
      {"speed", test_speed},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func((std::string("/playout/") + name).c_str(), test);
  return g_test_run();
}
