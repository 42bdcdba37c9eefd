// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/values.hpp"

#include <glib.h>

#include <chrono>

using namespace patchcord::agent;
using namespace std::chrono_literals;

namespace {

// A Wednesday.
constexpr Date kToday{2026y / 4 / 29};

struct Row {
  const char *spoken;
  const char *value; // "" is none
};

void check(const char *spoken, const std::string &is, const char *expected) {
  if (is == expected)
    return;
  g_printerr("\"%s\": expected \"%s\", got \"%s\"\n", spoken, expected,
             is.c_str());
  g_test_fail(); // and the other rows
}

void test_words() {
  const Row rows[] = {
      {"Two-thirty P.M.", "two|thirty|pm"},
      {"2:30 p.m.", "2:30|pm"},
      {"2:30pm", "2:30|pm"},
      {"two thirty p m", "two|thirty|pm"},
      {"It\xe2\x80\x99s 9 o'clock", "its|9|oclock"},
      {"1,250 people, please!", "1250|people|please"},
      {"3.5", "3.5"},
      {"caf\xc3\xa9 no. 5", "caf\xc3\xa9|no|5"},
      {"the 3rd", "the|3rd"},
      {"  ", ""},
      {"...", ""},
  };
  for (const Row &row : rows) {
    std::string joined;
    for (const std::string &word : to_words(row.spoken))
      joined += (joined.empty() ? "" : "|") + word;
    check(row.spoken, joined, row.value);
  }
}

void test_yes_no() {
  const Row rows[] = {
      {"yes", "yes"},
      {"Yes.", "yes"},
      {"yeah sure", "yes"},
      {"yep", "yes"},
      {"that's right", "yes"},
      {"that is correct", "yes"},
      {"okay", "yes"},
      {"of course", "yes"},
      {"go ahead", "yes"},
      {"um yes please", "yes"},
      {"uh huh", "yes"},
      {"no problem", "yes"},
      {"yes that's not a problem", "yes"},
      {"sounds good", "yes"},
      {"no", "no"},
      {"nope", "no"},
      {"no thank you", "no"},
      {"that's wrong", "no"},
      {"that's not right", "no"},
      {"not really", "no"},
      {"I don't think so", "no"},
      {"yes no", ""},
      {"well maybe", ""},
      {"Mountain View", ""},
      {"", ""},
  };
  for (const Row &row : rows) {
    const auto answer = yes_or_no(to_words(row.spoken));
    check(row.spoken, !answer ? "" : *answer ? "yes" : "no", row.value);
  }
}

void test_numbers() {
  const Row rows[] = {
      {"zero", "0"},
      {"two", "2"},
      {"two people", "2"},
      {"for two people please", "2"},
      {"nineteen", "19"},
      {"twenty", "20"},
      {"twenty five", "25"},
      {"twenty-five", "25"},
      {"forty", "40"},
      {"ninety nine", "99"},
      {"a hundred", "100"},
      {"one hundred", "100"},
      {"one hundred and one", "101"},
      {"a hundred ten", "110"},
      {"nine hundred ninety nine", "999"},
      {"nine hundred and ninety-nine", "999"},
      {"a thousand", "1000"},
      {"two thousand five hundred", "2500"},
      {"1,250", "1250"},
      {"12", "12"},
      {"There will be 7 of us", "7"},
      {"five five five", "555"},
      {"one oh three", "103"},
      {"one double oh", "100"},
      {"double five", "55"},
      {"a double room", ""},
      {"three point five", "3.5"},
      {"3.5", "3.5"},
      {"two and a half", "2.5"},
      {"minus four", "-4"},
      {"a couple", "2"},
      {"a dozen", "12"},
      {"just me", "1"},
      {"nobody", "0"},
      {"two or three", ""},
      {"two, yes, two", "2"},
      {"seventeen, I mean twenty seven", "27"},
      {"seventeen, no, twenty seven", "27"},
      {"no, twenty", "20"},
      {"two, sorry", "2"},
      {"not two, three", "3"},
      {"three, not two", "3"},
      {"not two or three, four", "4"},
      {"three instead of two", "3"},
      {"three rather than two", "3"},
      {"not for two, for three", "3"},
      {"No, that's not it. Five people", "5"},
      {"that's not it, five", "5"},
      {"one moment, three", "3"},
      {"one million", ""},
      {"two dozen", ""},
      {"three quarters", ""},
      {"some", ""},
      {"", ""},
  };
  for (const Row &row : rows) {
    const auto number = find_number(to_words(row.spoken));
    char text[40] = "";
    if (number)
      g_snprintf(text, sizeof text, "%g", *number);
    check(row.spoken, text, row.value);
  }
}

void test_every_number_to_999() {
  static const char *small[] = {"zero",    "one",       "two",      "three",
                                "four",    "five",      "six",      "seven",
                                "eight",   "nine",      "ten",      "eleven",
                                "twelve",  "thirteen",  "fourteen", "fifteen",
                                "sixteen", "seventeen", "eighteen", "nineteen"};
  static const char *tens[] = {"",      "",      "twenty",  "thirty", "forty",
                               "fifty", "sixty", "seventy", "eighty", "ninety"};
  for (int n = 0; n <= 999; ++n) {
    std::string text;
    if (n >= 100)
      text = std::string(small[n / 100]) + " hundred ";
    const int rest = n % 100;
    if (rest >= 20)
      text += std::string(tens[rest / 10]) + " " +
              (rest % 10 != 0 ? small[rest % 10] : "");
    else if (rest > 0 || n == 0)
      text += small[rest];
    for (const std::string &spoken : {text, std::to_string(n)}) {
      const auto found = find_number(to_words(spoken));
      check(spoken.c_str(), found ? std::to_string(int(*found)) : "",
            std::to_string(n).c_str());
    }
  }
}

void test_digits() {
  const Row rows[] = {
      {"five five oh one two", "55012"},
      {"five five five oh one double oh", "5550100"},
      {"triple seven", "777"},
      {"twenty twelve", "2012"},
      {"fifty five", "55"},
      {"eight hundred", "800"},
      {"four one five 555 0100", "4155550100"},
      {"555-0100", "5550100"},
      {"my number is five", "5"},
      {"oh four seven one", "0471"},
      {"oh, it's four seven one one", "4711"},
      {"one moment, four seven one one", "4711"},
      {"four seven one two, sorry, four seven one one", "4711"},
      {"four seven um one one", "4711"},
      {"no, one", "1"},
      {"none", ""},
  };
  for (const Row &row : rows)
    check(row.spoken, find_digits(to_words(row.spoken)).value_or(""),
          row.value);
}

void test_phones() {
  const Row rows[] = {
      {"four one five five five five oh one oh oh", "4155550100"},
      {"415 555 0100", "4155550100"},
      {"(415) 555-0100", "4155550100"},
      {"415.555.0100", "4155550100"},
      {"plus one 415 555 0100", "+14155550100"},
      {"+1 415-555-0100", "+14155550100"},
      {"It's five five five, zero one double zero.", "5550100"},
      {"one eight hundred five five five oh one double oh", "18005550100"},
      {"oh, it's four one five five five five oh one double oh", "4155550100"},
      {"one moment please, it's four one five five five five oh one double oh",
       "4155550100"},
      {"you can have one of my two numbers: 415 555 0100", "4155550100"},
      {"415 555 0100 extension twelve", "4155550100"},
      {"415 555 0100, I mean 415 555 0101", "4155550101"},
      {"area code four one five, and the number is five five five oh one oh oh",
       "4155550100"},
      {"415, that's the area code, 555 0100", "4155550100"},
      {"415 555 0123, actually call me after 5", "4155550123"},
      {"five five five", ""},
      {"1234567890123456", ""},
      {"I do not have one", ""},
  };
  for (const Row &row : rows)
    check(row.spoken, find_phone(row.spoken).value_or(""), row.value);
}

void test_emails() {
  const Row rows[] = {
      {"john at example dot com", "john@example.com"},
      {"John dot Smith at example dot com", "john.smith@example.com"},
      {"my email is john underscore smith at mail dot example dot org",
       "john_smith@mail.example.org"},
      {"j o h n at example dot com", "john@example.com"},
      {"john forty two at example dot com", "john42@example.com"},
      {"It's anna dash maria at example dot com please",
       "anna-maria@example.com"},
      {"John.Smith@Example.com.", "john.smith@example.com"},
      {"write to me@example.com, thanks", "me@example.com"},
      {"john smith at example dot com", "johnsmith@example.com"},
      {"no, it is jon dot smith at example dot com", "jon.smith@example.com"},
      {"sorry, it's jon at example dot com", "jon@example.com"},
      {"write to jon at example dot com", "jon@example.com"},
      {"you can reach me at jon at example dot com", "jon@example.com"},
      {"jon b as in boy at example dot com", "jonb@example.com"},
      {"j i m at example dot com", "jim@example.com"},
      {"my e-mail is capital J o n at mail dot com", "jon@mail.com"},
      {"jon at example dot co dot u k, all lower case", "jon@example.co.uk"},
      {"jon at example dot com thanks bye", "jon@example.com"},
      {"write to me at example dot com", "me@example.com"},
      {"I'll be home at ten point four five", ""},
      {"john at example", ""},
      {"at example dot com", ""},
      {"john@@example.com", ""},
      {"see you at noon", ""},
      {"", ""},
  };
  for (const Row &row : rows)
    check(row.spoken, find_email(row.spoken).value_or(""), row.value);
}

void test_dates() {
  const Row rows[] = {
      {"today", "2026-04-29"},
      {"tonight", "2026-04-29"},
      {"this afternoon", "2026-04-29"},
      {"Tomorrow, please.", "2026-04-30"},
      {"the day after tomorrow", "2026-05-01"},
      {"yesterday", "2026-04-28"},
      {"Thursday", "2026-04-30"},
      {"on Friday", "2026-05-01"},
      {"wednesday", "2026-05-06"},
      {"this Wednesday", "2026-04-29"},
      {"next Monday", "2026-05-04"},
      {"next friday", "2026-05-08"},
      {"next Sunday", "2026-05-10"},
      {"last Friday", "2026-04-24"},
      {"May third", "2026-05-03"},
      {"May the third", "2026-05-03"},
      {"the third of May", "2026-05-03"},
      {"3rd of May", "2026-05-03"},
      {"May 3", "2026-05-03"},
      {"3 May", "2026-05-03"},
      {"the twenty third of June", "2026-06-23"},
      {"June twenty-third", "2026-06-23"},
      {"December thirty first", "2026-12-31"},
      {"April 28th", "2027-04-28"},
      {"April twenty ninth", "2026-04-29"},
      {"January first twenty twenty eight", "2028-01-01"},
      {"January 1, 2028", "2028-01-01"},
      {"February 29", "2028-02-29"},
      {"the third", "2026-05-03"},
      {"the thirtieth", "2026-04-30"},
      {"the thirty first", "2026-05-31"},
      {"in three days", "2026-05-02"},
      {"in a week", "2026-05-06"},
      {"in two weeks", "2026-05-13"},
      {"two weeks from today", "2026-05-13"},
      {"next week", ""},
      {"2026-05-03", "2026-05-03"},
      {"5/3", "2026-05-03"},
      {"5/3/2027", "2027-05-03"},
      {"5/3/27", "2027-05-03"},
      // What is not meant.
      {"not today", ""},
      {"not on Friday", ""},
      {"no, not on the third", ""},
      {"anything but tomorrow", ""},
      {"not the day after tomorrow", ""},
      {"today doesn't work", ""},
      {"tomorrow is not good for me", ""},
      {"Friday won't do", ""},
      {"on Monday I can't", ""},
      {"today I cannot, tomorrow I can", "2026-04-30"},
      {"not tomorrow, on Friday", "2026-05-01"},
      {"not today but tomorrow", "2026-04-30"},
      {"tomorrow, not today", "2026-04-30"},
      {"tomorrow instead of today", "2026-04-30"},
      {"not on Friday, next Friday", "2026-05-08"},
      {"not the third of May, the fourth of May", "2026-05-04"},
      {"not May third but May fourth", "2026-05-04"},
      {"not 5/3 but 5/4", "2026-05-04"},
      {"not the third, the fourth", "2026-05-04"},
      {"not in two weeks, in three weeks", "2026-05-20"},
      {"Friday isn't possible, Monday is", "2026-05-04"},
      {"Friday does not work at all, Monday does", "2026-05-04"},
      {"tomorrow I can't make it, sorry", ""},
      {"Friday isn't so good", ""},
      {"Friday isn't so late", "2026-05-01"},
      {"today I can't, so tomorrow", "2026-04-30"},
      {"May third is not possible, May fourth", "2026-05-04"},
      {"Friday I can't, it has to be Monday", "2026-05-04"},
      // A negation that refuses something else than the day.
      {"on Friday I can't come before three", "2026-05-01"},
      {"Friday we can not do mornings", "2026-05-01"},
      {"on Friday I can't do five", "2026-05-01"},
      {"Friday is not too late", "2026-05-01"},
      {"tomorrow isn't too soon is it", "2026-04-30"},
      {"tomorrow would not hurt", "2026-04-30"},
      {"tomorrow I can't wait", "2026-04-30"},
      {"why not tomorrow", "2026-04-30"},
      {"tomorrow if it isn't raining", "2026-04-30"},
      {"Friday I don't mind", "2026-05-01"},
      {"Friday won't be an issue", "2026-05-01"},
      {"Friday isn't bad", "2026-05-01"},
      {"on Friday I'm not busy", "2026-05-01"},
      {"Friday doesn't work in the morning", "2026-05-01"},
      {"Friday, don't forget the phone", "2026-05-01"},
      {"Friday, not Monday", "2026-05-01"},
      {"tomorrow is fine I can't do Friday", "2026-04-30"},
      // It says more than no.
      {"Friday isn't going to work, Monday", "2026-05-04"},
      {"tomorrow isn't going to work", ""},
      {"tomorrow I won't be able to make it", ""},
      {"tomorrow I won't be able to make it, Friday", "2026-05-01"},
      {"Monday doesn't work with my schedule", ""},
      {"Friday is not good for my wife", ""},
      {"Friday I can't manage", ""},
      {"Friday can't happen", ""},
      {"Friday I will not be in town", ""},
      {"Friday does not work this week", ""},
      {"tomorrow is not happening", ""},
      {"Friday isn't early enough", ""},
      {"5/3 doesn't work, 5/4", "2026-05-04"},
      {"2026-05-03 is not good for us", ""},
      {"Friday I'm afraid I can't, Monday", "2026-05-04"},
      {"Friday my wife can't", ""},
      {"tomorrow I don't have time", ""},
      {"tomorrow we're not in town", ""},
      {"tomorrow morning I can't", ""},
      {"Friday not possible, Monday", "2026-05-04"},
      {"tomorrow I'm busy", ""},
      {"Friday I can't do mornings, Monday", "2026-05-04"},
      {"tomorrow I can't make it after lunch, Friday", "2026-05-01"},
      {"tomorrow I can't after all", ""},
      {"Tuesday next week doesn't suit us", ""},
      // Or the day is what cannot be.
      {"I can't do Tuesdays so Friday", "2026-05-01"},
      {"I can't do Monday, Tuesday is fine", "2026-05-05"},
      {"I can't come on Friday", ""},
      {"it can't be tomorrow, Friday please", "2026-05-01"},
      {"we won't be able to do tomorrow, Friday", "2026-05-01"},
      {"I can't make it on Friday", ""},
      {"we cannot make it Friday, Monday please", "2026-05-04"},
      {"I don't want Friday", ""},
      {"I don't want to come on Friday, Monday", "2026-05-04"},
      {"I would like Friday", "2026-05-01"},
      {"I want it on Friday", "2026-05-01"},
      {"I'm unable to make Friday, Monday", "2026-05-04"},
      {"I'm not available tomorrow, Friday", "2026-05-01"},
      {"I won't be in town on Friday", ""},
      {"not on Friday or Monday, Tuesday", "2026-05-05"},
      {"I'm not available on Friday or Monday", ""},
      {"tomorrow I'm not free, Friday", "2026-05-01"},
      {"Friday is not available, Monday is", "2026-05-04"},
      {"Friday the third I can't, the fourth", "2026-05-04"},
      {"tomorrow, it's not urgent", "2026-04-30"},
      {"I can't do mornings, so Friday", "2026-05-01"},
      {"Friday, sorry, Monday", "2026-05-04"},
      {"tomorrow, I mean today", "2026-04-29"},
      {"today, no, 5/3", "2026-05-03"},
      {"tomorrow, actually", "2026-04-30"},
      // One of two is not said yet.
      {"tomorrow or Friday", ""},
      {"on the third or on the fourth", ""},
      {"today or, no, tomorrow", "2026-04-30"},
      {"Friday or so", "2026-05-01"},
      // A day of a week that is told.
      {"next week on Tuesday", "2026-05-05"},
      {"Tuesday next week", "2026-05-05"},
      {"Friday of next week", "2026-05-08"},
      {"Saturday in two weeks", "2026-05-16"},
      {"I'm not sure, maybe tomorrow", "2026-04-30"},
      {"tomorrow is not a problem", "2026-04-30"},
      {"tomorrow, I'm not picky", "2026-04-30"},
      {"five p.m. I can't do Monday", ""},
      // Before or behind it is not that day.
      {"not before Friday", ""},
      {"no later than Friday", ""},
      {"not before Friday, Monday", "2026-05-04"},
      {"not the day after tomorrow, Friday", "2026-05-01"},
      // Whichever "or" it is.
      {"two or three of us, tomorrow or Friday", ""},
      {"one or two of us, tomorrow", "2026-04-30"},
      {"Friday or so, or on Monday", ""},
      // "It" is not what follows.
      {"No, that's not it, Friday", "2026-05-01"},
      {"isn't it Friday", "2026-05-01"},
      {"it is, isn't it, Friday", "2026-05-01"},
      {"I can't make it, Friday is better", "2026-05-01"},
      {"I'm not available, Friday would be better", "2026-05-01"},
      {"I don't want to, Friday is better", "2026-05-01"},
      {"I can't make it Friday, is that bad", ""},
      {"not really, Friday", "2026-05-01"},
      // "May" and "two" that are no day.
      {"I may not be able to come on Friday", ""},
      {"I may not be free Friday", ""},
      {"We may not be there on Friday, Monday", "2026-05-04"},
      {"I might not be free on Friday", ""},
      {"Friday I may not be able to come", ""},
      {"Friday might not work, Monday", "2026-05-04"},
      {"we two can't come on Friday", ""},
      {"the two of us may not come on Friday", ""},
      {"on May third I'm not free, May fourth", "2026-05-04"},
      {"May 3 I'm not free, May 4", "2026-05-04"},
      {"3 May I'm not free, 4 May", "2026-05-04"},
      {"the third of May I may not be free, the fourth of May", "2026-05-04"},
      {"May third may not work, May fourth", "2026-05-04"},
      {"the third may not be possible", ""},
      {"five p.m., I can't make it on Monday", ""},
      // What he does not want is before it or behind it.
      {"Tuesday I don't want, Friday please", "2026-05-01"},
      {"Monday I don't like, Tuesday is fine", "2026-05-05"},
      {"Tuesday I can't do, Friday please", "2026-05-01"},
      {"Friday, I don't want Monday", ""},
      {"I don't want Friday, please", ""},
      {"I didn't want Friday", ""},
      {"I don't really want Friday", ""},
      {"I can't really do Friday", ""},
      {"I do not want to go on Friday", ""},
      // Doubted.
      {"I don't think I can do Friday", ""},
      {"I don't think Friday works", ""},
      {"I don't think that Friday works, Monday", "2026-05-04"},
      {"I do not think it's Friday", ""},
      {"I don't believe I'll be free on Friday", ""},
      {"I don't think I can come before Friday", ""},
      {"I don't think Friday is a problem", "2026-05-01"},
      {"I don't think Friday is going to be too late", "2026-05-01"},
      {"I don't think so, Friday", "2026-05-01"},
      {"I don't think that's right, Friday", "2026-05-01"},
      {"I don't think I can, Friday is better", "2026-05-01"},
      // Or one of the others.
      {"neither Friday nor Monday", ""},
      {"neither Friday nor Monday, Tuesday", "2026-05-05"},
      {"any day but Friday", ""},
      {"any other day but Friday, please", ""},
      {"all days but Friday and Monday", ""},
      {"I can't do Monday and Tuesday", ""},
      {"I can't do Monday and Tuesday, Friday", "2026-05-01"},
      {"I can't do Monday and Tuesday is fine", "2026-05-05"},
      {"any day except Friday", ""},
      {"Friday is a bad day but Monday works", "2026-05-04"},
      // It corrects with a comma, or with more words.
      {"no Friday", ""},
      {"No Fridays.", ""},
      {"no Friday, Monday", "2026-05-04"},
      {"no, Friday", "2026-05-01"},
      {"no Friday please", "2026-05-01"},
      {"no tomorrow", "2026-04-30"},
      {"February thirtieth", ""},
      {"2026-02-30", ""},
      {"13/45", ""},
      {"I may come", ""},
      {"whenever", ""},
      {"two people", ""},
      {"", ""},
  };
  for (const Row &row : rows) {
    const auto found = find_date(row.spoken, kToday);
    check(row.spoken, found ? iso_date(found->date) : "", row.value);
  }
}

void test_times() {
  const Row rows[] = {
      {"two thirty p m", "14:30"},
      {"2:30 p.m.", "14:30"},
      {"2:30", "14:30"},
      {"2:30pm", "14:30"},
      {"230 pm", "14:30"},
      {"14:30", "14:30"},
      {"half past two", "14:30"},
      {"quarter past nine", "09:15"},
      {"a quarter to three", "14:45"},
      {"quarter to one", "12:45"},
      {"ten past four", "16:10"},
      {"twenty minutes to five p.m.", "16:40"},
      {"seven minutes past eight", "08:07"},
      {"noon", "12:00"},
      {"at midday", "12:00"},
      {"midnight", "00:00"},
      {"nine in the morning", "09:00"},
      {"nine at night", "21:00"},
      {"seven in the evening", "19:00"},
      {"twelve a m", "00:00"},
      {"twelve p m", "12:00"},
      {"twelve thirty", "12:30"},
      {"two", "14:00"},
      {"at two", "14:00"},
      {"two please", "14:00"},
      {"around ten", "10:00"},
      {"eight o'clock", "08:00"},
      {"three o'clock", "15:00"},
      {"ten forty five", "10:45"},
      {"two oh five", "14:05"},
      {"nine fifteen a m", "09:15"},
      {"fourteen thirty", "14:30"},
      {"fourteen hundred", "14:00"},
      {"twenty fifteen", "20:15"},
      {"07:15", "07:15"},
      {"today at two thirty p m", "14:30"},
      {"for two people at three pm", "15:00"},
      {"two people", ""},
      {"half an hour", ""},
      {"three to five people", ""},
      {"not at five", ""},
      {"not half past two", ""},
      {"two p.m. doesn't suit me", ""},
      {"at five, I will not be late", "17:00"},
      {"two p.m. doesn't work, at three", "15:00"},
      {"not at five but at six", "18:00"},
      {"not at five thirty but at six", "18:00"},
      {"not five, six", "18:00"},
      {"six, not five", "18:00"},
      {"at six instead of five", "18:00"},
      {"not at 2:30, at 3:30", "15:30"},
      {"why not at three", "15:00"},
      {"at three, no, at four", "16:00"},
      {"at three, sorry", "15:00"},
      {"three p.m. or four p.m.", ""},
      {"at three or half past three", ""},
      {"three or four p.m.", ""},
      {"at five pm or maybe at six", ""},
      {"three thirty or so", "15:30"},
      {"five p.m. is not possible, make it six p.m.", "18:00"},
      {"five pm isn't going to work, six pm", "18:00"},
      {"at five I won't be able to make it", ""},
      {"at five p.m. on Friday I can't", ""},
      {"five o'clock in the morning is not possible", ""},
      {"five p.m. isn't possible, six in the evening is", "18:00"},
      {"five p.m. isn't too late", "17:00"},
      {"at five it is, not at six", "17:00"},
      {"I can't make five p.m. but six p.m.", "18:00"},
      {"at five thirty I am not free, at six thirty I am", "18:30"},
      {"I won't be there at five p.m.", ""},
      {"not at five or six, at seven", "19:00"},
      {"not before three", ""},
      {"not before three p.m.", ""},
      {"no later than five p.m.", ""},
      {"not earlier than three, at four", "16:00"},
      {"I can't come before three p.m.", ""},
      {"not ten after four, half past four", "16:30"},
      {"three p.m., not before", "15:00"},
      {"five p.m. I'm not picky", "17:00"},
      // A day is refused, not the time.
      {"five p.m. I can't do Monday", "17:00"},
      {"five p.m., I can't make it on Monday", "17:00"},
      {"five p.m. I can't do", ""},
      {"one or two of us, at five or six", ""},
      {"one or two people at five or six p.m.", ""},
      {"That's not it, five thirty", "17:30"},
      {"I can't make it five thirty works", "17:30"},
      {"I can't make it at five thirty", ""},
      {"I can't make it five thirty doesn't work", ""},
      {"5:30 I'm not free, 6:30", "18:30"},
      {"half past five I'm not free, half past six", "18:30"},
      {"nine a.m. I can't do it, ten a.m.", "10:00"},
      {"I don't think five p.m. works", ""},
      {"I don't think five p.m. is a problem", "17:00"},
      {"we two can't come at five p.m.", ""},
      {"any time but five p.m.", ""},
      // A date is no time.
      {"2026-05-03", ""},
      {"2026-10-12", ""},
      {"5/10", ""},
      {"5/10/2026", ""},
      {"May 3, 2026", ""},
      {"the third of May 2026", ""},
      {"2026-05-03 at 5 p.m.", "17:00"},
      {"on 5/10 at half past two", "14:30"},
      {"2026", "20:26"},
      // The "or" is of something else.
      {"one or two people at five pm", "17:00"},
      {"one or two of us, at five", "17:00"},
      {"four or five people at noon", "12:00"},
      {"at five pm for one or two", "17:00"},
      {"ten or fifteen minutes past five", "17:15"},
      {"25:00", ""},
      {"2:75", ""},
      {"whenever", ""},
      {"", ""},
  };
  for (const Row &row : rows) {
    const auto found = find_time(row.spoken);
    check(row.spoken, found ? clock_time(*found) : "", row.value);
  }
}

// However much was said, and however often he changed his mind.
void test_long_answers() {
  std::string text;
  while (text.size() < 4000)
    text += "not five or not on Friday, no, sorry, ";
  const auto began = std::chrono::steady_clock::now();
  for (const std::string &spoken : {text, text + "at six tomorrow"}) {
    (void)find_date(spoken, kToday);
    (void)find_time(spoken);
  }
  g_assert_true(std::chrono::steady_clock::now() - began < 5s);
}

void test_choices() {
  const std::vector<Choice> choices = {
      {"Mountain View", {"Mountain View", "the main office"}},
      {"San Francisco", {"San Francisco", "the city"}},
      {"View", {"view"}},
  };
  const Row rows[] = {
      {"Mountain View", "Mountain View"},
      {"mountain view.", "Mountain View"},
      {"in Mountain View, please", "Mountain View"},
      {"Mountain Views", "Mountain View"},
      {"I'd say the main office", "Mountain View"},
      {"with a view", "View"},
      {"san francisco", "San Francisco"},
      {"not Mountain View", "View"},
      {"not San Francisco", ""},
      {"not in San Francisco, in the main office", "Mountain View"},
      {"the city instead of the main office", "San Francisco"},
      {"Mountain View or San Francisco", ""},
      {"the city, no, the main office", "Mountain View"},
      {"Mountain View, sorry, the city", "San Francisco"},
      {"San Francisco, no problem", "San Francisco"},
      {"that's not it, the city", "San Francisco"},
      {"I don't think the city works", ""},
      {"I don't think the city is a problem", "San Francisco"},
      {"Berlin", ""},
      {"", ""},
  };
  for (const Row &row : rows) {
    const auto found = find_choice(to_words(row.spoken), choices);
    check(row.spoken, found ? choices[*found].value : "", row.value);
  }
}

Field field_of(FieldType type) {
  Field field;
  field.name = "field";
  field.type = type;
  return field;
}

std::string shown(const std::optional<Value> &value) {
  if (!value)
    return "";
  Definition definition;
  definition.fields.push_back(field_of(FieldType::kString));
  return to_json(definition, {{"field", *value}});
}

void test_typed_values() {
  Field people = field_of(FieldType::kInteger);
  people.min = 1;
  people.max = 20;
  Field guests = people;
  guests.phrases = {"people"};
  Field name = field_of(FieldType::kString);
  Field colour = field_of(FieldType::kString);
  colour.phrases = {"Dark Red", "Blue"};
  const struct {
    Field field;
    const char *spoken;
    Asked asked;
    const char *json;
  } rows[] = {
      {people, "two people", Asked::kYes, R"({"field":2})"},
      // Whether it may be is another question.
      {people, "none", Asked::kYes, R"({"field":0})"},
      {people, "two and a half", Asked::kYes, ""},
      {people, "two people", Asked::kNo, ""},
      {guests, "two people with three bags", Asked::kYes, R"({"field":2})"},
      {guests, "no people", Asked::kYes, R"({"field":0})"},
      {guests, "no people", Asked::kNo, ""},
      {guests, "no, four people", Asked::kYes, R"({"field":4})"},
      {guests, "there are four of us", Asked::kYes, R"({"field":4})"},
      {guests, "two people, no, three people", Asked::kYes, R"({"field":3})"},
      {field_of(FieldType::kNumber), "two and a half", Asked::kYes,
       R"({"field":2.5})"},
      {field_of(FieldType::kBoolean), "yes", Asked::kYes, R"({"field":true})"},
      {field_of(FieldType::kBoolean), "nope", Asked::kYes,
       R"({"field":false})"},
      {field_of(FieldType::kBoolean), "yes", Asked::kNo, ""},
      {field_of(FieldType::kDate), "the third", Asked::kYes,
       R"({"field":"2026-05-03"})"},
      {field_of(FieldType::kDate), "the third", Asked::kNo, ""},
      {field_of(FieldType::kDate), "may third", Asked::kNo,
       R"({"field":"2026-05-03"})"},
      {field_of(FieldType::kTime), "two", Asked::kYes, R"({"field":"14:00"})"},
      {field_of(FieldType::kTime), "at two", Asked::kNo, ""},
      {field_of(FieldType::kTime), "at two p m", Asked::kNo,
       R"({"field":"14:00"})"},
      {field_of(FieldType::kPhone), "555 0100", Asked::kNo, ""},
      {name, "My name is Anna Smith.", Asked::kYes,
       R"({"field":"Anna Smith"})"},
      {name, "It's McArthur", Asked::kYes, R"({"field":"McArthur"})"},
      {name, "um, O'Brien", Asked::kYes, R"({"field":"O'Brien"})"},
      {name, "Anna", Asked::kNo, ""},
      {name, " ", Asked::kYes, ""},
      {colour, "dark red i think", Asked::kYes, R"({"field":"Dark Red"})"},
      {colour, "green", Asked::kYes, R"({"field":"green"})"},
  };
  for (const auto &row : rows)
    check(row.spoken,
          shown(parse_value(row.field, row.spoken, kToday, row.asked)),
          row.json);
}

void test_said_back() {
  Field choice = field_of(FieldType::kChoice);
  choice.choices = {{"30", {"half an hour", "thirty minutes"}}};
  const struct {
    Field field;
    Value value;
    const char *said;
  } rows[] = {
      {choice, std::string("30"), "half an hour"},
      {field_of(FieldType::kBoolean), true, "yes"},
      {field_of(FieldType::kInteger), std::int64_t{12}, "12"},
      {field_of(FieldType::kNumber), 2.5, "2.5"},
      {field_of(FieldType::kDate), std::string("2026-04-29"), "today"},
      {field_of(FieldType::kDate), std::string("2026-04-30"), "tomorrow"},
      {field_of(FieldType::kDate), std::string("2026-05-03"), "Sunday, May 3"},
      {field_of(FieldType::kDate), std::string("2027-05-03"),
       "Monday, May 3, 2027"},
      {field_of(FieldType::kTime), std::string("14:30"), "2:30 PM"},
      {field_of(FieldType::kTime), std::string("09:00"), "9 AM"},
      {field_of(FieldType::kTime), std::string("00:15"), "12:15 AM"},
      {field_of(FieldType::kTime), std::string("12:00"), "noon"},
      {field_of(FieldType::kPhone), std::string("4155550100"),
       "4 1 5, 5 5 5, 0 1 0 0"},
      {field_of(FieldType::kPhone), std::string("+4915550100"),
       "plus 4 9 1, 5 5 5, 0 1 0 0"},
      {field_of(FieldType::kEmail), std::string("a.b@example.com"),
       "a dot b at example dot com"},
      {field_of(FieldType::kString), std::string("Anna"), "Anna"},
  };
  for (const auto &row : rows)
    check(row.said, spoken_value(row.field, row.value, kToday), row.said);
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/values/words-are-what-was-said", test_words);
  g_test_add_func("/values/yes-and-no", test_yes_no);
  g_test_add_func("/values/numbers", test_numbers);
  g_test_add_func("/values/every-number-to-999", test_every_number_to_999);
  g_test_add_func("/values/dictated-digits", test_digits);
  g_test_add_func("/values/phone-numbers", test_phones);
  g_test_add_func("/values/email-addresses", test_emails);
  g_test_add_func("/values/dates-seen-from-today", test_dates);
  g_test_add_func("/values/times-of-day", test_times);
  g_test_add_func("/values/long-answers-take-no-time", test_long_answers);
  g_test_add_func("/values/choices-inside-sentences", test_choices);
  g_test_add_func("/values/fields-take-what-fits-them", test_typed_values);
  g_test_add_func("/values/values-are-said-back", test_said_back);
  return g_test_run();
}
