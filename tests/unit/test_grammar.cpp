// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/check_text.hpp"

#include "base/text.hpp"
#include "offline/dictionary.hpp"
#include "offline/grammar.hpp"
#include "offline/sphinx_decoder.hpp"

#include <glib.h>

#include <set>
#include <string>
#include <vector>

using namespace patchcord;
using agent::Expectation;
using Kind = Expectation::Kind;

static offline::StateGraph graph_of(const Expectation &expectation) {
  const auto graph =
      offline::compile_grammar(offline::grammar_text(expectation));
  if (!graph)
    g_error("%s: %s", agent::to_string(expectation.kind),
            graph.error().message.c_str());
  return *graph;
}

static void test_answers() {
  const Expectation yes_no{Kind::kYesNo, {}, {"repeat", "goodbye", "yes"}};
  const Expectation choice{Kind::kChoice,
                           {"book a room", "Mountain View", "half an hour"},
                           {"yes", "no", "operator"}};
  const Expectation number{Kind::kNumber, {"people", "guests"}, {}};
  const Expectation plain_number{Kind::kNumber, {}, {}};
  const Expectation digits{Kind::kDigits, {}, {"help"}};
  const Expectation date{Kind::kDate, {}, {"yes"}};
  const Expectation time{Kind::kTime, {}, {}};
  const Expectation name{Kind::kName, {"Anne O'Neill", "Smith"}, {}};
  const Expectation anything{Kind::kAnything, {"book a room"}, {}};
  const struct {
    const Expectation &expected;
    std::vector<const char *> in, out;
  } rows[] = {
      {yes_no,
       {"yes", "no", "yes please", "no thank you", "um yes", "that's right",
        "that is not right", "say that again", "goodbye", "no it's wrong"},
       {"", "two", "yes no", "please", "book a room"}},
      {choice,
       {"book a room", "i'd like to book a room please", "mountain view",
        "the mountain view", "for half an hour", "well mountain view", "yes",
        "operator", "speak to someone"},
       {"book", "room", "book a", "nope", "sunnyvale", "yes please"}},
      {number,
       {"two people", "two", "for twenty five guests", "zero",
        "nine hundred and ninety nine", "a hundred", "one hundred one",
        "just me", "two and a half", "thirteen people please"},
       {"people", "thousand", "two two", "twenty ten", "nine hundred and"}},
      {plain_number, {"forty two", "a dozen"}, {"two people"}},
      {digits,
       {"four one five", "oh", "nine double two eight", "plus four four one",
        "my number is two", "triple seven", "help"},
       {"double", "ten", "twenty two", ""}},
      {date,
       {"today", "tomorrow please", "next friday", "friday", "march third",
        "march the third", "the third of march", "on the twenty first",
        "the day after tomorrow", "in two weeks", "next week", "yes",
        "a week from monday", "thirty first", "december thirty first"},
       {"march", "friday monday", "the thirty", "no", "thirty second"}},
      {time,
       {"two thirty p m", "noon", "half past two", "quarter to nine",
        "a quarter past ten a m", "nine o'clock in the morning", "at ten",
        "ten oh five", "eleven forty five", "eight at night",
        "twenty to four in the afternoon", "seven twenty two"},
       {"thirteen", "two people", "half past", "p m", "two thirty o'clock"}},
      {name, {"anne o'neill", "my name is smith", "it's smith"}, {"john"}},
      {anything,
       {"book a room", "yes", "no thanks", "two", "tomorrow", "two thirty p m",
        "say that again", "goodbye", "help"},
       {"four one five five five", ""}},
  };
  for (const auto &row : rows) {
    const auto graph = graph_of(row.expected);
    const char *kind = agent::to_string(row.expected.kind);
    for (const char *sentence : row.in)
      if (!graph.accepts(sentence))
        g_error("%s does not have \"%s\"", kind, sentence);
    for (const char *sentence : row.out)
      if (graph.accepts(sentence))
        g_error("%s has \"%s\"", kind, sentence);
  }
}

static void test_nothing_is_anything() {
  const auto anything = offline::grammar_text({});
  CHECK_TEXT(offline::grammar_text({Kind::kNothing, {}, {}}), anything);
  CHECK_TEXT(offline::grammar_text({Kind::kChoice, {}, {}}), anything);
  CHECK_TEXT(offline::grammar_text({Kind::kName, {"?!"}, {}}), anything);
}

static void test_hostile_phrases() {
  // Phrases are data: whatever is in them, they are words of a grammar.
  const auto graph =
      graph_of({Kind::kChoice,
                {"a | b", "<yes>", "/9/ x", "[[((", "c+", "", "d;e",
                 "public grammar import", "\"q\"", "<no such rule>"},
                {"] | zzz", "(", "\n"}});
  for (const char *in : {"a b", "c", "d e", "public grammar import", "q",
                         "no such rule", "zzz", "nine x"})
    g_assert_true(graph.accepts(in));
  for (const char *out : {"b", "c c", "d"})
    g_assert_false(graph.accepts(out));
}

