// SPDX-License-Identifier: LGPL-2.1-or-later
#include "offline/espeak_voice.hpp"

#include "base/text.hpp"
#include "twilio/spoken_script.hpp"

#include <glib.h>

#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <optional>

using namespace patchcord;
using offline::EspeakVoice;
using Speech = EspeakVoice::Speech;

static Result<Speech> say(const std::string &text,
                          const EspeakVoice::Settings &settings = {}) {
  return offline::synthesize_espeak(text, settings, false);
}

static double seconds(const Speech &speech) {
  return static_cast<double>(speech.samples.size()) / EspeakVoice::kRate;
}

static int peak(const Speech &speech) {
  int most = 0;
  for (const int sample : speech.samples)
    most = std::max(most, std::abs(sample));
  return most;
}

static double rms_db(const Speech &speech) {
  double energy = 0;
  for (const double sample : speech.samples)
    energy += sample * sample;
  return 10 * std::log10(energy / static_cast<double>(speech.samples.size()) /
                         (32768.0 * 32768.0));
}

// How long it stays quiet at the end, in ms.
static double tail_ms(const Speech &speech) {
  std::size_t quiet = 0;
  while (quiet < speech.samples.size() &&
         std::abs(speech.samples[speech.samples.size() - 1 - quiet]) < 64)
    ++quiet;
  return static_cast<double>(quiet) * 1000 / EspeakVoice::kRate;
}

static void test_sound() {
  static const struct {
    const char *voice, *text;
    double shortest, longest; // seconds
  } kRows[] = {
      {"en-us", "Good morning, how can I help you?", 1.6, 2.4},
      {"en-us", "Yes", 0.3, 0.7},
      {"en-us+f3", "Hello there", 0.6, 1.1},
      {"de", "Grüße aus Köln.", 0.8, 1.6},
  };
  for (const auto &row : kRows) {
    EspeakVoice::Settings settings;
    settings.voice = row.voice;
    const auto speech = say(row.text, settings);
    g_assert_true(speech.ok());
    g_test_message("%s \"%s\": %.3f s, peak %d, %.1f dBFS, tail %.0f ms",
                   row.voice, row.text, seconds(*speech), peak(*speech),
                   rms_db(*speech), tail_ms(*speech));
    g_assert_cmpfloat(seconds(*speech), >, row.shortest);
    g_assert_cmpfloat(seconds(*speech), <, row.longest);
    // Loud and clear, and nothing clipped.
    g_assert_cmpint(peak(*speech), >, 6000);
    g_assert_cmpint(peak(*speech), <, 32767);
    g_assert_cmpfloat(rms_db(*speech), >, -32);
    g_assert_cmpfloat(rms_db(*speech), <, -10);
    g_assert_cmpfloat(tail_ms(*speech), <=, 160);
    // No click at either end.
    g_assert_cmpint(std::abs(speech->samples.front()), <, 16);
    g_assert_cmpint(std::abs(speech->samples.back()), <, 16);
  }
}

static void test_silence() {
  for (const char *text : {"", "...", " ", "\n"}) {
    const auto speech = say(text);
    g_assert_true(speech.ok());
    g_assert_cmpuint(speech->samples.size(), ==, 0);
    g_assert_cmpuint(speech->timings.size(), ==, 0);
  }
}

static void test_timings() {
  static const struct {
    const char *text;
    std::vector<std::uint32_t> offsets;
  } kRows[] = {
      {"Good morning, how are you", {0, 5, 14, 18, 22}},
      {"Grüße, süß heißt sweet.", {0, 9, 15, 22}},
      {"It costs 123 dollars", {0, 3, 9, 13}},
      {"One. Two. Three.", {0, 5, 10}},
  };
  for (const auto &row : kRows) {
    const auto speech = say(row.text);
    g_assert_true(speech.ok());
    std::vector<std::uint32_t> offsets;
    std::uint32_t before = 0;
    for (const auto &timing : speech->timings) {
      offsets.push_back(timing.offset);
      g_assert_cmpuint(timing.ms, >=, before);
      g_assert_cmpfloat(timing.ms, <, seconds(*speech) * 1000);
      before = timing.ms;
    }
    g_test_message("%s", row.text);
    g_assert_true(offsets == row.offsets);
  }
  // A word's time is when it sounds: the pause before it is not its own.
  const auto speech = say("One. Two.");
  const auto second = static_cast<std::size_t>(speech->timings.at(1).ms *
                                               EspeakVoice::kRate / 1000);
  int loudest = 0;
  for (std::size_t i = second; i < second + 441; ++i) // 20 ms
    loudest = std::max(loudest, std::abs(speech->samples.at(i)));
  g_assert_cmpint(loudest, >, 100);
}

