// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include "agent/answer.hpp"
#include "agent/llm_mind.hpp"
#include "agent/scripted_mind.hpp"
#include "agent/values.hpp"

#include <glib.h>

// Digits that are keyed in, said, or both.
using namespace patchcord;
using namespace patchcord::agent;

namespace {

using Step = ConversationScript::Step;

std::unique_ptr<ConversationScript> code_asked(const std::string &field) {
  const auto definition = with_fields(field);
  auto script = std::make_unique<ConversationScript>(
      std::make_unique<ScriptedMind>(definition, kWednesday), "", definition);
  script->run({{0, "start", "start 1; Hello.; Your code?; end 1"},
               {100, "started:1", ""},
               {1000, "ended:1", ""}});
  script->hear_closing();
  return script;
}

const char *const kTaken = "start 2!; Done.; Bye.; end 2; ended goal "
                           "{\"code\":\"0471\"} goal; EOS";

void test_digits_end() {
  // By the terminator, by the pause, by the last of them.
  code_asked(kCode)->run({{2000, "key:0", ""},
                          {2100, "key:4", ""},
                          {2200, "key:7", ""},
                          {2300, "key:1", ""},
                          {2400, "key:#", kTaken}});
  code_asked(kCode)->run({{2000, "key:0", ""},
                          {4900, "key:4", ""},
                          {5000, "key:7", ""},
                          {5100, "key:1", ""},
                          {8099, "wait", ""},
                          {8100, "wait", kTaken}});
  code_asked(kCode)->run({{2000, "key:0", ""},
                          {2100, "key:4", ""},
                          {2200, "key:7", ""},
                          {2300, "key:1", ""},
                          {2400, "key:1", ""},
                          {2500, "key:1",
                           "start 2!; Done.; Bye.; end 2; ended goal "
                           "{\"code\":\"047111\"} goal; EOS"}});
}

void test_digits_said() {
  code_asked(kCode)->run({{2000, "speech", ""},
                          {3000, "quiet", ""},
                          // Six would be all; four may be.
                          {3100, "words:oh four seven one", ""},
                          {3699, "wait", ""},
                          {3700, "wait", kTaken}});
  code_asked(kCode)->run(
      {{2000, "speech", ""},
       {3000, "quiet", ""},
       {3100, "words:it is oh four seven one double one",
        "start 2!; Done.; Bye.; end 2; ended goal {\"code\":\"047111\"} goal; "
        "EOS"}});
}

void test_digits_refused() {
  auto script = code_asked(kCode);
  script->run({{2000, "key:0", ""},
               {2100, "key:#",
                "start 2; It has four to six digits.; Your code?; end 2"},
               // It ended them already, and interrupts nobody.
               {2300, "started:2", ""},
               {2400, "key:#", ""},
               {2500, "key:0", "flush"},
               {2510, "cut:2:It has", "interrupted 1/2 \"It has\" 600"},
               {2600, "key:4", ""},
               {2650, "key:5", ""},
               {2700, "key:*", ""}, // away with it
               {2800, "key:0", ""},
               {2900, "key:4", ""},
               {3000, "key:7", ""},
               {3100, "key:1", ""},
               {3200, "key:#",
                "start 3!; Done.; Bye.; end 3; ended goal "
                "{\"code\":\"0471\"} goal; EOS"}});
}

void test_other_terminators() {
  code_asked(std::string(kCode) + "terminator = \"*\"\n")
      ->run({{2000, "key:0", ""},
             {2100, "key:4", ""},
             {2200, "key:7", ""},
             {2300, "key:1", ""},
             {2400, "key:#", ""},
             {2500, "key:*", kTaken}});
  code_asked(std::string(kCode) + "terminator = \"\"\n")
      ->run({{2000, "key:0", ""},
             {2100, "key:4", ""},
             {2200, "key:7", ""},
             {2300, "key:1", ""},
             {2400, "key:#", ""},
             {5299, "wait", ""},
             {5300, "wait", kTaken}});
}

// There may be more of them to come; so it is with words that they belong to.
void test_digits_at_the_end_of_time() {
  const std::string field = std::string(kCode) +
                            "[phrases]\ntime_up = \"Time is up.\"\n"
                            "[limits]\nmax_duration_s = 5\n";
  const char *const time_up =
      "start 2!; Time is up.; end 2; ended max_duration {}; EOS";
  code_asked(field)->run({{2000, "key:0", ""},
                          {2100, "key:4", ""},
                          {2200, "key:7", ""},
                          {2300, "key:1", ""},
                          {5000, "wait", time_up}});
  code_asked(field)->run({{3000, "speech", ""},
                          {4000, "quiet", ""},
                          {4400, "words:oh four seven one", ""},
                          {4600, "key:1", ""},
                          {5000, "wait", time_up}});
  // Of those that have ended it is known.
  code_asked(field)->run({{2000, "key:0", ""},
                          {2100, "key:4", ""},
                          {2200, "key:7", ""},
                          {2300, "key:1", ""},
                          {4999, "key:#", kTaken}});
}

void test_digits_and_model() {
  const auto definition = with_fields(kCode);
  LlmMind mind(definition, kWednesday, {});
  g_assert_true(mind.expectation().digits->timeout == 3s);
  g_assert_cmpint(mind.expectation().digits->most, ==, 6);
  // It may ask for a telephone number first, or have one corrected.
  const auto more =
      with_fields(std::string(kCode) + "[[fields]]\nname = \"phone\"\ntype = "
                                       "\"phone\"\nquestion = \"Phone?\"\n");
  const LlmMind of_two(more, kWednesday, {});
  g_assert_cmpint(of_two.expectation().digits->most, ==, 32);
  mind.model_begin();
  (void)mind.model_text(
      R"({"message":"m","action":"ask","extracted":{"code":"0471"}})");
  (void)mind.model_done("stop", "", "m");
  equal(to_json(*definition, mind.values()), R"({"code":"0471"})");
  g_assert_false(mind.expectation().digits.has_value());
}

// Typed or said, and whatever the model makes of it: what is too long for the
// field is no value of it.
void test_too_many_digits_and_model() {
  const auto definition = with_fields(kCode);
  LlmMind mind(definition, kWednesday, {});
  for (const char *digits : {"0471111", "471", ""}) {
    mind.model_begin();
    (void)mind.model_text((std::string(R"({"message":"m","action":"ask",)") +
                           R"("extracted":{"code":")" + digits + "\"}}")
                              .c_str());
    (void)mind.model_done("stop", "", "m");
    equal(to_json(*definition, mind.values()), "{}");
  }
  g_assert_cmpint(mind.expectation().digits->most, ==, 6);
}

