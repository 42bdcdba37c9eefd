// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sphinx_speech.hpp"

#include <glib.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

using namespace patchcord;
using namespace patchcord::test;

// Of the lines those that the voices are always understood with: there is
// something of each expectation.
static void test_voices(std::initializer_list<const char *> voices) {
  static const Line kSure[] = {
      {"yes-no", "no", "no"},
      {"yes-no", "yes please", "yes"},
      {"yes-no", "say that again", "say that again"},
      {"request", "i'd like to book a room please", "book a room"},
      {"request", "goodbye", "goodbye"},
      {"place", "mountain view", "mountain view"},
      {"place", "sunnyvale", "sunnyvale"},
      {"date", "tomorrow", "tomorrow"},
      {"date", "on monday", "monday"},
      {"time", "two thirty p m", "two thirty p m"},
      {"time", "noon", "noon"},
      {"duration", "half an hour", "half an hour"},
      {"people", "two people", "two people"},
      {"people", "twenty five", "twenty five"},
      {"digits", "nine double two eight", "nine double two eight"},
      {"name", "my name is johnson", "johnson"},
      {"anything", "no", "no"},
      {"anything", "tomorrow", "tomorrow"},
  };
  const auto decoder = make_decoder();
  for (const char *voice : voices)
    for (const Line &line : kSure)
      check_understood(*decoder, heard(voice, line.said), line, voice);
}
static void test_women() { test_voices({"en-us+f1", "en-us+f2"}); }
static void test_men() { test_voices({"en-us+m1", "en-us+m3"}); }

static void test_people() {
  const char *folder = g_getenv("PATCHCORD_TEST_AUDIO");
  if (folder == nullptr) {
    g_test_skip("PATCHCORD_TEST_AUDIO names no folder with recordings");
    return;
  }
  static const std::pair<const char *, Line> kFiles[] = {
      {"book_a_room", {"request", "book a room", "book a room"}},
      {"mountain_view", {"place", "Mountain View", "mountain view"}},
      {"today", {"date", "today", "today"}},
      {"230pm", {"time", "2:30 p.m.", "two thirty p m"}},
      {"half_an_hour", {"duration", "half an hour", "half an hour"}},
      {"two_people", {"people", "two people", "two people"}},
  };
  const auto decoder = make_decoder();
  for (const auto &[name, line] : kFiles) {
    const auto sound =
        test::read_wav(std::string(folder) + "/" + name + ".wav");
    if (!sound)
      g_error("%s has no %s.wav", folder, name);
    const auto samples = speech_of(test::over_telephone(*sound, 500).samples);
    check_understood(*decoder, samples, line, name);
    // And none of it is an answer to a question with yes and no.
    const auto other = decode(*decoder, samples, grammar_of("yes-no"));
    if (other.understood())
      g_error("%s is \"%s\"", name, other.text.c_str());
  }
}

// --- what is refused ---------------------------------------------------------

static const char *const kQuestions[] = {"yes-no", "request", "place",
                                         "date",   "time",    "duration",
                                         "people", "digits",  "name"};

// Takes `said` to each question that it is no answer to.
struct Refusals {
  int count = 0, refused = 0;

  void add(SphinxDecoder &decoder, const Samples &samples, const char *said) {
    for (const char *question : kQuestions) {
      const auto grammar = grammar_of(question);
      if (offline::compile_grammar(grammar)->accepts(said))
        continue;
      const auto result = decode(decoder, samples, grammar);
      ++count;
      refused += result.understood() ? 0 : 1;
      if (result.understood())
        g_test_message("[%s] \"%s\": \"%s\" %.1f %.1f", question, said,
                       result.text.c_str(), result.score, result.worst_word);
    }
  }
};

// No single one is certain: some sentences sound much like an answer. Over all
// questions four of five are refused; without the phones beside the grammar, or
// without the limits, it is far fewer.
static void test_other_speech() {
  static const std::pair<const char *, const char *> kSaid[] = {
      {"en-us+f2", "book a room"},
      {"en-us+m1", "mountain view"},
      {"en-us+f2", "the quick brown fox jumps over the lazy dog"},
      {"en-us+m1", "the weather is very nice over here"},
      {"en-us+f2", "nobody knows the trouble i have seen"},
      {"en-us+m1", "opening hours"},
      {"en-us+f2", "i would like some apple juice"},
      {"en-us+m1", "two thirty p m"},
  };
  const auto decoder = make_decoder();
  Refusals refusals;
  for (const auto &[voice, said] : kSaid)
    refusals.add(*decoder, heard(voice, said), said);
  g_test_message("%d of %d refused", refusals.refused, refusals.count);
  g_assert_cmpint(refusals.count, >, 60);
  g_assert_cmpint(refusals.refused * 100, >=, refusals.count * 75);
}