// The fundamental: the lag at which the sound is most like itself.
static double pitch_hz(const Speech &speech) {
  const auto &samples = speech.samples;
  std::size_t best_lag = 1;
  double best = 0;
  for (std::size_t lag = EspeakVoice::kRate / 350;
       lag < EspeakVoice::kRate / 60; ++lag) {
    double sum = 0;
    for (std::size_t i = lag; i < samples.size(); ++i)
      sum += static_cast<double>(samples[i]) * samples[i - lag];
    if (sum > best) {
      best = sum;
      best_lag = lag;
    }
  }
  return static_cast<double>(EspeakVoice::kRate) /
         static_cast<double>(best_lag);
}

static void test_settings() {
  const char *text = "The quick brown fox jumps over the lazy dog";
  EspeakVoice::Settings slow, fast, soft, high;
  slow.words_per_minute = 100;
  fast.words_per_minute = 300;
  soft.volume = 25;
  high.pitch = 99;
  const auto normal = say(text);
  g_assert_cmpfloat(seconds(*say(text, slow)), >, seconds(*normal) * 1.3);
  g_assert_cmpfloat(seconds(*say(text, fast)), <, seconds(*normal) * 0.75);
  g_assert_cmpfloat(rms_db(*say(text, soft)), <, rms_db(*normal) - 9);
  g_assert_cmpfloat(pitch_hz(*say(text, high)), >, pitch_hz(*normal) * 1.3);
  // One voice's settings do not stay with the next. (espeak's flutter goes on
  // from one text to the next: the same words never sound the same twice.)
  const auto again = say(text);
  g_assert_cmpfloat(std::abs(seconds(*again) - seconds(*normal)), <, 0.01);
  g_assert_cmpfloat(std::abs(rms_db(*again) - rms_db(*normal)), <, 0.5);
}

static void test_unknown_voice() {
  EspeakVoice::Settings settings;
  settings.voice = "klingon-opera";
  const auto speech = say("hello", settings);
  g_assert_false(speech.ok());
  g_assert_cmpstr(speech.error().code.c_str(), ==, "voice_not_found");
  g_assert_nonnull(strstr(speech.error().message.c_str(), "klingon-opera"));
  g_assert_true(say("hello").ok());
}

static void test_virtual() {
  const auto worker = Worker::create_virtual();
  EspeakVoice voice(worker);
  std::vector<std::string> order;
  for (const char *text : {"first", "second"})
    voice.speak(text, {}, [&order, text](const Result<Speech> &speech) {
      g_assert_cmpuint(speech->samples.size(), >, 0);
      order.emplace_back(text);
    });
  g_assert_cmpuint(order.size(), ==, 0);
  const auto before = worker->now();
  worker->run_ready();
  g_assert_cmpuint(order.size(), ==, 2);
  g_assert_cmpstr(order.at(0).c_str(), ==, "first");
  g_assert_true(worker->now() == before);
}

static void test_cancel() {
  const auto worker = Worker::create_virtual();
  int spoken = 0;
  EspeakVoice voice(worker);
  const auto count = [&](const Result<Speech> &) { ++spoken; };
  voice.speak("dropped", {}, count);
  voice.cancel();
  voice.speak("heard", {}, count);
  worker->run_ready();
  g_assert_cmpint(spoken, ==, 1);
  // Destroyed within its own callback, with another job behind.
  auto doomed = std::make_unique<EspeakVoice>(worker);
  doomed->speak("one", {}, [&](const Result<Speech> &) {
    ++spoken;
    doomed.reset();
  });
  doomed->speak("two", {}, count);
  worker->run_ready();
  g_assert_cmpint(spoken, ==, 2);
}

// Waits for things that happen on other threads.
struct Latch {
  std::mutex mutex;
  std::condition_variable changed;
  int count = 0;
  void up() {
    const std::lock_guard lock(mutex);
    ++count;
    changed.notify_all();
  }
  void wait(int wanted) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return count >= wanted; });
  }
};

