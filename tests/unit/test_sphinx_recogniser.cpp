// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/check_text.hpp"
#include "sphinx_speech.hpp"

#include "base/text.hpp"
#include "offline/sphinx_recogniser.hpp"

#include <glib.h>

#include <cmath>
#include <functional>
#include <initializer_list>
#include <memory>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

using namespace patchcord;
using namespace patchcord::test;
using agent::Expectation;
using Kind = Expectation::Kind;

// --- what is no word ---------------------------------------------------------

static void test_no_speech() {
  GRand *random = g_rand_new_with_seed(7);
  const auto noise = [&](double level) {
    return wave(1.0, [random, level](double) {
      return g_rand_double_range(random, -level, level);
    });
  };
  const auto tones = [](std::initializer_list<double> frequencies) {
    return wave(1.0, [frequencies](double t) {
      double sum = 0.0;
      for (const double frequency : frequencies)
        sum += 6000 * std::sin(2 * std::numbers::pi * frequency * t);
      return sum;
    });
  };
  const std::pair<const char *, Samples> sounds[] = {
      {"silence", Samples(SphinxDecoder::kRate)},
      {"the softest noise", noise(1.5)},
      {"soft noise", noise(100)},
      {"loud noise", noise(20000)},
      {"a hum", tones({50, 100, 150})},
      {"key 1", tones({697, 1209})},
      {"key 5", tones({770, 1336})},
      {"key 0", tones({941, 1336})},
      {"a beep", tones({1400})},
      {"ringback", tones({440, 480})},
  };
  g_rand_free(random);
  const auto decoder = make_decoder();
  for (const auto &[what, samples] : sounds) {
    const auto line =
        test::over_telephone({SphinxDecoder::kRate, samples}, 300);
    for (const char *expected : {"yes-no", "request", "place", "date", "time",
                                 "duration", "people", "digits", "name"})
      check_refused(*decoder, line.samples, expected, what);
  }
}

static void test_short() {
  const auto decoder = make_decoder();
  const Samples yes = heard("en-us+f2", "yes");
  const std::size_t speech = SphinxDecoder::kRate / 5; // where it begins
  for (const std::size_t size : {0, 1, 159, 400, 800, 1600}) {
    const auto begin = yes.begin() + static_cast<std::ptrdiff_t>(speech);
    const Samples clip(begin, begin + static_cast<std::ptrdiff_t>(size));
    for (const char *expected : {"yes-no", "digits", "anything"})
      check_refused(*decoder, clip, expected, "a clip");
  }
  // And what comes next is understood.
  check_understood(*decoder, yes, {"yes-no", "yes", "yes"}, "the whole");
}

// --- nothing is left behind --------------------------------------------------

static void check_same(const Recognition &is, const Recognition &expected) {
  CHECK_TEXT(is.text, expected.text);
  g_assert_cmpint(is.frames, ==, expected.frames);
  g_assert_cmpfloat(is.score, ==, expected.score);
  g_assert_cmpfloat(is.worst_word, ==, expected.worst_word);
}

static void test_state() {
  const Samples people = heard("en-us+f2", "two people");
  const Samples today = heard("en-us+m1", "today");
  const Samples roar = wave(2.0, [](double t) {
    return 30000 * std::sin(2 * std::numbers::pi * 300 * t * (1 + t));
  });
  const auto fresh = make_decoder();
  const auto first = decode(*fresh, people, grammar_of("people"));
  g_assert_true(is_right(first, "two people"));
  const auto used = make_decoder();
  for (const Samples &other : {roar, today, Samples(32000), Samples()}) {
    decode(*used, other, grammar_of("date"));
    check_same(decode(*used, people, grammar_of("people")), first);
    // Abandoned before its end.
    g_assert_true(used->begin(other, grammar_of("people")).ok());
    used->step();
    check_same(decode(*used, people, grammar_of("people")), first);
  }
  g_assert_true(used->finish().text.empty()); // there is none
}

// The mean of the cepstra is the colour and level of the line: taken from the
// utterance, the first one is understood on any line.
static void test_lines() {
  const Samples sound = heard("en-us+f2", "two people");
  const auto through = [&](double gain, double echo) {
    Samples out;
    double last = 0.0;
    for (const double sample : sound) {
      out.push_back(static_cast<std::int16_t>(
          std::clamp(gain * (sample + echo * last), -32768.0, 32767.0)));
      last = sample;
    }
    return out;
  };
  const std::pair<const char *, Samples> lines[] = {
      {"faint", through(0.02, 0.0)},
      {"loud", through(2.0, 0.0)},
      {"dull", through(0.5, 0.7)},
      {"tinny", through(0.5, -0.7)},
  };
  for (const auto &[what, samples] : lines)
    check_understood(*make_decoder(), samples,
                     {"people", "two people", "two people"}, what);
}

static void test_grammars() {
  const auto decoder = make_decoder();
  const Samples today = heard("en-us+f2", "today");
  const auto before = decode(*decoder, today, grammar_of("date"));
  g_assert_true(is_right(before, "today"));
  const auto prepare_many = [&](std::size_t first) {
    for (std::size_t i = 0; i < 2 * SphinxDecoder::kGrammars; ++i) {
      const Expectation other{Kind::kChoice, {std::to_string(first + i)}, {}};
      g_assert_true(decoder->prepare(offline::grammar_text(other)).ok());
    }
  };
  prepare_many(0);
  check_same(decode(*decoder, today, grammar_of("date")), before);
  // In the middle of an utterance its own stays.
  g_assert_true(decoder->begin(today, grammar_of("date")).ok());
  g_assert_true(decoder->step());
  prepare_many(500);
  while (decoder->step())
    ;
  check_same(decoder->finish(), before);
  const auto guessed = decoder->prepare(
      offline::grammar_text({Kind::kName, {"Smith", "Patchcord"}, {}}));
  g_assert_cmpuint(guessed->size(), ==, 1);
  CHECK_TEXT(guessed->front(), "patchcord");
}

