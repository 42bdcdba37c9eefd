// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/clause_splitter.hpp"

#include "base/text.hpp"

#include <glib.h>

#include <cstring>

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
    {"Im 2. und 3. Stock. Gut.", "Im 2. und 3. Stock.|Gut."},
    {"Kommen Sie in den 3. Stock. Gut.", "Kommen Sie in den 3. Stock.|Gut."},
    {"Rechts, 3. Stock. Gut.", "Rechts, 3. Stock.|Gut."},
    {"Es ist Ihr 2. Termin bei uns. Gut.",
     "Es ist Ihr 2. Termin bei uns.|Gut."},
    {"Ab dem 2. J\xc3\xa4nner. Gut.", "Ab dem 2. J\xc3\xa4nner.|Gut."},
    // ... and numbers that end a sentence.
    {"Wir sehen uns am 3. Passt das?", "Wir sehen uns am 3.|Passt das?"},
    {"Es ist Zimmer 33. Vielleicht. Gut.",
     "Es ist Zimmer 33.|Vielleicht.|Gut."},
    {"Das war im Jahr 2020. Gut.", "Das war im Jahr 2020.|Gut."},
    {"Das sind die 120. Wagen Sie es. Gut.",
     "Das sind die 120.|Wagen Sie es.|Gut."},
    {"That is for 3. Next? Yes.", "That is for 3.|Next?|Yes."},
    {"It is room 33. Maybe later? Yes.", "It is room 33.|Maybe later?|Yes."},
    {"Das kostet 3,50 Euro bzw. 4 Euro. Gut.",
     "Das kostet 3,50 Euro bzw. 4 Euro.|Gut."},
    {"Nehmen Sie z. B. ca. 10 St\xc3\xbc\x63k. Gut.",
     "Nehmen Sie z. B. ca. 10 St\xc3\xbc\x63k.|Gut."},
    {"It is Ph.D. Miller. Yes.", "It is Ph.D. Miller.|Yes."},
    {"Smith Ltd. Co. are in. Yes.", "Smith Ltd. Co. are in.|Yes."},
    {"Take 6 oz. of it. Yes.", "Take 6 oz. of it.|Yes."},
    // A small letter begins no sentence, where others begin with capitals.
    {"Some 3 in. wide. Yes.", "Some 3 in. wide.|Yes."},
    {"Take 3 pkt. of it. Yes.", "Take 3 pkt. of it.|Yes."},
    {"The BQT. is on. Yes.", "The BQT. is on.|Yes."},
    {"so it is. fine. ok?", "so it is.|fine.|ok?"},
    {"See Art. 5 of it. Modern art. Yes.",
     "See Art. 5 of it.|Modern art.|Yes."},
};

