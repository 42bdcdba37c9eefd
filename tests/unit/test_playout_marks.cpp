// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/add_tests.hpp"
#include "../support/check_text.hpp"
#include "playout_tests.hpp"

#include <algorithm>
#include <cstdlib>

// Peers whose marks come late, early or never.
using namespace patchcord;
using namespace patchcord::twilio;
using test::open_line;

namespace {

void test_never_echoes() {
  Line line;
  open_line(line);
  line.peer.back = [] { return TwilioModel::kNever; };
  line.say(1, 12'000, "one two three");
  // The first mark was due at 100 ms; with it all are given up.
  line.run(100 + 1999);
  CHECK_TEXT(line.take_story(), "started 1");
  line.run(10);
  CHECK_TEXT(line.take_story(),
             "ended 1 12000/12000 \"one two three\" estimated");
  // From here on it is known, and the clock is enough.
  line.say(2, 12'000);
  line.run(1500 + 190);
  CHECK_TEXT(line.take_story(), "started 2");
  line.run(20);
  CHECK_TEXT(line.take_story(), "ended 2 12000/12000 estimated");
  line.say(3, 16'000);
  line.run(1000);
  line.playout.flush(line.now());
  CHECK_TEXT(line.take_story(), "started 3, cut 3 8000/16000 estimated");
  line.run(1000);
  g_assert_cmpuint(line.peer.heard.size(), ==, 32'000);
  // The deadline of a goodbye is its length and a grace.
  line.say(4, 8000);
  line.playout.eos(line.now());
  line.run(1250);
  g_assert_true(line.playout.finished());
}

void test_echoes_late() {
  // Slower than the grace, but they come: a clear is still sent.
  Line line;
  open_line(line);
  line.peer.back = [] { return 5000; };
  line.say(1, 8000);
  line.run(1000 + 2001);
  CHECK_TEXT(line.take_story(), "started 1, ended 1 8000/8000 estimated");
  line.run(10'000);
  line.peer.back = [] { return 30; };
  line.say(2, 8000);
  line.run(1100);
  CHECK_TEXT(line.take_story(), "started 2, ended 2 8000/8000");
}

void test_echoes_at_once() {
  // jambonz-feature-server#811: marks acknowledged unheard.
  Line line;
  open_line(line);
  line.peer.echo_at_once = true;
  line.say(1, 16'000, "one two three four");
  line.run(1000);
  line.playout.flush(line.now());
  line.run(100);
  CHECK_TEXT(line.take_story(), "started 1, cut 1 8000/16000 \"one two\"");
  g_assert_cmpuint(line.peer.heard.size(), ==, 8000);
  line.say(2, 8000);
  line.run(999);
  CHECK_TEXT(line.take_story(), "started 2");
  line.run(2);
  CHECK_TEXT(line.take_story(), "ended 2 8000/8000 estimated");
}

void test_foreign_marks() {
  Line line;
  open_line(line);
  line.say(1, 8000);
  for (const char *name : {"", "x", "1", "1.", "1.99", "1.0", "2.1", "1.1x",
                           "01.1", "1.18446744073709551617", "1.-1"})
    line.playout.mark_echo(name, line.now() + 10s);
  CHECK_TEXT(line.take_story(), "started 1");
  line.run(1100);
  const auto names = line.peer.mark_names;
  for (const auto &name : names) // each a second time
    line.playout.mark_echo(name, line.now());
  CHECK_TEXT(line.take_story(), "ended 1 8000/8000");
}

void test_late_peer_moves_the_clock() {
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

// Late marks moved the clock by 30 ms. The next one may be as much less late,
// and was played then: at 1500 ms at the earliest, and not at 1530 ms.
void test_marks_in_time_again() {
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

void test_stalled_peer_is_not_heard() {
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

} // namespace

void test::add_playout_marks() {
  add_tests({
      {"/playout/peer-that-never-echoes", test_never_echoes},
      {"/playout/peer-that-echoes-too-late", test_echoes_late},
      {"/playout/peer-that-echoes-at-once-gains-nothing", test_echoes_at_once},
      {"/playout/foreign-and-repeated-marks-are-ignored", test_foreign_marks},
      {"/playout/a-late-peer-moves-the-clock", test_late_peer_moves_the_clock},
      {"/playout/marks-that-are-in-time-again-were-played",
       test_marks_in_time_again},
      {"/playout/a-stalled-peer-has-not-heard", test_stalled_peer_is_not_heard},
  });
}