void test_too_many_digits_said() {
  code_asked(kCode)->run(
      {{2000, "speech", ""},
       {3000, "quiet", ""},
       {3100, "words:oh four seven one double one two",
        "start 2; It has four to six digits.; Your code?; end 2"}});
}

// --- keys and words ----------------------------------------------------------

constexpr char kZip[] = R"([[fields]]
name = "code"
type = "digits"
question = "Your code?"
invalid = "It has five digits."
min_digits = 5
max_digits = 5
timeout_s = 3
)";
const char *const kZipTaken = "start 2!; Done.; Bye.; end 2; ended goal "
                              "{\"code\":\"90210\"} goal; EOS";
const char *const kZipRefused =
    "start 2; It has five digits.; Your code?; end 2";

void test_said_and_keyed() {
  code_asked(kZip)->run({{2000, "speech", ""},
                         {2800, "quiet", ""},
                         {3000, "words:nine oh", ""},
                         {4200, "key:2", ""},
                         {5500, "key:1", ""},
                         {5600, "key:0", kZipTaken}});
  // The recogniser needs its time: what was said first comes first.
  code_asked(kZip)->run({{2000, "speech", ""},
                         {2500, "quiet", ""},
                         {2700, "key:2", ""},
                         {2900, "words@2900:nine oh", ""},
                         {3000, "key:1", ""},
                         {3100, "key:0", kZipTaken}});
  code_asked(kZip)->run({{2000, "speech", ""},
                         {2500, "quiet", ""},
                         {2600, "key:2", ""},
                         {2700, "key:1", ""},
                         {2800, "key:0", ""},
                         {2900, "words@2900:nine oh", kZipTaken}});
  // Too few: the pause behind the last key ends them.
  code_asked(kZip)->run({{2000, "speech", ""},
                         {2800, "quiet", ""},
                         {3000, "words:nine oh", ""},
                         {4000, "key:2", ""},
                         {6999, "wait", ""},
                         {7000, "wait", kZipRefused}});
  // "My number is", and it is keyed in.
  code_asked(kZip)->run({{2000, "speech", ""},
                         {2800, "quiet", ""},
                         {3000, "words:my code is", ""},
                         {3100, "key:9", ""},
                         {3200, "key:0", ""},
                         {3300, "key:2", ""},
                         {3400, "key:1", ""},
                         {6000, "key:0", kZipTaken}});
}

