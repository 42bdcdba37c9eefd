// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audio/mulaw.hpp"
#include "audio/voice_activity.hpp"
#include "base/bytes.hpp"

#include "../support/check_text.hpp"

#include <glib.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <string>
#include <vector>

using namespace patchcord;
using audio::VoiceActivity;
using Kind = VoiceActivity::Event::Kind;
using Samples = std::vector<std::int16_t>;

// Signals, pieced together from parts; levels are RMS in dBFS.
class Signal {
public:
  explicit Signal(int rate = 8000) : rate_(rate) {}

  Signal &silence(Duration length) { return add(length, 0.0, nullptr); }
  Signal &tone(Duration length, double db, double hz = 400.0) {
    const double peak = amplitude(db) * std::numbers::sqrt2;
    std::size_t n = 0;
    return add(length, 0.0, [=, this]() mutable {
      return peak * std::sin(2.0 * std::numbers::pi * hz *
                             static_cast<double>(n++) / rate_);
    });
  }
  Signal &noise(Duration length, double db) { return ramp(length, db, db); }
  // White noise whose level changes evenly, in dB, over its length.
  Signal &ramp(Duration length, double from_db, double to_db) {
    std::size_t n = 0;
    const auto total = static_cast<double>(count(length));
    return add(length, 0.0, [=, this]() mutable {
      const double db =
          from_db + (to_db - from_db) * static_cast<double>(n++) / total;
      return gaussian_(random_) * amplitude(db);
    });
  }
  // What energy detectors live on: syllables of 180 ms with gaps of 60 ms.
  Signal &speech(Duration length, double db) {
    for (Duration done{}; done < length; done += 240ms) {
      tone(120ms, db, 220.0).noise(60ms, db - 6.0);
      if (done + 240ms < length)
        silence(60ms);
    }
    return *this;
  }
  Signal &offset(std::int16_t dc) {
    for (std::int16_t &sample : samples_)
      sample = static_cast<std::int16_t>(sample + dc);
    return *this;
  }
  Signal &mix(const Signal &other) {
    for (std::size_t i = 0; i < samples_.size() && i < other.samples_.size();
         ++i)
      samples_[i] = clamp(samples_[i] + other.samples_[i]);
    return *this;
  }
  const Samples &samples() const { return samples_; }
  int rate() const { return rate_; }

private:
  static double amplitude(double db) {
    return 32768.0 * std::pow(10.0, db / 20.0);
  }
  static std::int16_t clamp(double value) {
    return static_cast<std::int16_t>(
        std::lround(std::clamp(value, -32768.0, 32767.0)));
  }
  std::size_t count(Duration length) const {
    return static_cast<std::size_t>(std::llround(to_seconds(length) * rate_));
  }
  template <typename F> Signal &add(Duration length, double, F next) {
    for (std::size_t i = 0; i < count(length); ++i) {
      if constexpr (std::is_null_pointer_v<F>)
        samples_.push_back(0);
      else
        samples_.push_back(clamp(next()));
    }
    return *this;
  }

  int rate_;
  Samples samples_;
  std::mt19937 random_{1}; // the same noise each time
  std::normal_distribution<double> gaussian_;
};

using Events = std::vector<VoiceActivity::Event>;

static Events detect(const Samples &samples, VoiceActivity::Settings settings) {
  VoiceActivity detector(settings);
  Events events;
  // 20 ms, as Twilio sends.
  const auto step = static_cast<std::size_t>(settings.rate / 50);
  for (std::size_t at = 0; at < samples.size(); at += step)
    detector.push(
        std::span(samples).subspan(at, std::min(step, samples.size() - at)),
        events);
  detector.finish(events);
  return events;
}

static std::string describe(const Events &events) {
  std::string text;
  for (const auto &event : events)
    text += (event.kind == Kind::kStarted ? " +" : " -") +
            std::to_string(std::lround(to_ms(event.time)));
  return text;
}

// `expected`: ms of start, stop, start ... each met within `tolerance_ms`.
static void expect(const char *what, const Events &events,
                   const std::vector<double> &expected, double tolerance_ms) {
  bool good = events.size() == expected.size();
  for (std::size_t i = 0; good && i < expected.size(); ++i)
    good = events[i].kind == (i % 2 == 0 ? Kind::kStarted : Kind::kStopped) &&
           std::abs(to_ms(events[i].time) - expected[i]) <= tolerance_ms;
  if (!good)
    g_error("%s: found%s", what, describe(events).c_str());
}

