// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/replay_marks.hpp"

#include "../support/check_text.hpp"

#include <glib.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

// When a replayed call's marks come back.
using namespace patchcord;
using scenario::ReplayMarks;

namespace {

// A recording, and the call that is played from it. Times are in ms, 8 samples
// each.
class Both {
public:
  Both &then_sent(int ms, std::int64_t samples) {
    return then(ms, recording::Kind::kSent, {}, samples);
  }
  Both &then_mark(int ms, const char *name) {
    return then(ms, recording::Kind::kMark, name, 0);
  }
  Both &then_clear(int ms) { return then(ms, recording::Kind::kClear, {}, 0); }
  Both &then_back(int ms, const char *name) {
    return then(ms, recording::Kind::kMarkBack, name, 0);
  }
  Both &then_over(int ms) {
    return then(ms, recording::Kind::kStreamEnd, "stop", 0);
  }

  Both &now_sent(int ms, std::size_t samples) {
    const Bytes audio(samples, 0xff);
    return now(ms, twilio::peer::Media{audio});
  }
  Both &now_mark(int ms, const char *name) {
    return now(ms, twilio::peer::Mark{name});
  }
  Both &now_clear(int ms) { return now(ms, twilio::peer::Clear{}); }

  // The marks that come back up to then, in a row, each with its time.
  std::string back(int until = 100'000) {
    between_ += come(std::chrono::milliseconds(until));
    return std::exchange(between_, {});
  }

private:
  Both &then(int ms, recording::Kind kind, std::string text,
             std::int64_t count) {
    g_assert_false(marks_.has_value());
    recording::Event event;
    event.t = std::chrono::milliseconds(ms);
    event.kind = kind;
    event.text = std::move(text);
    event.count = count;
    recorded_.push_back(std::move(event));
    return *this;
  }
  Both &now(int ms, const twilio::peer::Message &message) {
    begin();
    between_ += come(std::chrono::milliseconds(ms));
    marks_->sent(message, std::chrono::milliseconds(ms));
    return *this;
  }
  std::string come(TimePoint until) {
    begin();
    std::string all;
    while (const auto due = marks_->due()) {
      if (*due > until)
        break;
      for (const std::string &name : marks_->take(*due))
        all += name + ' ' + std::to_string(*due / 1ms) + ", ";
    }
    g_assert_true(marks_->take(until).empty());
    return all;
  }
  void begin() {
    if (!marks_)
      marks_.emplace(recorded_);
  }