void test_keyed_and_said() {
  code_asked(kZip)->run({{2000, "key:9", ""},
                         {2200, "key:0", ""},
                         {2500, "speech", ""},
                         {3300, "quiet", ""},
                         {3600, "words:two one oh", kZipTaken}});
  // And keyed again.
  code_asked(kZip)->run({{2000, "key:9", ""},
                         {2500, "speech", ""},
                         {3300, "quiet", ""},
                         {3600, "words:oh two", ""},
                         {4000, "key:1", ""},
                         {4100, "key:0", kZipTaken}});
  // Too few: he may go on, as with words alone.
  code_asked(kZip)->run({{2000, "key:9", ""},
                         {2500, "speech", ""},
                         {3300, "quiet", ""},
                         {3600, "words:oh two", ""},
                         {4799, "wait", ""},
                         {4800, "wait", kZipRefused}});
}

void test_said_anew() {
  // The whole of it, behind keys: they were wrong, or are said again.
  for (const char *words :
       {"words:nine oh two one oh", "words:no, it's nine oh two one oh"})
    for (const char *key : {"key:9", "key:8"})
      code_asked(kZip)->run({{2000, key, ""},
                             {2200, "key:0", ""},
                             {2500, "speech", ""},
                             {3300, "quiet", ""},
                             {3600, words, kZipTaken}});
  // And keyed in whole behind words.
  code_asked(kZip)->run({{2000, "speech", ""},
                         {2800, "quiet", ""},
                         {3000, "words:nine oh", ""},
                         {3100, "key:9", ""},
                         {3200, "key:0", ""},
                         {3300, "key:2", ""},
                         {3400, "key:1", ""},
                         {3500, "key:0", kZipTaken}});
  // Where both fit, the same beginning tells that it is said again.
  const struct {
    const char *words, *code;
    bool at_once; // no more is to come
  } rows[] = {{"words:oh four seven one", "0471", false},
              {"words:seven one", "0471", false},
              {"words:seven one double two", "047122", true},
              {"words:sorry, seven one double two", "7122", false}};
  for (const auto &row : rows) {
    const std::string taken = std::string("start 2!; Done.; Bye.; end 2; ended "
                                          "goal {\"code\":\"") +
                              row.code + "\"} goal; EOS";
    code_asked(kCode)->run({{2000, "key:0", ""},
                            {2200, "key:4", ""},
                            {2500, "speech", ""},
                            {3300, "quiet", ""},
                            {3600, row.words, row.at_once ? taken : ""},
                            {9000, "wait", row.at_once ? "" : taken}});
  }
}

void test_keys_wait_for_words() {
  code_asked(kZip)->run({{2000, "key:9", ""},
                         {2200, "key:0", ""},
                         {2400, "key:2", ""},
                         {5000, "speech", ""},
                         {6500, "quiet", ""}, // the pause behind keys is over
                         {7500, "words:one oh", kZipTaken}});
  // Noise is no word.
  code_asked(kZip)->run({{2000, "key:9", ""},
                         {4900, "speech", ""},
                         {5100, "quiet", ""},
                         {7099, "wait", ""},
                         {7100, "wait", kZipRefused}});
}