static void test_segments() {
  const struct {
    const char *what;
    Signal signal;
    std::vector<double> expected;
  } cases[] = {
      {"nothing at all", Signal().silence(3s), {}},
      {"no samples", Signal(), {}},
      {"loud syllables in silence",
       Signal().silence(1s).speech(1s, -20).silence(1s),
       {1000, 2140}},
      {"quiet syllables in silence",
       Signal().silence(1s).speech(1s, -38).silence(1s),
       {1000, 2140}},
      {"under the absolute floor",
       Signal().silence(1s).speech(1s, -54).silence(1s),
       {}},
      {"speech from the first sample",
       Signal().speech(1s, -22).silence(1s),
       {0, 1140}},
      {"speech up to the last sample",
       Signal().silence(1s).speech(960ms, -22),
       {1000, 1900}},
      {"a click shorter than min_speech",
       Signal().silence(1s).noise(40ms, -12).silence(1s),
       {}},
      {"a click every tenth of a second",
       Signal()
           .silence(500ms)
           .noise(30ms, -12)
           .silence(70ms)
           .noise(50ms, -12)
           .silence(70ms)
           .noise(30ms, -12)
           .silence(1s),
       {}},
      {"a pause shorter than the hangover",
       Signal()
           .silence(1s)
           .speech(480ms, -22)
           .silence(400ms)
           .speech(480ms, -22)
           .silence(1s),
       {1000, 2240}},
      {"a pause longer than the hangover",
       Signal()
           .silence(1s)
           .speech(480ms, -22)
           .silence(600ms)
           .speech(480ms, -22)
           .silence(1s),
       {1000, 1420, 2020, 2440}},
      {"noise on the line from the beginning", Signal().noise(4s, -44), {}},
      {"syllables over a noisy line",
       Signal().silence(2s).speech(1s, -20).silence(1s).mix(
           Signal().noise(5s, -45)),
       {2000, 3140}},
      {"noise that grows by 3 dB a second",
       Signal().noise(1s, -60).ramp(10s, -60, -30),
       {}},
      {"syllables after the noise grew",
       Signal().silence(9s).speech(1s, -14).silence(1s).mix(
           Signal().ramp(8s, -60, -36).noise(4s, -36)),
       {9000, 10140}},
      {"a voice on a line with an offset",
       Signal().silence(1s).speech(1s, -26).silence(1s).offset(2500),
       {1000, 2140}},
      {"an offset alone", Signal().silence(3s).offset(-3000), {}},
  };
  for (const auto &row : cases)
    expect(row.what, detect(row.signal.samples(), {}), row.expected, 25.0);
}

static void test_floor_learns_a_step() {
  // A fan is switched on: taken for speech at first, for 1.5 s at most.
  const auto events =
      detect(Signal().noise(1s, -60).noise(6s, -35).samples(), {});
  g_assert_cmpuint(events.size(), ==, 2);
  g_assert_cmpfloat(to_ms(events[1].time), <, 2600);
  // A steady tone (ringback) likewise, and what comes after it is found.
  const auto tone = detect(Signal()
                               .silence(1s)
                               .tone(6s, -20)
                               .silence(2s)
                               .speech(1s, -25)
                               .silence(1s)
                               .samples(),
                           {});
  expect("tone", {tone.end() - 2, tone.end()}, {9000, 10140}, 25.0);
  g_assert_cmpuint(tone.size(), ==, 4);
  g_assert_cmpfloat(to_ms(tone[1].time), <, 2600);
}

static void test_decided() {
  const auto events =
      detect(Signal().silence(1s).speech(480ms, -22).silence(1s).samples(), {});
  expect("one phrase", events, {1000, 1420}, 15.0);
  g_assert_cmpfloat_with_epsilon(to_ms(events[0].decided - events[0].time), 60,
                                 0.01);
  g_assert_cmpfloat_with_epsilon(to_ms(events[1].decided - events[1].time), 500,
                                 0.01);
}

static void test_rates_and_settings() {
  for (const int rate : {8000, 16000, 24000, 11025, 48000}) {
    VoiceActivity::Settings settings;
    settings.rate = rate;
    settings.hangover = 200ms;
    settings.min_speech = 100ms;
    const auto events = detect(Signal(rate)
                                   .silence(1s)
                                   .noise(80ms, -20)
                                   .silence(500ms)
                                   .speech(480ms, -24)
                                   .silence(300ms)
                                   .speech(480ms, -24)
                                   .silence(500ms)
                                   .samples(),
                               settings);
    g_test_message("%d Hz", rate);
    expect("rates", events, {1580, 2000, 2300, 2720}, 25.0);
  }
}

