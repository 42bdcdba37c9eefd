// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audio/cadence.hpp"
#include "audio/mulaw.hpp"

#include <glib.h>

#include <cmath>

using namespace patchcord;
using audio::Cadence;

namespace {

// Packets of 20 ms, one at a time.
class Line {
public:
  explicit Line(Cadence &cadence) : cadence_(cadence) {}
  void silence(int packets) { push(packets, 0); }
  void voice(int packets) { push(packets, 6000); }
  int beginnings() const { return beginnings_; }
  int attentive() const { return attentive_; } // packets since the last ask
  void forget() { attentive_ = 0; }

private:
  void push(int packets, int amplitude) {
    for (int p = 0; p < packets; ++p) {
      std::uint8_t packet[160];
      for (std::uint8_t &code : packet)
        code = audio::linear_to_mulaw(static_cast<std::int16_t>(
            amplitude * std::sin(0.2 * static_cast<double>(sample_++))));
      cadence_.push_mulaw(packet);
      beginnings_ += cadence_.began() ? 1 : 0;
      attentive_ += cadence_.attentive(false) ? 1 : 0;
    }
  }
  Cadence &cadence_;
  int sample_ = 0, beginnings_ = 0, attentive_ = 0;
};

} // namespace

static void test_attention_follows_speech() {
  Cadence cadence;
  Line line(cadence);
  line.silence(100);
  g_assert_cmpint(line.attentive(), ==, 0);
  g_assert_cmpint(line.beginnings(), ==, 0);
  line.voice(30);
  g_assert_cmpint(line.attentive(), ==, 0);
  g_assert_cmpint(line.beginnings(), ==, 1);
  line.silence(8); // 160 ms: a pause between words
  g_assert_cmpint(line.attentive(), ==, 0);
  line.silence(3); // 220 ms
  g_assert_true(cadence.attentive(false));
  line.silence(100);
  g_assert_false(cadence.attentive(false));
  // From 200 ms to 1200 ms behind the last voiced frame.
  g_assert_cmpint(line.attentive(), >=, 48);
  g_assert_cmpint(line.attentive(), <=, 51);
}

static void test_speech_again_ends_attention() {
  Cadence cadence;
  Line line(cadence);
  line.silence(20);
  line.voice(20);
  line.silence(15);
  g_assert_true(cadence.attentive(false));
  line.voice(5);
  g_assert_false(cadence.attentive(false));
  g_assert_cmpint(line.beginnings(), ==, 2);
}

static void test_how_often_is_read() {
  Cadence cadence;
  Line line(cadence);
  line.silence(100);
  g_assert_true(cadence.period(false) == Cadence::kPeriod);
  g_assert_true(cadence.period(true) == Cadence::kPeriodHeard);
  // The first voiced packet may be the beginning: the next ones are awaited.
  line.voice(1);
  g_assert_cmpint(line.beginnings(), ==, 0);
  g_assert_true(cadence.period(false) == 0s);
  g_assert_true(cadence.period(true) == 0s);
  line.voice(5);
  g_assert_cmpint(line.beginnings(), ==, 1);
  g_assert_true(cadence.period(false) == Cadence::kPeriod);
  // Somebody waits for the end of his turn, unless the agent has taken it.
  line.voice(20);
  line.silence(15);
  g_assert_true(cadence.attentive(false));
  g_assert_true(cadence.period(false) == 0s);
  g_assert_false(cadence.attentive(true));
  g_assert_true(cadence.period(true) == Cadence::kPeriodHeard);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/cadence/attention-follows-speech",
                  test_attention_follows_speech);
  g_test_add_func("/cadence/speech-again-ends-attention",
                  test_speech_again_ends_attention);
  g_test_add_func("/cadence/what-nobody-waits-for-is-read-seldom",
                  test_how_often_is_read);
  return g_test_run();
}
