// SPDX-License-Identifier: LGPL-2.1-or-later
#include "offline/grammar.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace patchcord::offline {
namespace {

using Kind = agent::Expectation::Kind;

constexpr std::array<const char *, 20> kSmall = {
    "zero",    "one",     "two",       "three",    "four",
    "five",    "six",     "seven",     "eight",    "nine",
    "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr std::array<const char *, 10> kTens = {
    "",      "",      "twenty",  "thirty", "forty",
    "fifty", "sixty", "seventy", "eighty", "ninety"};

// --- the rules ---------------------------------------------------------------

struct Rule {
  const char *name;
  const char *body;
};

// A leading word may be anything polite; what it is does not matter.
constexpr Rule kRules[] = {
    {"um", "um | uh | well | okay"},
    {"tail", "please | thanks | thank you"},
    // "I'd like to (book a room)", "for (two people)", "it's (Smith)".
    {"lead", "i want [to] | i would like [to] | i'd like [to] | i need [to] | "
             "can i | could i | to | for | the | a | at | in | it's | that's | "
             "let's | make it"},
    {"name_lead", "my name is | it's | it is | this is | i am | i'm"},
    {"yes",
     "/4/ yes | yeah | yep | /0.5/ yup | /2/ yes please | /2/ yes that's right "
     "| yes that is right | yes (it is | i do | i am) | that's right | "
     "that is right | that's correct | that is correct | right | correct | "
     "sure | okay | of course | go ahead | absolutely | exactly | perfect | "
     "sounds good | that's fine | please do"},
    {"no",
     "/4/ no | nope | /0.5/ nah | /2/ no thanks | /2/ no thank you | "
     "no (it's | it is | that's) (not | wrong) | no i don't | not really | "
     "that's wrong | that is wrong | that's not right | that is not right | "
     "that's not correct | wrong | not quite | never"},
    {"unit", "one | two | three | four | five | six | seven | eight | nine"},
    {"teen",
     "ten | eleven | twelve | thirteen | fourteen | fifteen | sixteen | "
     "seventeen | eighteen | nineteen"},
    {"tens",
     "twenty | thirty | forty | fifty | sixty | seventy | eighty | ninety"},
    {"below_hundred", "/3/ <unit> | /2/ <teen> | <tens> [<unit>]"},
    {"number",
     "/8/ <below_hundred> | (a | <unit>) hundred [[and] <below_hundred>] | "
     "/0.2/ zero"},
    {"number_extra", "a couple | a dozen | just me | only me | none | nobody | "
                     "<unit> and a half"},
    {"digit",
     "zero | oh | one | two | three | four | five | six | seven | eight | "
     "nine"},
    {"digits", "(/4/ <digit> | /0.5/ (double | triple) <digit>)+"},
    {"digits_lead", "it's | it is | my number is | the number is | plus"},
    {"weekday",
     "monday | tuesday | wednesday | thursday | friday | saturday | sunday"},
    {"month",
     "january | february | march | april | may | june | july | august | "
     "september | october | november | december"},
    {"ordinal",
     "first | second | third | fourth | fifth | sixth | seventh | eighth | "
     "ninth | tenth | eleventh | twelfth | thirteenth | fourteenth | "
     "fifteenth | sixteenth | seventeenth | eighteenth | nineteenth | "
     "twentieth | twenty (first | second | third | fourth | fifth | sixth | "
     "seventh | eighth | ninth) | thirtieth | thirty first"},
    {"date_lead", "on | for | it's | let's say | maybe | how about | make it"},
    {"date",
     "/6/ (today | tomorrow) | tonight | the day after tomorrow | "
     "/4/ [this | next | this coming] <weekday> | next week [<weekday>] | "
     "a week from (today | tomorrow | <weekday>) | "
     "in (a | <unit>) (day | days | week | weeks) | "
     "/3/ <month> [the] <ordinal> | [the] <ordinal> [of <month>] | "
     "this (morning | afternoon | evening)"},
    {"time_lead",
     "at | around | about | by | for | it's | let's say | maybe | make it | "
     "how about"},
    {"hour",
     "one | two | three | four | five | six | seven | eight | nine | ten | "
     "eleven | twelve"},
    // Appointments are at round times.
    {"minute",
     "/6/ thirty | /4/ fifteen | /4/ forty five | /2/ ten | /2/ twenty | "
     "/2/ forty | /2/ fifty | oh five | twenty five | thirty five | "
     "fifty five | /0.5/ (oh | twenty | thirty | forty | fifty) <unit> | "
     "/0.5/ (eleven | twelve | thirteen | fourteen | sixteen | seventeen | "
     "eighteen | nineteen)"},
    {"half_day",
     "/3/ (a | p) m | in the (morning | afternoon | evening) | at night"},
    {"time",
     "/6/ <hour> [<minute>] [<half_day>] | <hour> o'clock [<half_day>] | "
     "(half past | [a] quarter (past | to | after) | "
     "(five | ten | twenty) (past | to)) <hour> [<half_day>] | "
     "noon | midday | midnight"},
    {"repeat", "repeat [that] | say that again | can you repeat that | "
               "could you repeat that | pardon | again please | what was that"},
    {"goodbye", "goodbye | bye | bye bye | hang up"},
    {"help", "help | help me | i need help"},
    {"operator",
     "[the] operator | an agent | [a] (human | person) | somebody | "
     "(speak | talk) to (someone | somebody | a person | an agent)"},
};

const char *find_rule(std::string_view name) {
  for (const Rule &rule : kRules)
    if (rule.name == name)
      return rule.body;
  return nullptr;
}

// --- writing -----------------------------------------------------------------

std::string phrase_text(std::string_view phrase) {
  return join(spoken_form(phrase), " ");
}

// "(a | b | c)" of the phrases, each once; empty without any.
std::string alternatives(const std::vector<std::string> &phrases) {
  std::vector<std::string> texts;
  for (const std::string &phrase : phrases) {
    std::string text = phrase_text(phrase);
    if (!text.empty() &&
        std::find(texts.begin(), texts.end(), text) == texts.end())
      texts.push_back(std::move(text));
  }
  return texts.empty() ? "" : "(" + join(texts, " | ") + ")";
}

// What surrounds an answer is rarer than the bare answer; with even odds every
// breath becomes an "um" and every soft beginning an "at".
std::string around(const char *lead, const std::string &core) {
  if (core.empty())
    return "";
  return "[/0.03/ <um>] [/0.1/ (" + std::string(lead) + ")] " + core +
         " [/0.1/ <tail>]";
}

std::string number_core(const std::vector<std::string> &units) {
  const std::string words = alternatives(units);
  return words.empty() ? "(/9/ <number> | <number_extra>)"
                       : "(/9/ <number> | <number_extra>) [" + words + "]";
}

class Writer {
public:
  // Adds an alternative to the answer; empty text is ignored.
  void answer(const char *weight, const std::string &text) {
    if (!text.empty())
      text_ +=
          (text_.empty() ? "/" : " | /") + std::string(weight) + "/ " + text;
  }
  std::string take() { return std::move(text_); }

private:
  std::string text_;
};

void add_kind(Writer &writer, const agent::Expectation &expectation) {
  const auto &phrases = expectation.phrases;
  switch (expectation.kind) {
  case Kind::kYesNo:
    writer.answer("20", "[/0.03/ <um>] (<yes> | <no>)");
    break;
  case Kind::kChoice:
    writer.answer("20", around("<lead>", alternatives(phrases)));
    break;
  case Kind::kNumber:
    writer.answer("20", around("for", number_core(phrases)));
    break;
  case Kind::kDigits:
    writer.answer("20", "[/0.1/ <digits_lead>] <digits>");
    break;
  case Kind::kDate:
    writer.answer("20", around("<date_lead>", "<date>"));
    break;
  case Kind::kTime:
    writer.answer("20", around("<time_lead>", "<time>"));
    break;
  case Kind::kName:
    writer.answer("20", around("<name_lead>", alternatives(phrases)));
    break;
  case Kind::kAnything:
  case Kind::kNothing:
    // Each in its simplest form: a grammar of everything, with everything
    // around it, hears anything in anything.
    writer.answer("20", around("<lead>", alternatives(phrases)));
    writer.answer("10", "(<yes> | <no>)");
    writer.answer("5", "[/0.1/ for] <number>");
    writer.answer("5", "[/0.1/ on] <date>");
    writer.answer("5", "[/0.2/ at] <time>");
    writer.answer("3", "(<repeat> | <goodbye> | <help>)");
    break;
  }
}

void add_also(Writer &writer, const agent::Expectation &expectation) {
  const Kind kind = expectation.kind;
  const bool answered =
      kind == Kind::kYesNo || kind == Kind::kAnything || kind == Kind::kNothing;
  for (const std::string &also : expectation.also) {
    const std::string text = phrase_text(also);
    const bool yes_or_no = text == "yes" || text == "no";
    if (yes_or_no && answered)
      continue;
    // Of yes and no only the plain word: the variants are for questions that
    // ask for them.
    const bool has_variants = !yes_or_no && find_rule(text) != nullptr;
    writer.answer("1", has_variants ? "<" + text + ">" : text);
  }
}

// Typographic apostrophes (U+2018, U+2019) become plain ones, all other marks
// and spaces of that block (U+2000 to U+203F) plain spaces.
std::string plain_punctuation(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i, 3);
    if (rest.size() < 3 || !rest.starts_with("\xe2\x80")) {
      out += text[i];
      continue;
    }
    const auto last = static_cast<unsigned char>(rest[2]);
    out += last == 0x98 || last == 0x99 ? '\'' : ' ';
    i += 2;
  }
  return out;
}