// Numbers with a full stop, and what is shortened with one, in four languages.
const Row kShort[] = {
    // A number behind a number is part of it, more often than not.
    {"Um 14.30 Uhr, am 3. 4. 2026. Gut?", "Um 14.30 Uhr, am 3. 4. 2026.|Gut?"},
    {"Gut. Am 12. 5. um 9 Uhr. Passt das?",
     "Gut.|Am 12. 5. um 9 Uhr.|Passt das?"},
    {"Call 415. 555. 0100. Or write.", "Call 415. 555. 0100.|Or write."},
    {"Call 415. 555. 0100. now.", "Call 415. 555. 0100. now."},
    {"It is Jan. 5. 2026 is near. Yes.", "It is Jan. 5. 2026 is near.|Yes."},
    {"We have room 12. 5 people fit in. Yes.",
     "We have room 12. 5 people fit in.|Yes."},
    {"It is room 12. \"So it is.\" Yes.", "It is room 12.|\"So it is.\"|Yes."},
    // Days, before a number or what goes on with a small letter.
    {"Um 8 Uhr am Sa. 5. Mai. Ja?", "Um 8 Uhr am Sa. 5. Mai.|Ja?"},
    {"Von Mo. bis Do. um acht. Ja?", "Von Mo. bis Do. um acht.|Ja?"},
    {"On Sat. 5 of us come. Yes.", "On Sat. 5 of us come.|Yes."},
    {"There we sat. So we do. Yes.", "There we sat.|So we do.|Yes."},
    {"In St. Louis, Mo. It is nice.", "In St. Louis, Mo.|It is nice."},
    // Streets and numbers by their ends.
    {"In der Hauptstr. 12, K\xc3\xb6nigstr. 3 oder Gartenstr. Zehn. Ja?",
     "In der Hauptstr. 12,|K\xc3\xb6nigstr. 3 oder Gartenstr. Zehn.|Ja?"},
    {"Ihre Kundennr. 12 und Ihre Zimmernr. bitte. Ja?",
     "Ihre Kundennr. 12 und Ihre Zimmernr. bitte.|Ja?"},
    // Doubled letters, and what follows a single one.
    {"De EE. UU. y los JJ. OO. de hoy. S\xc3\xad.",
     "De EE. UU. y los JJ. OO. de hoy.|S\xc3\xad."},
    {"See pp. 5 and 6 ff. of it. OK. Yes.",
     "See pp. 5 and 6 ff. of it.|OK.|Yes."},
    {"Dites p. ex. demain. Oui.", "Dites p. ex. demain.|Oui."},
    {"Por p. ej. Madrid. No.", "Por p. ej. Madrid.|No."},
    {"So u. dgl. mehr. Ja.", "So u. dgl. mehr.|Ja."},
    {"My ex. Then me. Yes.", "My ex.|Then me.|Yes."},
    // Titles and the like.
    {"M. Dupont, Mme. Durand et Mlle. Petit. Oui.",
     "M. Dupont, Mme. Durand et Mlle. Petit.|Oui."},
    {"Au 5, av. Foch ou bd. Ney, env. Midi. Oui.",
     "Au 5, av. Foch ou bd. Ney,|env. Midi.|Oui."},
    {"La Dra. L\xc3\xb3pez y los Sres. Paz en la avda. Sol. No.",
     "La Dra. L\xc3\xb3pez y los Sres. Paz en la avda. Sol.|No."},
    {"Hr. Dr. med. Huber und Fr. Dipl. Ing. Au. Ja.",
     "Hr. Dr. med. Huber und Fr. Dipl. Ing. Au.|Ja."},
    {"Tee usw. und Brot usw. Passt das?", "Tee usw. und Brot usw.|Passt das?"},
    {"By Smith et al. in op. cit. and op. 5. Yes.",
     "By Smith et al. in op. cit. and op. 5.|Yes."},
    {"Ask Al. He knows. Never mind. Do so. Yes.",
     "Ask Al.|He knows.|Never mind.|Do so.|Yes."},
    {"Ab dem 5. Okt. Wien und 300 v. Chr. Rom. Ja.",
     "Ab dem 5. Okt. Wien und 300 v. Chr. Rom.|Ja."},
};