  std::vector<recording::Event> recorded_;
  std::optional<ReplayMarks> marks_;
  std::string between_;
};

// Audio of 500 ms from 1 s on, and the fastest mark: 30 ms.
Both half_a_second() {
  Both call;
  call.then_sent(1000, 800).then_mark(1000, "a").then_sent(1000, 3200);
  call.then_mark(1000, "b").then_back(1130, "a").then_back(1570, "b");
  return call;
}

// The same audio, with other marks: as much sooner as there is less audio.
void test_as_the_recording_s_came() {
  Both call = half_a_second();
  call.now_sent(1000, 400).now_mark(1000, "1").now_sent(1000, 800);
  call.now_mark(1000, "2").now_sent(1001, 2800).now_mark(1001, "3");
  CHECK_TEXT(call.back(), "1 1080, 2 1220, 3 1570, ");
}

// To the digit where it is the same mark, also where it was late or is sent a
// moment later now; and none comes before what is before it was played.
void test_times_are_the_recording_s() {
  for (const int late : {0, 30, 90}) {
    Both call = half_a_second();
    call.now_sent(1000 + late, 800).now_mark(1000 + late, "1");
    call.now_sent(1050 + late, 3200).now_mark(1050 + late, "2");
    CHECK_TEXT(call.back(),
               late == 90 ? "1 1190, 2 1590, " : "1 1130, 2 1570, ");
  }
}

// A cut may fall on the other side of a frame, and what is behind it ends a
// frame later; the next that is said is as much further on.
void test_a_frame_more() {
  Both call = half_a_second();
  call.then_sent(5000, 800).then_mark(5000, "c").then_back(5140, "c");
  call.now_sent(1000, 4160).now_mark(1000, "1");
  CHECK_TEXT(call.back(4000), "1 1570, ");
  call.now_sent(5000, 800).now_mark(5000, "2");
  CHECK_TEXT(call.back(), "2 5140, ");
  // By more it is other audio.
  Both more = half_a_second();
  more.then_sent(5000, 800).then_mark(5000, "c").then_back(5140, "c");
  more.now_sent(1000, 4200).now_mark(1000, "1");
  CHECK_TEXT(more.back(), "1 1555, "); // 525 ms, and the way
}

// It is said at another time, or the recording had said something else by then.
void test_other_audio_comes_by_the_clock() {
  Both call = half_a_second();
  call.now_sent(3000, 800).now_mark(3000, "1").now_sent(3000, 16'000);
  call.now_mark(3000, "2");
  CHECK_TEXT(call.back(), "1 3130, 2 5130, ");
  call.now_sent(6000, 800).now_mark(6000, "3");
  CHECK_TEXT(call.back(), "3 6130, ");
}

// The recording's clear, at 1200 ms, brought back what was out.
Both cleared() {
  Both call;
  call.then_sent(1000, 800).then_mark(1000, "a").then_sent(1000, 3200);
  call.then_mark(1000, "b").then_back(1130, "a").then_clear(1200);
  call.then_mark(1200, "c").then_back(1235, "b").then_back(1236, "c");
  call.then_sent(3000, 800).then_mark(3000, "d").then_back(3140, "d");
  return call;
}

void test_a_clear_returns_what_was_before_it() {
  for (const int late : {0, 20, -20, 60}) {
    Both call = cleared();
    call.now_sent(1000, 800).now_mark(1000, "1").now_sent(1000, 2400);
    call.now_mark(1000, "2").now_sent(1000, 800).now_mark(1000, "3");
    call.now_clear(1200 + late).now_mark(1200 + late, "4");
    CHECK_TEXT(call.back(2000), late == 60
                                    ? "1 1130, 2 1260, 3 1260, 4 1260, "
                                    : "1 1130, 2 1235, 3 1235, 4 1236, ");
    call.now_sent(3000, 800).now_mark(3000, "5");
    CHECK_TEXT(call.back(), "5 3140, ");
  }
}

// It is the recording's as long as it comes within a tenth of a second of it.
void test_a_clear_at_another_time_is_another() {
  const std::pair<int, const char *> rows[] = {
      {100, "1 1130, 2 1300, 3 1300, "},
      {101, "1 1130, 2 1331, 3 1331, "},
      {-100, "1 1130, 2 1235, 3 1236, "},
      {-101, "1 1129, 2 1129, 3 1129, "}};
  for (const auto &[late, expected] : rows) {
    Both call = cleared();
    call.now_sent(1000, 800).now_mark(1000, "1").now_sent(1000, 3200);
    call.now_mark(1000, "2").now_clear(1200 + late);
    call.now_mark(1200 + late, "3");
    CHECK_TEXT(call.back(), expected);
  }
}

// One more: its answer comes, and so do all marks behind it.
void test_one_clear_more() {
  Both call = cleared();
  call.now_sent(1000, 4000).now_mark(1000, "1");
  call.now_clear(1050).now_mark(1050, "2");
  CHECK_TEXT(call.back(1150), "1 1080, 2 1080, ");
  call.now_clear(1200).now_mark(1200, "3");
  CHECK_TEXT(call.back(2000), "3 1230, ");
  call.now_sent(3000, 1600).now_mark(3000, "4");
  CHECK_TEXT(call.back(), "4 3230, ");
}

// One less: what the recording's brought back is played.
void test_one_clear_less() {
  Both call = cleared();
  call.now_sent(1000, 800).now_mark(1000, "1").now_sent(1000, 3200);
  call.now_mark(1000, "2");
  CHECK_TEXT(call.back(2000), "1 1130, 2 1530, ");
  call.now_sent(3000, 800).now_mark(3000, "3").now_sent(3000, 800);
  call.now_clear(3050).now_mark(3050, "4");
  CHECK_TEXT(call.back(), "3 3080, 4 3080, ");
}

// The first mark that came back was returned by a clear, sooner than it was
// played: it says nothing of the way.
void test_the_way_is_of_marks_that_were_played() {
  Both call;
  call.then_sent(1000, 8000).then_mark(1000, "a").then_clear(1200);
  call.then_back(1210, "a").then_sent(3000, 800).then_mark(3000, "b");
  call.then_back(3130, "b").then_over(9000);
  call.now_sent(1000, 8000).now_mark(1000, "1").now_clear(1200);
  call.now_sent(5000, 800).now_mark(5000, "2"); // another way
  CHECK_TEXT(call.back(), "1 1210, 2 5130, ");
}

// Those that were out when the recording ended had not come back by then.
void test_the_end() {
  for (const int end : {2050, 2150}) {
    Both call = half_a_second();
    call.then_sent(2000, 800).then_mark(2000, "c").then_sent(2000, 8000);
    call.then_mark(2000, "d").then_over(end);
    call.now_sent(1000, 4000).now_sent(2000, 800).now_mark(2000, "1");
    call.now_sent(2000, 8000).now_mark(2000, "2");
    CHECK_TEXT(call.back(),
               end == 2050 ? "1 2130, 2 3130, " : "1 2150, 2 3130, ");
  }
}

// A mark that was lost is lost again, and holds up none behind it. What is said
// at another time, and what is set elsewhere, knows nothing of it.
void test_what_was_lost_is_lost_again() {
  const auto recorded = [] {
    Both call;
    call.then_sent(1000, 800).then_mark(1000, "lost").then_sent(1000, 800);
    call.then_mark(1000, "a").then_back(1230, "a");
    return call;
  };
  Both call = recorded();
  call.now_sent(1000, 800).now_mark(1000, "1").now_sent(1000, 800);
  call.now_mark(1000, "2");
  CHECK_TEXT(call.back(), "2 1230, ");
  Both later = recorded();
  later.now_sent(3000, 800).now_mark(3000, "1");
  CHECK_TEXT(later.back(), "1 3130, ");
  Both elsewhere = recorded();
  elsewhere.now_sent(1000, 400).now_mark(1000, "1").now_sent(1000, 1200);
  elsewhere.now_mark(1000, "2");
  CHECK_TEXT(elsewhere.back(), "1 1080, 2 1230, ");
  // Two in one place, of which one came.
  Both both;
  both.then_sent(1000, 800).then_mark(1000, "lost").then_mark(1000, "a");
  both.then_back(1130, "a").now_sent(1000, 800).now_mark(1000, "1");
  CHECK_TEXT(both.back(), "1 1130, ");
}

// Nothing is made of a mark that nobody set, nor of one that comes again; of
// two of a name the second is meant, and the first is not lost.
void test_recordings_that_are_odd() {
  Both call;
  call.then_back(10, "never set").then_sent(100, 800).then_mark(100, "a");
  call.then_sent(100, 800).then_mark(100, "b").then_sent(100, 800);
  call.then_mark(100, "a").then_back(330, "b").then_back(430, "a").then_back(
      440, "a");
  call.now_sent(100, 800).now_mark(100, "1").now_sent(100, 800);
  call.now_mark(100, "2").now_sent(100, 800).now_mark(100, "3");
  CHECK_TEXT(call.back(), "1 230, 2 330, 3 430, ");
}

void test_peers_that_are_odd() {
  Both silent; // returned none
  silent.then_sent(100, 800).then_mark(100, "a").then_clear(150).then_over(900);
  silent.now_sent(100, 800).now_mark(100, "1").now_clear(300);
  silent.now_mark(300, "2");
  CHECK_TEXT(silent.back(), "");
  Both hasty; // returned them unheard
  hasty.then_sent(100, 8000).then_mark(100, "a").then_back(101, "a");
  hasty.now_sent(100, 8000).now_mark(100, "1");
  CHECK_TEXT(hasty.back(), "1 101, ");
  hasty.now_sent(5000, 800).now_mark(5000, "2");
  CHECK_TEXT(hasty.back(), "2 5100, ");
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const std::pair<const char *, void (*)()> tests[] = {
      {"as-the-recording-s-came", test_as_the_recording_s_came},
      {"at-the-recording-s-times", test_times_are_the_recording_s},
      {"a-frame-more-is-the-same-place", test_a_frame_more},
      {"other-audio-by-the-clock", test_other_audio_comes_by_the_clock},
      {"a-clear-returns-what-was-before-it",
       test_a_clear_returns_what_was_before_it},
      {"a-clear-at-another-time-is-another",
       test_a_clear_at_another_time_is_another},
      {"by-the-clock-after-one-clear-more", test_one_clear_more},
      {"by-the-clock-after-one-clear-less", test_one_clear_less},
      {"what-was-out-at-the-end-comes-no-sooner", test_the_end},
      {"the-way-is-of-marks-that-were-played",
       test_the_way_is_of_marks_that_were_played},
      {"what-was-lost-is-lost-again", test_what_was_lost_is_lost_again},
      {"recordings-that-are-odd", test_recordings_that_are_odd},
      {"peers-that-are-odd", test_peers_that_are_odd},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func((std::string("/replay-marks/") + name).c_str(), test);
  return g_test_run();
}