static void test_errors() {
  const auto no_model =
      SphinxDecoder::create({"/nowhere", SphinxDecoder::kDefaultDict});
  g_assert_false(no_model.ok());
  CHECK_TEXT(no_model.error().code, "no_model");
  const auto no_words =
      SphinxDecoder::create({SphinxDecoder::kDefaultHmm, "/nowhere"});
  g_assert_false(no_words.ok());
  CHECK_TEXT(no_words.error().code, "no_dictionary");
  const auto decoder = make_decoder();
  const auto bad = decoder->prepare("<no such rule>");
  g_assert_false(bad.ok());
  CHECK_TEXT(bad.error().code, "bad_grammar");
  g_assert_false(decoder->begin(Samples(16000), "(").ok());
  g_assert_false(decoder->step());
  g_assert_true(decoder->finish().text.empty());
}

// --- the worker's queue ------------------------------------------------------

struct Service {
  std::shared_ptr<Worker> worker = Worker::create_virtual();
  offline::SphinxRecogniser &recogniser =
      worker->service<offline::SphinxRecogniser>();
  const SphinxDecoder::Model model{SphinxDecoder::kDefaultHmm,
                                   SphinxDecoder::kDefaultDict};
  std::vector<std::string> done; // "who: text"

  Service() { g_assert_true(recogniser.load(model).ok()); }
  auto recognise(const char *who, const Samples &samples,
                 const char *expected) {
    return recogniser.recognise({model, grammar_of(expected), samples},
                                [this, who](const Recognition &result) {
                                  done.push_back(std::string(who) + ": " +
                                                 result.text);
                                });
  }
  void check(const std::vector<std::string> &expected) {
    CHECK_TEXT(join(done, ", "), join(expected, ", "));
    done.clear();
  }
};

static void test_queue() {
  Service service;
  const Samples yes = heard("en-us+f2", "yes");
  const Samples noon = heard("en-us+m1", "noon");
  auto first = service.recognise("first", yes, "yes-no");
  auto second = service.recognise("second", noon, "time");
  service.check({}); // not within the call
  g_assert_true(first && second);
  service.worker->run_ready();
  g_assert_false(first || second);
  service.check({"first: yes", "second: noon"});

  // A cancelled one is never done, and those behind it come.
  first = service.recognise("first", yes, "yes-no");
  second = service.recognise("second", noon, "time");
  auto third = service.recognise("third", yes, "yes-no");
  second.cancel();
  { const auto gone = std::move(first); }
  service.worker->run_ready();
  service.check({"third: yes"});
}

// Between two slices the worker does its other work.
static void test_slices() {
  Service service;
  const Samples noon = heard("en-us+f2", "noon");
  const auto job = service.recognise("noon", noon, "time");
  int turns = 0;
  std::function<void()> other = [&] {
    ++turns;
    if (service.done.empty())
      service.worker->post(other);
  };
  service.worker->post(other);
  service.worker->run_ready();
  service.check({"noon: noon"});
  const auto frames = noon.size() / (SphinxDecoder::kRate / 100);
  g_test_message("%d turns for %zu frames", turns, frames);
  g_assert_cmpint(turns, >=, static_cast<int>(frames / 10));
}

static void test_ends() {
  Service service;
  const Samples yes = heard("en-us+f2", "yes");
  // `done` may destroy its job.
  offline::SphinxRecogniser::Job job;
  int calls = 0;
  job = service.recogniser.recognise({service.model, grammar_of("yes-no"), yes},
                                     [&](const Recognition &) {
                                       ++calls;
                                       job = {};
                                     });
  service.worker->run_ready();
  g_assert_cmpint(calls, ==, 1);
  // What cannot be decoded is not understood.
  const SphinxDecoder::Model other{"/nowhere", "/nowhere"};
  g_assert_false(service.recogniser.load(other).ok());
  g_assert_false(service.recogniser.prepare(other, "yes").ok());
  const auto none = [&](const Recognition &result) {
    ++calls;
    g_assert_true(result.text.empty());
  };
  auto without_model =
      service.recogniser.recognise({other, grammar_of("yes-no"), yes}, none);
  auto without_grammar =
      service.recogniser.recognise({service.model, "(", yes}, none);
  service.worker->run_ready();
  g_assert_cmpint(calls, ==, 3);
  // A job may outlive the worker.
  job = service.recognise("late", yes, "yes-no");
  service.worker.reset();
  g_assert_true(job);
  g_assert_true(service.done.empty());
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const std::pair<const char *, void (*)()> tests[] = {
      {"/sphinx/refuses-what-is-no-speech", test_no_speech},
      {"/sphinx/refuses-clips-too-short-for-a-word", test_short},
      {"/sphinx/an-utterance-leaves-nothing-behind", test_state},
      {"/sphinx/first-words-on-any-line", test_lines},
      {"/sphinx/grammars-come-and-go", test_grammars},
      {"/sphinx/errors", test_errors},
      {"/recogniser/in-order", test_queue},
      {"/recogniser/in-slices", test_slices},
      {"/recogniser/ends-in-any-way", test_ends},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func(name, test);
  return g_test_run();
}