// Elements with content are kept together.
const Row kTags[] = {
    {"<prosody rate=\"slow\">slow. down.</prosody>",
     "<prosody rate=\"slow\">slow. down.</prosody>"},
    {"Now <prosody rate=\"slow\">slow. Down.</prosody> And fast. Yes.",
     "Now <prosody rate=\"slow\">slow. Down.</prosody>|And fast.|Yes."},
    {"Now <emphasis>so. Not</emphasis> fast. Yes.",
     "Now <emphasis>so. Not</emphasis> fast.|Yes."},
    {"<p><s>One. A.</s> <s>Two.</s> B. C.</p>. Yes.",
     "<p><s>One. A.</s> <s>Two.</s> B. C.</p>.|Yes."},
    {"Wait. <break time=\"1s\"/> Right. Yes.",
     "Wait.|<break time=\"1s\"/> Right.|Yes."},
    {"Wait <break time=\"1s\"> now. Yes.",
     "Wait <break time=\"1s\"> now.|Yes."},
    {"So <br/> it. Is. No.", "So <br/> it.|Is.|No."},
    // No elements, and an end without a beginning.
    {"<a@example.com> is it. Yes.", "<a@example.com> is it.|Yes."},
    {"<https://example.com/> it is. Yes.",
     "<https://example.com/> it is.|Yes."},
    {"Slow.</prosody> Fast. Yes.", "Slow.</prosody> Fast.|Yes."},
    // Without an end it is none.
    {"<prosody rate=\"1.5. x\">Slow. Fast. Yes.",
     "<prosody rate=\"1.5. x\">Slow.|Fast.|Yes."},
    {"Dear <name>. Or <b>you. And me</b> too. Yes.",
     "Dear <name>.|Or <b>you. And me</b> too.|Yes."},
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

void test_short_forms() {
  for (const Row &row : kShort)
    check(row.text, clauses_of({row.text}), row.clauses);
}

void test_tags() {
  for (const Row &row : kTags)
    check(row.text, clauses_of({row.text}), row.clauses);
}

void check_every_split(const Row &row) {
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

void test_every_split() {
  for (const Row &row : kRows)
    check_every_split(row);
  for (const Row &row : kShort)
    check_every_split(row);
  for (const Row &row : kTags)
    check_every_split(row);
}

// Tags and full stops in any order: the same clauses in pieces, and all of the
// text in them.
void test_any_tags() {
  const char *const tokens[] = {
      "<b>", "</b>",  "<i x='. '>", "</i>",   "<br/>", "<",
      "> ",  "Yes. ", "so. ",       "im 3. ", "Co. ",  "no. ",
      "[",   "] ",    "\n",         "5 ",     "/",     "word word word word "};
  GRand *random = g_rand_new_with_seed(1);
  const auto below = [random](std::size_t end) {
    return static_cast<std::size_t>(
        g_rand_int_range(random, 0, static_cast<gint32>(end)));
  };
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    std::vector<std::string> pieces;
    for (std::size_t n = below(60); n > 0; --n) {
      pieces.emplace_back(tokens[below(std::size(tokens))]);
      text += pieces.back();
    }
    const std::string whole = clauses_of({text});
    check(text, clauses_of(pieces), whole);
    const auto letters = [](std::string of) {
      std::erase_if(of,
                    [](char c) { return std::strchr(" \n|", c) != nullptr; });
      return of;
    };
    check(text, letters(whole), letters(text));
  }
  g_rand_free(random);
}

void test_early() {
  // What is certain is given at once: a voice waits for it.
  ClauseSplitter splitter;
  g_assert_true(splitter.feed("Sure").empty());
  g_assert_true(splitter.feed(".").empty());
  g_assert_cmpuint(splitter.feed(" ").size(), ==, 1);
  g_assert_true(splitter.feed("So it is.").empty());
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
  // Nor does an element that nobody closes.
  ClauseSplitter splitter;
  g_assert_true(
      splitter.feed("<b>" + std::string(100, 'x') + ". More. ").empty());
  g_assert_cmpuint(splitter.feed(std::string(200, 'y')).size(), ==, 2);
  const std::string long_one(250, 'Y');
  check("",
        clauses_of({"<b>So it is, indeed, for a while. And more of it: " +
                    long_one + "</b> More. No."}),
        "<b>So it is, indeed,|for a while.|And more of it: " + long_one +
            "</b> More.|No.");
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/clauses/end-where-people-pause", test_cuts);
  g_test_add_func("/clauses/keep-numbers-and-short-forms-whole",
                  test_short_forms);
  g_test_add_func("/clauses/keep-elements-together", test_tags);
  g_test_add_func("/clauses/same-wherever-the-text-is-split", test_every_split);
  g_test_add_func("/clauses/same-with-any-tags", test_any_tags);
  g_test_add_func("/clauses/come-as-soon-as-they-are-certain", test_early);
  g_test_add_func("/clauses/whole-texts-are-cut-at-sentences",
                  test_whole_texts);
  g_test_add_func("/clauses/never-wait-for-ever", test_endless);
  return g_test_run();
}
