// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/inbound_timeline.hpp"

#include <glib.h>

#include <algorithm>
#include <random>

using namespace patchcord;
using namespace patchcord::twilio;

namespace {

const Bytes kFrame(160, 0x55);

// The line as it would be played: positions must be without a hole.
struct Played {
  void push(std::int64_t ms, ByteSpan audio = kFrame) {
    const auto step = timeline.push(ms, audio);
    g_assert_cmpuint(step.position, ==, line.size());
    line.insert(line.end(), step.silence, 0xff);
    line.insert(line.end(), step.audio.begin(), step.audio.end());
    g_assert_cmpuint(timeline.position(), ==, line.size());
  }
  std::size_t silence() const {
    return static_cast<std::size_t>(std::count(line.begin(), line.end(), 0xff));
  }
  InboundTimeline timeline;
  Bytes line;
};

} // namespace

static void test_jitter_is_no_gap() {
  Played played;
  std::mt19937 random(5);
  std::int64_t last = 0;
  for (int i = 0; i < 30'000; ++i) { // ten minutes
    const auto ms = 155 + i * 20 + static_cast<int>(random() % 13) - 6;
    g_assert_cmpint(ms, >, last);
    last = ms;
    played.push(ms);
  }
  g_assert_cmpuint(played.line.size(), ==, 30'000 * 160);
  g_assert_cmpuint(played.silence(), ==, 0);
}

static void test_gaps() {
  const struct {
    const char *name;
    std::vector<std::int64_t> timestamps;
    std::size_t samples; // of the line
    std::size_t silence;
  } cases[] = {
      {"the first timestamp is no gap", {171}, 160, 0},
      {"steps of 19 to 21", {118, 138, 158, 177, 198, 217}, 960, 0},
      {"one frame lost", {100, 120, 160, 180}, 800, 160},
      {"a second lost", {100, 120, 1140}, 480 + 8000, 8000},
      {"lost and late", {100, 120, 166, 180, 200}, 960, 160},
      {"twice the same", {100, 120, 120, 140}, 480, 0},
      {"backward", {100, 120, 110, 140}, 480, 0},
      {"backward, then on", {1000, 1020, 5, 1040, 1060}, 640, 0},
      {"negative", {100, -1, 120}, 320, 0},
      {"absurd", {100, INT64_MAX, 120, 1'000'000'000'001, 140}, 480, 0},
      {"more than ten seconds",
       {100, 120, 60'140, 60'160},
       640 + 80'000,
       80'000},
  };
  for (const auto &c : cases) {
    g_test_message("%s", c.name);
    Played played;
    for (const auto ms : c.timestamps)
      played.push(ms);
    g_assert_cmpuint(played.line.size(), ==, c.samples);
    g_assert_cmpuint(played.silence(), ==, c.silence);
  }
}

static void test_silence_is_where_the_gap_was() {
  Played played;
  played.push(100);
  played.push(140);
  g_assert_true(std::all_of(played.line.begin() + 160,
                            played.line.begin() + 320,
                            [](std::uint8_t b) { return b == 0xff; }));
  g_assert_cmpuint(played.timeline.counts().gaps, ==, 1);
  g_assert_cmpuint(played.timeline.counts().gap_samples, ==, 160);
}

// What was lost and what came is as long as the time that passed.
static void test_losses_keep_time() {
  Played played;
  std::mt19937 random(9);
  std::int64_t ms = 0;
  for (int i = 0; i < 30'000; ++i) {
    ms = 130 + i * 20 + static_cast<int>(random() % 7) - 3;
    if (random() % 20 != 0 || i == 29'999)
      played.push(ms);
  }
  const auto expected = static_cast<std::int64_t>(ms - 130 + 20) * 8;
  const auto length = static_cast<std::int64_t>(played.line.size());
  g_assert_cmpint(std::abs(length - expected), <, 40 * 8);
}

static void test_drift() {
  // Timestamps that run 200 ppm fast or slow against the samples for an hour.
  for (const double step : {20.004, 19.996, 19.97}) {
    Played played;
    for (int i = 0; i < 180'000; ++i)
      played.timeline.push(155 + static_cast<std::int64_t>(i * step), kFrame);
    g_assert_cmpuint(played.timeline.position(), ==, 180'000ULL * 160);
    // And a loss is still seen for what it is.
    const auto last = 155 + static_cast<std::int64_t>(179'999 * step);
    g_assert_cmpuint(played.timeline.push(last + 120, kFrame).silence / 80, ==,
                     10);
  }
}

static void test_count_begins_anew() {
  Played played;
  for (int i = 0; i < 100; ++i)
    played.push(5000 + i * 20);
  for (int i = 0; i < 100; ++i)
    played.push(100 + i * 20);
  // Half a second was taken for repeats; then it goes on.
  g_assert_cmpuint(played.line.size(), ==, (100 + 76) * 160);
  g_assert_cmpuint(played.silence(), ==, 0);
  g_assert_cmpuint(played.timeline.counts().resyncs, ==, 1);
  g_assert_cmpuint(played.timeline.counts().dropped, ==, 24);
}

// Silence is made up while nothing comes. The next message tells whether it was
// of that time.
static void test_made_up_silence() {
  constexpr std::uint32_t kSecond = 8000;
  const struct {
    const char *name;
    std::uint32_t made_up;
    std::vector<std::int64_t> timestamps; // behind {100, 120}
    std::uint32_t back, silence;
  } cases[] = {
      {"lost", kSecond, {1140}, 0, 0},
      {"lost, and more than that", kSecond, {1200}, 0, 480},
      {"lost, but for jitter", kSecond, {1130}, 0, 0},
      {"late", kSecond, {140}, kSecond, 0},
      {"the last of them late", kSecond, {840}, 2400, 0},
      {"late, but for the first two", kSecond, {180}, kSecond - 320, 0},
      {"late, and the next", kSecond, {140, 160, 180}, kSecond, 0},
      {"late, with a loss behind it", kSecond, {140, 200}, kSecond, 320},
      {"of a time before it is none", kSecond, {120, 140}, kSecond, 0},
      {"nothing was made up", 0, {1140}, 0, kSecond},
  };
  for (const auto &c : cases) {
    g_test_message("%s", c.name);
    InboundTimeline timeline;
    timeline.push(100, kFrame);
    timeline.push(120, kFrame);
    timeline.make_up(c.made_up / 2);
    timeline.make_up(c.made_up / 2);
    g_assert_cmpuint(timeline.made_up(), ==, c.made_up);
    g_assert_cmpuint(timeline.position(), ==, 320 + c.made_up);
    std::uint32_t back = 0, silence = 0;
    std::uint64_t next = timeline.position();
    for (const auto ms : c.timestamps) {
      const auto step = timeline.push(ms, kFrame);
      g_assert_cmpuint(step.position, ==, next - step.back);
      next = step.position + step.silence + step.audio.size();
      back += step.back;
      silence += step.silence;
    }
    g_assert_cmpuint(timeline.position(), ==, next);
    g_assert_cmpuint(timeline.made_up(), ==, 0);
    g_assert_cmpuint(back, ==, c.back);
    g_assert_cmpuint(silence, ==, c.silence);
    g_assert_cmpuint(timeline.counts().late, ==, c.back != 0 ? 1 : 0);
    g_assert_cmpuint(timeline.counts().made_up, ==, c.made_up != 0 ? 1 : 0);
  }
  // A count that began anew says nothing of what was before it.
  Played played;
  for (int i = 0; i < 100; ++i)
    played.push(5000 + i * 20);
  played.timeline.make_up(kSecond);
  const std::uint64_t position = played.timeline.position();
  std::size_t taken = 0;
  for (int i = 0; i < 100; ++i) {
    const auto step = played.timeline.push(100 + i * 20, kFrame);
    g_assert_cmpuint(step.back, ==, 0);
    taken += step.audio.size();
  }
  g_assert_cmpuint(played.timeline.position(), ==, position + taken);
}

static void test_odd_sizes() {
  Played played;
  played.push(100, Bytes(400, 1)); // 50 ms
  played.push(150, Bytes(80, 1));
  played.push(160, {});
  played.push(160, Bytes(1, 1));
  played.push(161, Bytes(7, 1));
  g_assert_cmpuint(played.line.size(), ==, 488);
  g_assert_cmpuint(played.silence(), ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/inbound-timeline/jitter-is-no-gap", test_jitter_is_no_gap);
  g_test_add_func("/inbound-timeline/gaps-and-repeats", test_gaps);
  g_test_add_func("/inbound-timeline/silence-is-where-the-gap-was",
                  test_silence_is_where_the_gap_was);
  g_test_add_func("/inbound-timeline/losses-keep-time", test_losses_keep_time);
  g_test_add_func("/inbound-timeline/drift-never-adds-up-to-a-gap", test_drift);
  g_test_add_func("/inbound-timeline/timestamps-that-begin-anew-are-followed",
                  test_count_begins_anew);
  g_test_add_func("/inbound-timeline/silence-that-was-made-up-is-kept-or-late",
                  test_made_up_silence);
  g_test_add_func("/inbound-timeline/odd-sizes", test_odd_sizes);
  return g_test_run();
}