static void test_spoken_form() {
  const char *rows[][2] = {
      {"Mountain View", "mountain view"},
      {"  2 people! ", "two people"},
      {"42", "forty two"},
      {"room 305", "room three hundred five"},
      {"suite 4711", "suite four seven one one"},
      {"007", "zero zero seven"},
      {"half-an-hour", "half an hour"},
      {"2pm", "two pm"},
      {"O\xe2\x80\x99Neill", "o'neill"},
      {"'round", "round"},
      {"the \xe2\x80\x9cHub\xe2\x80\x9d", "the hub"},
      {"caf\xc3\xa9", "caf\xc3\xa9"},
      {"10 \xe2\x80\x93 12", "ten twelve"},
      {"", ""},
      {"?", ""},
  };
  for (const auto &[phrase, words] : rows)
    CHECK_TEXT(join(offline::spoken_form(phrase), " "), words);
}

static void test_rules() {
  static const auto rule = [](std::string_view name) -> const char * {
    return name == "pet" ? "cat | dog" : name == "self" ? "a <self>" : nullptr;
  };
  const auto graph =
      offline::compile_rules("[/0.1/ the] /3/ <pet>+ | a (b | [c] d)", rule);
  // A weight stands before an alternative only.
  g_assert_false(graph.ok());
  const auto good =
      offline::compile_rules("/3/ [/0.1/ the] <pet>+ | a (b | [c] d)", rule);
  g_assert_true(good.ok());
  for (const char *in :
       {"cat", "the dog", "the cat dog dog", "a b", "a d", "a c d"})
    g_assert_true(good->accepts(in));
  for (const char *out : {"", "the", "a", "a c", "cat a b"})
    g_assert_false(good->accepts(out));
  // What leaves the beginning sums to 1.
  double sum = 0.0;
  for (const auto &arc : good->arcs)
    sum += arc.from == 0 ? arc.probability : 0.0;
  g_assert_cmpfloat_with_epsilon(sum, 1.0, 1e-9);
  for (const char *bad :
       {"", "a |", "| a", "(a", "a)", "[a", "<nil>", "<pets", "<self>", "/x/ a",
        "/-1/ a", "/1 a", "a ; b", "()", "+", "A"}) {
    g_test_message("%s", bad);
    const auto refused = offline::compile_rules(bad, rule);
    g_assert_false(refused.ok());
    CHECK_TEXT(refused.error().code, "bad_grammar");
  }
}

static void test_dictionary() {
  const char *path = offline::SphinxDecoder::kDefaultDict;
  if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
    g_test_skip("pocketsphinx-en-us is not installed");
    return;
  }
  const auto dictionary = offline::Dictionary::open(path);
  g_assert_true(dictionary.ok());
  g_assert_true(*offline::Dictionary::open(path) == *dictionary);
  const auto found =
      (*dictionary)->look_up({"today", "a", "o'clock", "patchcord", "today"});
  g_assert_cmpuint(found.size(), ==, 5);
  CHECK_TEXT(found[0].word, "today");
  CHECK_TEXT(found[0].phones.at(0), "T AH D EY");
  CHECK_TEXT(found[1].phones.at(1), "EY"); // the second variant
  CHECK_TEXT(found[2].phones.at(0), "AH K L AA K");
  g_assert_false(found[2].guessed);
  g_assert_true(found[3].guessed);
  CHECK_TEXT(found[3].phones.at(0), "P AE CH K AO R D");
  g_assert_true(found[4].phones == found[0].phones);
  // All words of all grammars are in it.
  std::set<std::string> words;
  for (const Kind kind : {Kind::kYesNo, Kind::kNumber, Kind::kDigits,
                          Kind::kDate, Kind::kTime, Kind::kAnything})
    for (const auto &word :
         graph_of({kind, {}, {"operator", "help", "repeat", "goodbye"}}).words)
      words.insert(word);
  for (const auto &entry : (*dictionary)->look_up({words.begin(), words.end()}))
    if (entry.guessed)
      g_error("\"%s\" is not in the dictionary", entry.word.c_str());
}

static void test_no_dictionary() {
  const auto none = offline::Dictionary::open("/nowhere/words.dict");
  g_assert_false(none.ok());
  CHECK_TEXT(none.error().code, "no_dictionary");
}

static void test_guesses() {
  const char *rows[][2] = {
      {"mate", "M EY T"},        {"kowalski", "K OW AE L S K IY"},
      {"smith", "S M IH TH"},    {"johnson", "JH AA HH N S AH N"},
      {"caf\xc3\xa9", "K EY F"}, {"phone", "F OW N"},
      {"knight", "N AY T"},      {"o'neill", "AA N AY L"},
      {"lee", "L IY"},           {"mcdonald", "M AH K D AA N AE L D"},
      {"quick", "K W IH K"},     {"station", "S T AE SH AH N"},
  };
  for (const auto &[word, phones] : rows)
    CHECK_TEXT(offline::guess_phones(word), phones);
  g_assert_false(offline::guess_phones("\xe6\xbc\xa2").empty());
  g_assert_false(offline::guess_phones("").empty());
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/grammar/has-what-people-answer-and-no-more", test_answers);
  g_test_add_func("/grammar/of-nothing-is-of-anything",
                  test_nothing_is_anything);
  g_test_add_func("/grammar/phrases-are-only-words", test_hostile_phrases);
  g_test_add_func("/grammar/phrases-as-they-are-spoken", test_spoken_form);
  g_test_add_func("/rules/notation", test_rules);
  g_test_add_func("/dictionary/finds-and-guesses", test_dictionary);
  g_test_add_func("/dictionary/a-missing-file-is-told", test_no_dictionary);
  g_test_add_func("/dictionary/guesses-from-the-spelling", test_guesses);
  return g_test_run();
}
