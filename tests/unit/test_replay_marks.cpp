// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/replay_marks.hpp"

#include <glib.h>

#include <string>
#include <utility>

// When a replayed call's marks come back.
using namespace patchcord;
using scenario::ReplayMarks;

namespace {

// A recording, and the call that is played from it.
class Both {
public:
  Both &then_sent(std::int64_t samples) {
    return then(recording::Kind::kSent, {}, samples);
  }
  Both &then_mark(const char *name) {
    return then(recording::Kind::kMark, name, 0);
  }
  Both &then_clear() { return then(recording::Kind::kClear, {}, 0); }
  Both &then_back(const char *name) {
    return then(recording::Kind::kMarkBack, name, 0);
  }
  Both &now_sent(std::size_t samples) {
    const Bytes audio(samples, 0xff);
    marks_.sent(twilio::peer::Media{audio});
    return *this;
  }
  Both &now_mark(const char *name) {
    marks_.sent(twilio::peer::Mark{name});
    return *this;
  }
  Both &now_clear() {
    marks_.sent(twilio::peer::Clear{});
    return *this;
  }
  // Marks that come back, in a row.
  std::string back() {
    std::string all;
    for (const std::string &name : marks_.take())
      all += name + ' ';
    g_assert_false(marks_.due());
    return all;
  }

private:
  Both &then(recording::Kind kind, std::string text, std::int64_t count) {
    recording::Event event;
    event.kind = kind;
    event.text = std::move(text);
    event.count = count;
    marks_.recorded(event);
    return *this;
  }
  ReplayMarks marks_;
};

void test_as_far_as_the_recording_had_heard() {
  Both call;
  call.then_sent(800).then_mark("a").then_sent(800).then_mark("b");
  // The same audio, with its marks elsewhere and under other names.
  call.now_sent(400).now_mark("1").now_sent(800).now_mark("2");
  call.now_sent(400).now_mark("3");
  g_assert_cmpstr(call.back().c_str(), ==, "");
  call.then_back("a");
  g_assert_cmpstr(call.back().c_str(), ==, "1 ");
  g_assert_cmpstr(call.back().c_str(), ==, ""); // Each once.
  call.then_back("b");
  g_assert_cmpstr(call.back().c_str(), ==, "2 3 ");
}

void test_what_was_heard_already_comes_at_once() {
  Both call;
  call.then_sent(800).then_mark("a").then_back("a");
  call.now_sent(800).now_mark("1");
  g_assert_cmpstr(call.back().c_str(), ==, "1 ");
}

void test_a_clear_returns_what_was_before_it() {
  Both call;
  call.then_sent(800).then_mark("a").then_clear().then_mark("c");
  call.now_sent(1600).now_mark("1").now_clear().now_mark("2");
  call.now_sent(160).now_mark("3");
  call.then_back("a");
  g_assert_cmpstr(call.back().c_str(), ==, ""); // "1" is further on.
  call.then_back("c");
  g_assert_cmpstr(call.back().c_str(), ==, "1 2 ");
}

// A name may be used twice, a mark may come back that nobody set, and marks may
// come back out of order: nothing is taken back.
void test_recordings_that_are_odd() {
  Both call;
  call.now_sent(160).now_mark("1").now_sent(160).now_mark("2");
  call.then_back("never set");
  g_assert_cmpstr(call.back().c_str(), ==, "");
  call.then_sent(160).then_mark("a").then_sent(160).then_mark("b");
  call.then_back("b").then_back("a");
  g_assert_cmpstr(call.back().c_str(), ==, "1 2 ");
  call.now_sent(160).now_mark("3");
  call.then_back("b"); // It came back before.
  g_assert_cmpstr(call.back().c_str(), ==, "");
  call.then_sent(160).then_mark("b").then_back("b");
  g_assert_cmpstr(call.back().c_str(), ==, "3 ");
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/replay-marks/as-far-as-the-recording-had-heard",
                  test_as_far_as_the_recording_had_heard);
  g_test_add_func("/replay-marks/what-was-heard-already-comes-at-once",
                  test_what_was_heard_already_comes_at_once);
  g_test_add_func("/replay-marks/a-clear-returns-what-was-before-it",
                  test_a_clear_returns_what_was_before_it);
  g_test_add_func("/replay-marks/recordings-that-are-odd",
                  test_recordings_that_are_odd);
  return g_test_run();
}
