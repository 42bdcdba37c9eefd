// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/add_tests.hpp"
#include "../support/check_text.hpp"
#include "playout_tests.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

// What is sent, and when.
using namespace patchcord;
using namespace patchcord::twilio;
using test::open_line;

namespace {

void test_first_message_at_once() {
  Line line;
  open_line(line);
  line.playout.utterance_start(1, line.now());
  line.audio(4000);
  // The window's worth, in messages of 100 ms.
  g_assert_true(line.peer.media_sizes ==
                (std::vector<std::size_t>{800, 800, 800, 800}));
  CHECK_TEXT(line.take_story(), "started 1");
}

void test_trickle_is_bundled() {
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

void test_window() {
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

void test_narrow_window() {
  // A message as long as the window would leave the peer dry each time.
  Line line({100ms, 100ms, 500ms});
  open_line(line);
  line.say(1, 40'000);
  line.run(5200);
  g_assert_true(line.peer.underruns.empty());
  g_assert_cmpuint(line.peer.media_sizes.front(), ==, 320);
  CHECK_TEXT(line.take_story(), "started 1, ended 1 40000/40000");
}

void test_late_timers() {
  Line line;
  std::mt19937 random(3);
  line.late = [&] { return static_cast<int>(random() % 120); };
  open_line(line);
  line.say(1, 60 * 8000);
  line.run(60'000 + 200);
  g_assert_true(line.peer.underruns.empty());
  // To the last sample, and no more than the way and the last tick late.
  CHECK_TEXT(line.take_story(), "started 1, ended 1 480000/480000");
  g_assert_cmpuint(line.peer.heard.size(), ==, 480'000);
}

void test_whole_frames_and_padding() {
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
    CHECK_TEXT(line.take_story(), expected);
  }
}

void test_marks() {
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
  CHECK_TEXT(line.take_story(), "started 1, ended 1 20000/20000, started 2, "
                                "ended 2 3000/3000");
}

void test_marks_of_an_uneven_line() {
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

void test_underrun_restarts() {
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
  CHECK_TEXT(line.take_story(), "started 1, cut 1 4800/12000");
}

void test_waits_for_the_stream() {
  Line line;
  line.say(1, 8000);
  line.run(3000);
  g_assert_cmpuint(line.peer.sent, ==, 0);
  open_line(line);
  line.run(1100);
  CHECK_TEXT(line.take_story(), "started 1, ended 1 8000/8000");
  // Bounded: what ten minutes do not hold is dropped.
  Line full;
  full.playout.utterance_start(1, full.now());
  for (int i = 0; i < 700; ++i)
    full.audio(8000);
  g_assert_cmpuint(full.playout.waiting(), ==, Playout::kMaxWaiting);
  g_assert_cmpuint(full.playout.dropped(), ==, 100 * 8000);
}

} // namespace

void test::add_playout_pacing() {
  add_tests({
      {"/playout/first-message-goes-out-at-once", test_first_message_at_once},
      {"/playout/audio-that-trickles-is-bundled", test_trickle_is_bundled},
      {"/playout/the-peer-is-kept-ahead-by-the-window-and-no-more",
       test_window},
      {"/playout/a-narrow-window-holds-two-messages", test_narrow_window},
      {"/playout/late-timers-do-not-add-up", test_late_timers},
      {"/playout/messages-are-whole-frames-and-the-last-is-padded",
       test_whole_frames_and_padding},
      {"/playout/a-mark-every-500-ms-and-at-the-end", test_marks},
      {"/playout/a-mark-with-each-message-on-an-uneven-line",
       test_marks_of_an_uneven_line},
      {"/playout/an-underrun-restarts-the-schedule", test_underrun_restarts},
      {"/playout/audio-waits-for-the-stream", test_waits_for_the_stream},
  });
}