void test_keys_end_words() {
  code_asked(kCode)->run({{2000, "speech", ""},
                          {2800, "quiet", ""},
                          {3000, "words:oh four seven one", ""},
                          {3100, "key:#", kTaken}});
  code_asked(kZip)->run({{2000, "speech", ""},
                         {2800, "quiet", ""},
                         {3000, "words:nine oh", ""},
                         {3100, "key:2", ""},
                         {3200, "key:#", kZipRefused}});
  // A key that means nothing ends nothing.
  code_asked(std::string(kZip) + "terminator = \"\"\n")
      ->run({{2000, "speech", ""},
             {2800, "quiet", ""},
             {3000, "words:nine oh", ""},
             {3100, "key:#", ""},
             {4299, "wait", ""},
             {4300, "wait", kZipRefused}});
  // Away with all of it.
  code_asked(kZip)->run({{2000, "speech", ""},
                         {2800, "quiet", ""},
                         {3000, "words:eight oh", ""},
                         {3100, "key:2", ""},
                         {3200, "key:*", ""},
                         {3300, "key:9", ""},
                         {3400, "key:0", ""},
                         {3500, "key:2", ""},
                         {3600, "key:1", ""},
                         {3700, "key:0", kZipTaken}});
}

void test_telephone_number() {
  constexpr char kPhone[] = "[[fields]]\nname = \"code\"\ntype = \"phone\"\n"
                            "question = \"Your code?\"\n";
  const struct {
    const char *last_key, *words;
  } rows[] = {
      {"key:5", "words:five five five oh one double oh"},
      // All of it, though the rest alone would be a number as well.
      {"key:5", "words:four one five five five five oh one double oh"},
      {"key:6", "words:four one five five five five oh one double oh"},
  };
  for (const auto &row : rows)
    code_asked(kPhone)->run({{2000, "key:4", ""},
                             {2200, "key:1", ""},
                             {2400, row.last_key, ""},
                             {2700, "speech", ""},
                             {5500, "quiet", ""},
                             {5900, row.words,
                              "start 2!; Done.; Bye.; end 2; ended goal "
                              "{\"code\":\"4155550100\"} goal; EOS"}});
  // Keys of a country code.
  code_asked(kPhone)->run(
      {{2000, "key:1", ""},
       {2700, "speech", ""},
       {5500, "quiet", ""},
       {5900, "words:four one five five five five oh one double oh",
        "start 2!; Done.; Bye.; end 2; ended goal "
        "{\"code\":\"14155550100\"} goal; EOS"}});
}

void test_telephone_numbers_that_go_on() {
  constexpr char kPhone[] = "[[fields]]\nname = \"code\"\ntype = \"phone\"\n"
                            "question = \"Your code?\"\n";
  // Keys, words behind them or (where `first` is set) before them.
  const struct {
    bool first;
    const char *words, *keys, *number;
  } rows[] = {
      // An area code, and a number that begins as it does.
      {false, "two one two five five five oh", "212", "2122125550"},
      {false, "two one two two one two five five five oh", "212", "2122125550"},
      // Abroad they are longer.
      {true, "plus four nine one five one", "12345678", "+4915112345678"},
      {true, "oh oh four nine one five one", "12345678", "004915112345678"},
      {true, "plus four nine", "491234567", "+49491234567"},
      {true, "plus four nine one five one", "015112345678", "015112345678"},
      // Something else with it is kept, whatever comes of it.
      {true, "four one five is for my wife", "4155550100", "4155550100"},
  };
  for (const auto &row : rows) {
    const auto script = code_asked(kPhone);
    int ms = 2000;
    const auto step = [&](const std::string &input, const std::string &does) {
      script->run({{ms, input, does}});
      ms += 200;
    };
    const auto say = [&] {
      step("speech", "");
      step("quiet", "");
      step(std::string("words:") + row.words, "");
    };
    if (row.first)
      say();
    for (const char *key = row.keys; *key != '\0'; ++key)
      step(std::string("key:") + *key, "");
    const std::string taken =
        std::string("start 2!; Done.; Bye.; end 2; ended goal {\"code\":\"") +
        row.number + "\"} goal; EOS";
    if (row.first) {
      step("key:#", taken);
    } else {
      step("speech", "");
      step("quiet", "");
      script->run({{ms, std::string("words:") + row.words, taken}});
    }
  }
}