// All of them when `name` is null.
static int threads_named(const char *name) {
  int count = 0;
  GDir *tasks = g_dir_open("/proc/self/task", 0, nullptr);
  while (const char *task = g_dir_read_name(tasks)) {
    std::ifstream file("/proc/self/task/" + std::string(task) + "/comm");
    std::string comm;
    std::getline(file, comm);
    count += name == nullptr || comm == name ? 1 : 0;
  }
  g_dir_close(tasks);
  return count;
}

static void test_threads() {
  g_assert_true(say("Hello").ok()); // starts the library
  const int before = threads_named(nullptr);
  {
    const auto a = Worker::start("call-a"), b = Worker::start("call-b");
    std::optional<EspeakVoice> voice_a, voice_b;
    Latch latch;
    const auto speak_many = [&latch](std::optional<EspeakVoice> &voice,
                                     const std::shared_ptr<Worker> &worker) {
      worker->call([&] {
        voice.emplace(worker);
        for (int i = 0; i < 20; ++i)
          voice->speak("Sentence number " + std::to_string(i), {},
                       [&latch, w = worker.get()](const Result<Speech> &s) {
                         g_assert_true(w->on_thread());
                         g_assert_cmpuint(s->samples.size(), >, 0);
                         latch.up();
                       });
      });
    };
    speak_many(voice_a, a);
    speak_many(voice_b, b);
    latch.wait(40);
    // The library's own is the one; beside it there are the two workers.
    g_assert_cmpint(threads_named("espeak"), ==, 1);
    g_assert_cmpint(threads_named(nullptr), ==, before + 2);
    // Destroyed with jobs under way: none of them comes back.
    a->call([&] {
      voice_a->speak(std::string(2000, 'a'), {},
                     [](const Result<Speech> &) { g_assert_not_reached(); });
      voice_a.reset();
    });
    b->call([&] { voice_b.reset(); });
  }
}

// A voice that tells no timings: where the caller is in a text is known from
// the text alone. What this voice tells of itself says how far off that is.
static void test_without_timings() {
  static const char *const kTexts[] = {
      "Hello, room desk. Book a room, or cancel one?",
      "I have three rooms at half past two: the blue one on the second floor, "
      "the green one next to the kitchen, and a large one upstairs.",
      "Your code is 4 7 1 1, and the room is number 23.",
      "Unfortunately, no. Would you like another day? I could look at Friday.",
      "Just a moment, please, I am looking for a room that is large enough for "
      "twelve people and has got a projector.",
  };
  int checks = 0, within = 0, worst = 0;
  for (const char *text : kTexts) {
    const auto speech = say(text);
    g_assert_true(speech.ok());
    const auto length =
        static_cast<std::uint64_t>(seconds(*speech) * 8000); // samples
    std::vector<twilio::WordTiming> timings;
    for (const auto &timing : speech->timings)
      timings.push_back({timing.offset, timing.ms});
    twilio::SpokenScript timed, untimed;
    timed.add(text, timings, 0);
    untimed.add(text, {}, 0);
    for (std::uint64_t at = 0; at < length; at += 160, ++checks) {
      const auto words = [&](const twilio::SpokenScript &script) {
        const std::string heard = script.heard(at, length, true);
        return heard.empty() ? 0 : static_cast<int>(split(heard, ' ').size());
      };
      const int off = std::abs(words(timed) - words(untimed));
      within += off <= 1 ? 1 : 0;
      worst = std::max(worst, off);
    }
  }
  g_test_message("without timings: %d of %d places within one word, %d at "
                 "worst",
                 within, checks, worst);
  g_assert_cmpint(within * 100, >=, checks * 95);
  g_assert_cmpint(worst, <=, 3);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/espeak/sounds-clear-without-clipping-or-clicks",
                  test_sound);
  g_test_add_func("/espeak/nothing-to-pronounce-is-no-audio", test_silence);
  g_test_add_func("/espeak/times-each-word-where-it-sounds", test_timings);
  g_test_add_func("/espeak/without-timings-a-word-or-so-is-missed",
                  test_without_timings);
  g_test_add_func("/espeak/settings-change-the-sound", test_settings);
  g_test_add_func("/espeak/unknown-voice-is-named", test_unknown_voice);
  g_test_add_func("/espeak/virtual-time-stands-still", test_virtual);
  g_test_add_func("/espeak/cancelled-speech-does-not-come-back", test_cancel);
  g_test_add_func("/espeak/all-voices-share-the-librarys-thread", test_threads);
  return g_test_run();
}