static void test_mulaw() {
  Signal signal;
  signal.silence(1s).speech(1s, -30).silence(1s).mix(Signal().noise(4s, -62));
  VoiceActivity linear, coded;
  Events from_linear, from_coded;
  Bytes bytes;
  Samples decoded;
  for (const std::int16_t sample : signal.samples()) {
    bytes.push_back(audio::linear_to_mulaw(sample));
    decoded.push_back(audio::mulaw_to_linear(bytes.back()));
  }
  // Odd pieces: frames do not end where buffers do.
  for (std::size_t at = 0; at < bytes.size(); at += 333) {
    const std::size_t n = std::min<std::size_t>(333, bytes.size() - at);
    coded.push_mulaw(ByteSpan(bytes).subspan(at, n), from_coded);
  }
  linear.push(decoded, from_linear);
  g_assert_true(coded.position() == linear.position());
  CHECK_TEXT(describe(from_coded), describe(from_linear));
  expect("mu-law", from_coded, {1000, 2140}, 25.0);
  // Mu-law's silence is silence.
  const Bytes quiet(8000, audio::kMulawSilence);
  VoiceActivity silent;
  Events none;
  silent.push_mulaw(quiet, none);
  g_assert_cmpuint(none.size(), ==, 0);
  g_assert_cmpfloat(silent.level_db(), ==, -96.0);
}

static void test_reset() {
  VoiceActivity detector;
  Events first, second;
  const Signal signal = Signal().silence(500ms).speech(480ms, -22);
  detector.push(signal.samples(), first);
  g_assert_true(detector.speaking());
  detector.reset();
  g_assert_false(detector.speaking());
  g_assert_true(detector.position() == 0ms);
  detector.finish(first);
  g_assert_cmpuint(first.size(), ==, 1); // the start: reset() says nothing
  detector.push(signal.samples(), second);
  CHECK_TEXT(describe(second), describe(first));
}

// Recordings, when there are any: 16 kHz mono WAV with a plain header.
static Samples load(const char *name) {
  const char *folder = g_getenv("PATCHCORD_TEST_AUDIO");
  g_autofree char *path = g_build_filename(folder ? folder : "", name, nullptr);
  g_autofree char *data = nullptr;
  gsize size = 0;
  if (folder == nullptr || !g_file_get_contents(path, &data, &size, nullptr))
    return {};
  const auto *samples = reinterpret_cast<const std::int16_t *>(data + 44);
  return {samples, samples + (size - 44) / 2};
}

static void test_recordings() {
  const struct {
    const char *file;
    double tolerance_ms; // he draws breath before his first word
    std::vector<double> expected;
  } cases[] = {
      {"brooklyn_bridge_padded.wav", 80, {2100, 3700}},
      {"jfk.wav", 260, {320, 2120, 3280, 4300, 5420, 7540, 8180, 10980}},
  };
  for (const auto &row : cases) {
    const Samples wide = load(row.file);
    if (wide.empty()) {
      g_test_skip("PATCHCORD_TEST_AUDIO does not name the recordings");
      return;
    }
    VoiceActivity::Settings settings;
    settings.rate = 16000;
    expect(row.file, detect(wide, settings), row.expected, row.tolerance_ms);
    // As a telephone would carry them (pairs averaged: a crude low-pass).
    Samples narrow;
    for (std::size_t i = 0; i + 1 < wide.size(); i += 2)
      narrow.push_back(audio::mulaw_to_linear(audio::linear_to_mulaw(
          static_cast<std::int16_t>((wide[i] + wide[i + 1]) / 2))));
    settings.rate = 8000;
    expect(row.file, detect(narrow, settings), row.expected, row.tolerance_ms);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/voice-activity/finds-speech-in-its-surroundings",
                  test_segments);
  g_test_add_func("/voice-activity/learns-new-noise-within-two-seconds",
                  test_floor_learns_a_step);
  g_test_add_func("/voice-activity/says-when-it-knew", test_decided);
  g_test_add_func("/voice-activity/every-rate-and-setting",
                  test_rates_and_settings);
  g_test_add_func("/voice-activity/mu-law-in-any-pieces", test_mulaw);
  g_test_add_func("/voice-activity/reset-forgets-everything", test_reset);
  g_test_add_func("/voice-activity/recorded-people", test_recordings);
  return g_test_run();
}