// The whole by keys behind a part in words, whatever leads into that: no list
// has all that people say there. What else they say stays.
void test_joined_digits() {
  DigitRules rules;
  rules.fewest = 7;
  rules.most = 12;
  const struct {
    const char *before, *behind, *text;
  } rows[] = {
      {"415", "4155550100", "4155550100"},
      {"four one five, please", "4155550100", "4155550100"},
      {"415, that's the area code", "4155550100", "4155550100"},
      {"my number is 415", "4155550100", "my number is 4155550100"},
      {"my number's 415", "4155550100", "my number's 4155550100"},
      {"sure 415", "4155550100", "sure 4155550100"},
      {"this is 415", "4155550100", "this is 4155550100"},
      {"I think it's 415", "4155550100", "I think it's 4155550100"},
      {"you can reach me at four one five", "4155550100",
       "you can reach me at 4155550100"},
      {"call me at 415 555", "4155550100", "call me at 4155550100"},
      {"let me see 415 555", "4155550100", "let me see 4155550100"},
      {"call me at four one double five", "415 555 0100",
       "call me at 415 555 0100"},
      {"call me at 415 555 0100", "415 555 0101", "call me at 415 555 0101"},
      {"my number's 415", "no, it's 510 555 0100",
       "my number's no, it's 510 555 0100"},
      // It goes on.
      {"my number's 415", "5550100", "my number's 415 5550100"},
      {"my number's 212", "2125550", "my number's 212 2125550"},
      {"my number's 415 555", "0100", "my number's 415 555 0100"},
      {"415 is for my wife", "4155550100", "415 is for my wife 4155550100"},
      {"a table for four people", "4155550100",
       "a table for four people 4155550100"},
      {"", "4155550100", "4155550100"},
      {"my number is", "4155550100", "my number is 4155550100"},
  };
  for (const auto &row : rows)
    equal(std::string(row.before) + " | " + row.behind + ": " +
              joined_digits(row.before, row.behind, rules, true),
          std::string(row.before) + " | " + row.behind + ": " + row.text);
}

// Keys of noise: what nobody says is not waited for without an end.
void test_keys_and_lasting_noise() {
  code_asked(kZip)->run({{2000, "key:9", ""},
                         {4900, "speech", ""},
                         {12999, "wait", ""},
                         {13000, "wait",
                          "start 2; hold; It has five digits.; Your "
                          "code?; end 2"}});
  // Nor is noise that comes and goes.
  code_asked(kZip)->run({{2000, "key:9", ""},
                         {4900, "speech", ""},
                         {6000, "quiet", ""},
                         {7000, "speech", ""},
                         {8000, "quiet", ""},
                         {9000, "speech", ""},
                         {10000, "quiet", ""},
                         {11000, "speech", ""},
                         {12000, "quiet", ""},
                         {12999, "wait", ""},
                         {13000, "wait", kZipRefused}});
  // Words are.
  code_asked(kZip)->run({{2000, "key:9", ""},
                         {4900, "speech", ""},
                         {12000, "partial:oh two", ""},
                         {15000, "partial:oh two one", ""},
                         {16000, "quiet", ""},
                         {16500, "words:oh two one oh", kZipTaken}});
}

// What a model asks for nobody knows: nothing is taken for said again.
void test_model_loses_no_sentence() {
  const char *const phone = "[[fields]]\nname = \"phone\"\ntype = \"phone\"\n"
                            "question = \"Phone?\"\n";
  const struct {
    const char *first, *second;
  } rows[] = {
      {"A table for four on the terrace.", "My number is 415 555 0100."},
      {"A table for two at seven.", "Actually my number is 415 555 0100."},
      {"Four.", "My number is 415 555 0100."},
  };
  for (const auto &row : rows) {
    auto script = ConversationScript::model({}, phone);
    script->run({{0, "start", "start 1; Hello.; Which city?; end 1"},
                 {100, "started:1", ""},
                 {1000, "ended:1", ""},
                 {2000, "speech", ""},
                 {3000, "quiet", ""}});
    (void)script->request_body(3100, std::string("words:") + row.first);
    script->run({{3200, "speech", ""}, {5000, "quiet", ""}});
    const std::string body =
        script->request_body(5100, std::string("words:") + row.second);
    const std::string both = std::string(row.first) + " " + row.second;
    if (body.find(both) == std::string::npos)
      g_error("%s", body.c_str());
    if (script->history().find(both) == std::string::npos)
      g_error("%s", script->history().c_str());
  }
}

