// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/add_tests.hpp"
#include "playout_tests.hpp"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

// Whole calls against the model of Twilio, and what they cost.
using namespace patchcord;
using namespace patchcord::twilio;
using test::open_line;

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

void test_random_calls() {
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

void test_long_call_costs_no_memory() {
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

void test_speed() {
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

} // namespace

void test::add_playout_calls() {
  add_tests({
      {"/playout/random-calls-agree-with-a-model-of-twilio", test_random_calls},
      {"/playout/a-long-call-costs-no-memory", test_long_call_costs_no_memory},
      {"/playout/speed", test_speed},
  });
}
