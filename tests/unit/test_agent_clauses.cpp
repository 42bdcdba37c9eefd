// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/clause_splitter.hpp"

#include "base/text.hpp"

#include <glib.h>

using namespace patchcord;
using namespace patchcord::agent;

namespace {

struct Row {
  const char *text;
  const char *clauses; // with "|" between
};

// Whole words of a phone agent; the first clause may end at a comma.
const Row kRows[] = {
    {"", ""},
    {"   ", ""},
    {"Hello", "Hello"},
    {"Hello.", "Hello."},
    {"Hello. ", "Hello."},
    {"Hello. How are you?", "Hello.|How are you?"},
    {"Sure! Friday works. At what time?", "Sure!|Friday works.|At what time?"},
    {"Sure, Friday works.", "Sure, Friday works."},
    {"All right, so that is Friday, at noon.",
     "All right, so that is Friday,|at noon."},
    {"I have noted that now, thanks. We open at nine, close at five.",
     "I have noted that now,|thanks.|We open at nine, close at five."},
    {"Dr. Smith is in. Mr. and Mrs. Jones are not.",
     "Dr. Smith is in.|Mr. and Mrs. Jones are not."},
    {"At 2:30 p.m. today. Fine?", "At 2:30 p.m. today.|Fine?"},
    {"It is 9 a.m. now", "It is 9 a.m. now"},
    {"That is $3.50. Cash or card?", "That is $3.50.|Cash or card?"},
    {"It costs $1,250, all in.", "It costs $1,250, all in."},
    {"The whole of it costs $1,250, all in.",
     "The whole of it costs $1,250,|all in."},
    {"The meeting is on May 3, 2026, at noon.",
     "The meeting is on May 3, 2026,|at noon."},
    {"No. 5 is free. No. I cannot.", "No. 5 is free.|No.|I cannot."},
    {"Well... let me see. Yes.", "Well... let me see.|Yes."},
    {"Well\xe2\x80\xa6 let me see.", "Well\xe2\x80\xa6 let me see."},
    {"Write to help@example.com or see example.com. Thanks.",
     "Write to help@example.com or see example.com.|Thanks."},
    {"J. R. Smith called. Twice!", "J. R. Smith called.|Twice!"},
    {"Really?! Yes.", "Really?!|Yes."},
    {"He said \"Stop.\" Then he left.", "He said \"Stop.\"|Then he left."},
    {"One moment <break time=\"1.5s\"/> please. Thanks.",
     "One moment <break time=\"1.5s\"/> please.|Thanks."},
    {"[laughs. softly] Right. Go on.", "[laughs. softly] Right.|Go on."},
    {"Is 2 < 3? Yes.", "Is 2 < 3?|Yes."},
    {"1. First. 2. Second.", "1. First.|2. Second."},
    {"First line\nsecond line", "First line|second line"},
    {"Pi is 3.14159. Enough.", "Pi is 3.14159.|Enough."},
    {"e.g. this one. i.e. that.", "e.g. this one.|i.e. that."},
    {"\xe5\xa5\xbd\xe3\x80\x82\xe5\x86\x8d\xe8\xa7\x81\xe3\x80\x82",
     "\xe5\xa5\xbd\xe3\x80\x82|\xe5\x86\x8d\xe8\xa7\x81\xe3\x80\x82"},
    {"Caf\xc3\xa9 at noon. \xf0\x9f\x98\x80 Fine.",
     "Caf\xc3\xa9 at noon.|\xf0\x9f\x98\x80 Fine."},
    {"Who is it: you? Me.", "Who is it: you?|Me."},
    // Ordinal numbers, and abbreviations of other languages.
    {"Am 3. Mai um 9 Uhr. Passt das?", "Am 3. Mai um 9 Uhr.|Passt das?"},
    {"Bis zum 12. M\xc3\xa4rz. Gut.", "Bis zum 12. M\xc3\xa4rz.|Gut."},
    {"Im 2. und 3. Stock. Gut.", "Im 2. und 3.|Stock.|Gut."},
    {"It is room 33. Maybe later? Yes.", "It is room 33.|Maybe later?|Yes."},
    {"Das kostet 3,50 Euro bzw. 4 Euro. Gut.",
     "Das kostet 3,50 Euro bzw. 4 Euro.|Gut."},
    {"Nehmen Sie z. B. ca. 10 St\xc3\xbc\x63k. Gut.",
     "Nehmen Sie z. B. ca. 10 St\xc3\xbc\x63k.|Gut."},
};

std::string clauses_of(const std::vector<std::string> &pieces) {
  ClauseSplitter splitter;
  std::vector<std::string> all;
  for (const std::string &piece : pieces)
    for (std::string &clause : splitter.feed(piece))
      all.push_back(std::move(clause));
  for (std::string &clause : splitter.finish())
    all.push_back(std::move(clause));
  return join(all, "|");
}

void check(const std::string &text, const std::string &is,
           const std::string &expected) {
  if (is != expected)
    g_error("\"%s\": expected %s, got %s", text.c_str(), expected.c_str(),
            is.c_str());
}

void test_cuts() {
  for (const Row &row : kRows)
    check(row.text, clauses_of({row.text}), row.clauses);
}

void test_every_split() {
  for (const Row &row : kRows) {
    const std::string text = row.text;
    for (std::size_t a = 0; a <= text.size(); ++a)
      for (std::size_t b = a; b <= text.size(); ++b)
        check(text,
              clauses_of(
                  {text.substr(0, a), text.substr(a, b - a), text.substr(b)}),
              row.clauses);
    std::vector<std::string> characters;
    for (const char c : text)
      characters.emplace_back(1, c);
    check(text, clauses_of(characters), row.clauses);
  }
}

void test_early() {
  // What is certain is given at once: a voice waits for it.
  ClauseSplitter splitter;
  g_assert_true(splitter.feed("Sure").empty());
  g_assert_true(splitter.feed(".").empty());
  g_assert_cmpuint(splitter.feed(" ").size(), ==, 1);
  g_assert_true(splitter.feed("And then that other thing,").empty());
  g_assert_true(splitter.feed(" which").empty()); // only the first at a comma
  g_assert_cmpuint(splitter.finish().size(), ==, 1);
  g_assert_cmpuint(splitter.feed("And then that other thing, ").size(), ==, 1);
}

void test_whole_texts() {
  check("", join(split_sentences("I will see to that, thanks. Yes, now."), "|"),
        "I will see to that, thanks.|Yes, now.");
  check("", join(split_clauses("I will see to that, thanks. Yes, now."), "|"),
        "I will see to that, thanks.|Yes, now.");
  check("", join(split_clauses("I will now see to that, thanks."), "|"),
        "I will now see to that,|thanks.");
}

void test_endless() {
  // No sentence ends: it is spoken all the same, between words.
  std::string text;
  for (int i = 0; i < 400; ++i)
    text += "word ";
  std::size_t total = 0;
  for (const std::string &clause : split_clauses(text)) {
    g_assert_cmpuint(clause.size(), <, 310);
    g_assert_cmpuint(clause.size() % 5, ==, 4);
    total += clause.size() + 1;
  }
  g_assert_cmpuint(total, ==, text.size());
  // A bracket that nobody closes does not hold everything back.
  g_assert_cmpuint(
      split_clauses("a [ b " + std::string(130, 'x') + ". More. Still.").size(),
      ==, 3);
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/clauses/end-where-people-pause", test_cuts);
  g_test_add_func("/clauses/same-wherever-the-text-is-split", test_every_split);
  g_test_add_func("/clauses/come-as-soon-as-they-are-certain", test_early);
  g_test_add_func("/clauses/whole-texts-are-cut-at-sentences",
                  test_whole_texts);
  g_test_add_func("/clauses/never-wait-for-ever", test_endless);
  return g_test_run();
}