// --- figures -----------------------------------------------------------------

static const Line kLines[] = {
    {"yes-no", "yes", "yes"},
    {"yes-no", "no", "no"},
    {"yes-no", "yes please", "yes"},
    {"yes-no", "no thank you", "no"},
    {"yes-no", "that's right", "right"},
    {"yes-no", "say that again", "say that again"},
    {"request", "book a room", "book a room"},
    {"request", "i'd like to book a room please", "book a room"},
    {"request", "cancel a booking", "cancel a booking"},
    {"request", "opening hours", "opening hours"},
    {"request", "goodbye", "goodbye"},
    {"place", "mountain view", "mountain view"},
    {"place", "sunnyvale", "sunnyvale"},
    {"place", "palo alto", "palo alto"},
    {"place", "in san jose", "san jose"},
    {"date", "today", "today"},
    {"date", "tomorrow", "tomorrow"},
    {"date", "next friday", "next friday"},
    {"date", "march third", "march third"},
    {"date", "the third of march", "third of march"},
    {"date", "on monday", "monday"},
    {"date", "the day after tomorrow", "the day after tomorrow"},
    {"time", "two thirty p m", "two thirty p m"},
    {"time", "noon", "noon"},
    {"time", "half past two", "half past two"},
    {"time", "ten o'clock", "ten o'clock"},
    {"time", "at nine in the morning", "nine in the morning"},
    {"time", "four fifteen", "four fifteen"},
    {"duration", "half an hour", "half an hour"},
    {"duration", "one hour", "one hour"},
    {"duration", "for two hours", "two hours"},
    {"people", "two people", "two people"},
    {"people", "two", "two"},
    {"people", "twenty five", "twenty five"},
    {"people", "a dozen people", "a dozen people"},
    {"people", "just me", "just me"},
    {"digits", "four one five five five", "four one five five five"},
    {"digits", "nine double two eight", "nine double two eight"},
    {"digits", "six five oh two five three oh",
     "six five oh two five three oh"},
    {"name", "smith", "smith"},
    {"name", "my name is johnson", "johnson"},
    {"name", "it's williams", "williams"},
    {"name", "garcia", "garcia"},
};

struct Figures {
  int count = 0, right = 0, wrong = 0;
  double worst_score = 0.0, worst_word = 0.0; // of the right ones
  int refused_right = 0;                      // by the limits

  void add(const Recognition &result, const char *core) {
    ++count;
    const bool fits = result.text.find(core) != std::string::npos;
    right += fits && result.understood() ? 1 : 0;
    refused_right += fits && !result.understood() ? 1 : 0;
    wrong += !fits && result.understood() ? 1 : 0;
    if (fits) {
      worst_score = std::min(worst_score, result.score);
      worst_word = std::min(worst_word, result.worst_word);
    }
  }
};

// The tables of docs/offline-speech.md, with `-m perf`.
static void measure() {
  const auto decoder = make_decoder();
  Figures lost;
  Refusals refusals;
  g_print("| voice | right | wrong | not understood |\n| --- | --- | --- | --- "
          "|\n");
  for (const char *voice : {"en-us", "en-us+f1", "en-us+f2", "en-us+f3",
                            "en-us+m1", "en-us+m2", "en-us+m3"}) {
    Figures figures;
    for (const Line &line : kLines) {
      const Samples samples = heard(voice, line.said);
      const auto result = decode(*decoder, samples, grammar_of(line.expected));
      figures.add(result, line.core);
      lost.add(result, line.core);
      if (!is_right(result, line.core))
        g_printerr("%s [%s] \"%s\": \"%s\" %.1f %.1f\n", voice, line.expected,
                   line.said, result.text.c_str(), result.score,
                   result.worst_word);
      if (g_str_equal(voice, "en-us+f2") || g_str_equal(voice, "en-us+m1"))
        refusals.add(*decoder, samples, line.said);
    }
    g_print("| %s | %d | %d | %d |\n", voice, figures.right, figures.wrong,
            figures.count - figures.right - figures.wrong);
  }
  g_print("all: %d of %d right, %d wrong; refused by the limits though right: "
          "%d; worst of the right: score %.1f, word %.1f\n",
          lost.right, lost.count, lost.wrong, lost.refused_right,
          lost.worst_score, lost.worst_word);
  g_print("of another question: %d of %d refused\n", refusals.refused,
          refusals.count);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  if (g_test_perf()) {
    g_test_add_func("/sphinx/figures", measure);
    return g_test_run();
  }
  const std::pair<const char *, void (*)()> tests[] = {
      {"/sphinx/understands-women", test_women},
      {"/sphinx/understands-men", test_men},
      {"/sphinx/understands-recorded-people", test_people},
      {"/sphinx/refuses-what-the-grammar-lacks", test_other_speech},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func(name, test);
  return g_test_run();
}