// Keys behind a sentence that waits for more, and keys taken back.
void test_model_keeps_words_of_keys() {
  for (const bool star : {false, true}) {
    auto script = ConversationScript::model({}, kZip);
    script->run({{0, "start", "start 1; Hello.; Which city?; end 1"},
                 {100, "started:1", ""},
                 {1000, "ended:1", ""},
                 {2000, "speech", ""},
                 {2500, "quiet", ""},
                 {3000, "words:a table for nine, my code is nine oh", ""},
                 {3100, "key:9", ""},
                 {3200, "key:0", ""},
                 {3300, "key:2", ""},
                 {3400, "key:1", ""}});
    std::string body;
    if (star) {
      script->run({{3500, "key:*", ""}});
      body = script->request_body(9000, "wait");
    } else {
      body = script->request_body(3500, "key:0");
    }
    const std::string words =
        std::string("\"a table for nine, my code is nine oh") +
        (star ? "\"" : " 90210\"");
    if (body.find(words) == std::string::npos)
      g_error("%s", body.c_str());
  }
}

void test_model_hears_both() {
  auto script = ConversationScript::model({}, kZip);
  script->run({{0, "start", "start 1; Hello.; Which city?; end 1"},
               {100, "started:1", ""},
               {1000, "ended:1", ""},
               {2000, "speech", ""},
               {2500, "quiet", ""},
               {3000, "words:my code is nine oh", ""},
               {3100, "key:2", ""},
               {3200, "key:1", ""}});
  const std::string body = script->request_body(3300, "key:0");
  if (body.find("\"my code is nine oh 210\"") == std::string::npos)
    g_error("%s", body.c_str());
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"/digits/end-at-key-pause-or-length", test_digits_end},
      {"/digits/are-said-as-well", test_digits_said},
      {"/digits/too-few-are-asked-for-again", test_digits_refused},
      {"/digits/may-end-at-another-key-or-none", test_other_terminators},
      {"/digits/that-have-not-ended-when-time-is-up-do-not-count",
       test_digits_at_the_end_of_time},
      {"/digits/of-a-model-are-for-the-field-that-is-missing",
       test_digits_and_model},
      {"/digits/too-many-of-a-model-are-no-value",
       test_too_many_digits_and_model},
      {"/digits/too-many-that-are-said-are-asked-for-again",
       test_too_many_digits_said},
      {"/digits/said-and-keyed-are-one-answer", test_said_and_keyed},
      {"/digits/keyed-and-said-are-one-answer", test_keyed_and_said},
      {"/digits/said-again-in-whole-replace-those-before", test_said_anew},
      {"/digits/wait-for-words-that-are-being-said", test_keys_wait_for_words},
      {"/digits/end-at-a-key-whatever-was-said", test_keys_end_words},
      {"/digits/of-a-telephone-number-are-said-and-keyed",
       test_telephone_number},
      {"/digits/of-a-telephone-number-go-on-behind-area-and-country",
       test_telephone_numbers_that_go_on},
      {"/digits/of-a-part-give-way-to-the-whole", test_joined_digits},
      {"/digits/wait-for-noise-but-so-long", test_keys_and_lasting_noise},
      {"/digits/behind-a-sentence-leave-it-to-the-model",
       test_model_loses_no_sentence},
      {"/digits/by-keys-leave-the-words-before-them-to-the-model",
       test_model_keeps_words_of_keys},
      {"/digits/said-and-keyed-are-told-to-the-model", test_model_hears_both},
  };
  for (const auto &test : tests)
    g_test_add_func(test.name, test.test);
  return g_test_run();
}
