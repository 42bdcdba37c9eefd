// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/turn_policy.hpp"

#include <glib.h>

#include <string>

using namespace patchcord;
using namespace patchcord::agent;

namespace {

using Kind = Expectation::Kind;

Expectation expecting(Kind kind) {
  Expectation expectation;
  expectation.kind = kind;
  if (kind == Kind::kChoice)
    expectation.phrases = {"book", "cancel a booking", "right", "left"};
  if (kind == Kind::kName)
    expectation.phrases = {"sam miller", "ann on"};
  return expectation;
}

// How long the turn is kept open, from the end of speech, when the words come
// with it.
void test_patience() {
  const struct {
    Kind kind;
    const char *text;
    int ms;
  } rows[] = {
      // What answers ends it.
      {Kind::kYesNo, "yes", 0},
      {Kind::kYesNo, "No.", 0},
      {Kind::kYesNo, "yes, that is", 0},
      {Kind::kYesNo, "um yes", 0},
      {Kind::kYesNo, "that's right", 0},
      {Kind::kChoice, "book", 0},
      {Kind::kChoice, "um, cancel a booking", 0},
      {Kind::kChoice, "right", 0},
      {Kind::kName, "it's Ann On", 0},
      // Sentences that are whole.
      {Kind::kAnything, "", 0},
      {Kind::kAnything, "I would like a room for tomorrow", 0},
      {Kind::kAnything, "What is it for?", 0},
      {Kind::kAnything, "come in!", 0},
      {Kind::kDate, "tomorrow", 0},
      {Kind::kDate, "the third of May", 0},
      {Kind::kTime, "half past two", 0},
      {Kind::kNumber, "five", 0},
      {Kind::kNumber, "twenty five people", 0},
      {Kind::kChoice, "neither of them", 0},
      // And those that break off.
      {Kind::kAnything, "I would like a room and", 1500},
      {Kind::kAnything, "I would like a room and.", 1500},
      {Kind::kAnything, "and...", 1500},
      {Kind::kAnything, "it is for my, um", 1500},
      {Kind::kAnything, "my name is", 1500},
      {Kind::kAnything, "we arrive at", 1500},
      {Kind::kAnything, "a table for", 1500},
      {Kind::kAnything, "well,", 1500},
      {Kind::kAnything, "I think so, but", 1500},
      {Kind::kAnything, "a room with a", 1500},
      {Kind::kAnything, "because", 1500},
      {Kind::kAnything, "the one that I saw\u2026", 1500},
      {Kind::kDate, "the third of", 1500},
      {Kind::kTime, "between two and", 1500},
      {Kind::kYesNo, "well", 1500},
      {Kind::kChoice, "cancel the", 1500},
      // Digits that are dictated.
      {Kind::kDigits, "four one five", 1500},
      {Kind::kDigits, "4 1 5", 1500},
      {Kind::kDigits, "415-55", 1500},
      {Kind::kDigits, "four one five double five", 1500},
      {Kind::kDigits, "my number is four one five", 1500},
      {Kind::kDigits, "five five five oh one two three", 700},
      {Kind::kDigits, "555 0123", 700},
      {Kind::kDigits, "four one five five five five oh one double", 1500},
      {Kind::kDigits, "four one five five five five oh one two three", 0},
      {Kind::kDigits, "415 555 0123", 0},
      {Kind::kDigits, "415 triple five 0123", 0},
      {Kind::kDigits, "I do not have one", 1500}, // "one" may be the first
      {Kind::kDigits, "no thanks", 0},
      {Kind::kAnything, "five five five", 1500},
      {Kind::kAnything, "555 0123", 700},
      {Kind::kAnything, "415 555 0123", 0},
      {Kind::kAnything, "room 415", 0},
      {Kind::kAnything, "two", 0},
      {Kind::kNumber, "one hundred and twenty", 0},
      // Whatever else was said, and whatever a model asked for.
      {Kind::kAnything, "my number is four one five", 1500},
      {Kind::kAnything, "it's 415", 1500},
      {Kind::kAnything, "reach me on 415", 1500},
      {Kind::kAnything, "the code is four seven", 1500},
      {Kind::kAnything, "my card is 4111 1111", 700},
      {Kind::kAnything, "my number is 415 555 0123", 0},
      {Kind::kAnything, "it's two thirty", 0},
      {Kind::kAnything, "two thirty", 0},
      {Kind::kAnything, "twenty twenty six", 0},
      {Kind::kAnything, "there are four", 0},
      {Kind::kAnything, "my e-mail is john", 1500},
      {Kind::kAnything, "my email is john at example", 1500},
      {Kind::kAnything, "my email is john at example dot com", 0},
      {Kind::kAnything, "we meet at noon", 0},
      {Kind::kAnything, "john at reception", 0},
      // Whole, though their last words are not the last of most sentences.
      {Kind::kAnything, "I think so.", 0},
      {Kind::kAnything, "I think so", 0},
      {Kind::kAnything, "sure, I can do that.", 0},
      {Kind::kAnything, "sure, I can do that", 0},
      {Kind::kAnything, "that's who it is for.", 0},
      {Kind::kAnything, "where are you from", 0},
      {Kind::kAnything, "what is it for", 0},
      {Kind::kAnything, "come on", 0},
      {Kind::kAnything, "half past", 1500},
      {Kind::kDate, "next", 1500},
      {Kind::kAnything, "next.", 0},
      {Kind::kAnything, "a room and a.", 1500},
      {Kind::kAnything, "um.", 1500},
      {Kind::kYesNo, "yes, but", 1500},
      {Kind::kYesNo, "yes and", 1500},
      {Kind::kYesNo, "Yes, but.", 1500},
      // Addresses that are spelled.
      {Kind::kAnything, "j o h n", 1500},
      {Kind::kAnything, "it's j o", 1500},
      {Kind::kAnything, "john dot", 1500},
      {Kind::kAnything, "john dot smith", 1500},
      {Kind::kAnything, "john dot smith at", 1500},
      {Kind::kAnything, "john dot smith at example dot", 1500},
      {Kind::kAnything, "john underscore", 1500},
      {Kind::kAnything, "john at example dot com", 0},
      {Kind::kAnything, "john at example dot c o m", 700},
      {Kind::kAnything, "john@example", 1500},
      {Kind::kAnything, "john@example.com", 0},
      {Kind::kAnything, "plan b", 0},
      {Kind::kAnything, "my name is j o", 1500},
      {Kind::kAnything, "my name is Smith, S M I", 1500},
      {Kind::kAnything, "Smith, S M I", 1500},
      {Kind::kAnything, "um s m", 1500},
      {Kind::kAnything, "I spell it s m", 1500},
      {Kind::kAnything, "the code is x y", 1500},
      {Kind::kName, "it is s m", 1500},
      // Letters that are a word, in a sentence that is whole.
      {Kind::kAnything, "I work in I T", 0},
      {Kind::kAnything, "I work in I.T.", 0},
      {Kind::kAnything, "I am from the U S", 0},
      {Kind::kAnything, "we use A W S", 0},
      {Kind::kAnything, "I work at I B M", 0},
      {Kind::kAnything, "my email is john at e x", 1500},
      {Kind::kAnything, "it is about our new T V", 0},
      {Kind::kAnything, "I would like to speak to H R", 0},
      {Kind::kYesNo, "I T", 0},
      {Kind::kDate, "on the X V", 0},
      {Kind::kNumber, "A B", 0},
  };
  for (const auto &row : rows) {
    const TurnFacts facts{row.text, expecting(row.kind), 10s, 10s};
    const auto ms = static_cast<int>((turn_ends(facts) - TimePoint(10s)) / 1ms);
    if (ms != row.ms)
      g_error("\"%s\" (%s): kept open for %d ms, expected %d", row.text,
              to_string(row.kind), ms, row.ms);
  }
}

// What a model may be asking for, as far as the missing fields tell.
void test_hints() {
  Expectation code, phone, email;
  code.digits = DigitRules{"#", 2s, 4, 4};
  phone.phone = true;
  email.email = true;
  Expectation either = code;
  either.phone = true;
  const struct {
    const Expectation &expected;
    const char *text;
    int ms;
  } rows[] = {
      {code, "four seven", 1500},
      {code, "four seven one", 1500},
      {code, "four seven one one", 0},
      {code, "it's 4711", 0},
      {code, "for four", 0},
      {either, "four seven one", 1500},
      {either, "four seven one one", 700},
      {phone, "it's four one", 1500},
      {phone, "four one five five five five oh", 700},
      {phone, "room 415", 0},
      {email, "john at example", 1500},
      {email, "john smith at example", 1500},
      {email, "john at example dot com", 0},
      {email, "john s m i", 1500},
      {email, "john at e x", 1500},
      {email, "you can write to john s m", 1500},
      {email, "I work in I T", 0},
      {email, "we use A W S", 0},
      {email, "not at all", 0},
      {email, "at five", 0},
      {phone, "john at example", 0},
  };
  for (const auto &row : rows) {
    const TurnFacts facts{row.text, row.expected, 10s, 10s};
    const auto ms = static_cast<int>((turn_ends(facts) - TimePoint(10s)) / 1ms);
    if (ms != row.ms)
      g_error("\"%s\": kept open for %d ms, expected %d", row.text, ms, row.ms);
  }
}

void test_times() {
  TurnFacts facts{"four one five", expecting(Kind::kDigits), 10s, {}};
  // Words that are not final yet are waited for.
  g_assert_true(turn_ends(facts) == TimePoint(12s));
  facts.text = "";
  g_assert_true(turn_ends(facts) == TimePoint(12s));
  // Time that the recogniser took counts.
  facts.text = "four one five";
  facts.provider_end = 10s + 800ms;
  g_assert_true(turn_ends(facts) == 11s + 500ms);
  facts.provider_end = 13s;
  g_assert_true(turn_ends(facts) == TimePoint(13s));
  // Nor is a turn over before the recogniser says so.
  facts.text = "yes";
  facts.provider_end = 10s + 300ms;
  g_assert_true(turn_ends(facts) == 10s + 300ms);
}

const char *word_of(Verdict verdict) {
  switch (verdict) {
  case Verdict::kUndecided:
    return "undecided";
  case Verdict::kInterrupts:
    return "interrupts";
  case Verdict::kNoise:
    return "noise";
  default:
    return "backchannel";
  }
}

void check(const TurnPolicy &policy, const Interjection &said,
           const char *expected) {
  const char *is = word_of(policy.judge(said));
  if (std::string(is) != expected)
    g_error("\"%s\": %s, expected %s", std::string(said.text).c_str(), is,
            expected);
}

Definition::Interruptions english() {
  Definition::Interruptions settings;
  settings.backchannels = default_backchannels("en");
  settings.acknowledgements = default_acknowledgements("en");
  return settings;
}

void test_words() {
  const TurnPolicy policy(english());
  const struct {
    const char *text;
    bool final;
    const char *verdict;
    Kind kind = Kind::kAnything;
    bool asked = false;
  } rows[] = {
      {"mm-hm", true, "backchannel"},
      {"Mm-hm.", true, "backchannel"},
      {"mhm", true, "backchannel"},
      {"uh-huh", true, "backchannel"},
      {"Uh huh", true, "backchannel"},
      {"okay", true, "backchannel"},
      {"OK.", true, "backchannel"},
      {"yeah, right", true, "backchannel"},
      {"okay, I see", true, "backchannel"},
      {"um", true, "backchannel"},
      {"Mmm-hmm.", true, "backchannel"},
      {"mmhm", true, "backchannel"},
      // It may go on.
      {"okay", false, "undecided"},
      {"I see", false, "undecided"},
      // It may become one.
      {"I", false, "undecided"},
      {"I", true, "interrupts"},
      {"okay, got", false, "undecided"},
      {"I want", false, "interrupts"},
      {"all", false, "undecided"},
      {"all the", false, "interrupts"},
      {"okay but", false, "interrupts"},
      {"okay but wait", true, "interrupts"},
      {"wait", false, "interrupts"},
      {"no", false, "interrupts"},
      {"yes", true, "interrupts"},
      {"I see a problem", true, "interrupts"},
      {"stop", true, "interrupts"},
      {"415", true, "interrupts"},
      // One of the answers, and an answer.
      {"right", true, "interrupts", Kind::kChoice},
      {"right", false, "undecided", Kind::kChoice},
      {"okay", true, "backchannel", Kind::kChoice},
      {"right", true, "backchannel", Kind::kYesNo},
      {"right", true, "interrupts", Kind::kYesNo, true},
      {"okay", true, "interrupts", Kind::kAnything, true},
      {"okay", false, "undecided", Kind::kAnything, true},
      {"yes", false, "interrupts", Kind::kYesNo},
      // Nothing was understood.
      {"", true, "noise"},
      {"...", true, "noise"},
  };
  for (const auto &row : rows)
    check(policy,
          {row.text, row.final, 600ms, !row.final, expecting(row.kind),
           row.asked},
          row.verdict);
  // Nor is the recogniser's last word waited for when he has ceased to speak,
  // unless it may be an answer.
  check(policy, {"Mm-hm", false, 600ms, false, {}, false}, "backchannel");
  check(policy, {"okay", false, 600ms, false, {}, true}, "undecided");
  check(policy, {"right", false, 600ms, false, expecting(Kind::kChoice), false},
        "undecided");
}

void test_silence() {
  using patchcord::agent::silence_for;
  g_assert_true(silence_for(Kind::kDigits, 450ms) == 900ms);
  g_assert_true(silence_for(Kind::kYesNo, 450ms) == 300ms);
  g_assert_true(silence_for(Kind::kDate, 450ms) == 450ms);
}

// Who gets what he wants may say so.
void test_served() {
  const TurnPolicy policy(english());
  const struct {
    const char *text;
    bool final;
    const char *verdict, *otherwise;
  } rows[] = {
      {"Thank you.", true, "backchannel", "interrupts"},
      {"Okay, thank you very much. Bye.", true, "backchannel", "interrupts"},
      {"sure, take your time", true, "backchannel", "interrupts"},
      {"thank", false, "undecided", "interrupts"},
      {"okay", true, "backchannel", "backchannel"},
      {"thank you but no", true, "interrupts", "interrupts"},
      {"no", true, "interrupts", "interrupts"},
      {"good morning", true, "interrupts", "interrupts"},
  };
  for (const auto &row : rows) {
    Interjection said = {row.text, row.final, 600ms, !row.final, {}, false};
    check(policy, said, row.otherwise);
    said.served = true;
    check(policy, said, row.verdict);
  }
}

void test_lengths() {
  const TurnPolicy policy(english());
  check(policy, {"", false, 149ms, false, {}, false}, "noise");
  check(policy, {"", false, 150ms, false, {}, false}, "undecided");
  check(policy, {"", false, 100ms, true, {}, false}, "undecided");
  check(policy, {"no", false, 100ms, false, {}, false}, "interrupts");
  Definition::Interruptions settings = english();
  settings.min_speech = 400ms;
  settings.min_words = 2;
  const TurnPolicy strict(settings);
  check(strict, {"", false, 399ms, false, {}, false}, "noise");
  check(strict, {"stop", false, 500ms, false, {}, false}, "undecided");
  check(strict, {"stop", true, 500ms, false, {}, false}, "backchannel");
  check(strict, {"stop it", false, 500ms, false, {}, false}, "interrupts");
  // An answer needs no second word.
  check(strict, {"book", true, 500ms, false, expecting(Kind::kChoice), false},
        "interrupts");
}

void test_languages() {
  const struct {
    const char *language, *text, *verdict;
  } rows[] = {
      {"de", "ja, genau", "backchannel"}, {"de-AT", "Ach so", "backchannel"},
      {"de", "nein", "interrupts"},       {"en", "genau", "interrupts"},
      {"fr", "d'accord", "backchannel"},  {"es", "vale", "backchannel"},
      {"pl", "mhm", "backchannel"},       {"pl", "yeah", "interrupts"},
      {"", "ok", "backchannel"},
  };
  for (const auto &row : rows) {
    Definition::Interruptions settings;
    settings.backchannels = default_backchannels(row.language);
    check(TurnPolicy(settings), {row.text, true, 500ms, false, {}, false},
          row.verdict);
  }
  // None at all: every word interrupts.
  check(TurnPolicy({}), {"mm-hm", true, 500ms, false, {}, false}, "interrupts");
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const std::pair<const char *, void (*)()> tests[] = {
      {"open-while-the-answer-is-not-whole", test_patience},
      {"open-for-what-a-model-may-ask-for", test_hints},
      {"over-when-words-and-silence-say-so", test_times},
      {"listening-is-no-interruption", test_words},
      {"yes-ends-sooner-and-digits-later", test_silence},
      {"who-is-served-may-say-so", test_served},
      {"short-noise-is-none", test_lengths},
      {"each-language-has-its-own-words", test_languages},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func((std::string("/turn-policy/") + name).c_str(), test);
  return g_test_run();
}
