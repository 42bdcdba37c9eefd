// SPDX-License-Identifier: LGPL-2.1-or-later
#include "playout_line.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <string>
#include <utility>

// Speech that is held where the caller may have interrupted, and goes on from
// the very sample or is dropped.
using namespace patchcord;
using namespace patchcord::twilio;

namespace {

std::uint8_t sample_of(std::uint32_t utterance, std::size_t index) {
  std::uint64_t x = utterance * 0x9e3779b97f4a7c15ULL + index;
  x ^= x >> 31;
  x *= 0xbf58476d1ce4e5b9ULL;
  return static_cast<std::uint8_t>(x >> 57); // under 0x80: never silence
}

void equal(const std::string &is, const std::string &expected) {
  if (is != expected)
    g_error("expected\n  %s\ngot\n  %s", expected.c_str(), is.c_str());
}

struct Held : Line {
  explicit Held(int way = 30) {
    peer.there = peer.back = [way] { return way; };
    playout.open(now());
  }
  void audio_of(std::uint32_t id, std::size_t from, std::size_t count) {
    Bytes bytes(count);
    for (std::size_t i = 0; i < count; ++i)
      bytes[i] = sample_of(id, from + i);
    playout.audio(bytes, now());
    collect();
  }
  void speak(std::uint32_t id, std::size_t samples, const char *text = "") {
    playout.utterance_start(id, now());
    if (*text != '\0')
      playout.spoken_text(id, text, {}, now());
    audio_of(id, 0, samples - 80);
    playout.utterance_end(id, now());
    audio_of(id, samples - 80, 80);
  }
  void hold() { playout.hold(now()); }
  void resume() { playout.resume(now()); }
  void flush() { playout.flush(now()); }
  // Everything that the caller heard, silence aside, was this, once.
  void check_heard(
      const std::vector<std::pair<std::uint32_t, std::size_t>> &utterances) {
    Bytes expected;
    for (const auto &[id, samples] : utterances)
      for (std::size_t i = 0; i < samples; ++i)
        expected.push_back(sample_of(id, i));
    Bytes heard = peer.heard;
    heard.erase(std::remove(heard.begin(), heard.end(), 0xff), heard.end());
    g_assert_cmpuint(heard.size(), ==, expected.size());
    g_assert_true(heard == expected);
  }
};

const char *const kText = "one two three four";

void test_any_moment() {
  // The first 100 ms, the middle, the last 100 ms; of a long one and of one
  // that was sent at once.
  const struct {
    std::size_t samples;
    int ms;
    const char *held;
  } cases[] = {
      {16'000, 0, "started 1, held 1 0/16000"},
      {16'000, 1, "started 1, held 1 8/16000"},
      {16'000, 50, "started 1, held 1 400/16000"},
      {16'000, 100, "started 1, held 1 800/16000"},
      {16'000, 1013, "started 1, held 1 8104/16000 \"one two\""},
      {16'000, 1900, "started 1, held 1 15200/16000 \"one two three\""},
      {16'000, 1950, "started 1, held 1 15600/16000 \"one two three\""},
      {16'000, 1999, "started 1, held 1 15992/16000 \"one two three\""},
      {3200, 100, "started 1, held 1 800/3200 \"one\""},
      {3200, 399, "started 1, held 1 3192/3200 \"one two three\""},
  };
  for (const auto &c : cases) {
    Held line;
    line.speak(1, c.samples, kText);
    line.run(c.ms);
    line.hold();
    equal(line.take_story(), c.held);
    line.run(3000);
    g_assert_cmpuint(line.peer.queued(), ==, 0);
    g_assert_cmpuint(line.peer.heard.size(), ==,
                     static_cast<std::size_t>(c.ms) * 8);
    equal(line.take_story(), "");
    line.resume();
    line.run(3000);
    const std::string total = std::to_string(c.samples);
    equal(line.take_story(),
          "ended 1 " + total + "/" + total + " \"" + kText + "\"");
    line.check_heard({{1, c.samples}});
    g_assert_cmpint(line.peer.clears, ==, 1);
  }
}

void test_dropped() {
  Held line;
  line.speak(1, 16'000, kText);
  line.run(1000);
  line.hold();
  equal(line.take_story(), "started 1, held 1 8000/16000 \"one two\"");
  line.run(700);
  line.flush();
  // What was heard when the caller fell in; nothing is left to clear.
  equal(line.take_story(), "cut 1 8000/16000 \"one two\"");
  g_assert_cmpint(line.peer.clears, ==, 1);
  line.speak(2, 800, "so");
  line.run(500);
  equal(line.take_story(), "started 2, ended 2 800/800 \"so\"");
  g_assert_cmpuint(line.peer.heard.size(), ==, 8800);
}

void test_nothing_sent() {
  Held line;
  line.hold();
  line.playout.utterance_start(1, line.now());
  line.audio_of(1, 0, 8000);
  line.run(2000);
  equal(line.take_story(), "");
  g_assert_cmpuint(line.peer.sent, ==, 0);
  g_assert_cmpint(line.peer.clears, ==, 0);
  line.resume();
  line.playout.utterance_end(1, line.now());
  line.audio_of(1, 8000, 80);
  line.run(1200);
  equal(line.take_story(), "started 1, ended 1 8080/8080");
  // An utterance that has begun without a sample.
  line.playout.utterance_start(2, line.now());
  line.hold();
  equal(line.take_story(), "held 2 0/0");
  line.resume();
  // And before there is anybody to send to.
  Line closed;
  closed.say(1, 800);
  closed.playout.hold(closed.now());
  closed.playout.open(closed.now());
  closed.run(1000);
  equal(closed.take_story(), "held 1 0/800");
  closed.playout.resume(closed.now());
  closed.run(1000);
  equal(closed.take_story(), "started 1, ended 1 800/800");
}

void test_all_heard() {
  // The mark of the end is on its way back.
  Held line(200);
  line.speak(1, 1600, "yes");
  line.run(300);
  line.hold();
  // By the clock; and when the peer has answered.
  equal(line.take_story(), "started 1, held 1 1600/1600 \"yes\"");
  line.run(1000);
  equal(line.take_story(), "ended 1 1600/1600 \"yes\"");
  line.resume();
  line.run(1000);
  equal(line.take_story(), "");
  line.check_heard({{1, 1600}});
}

void test_next_one() {
  // The second was sent, too, when the first is held, and when it was over.
  for (const int ms : {100, 390, 500}) {
    Held line(200);
    line.speak(1, 1605, "one");
    line.speak(2, 4011, "two");
    line.run(ms);
    line.hold();
    if (ms == 100)
      equal(line.take_story(), "started 1, held 1 800/1605");
    else if (ms == 390)
      equal(line.take_story(),
            "started 1, held 1 1605/1605 \"one\", held 2 1360/4011");
    line.run(1000);
    if (ms == 390)
      equal(line.take_story(), "ended 1 1605/1605 \"one\", held 2 1360/4011");
    line.resume();
    line.run(2000);
    if (ms == 100)
      equal(line.take_story(), "ended 1 1605/1605 \"one\", started 2, "
                               "ended 2 4011/4011 \"two\"");
    line.check_heard({{1, 1605}, {2, 4011}});
  }
}

void test_twice() {
  Held line;
  line.speak(1, 16'000, kText);
  line.run(500);
  line.hold();
  line.run(100);
  line.hold();
  g_assert_cmpint(line.peer.clears, ==, 1);
  equal(line.take_story(), "started 1, held 1 4000/16000 \"one\"");
  line.resume();
  line.resume();
  line.run(10);
  line.hold(); // in the first 100 ms of the rest
  equal(line.take_story(), "held 1 4080/16000 \"one\"");
  line.resume();
  line.run(3000);
  equal(line.take_story(), "ended 1 16000/16000 \"one two three four\"");
  line.check_heard({{1, 16'000}});
}

void test_many_times() {
  Held line;
  line.speak(1, 40'123, kText);
  line.speak(2, 8001, "five");
  for (int ms = 1; ms < 60; ++ms) {
    line.run(ms + ms % 7);
    line.hold();
    line.run(ms % 5 * 40);
    line.resume();
  }
  line.run(10'000);
  line.check_heard({{1, 40'123}, {2, 8001}});
  std::uint64_t last = 0;
  for (const auto &event : line.events)
    if (event.utterance == 1) {
      g_assert_cmpuint(event.heard_samples, >=, last);
      last = event.heard_samples;
    }
  g_assert_cmpuint(last, ==, 40'123);
}

void test_long() {
  Held line;
  line.speak(1, 16'000, kText);
  line.run(1000);
  line.hold();
  line.run(120'000);
  line.take_story();
  line.resume();
  line.run(1100);
  equal(line.take_story(), "ended 1 16000/16000 \"one two three four\"");
  line.check_heard({{1, 16'000}});
}

void test_eos() {
  Held line;
  line.speak(1, 16'000, kText);
  line.run(500);
  line.hold();
  line.playout.eos(line.now());
  line.run(30'000);
  g_assert_false(line.playout.finished());
  line.resume();
  line.run(1400);
  g_assert_false(line.playout.finished());
  line.run(200);
  g_assert_true(line.playout.finished());
  line.check_heard({{1, 16'000}});
  // Where all was heard it is over.
  line.hold();
  g_assert_true(line.playout.finished());
}

void test_voice_goes_on() {
  // What is said while the caller is listened to waits behind the rest.
  Held line;
  line.playout.utterance_start(1, line.now());
  line.playout.spoken_text(1, "one two", {}, line.now());
  line.audio_of(1, 0, 1013);
  line.run(100);
  line.hold();
  line.audio_of(1, 1013, 2000);
  line.run(50);
  line.playout.spoken_text(1, "three", {}, line.now());
  line.audio_of(1, 3013, 3000);
  line.playout.utterance_end(1, line.now());
  line.audio_of(1, 6013, 80);
  line.speak(2, 2222, "four");
  line.run(5000);
  equal(line.take_story(), "started 1, held 1 800/1013");
  line.resume();
  line.run(3000);
  equal(line.take_story(), "ended 1 6093/6093 \"one two three\", started 2, "
                           "ended 2 2222/2222 \"four\"");
  line.check_heard({{1, 6093}, {2, 2222}});
  // A voice whose last buffer is swallowed.
  line.playout.utterance_start(3, line.now());
  line.audio_of(3, 0, 800);
  line.hold();
  line.playout.utterance_end(3, line.now());
  line.run(2000);
  line.resume();
  line.run(500);
  equal(line.take_story(), "started 3, held 3 0/800, ended 3 800/800");
}

void test_marks() {
  Held line(100);
  line.speak(1, 24'000, kText);
  line.run(1200);
  line.hold();
  equal(line.take_story(), "started 1, held 1 9600/24000 \"one two\"");
  auto old = line.peer.mark_names;
  old.pop_back(); // sent with the clear
  g_assert_cmpuint(old.size(), >=, 3);
  const auto echo_all = [&] {
    for (const auto &name : old)
      line.playout.mark_echo(name, line.now());
    for (const char *name : {"", "1.", "1.99", "2.1", "1.1x"})
      line.playout.mark_echo(name, line.now());
  };
  echo_all();
  line.run(1000); // and those that the clear brings back
  equal(line.take_story(), "");
  g_assert_cmpuint(line.playout.waiting(), ==, 24'000 - 9600);
  echo_all();
  line.collect();
  g_assert_true(line.events.empty());
  line.resume();
  echo_all();
  line.run(300);
  echo_all();
  line.hold();
  equal(line.take_story(), "held 1 12000/24000 \"one two\"");
  line.resume();
  line.run(2000);
  equal(line.take_story(), "ended 1 24000/24000 \"one two three four\"");
  line.check_heard({{1, 24'000}});
}

void test_odd_peers() {
  Held silent; // returns no marks
  silent.peer.back = [] { return TwilioModel::kNever; };
  silent.speak(1, 16'000, kText);
  silent.run(1000);
  silent.hold();
  equal(silent.take_story(), "started 1, held 1 8000/16000 \"one two\"");
  silent.run(5000);
  equal(silent.take_story(), "held 1 8000/16000 \"one two\" estimated");
  silent.resume();
  silent.run(1000 + 2100);
  equal(silent.take_story(),
        "ended 1 16000/16000 \"one two three four\" estimated");
  silent.check_heard({{1, 16'000}});
  Held hasty; // returns marks unheard
  hasty.peer.echo_at_once = true;
  hasty.speak(1, 16'000, kText);
  hasty.run(1000);
  hasty.hold();
  hasty.run(500);
  hasty.resume();
  hasty.run(1200);
  hasty.check_heard({{1, 16'000}});
}

void test_stalled() {
  // The peer has received nothing for a while: what it missed is said again.
  Held line;
  line.speak(1, 80'000);
  line.run(1600);
  line.peer.there = [] { return 100'000; };
  line.run(1500);
  line.hold();
  const auto held = line.events.back().heard_samples;
  g_assert_cmpuint(held, >=, 12'000);
  g_assert_cmpuint(held, <=, 16'800);
}

void test_uneven() {
  // Nothing comes through for a while. What the caller may not have heard is
  // said again, and is not counted twice, nor to what is said next.
  Held line;
  line.speak(1, 80'000);
  line.run(1600);
  line.peer.there = [] { return 630; };
  line.run(250);
  line.peer.there = [] { return 30; };
  line.run(3000);
  g_assert_true(line.playout.line_is_uneven());
  line.hold();
  line.run(200);
  const auto heard = line.peer.heard.size();
  g_assert_cmpuint(line.events.back().heard_samples, ==, heard);
  const auto sent = line.peer.sent;
  line.resume();
  line.run(10); // and held again before any of it was heard
  g_assert_cmpuint(line.peer.sent, >, sent);
  line.hold();
  line.run(200);
  g_assert_cmpuint(line.events.back().heard_samples, ==, heard);
  line.flush();
  line.take_story();
  const auto before = line.peer.heard.size();
  line.speak(2, 8000);
  line.run(80);
  line.hold();
  line.run(200);
  g_assert_cmpuint(line.events.back().utterance, ==, 2);
  g_assert_cmpuint(line.events.back().heard_samples, ==,
                   line.peer.heard.size() - before);
}

void test_progress() {
  // What was told is farther than what is said again: progress does not go
  // back behind it.
  Held line;
  line.speak(1, 80'000);
  line.run(1600);
  line.peer.there = [] { return 630; };
  line.run(250);
  line.peer.there = [] { return 30; };
  line.run(3000);
  line.hold();
  line.run(200);
  const auto held = line.events.back();
  g_assert_true(held.what == PlayoutEvent::What::kHeld);
  const std::size_t events = line.events.size();
  line.resume();
  line.run(600);
  g_assert_cmpuint(line.events.size(), >, events);
  for (std::size_t i = events; i < line.events.size(); ++i)
    g_assert_cmpuint(line.events[i].heard_samples, >=, held.heard_samples);
}

void test_unanswered() {
  // A peer that returns marks, but not the one behind a clear.
  Held line(50);
  line.peer.answer_after = TwilioModel::kNever;
  line.speak(1, 160'000);
  const auto wait = [&line] { // from a hold until more is sent
    line.run(1500);
    const auto sent = line.peer.sent;
    const int ms = line.ms;
    line.hold();
    line.resume();
    while (line.peer.sent == sent && line.ms < ms + 5000)
      line.run(1);
    return line.ms - ms;
  };
  g_assert_cmpint(wait(), >=, 1000);
  g_assert_cmpint(wait(), <=, 1);
  g_assert_cmpint(wait(), <=, 1);
  line.run(200);
  // It does: the next clear's is waited for.
  line.peer.answer_after = 0;
  g_assert_cmpint(wait(), <=, 1);
  const int answered = wait();
  g_assert_cmpint(answered, >=, 99);
  g_assert_cmpint(answered, <=, 101);
  // One that is lost is no reason not to wait for the next, two are.
  line.peer.answer_after = TwilioModel::kNever;
  g_assert_cmpint(wait(), >=, 1000);
  g_assert_cmpint(wait(), >=, 1000);
  g_assert_cmpint(wait(), <=, 1);
  line.run(500);
  const auto heard = line.events.back().heard_samples;
  line.flush();
  line.collect();
  g_assert_true(line.events.back().what == PlayoutEvent::What::kCut);
  g_assert_cmpuint(line.events.back().heard_samples, >, heard);
  g_assert_cmpint(line.peer.clears, ==, 9);
  line.playout.eos(line.now());
  g_assert_true(line.playout.finished());
}

void test_close() {
  Held line;
  line.speak(1, 16'000, kText);
  line.run(1000);
  line.hold();
  line.playout.close(line.now());
  equal(line.take_story(), "started 1, held 1 8000/16000 \"one two\", "
                           "cut 1 8000/16000 \"one two\"");
  line.resume();
  line.hold();
  line.run(1000);
  equal(line.take_story(), "");
  g_assert_false(line.playout.next_deadline().has_value());
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const std::pair<const char *, void (*)()> tests[] = {
      {"resumes-at-the-sample-whenever-held", test_any_moment},
      {"a-flush-drops-what-is-held", test_dropped},
      {"held-before-anything-was-sent", test_nothing_sent},
      {"what-was-heard-to-its-end-is-not-held", test_all_heard},
      {"each-utterance-is-held-at-its-own-position", test_next_one},
      {"held-twice-is-held", test_twice},
      {"held-many-times-not-a-sample-is-lost", test_many_times},
      {"resumes-after-a-long-time", test_long},
      {"the-end-waits-for-what-is-held", test_eos},
      {"a-voice-goes-on-while-held", test_voice_goes_on},
      {"marks-of-before-the-clear-are-cleared", test_marks},
      {"peers-that-return-no-marks-or-all-at-once", test_odd_peers},
      {"a-stalled-peer-has-not-heard", test_stalled},
      {"what-is-said-again-is-not-counted-twice", test_uneven},
      {"progress-does-not-go-back-behind-what-was-held", test_progress},
      {"a-peer-that-answers-no-clear-is-not-waited-for", test_unanswered},
      {"the-end-of-the-stream-cuts-what-is-held", test_close},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func((std::string("/playout-hold/") + name).c_str(), test);
  return g_test_run();
}