// 0 to 999.
void push_number(std::vector<std::string> &words, std::size_t number) {
  if (number >= 100) {
    words.insert(words.end(), {kSmall[number / 100], "hundred"});
    if (number % 100 == 0)
      return;
    number %= 100;
  }
  if (number < 20) {
    words.emplace_back(kSmall[number]);
    return;
  }
  words.emplace_back(kTens[number / 10]);
  if (number % 10 != 0)
    words.emplace_back(kSmall[number % 10]);
}

} // namespace

std::vector<std::string> spoken_form(std::string_view phrase) {
  std::vector<std::string> words;
  std::string word, digits;
  const auto flush = [&] {
    // Longer ones, and those that begin with a zero, are told digit by digit.
    if (digits.size() > 3 || (digits.size() > 1 && digits[0] == '0'))
      for (const char digit : digits)
        words.emplace_back(kSmall[static_cast<std::size_t>(digit - '0')]);
    else if (!digits.empty())
      push_number(words, static_cast<std::size_t>(std::stoi(digits)));
    digits.clear();
    const std::size_t begin = word.find_first_not_of('\'');
    if (begin != std::string::npos)
      words.push_back(
          word.substr(begin, word.find_last_not_of('\'') + 1 - begin));
    word.clear();
  };
  const std::string text = plain_punctuation(to_lower(phrase));
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if ((digit && !word.empty()) || (!digit && !digits.empty()))
      flush();
    if (digit)
      digits += c;
    else if (is_word_character(c))
      word += c;
    else
      flush();
  }
  flush();
  return words;
}

std::string grammar_text(const agent::Expectation &expectation) {
  Writer writer;
  agent::Expectation expected = expectation;
  const bool chosen =
      expected.kind == Kind::kChoice || expected.kind == Kind::kName;
  if (chosen && alternatives(expected.phrases).empty())
    expected.kind = Kind::kAnything;
  add_kind(writer, expected);
  add_also(writer, expected);
  return writer.take();
}

Result<StateGraph> compile_grammar(std::string_view text) {
  return compile_rules(text, find_rule);
}

} // namespace patchcord::offline
