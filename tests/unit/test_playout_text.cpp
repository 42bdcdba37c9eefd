// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/add_tests.hpp"
#include "playout_tests.hpp"

#include <string>
#include <vector>

// Which words were heard of a text.
using namespace patchcord;
using namespace patchcord::twilio;

namespace {

void test_heard_text() {
  const std::vector<WordTiming> timings = {{0, 100}, {4, 400}, {8, 700}};
  const struct {
    const char *text;
    const std::vector<WordTiming> *timings;
    std::uint64_t samples, total;
    bool complete;
    const char *heard;
  } cases[] = {
      {"one two six", nullptr, 0, 8000, true, ""},
      {"one two six", nullptr, 1990, 8000, true, ""},
      {"one two six", nullptr, 2010, 8000, true, "one"},
      {"one two six", nullptr, 7900, 8000, true, "one two"},
      {"one two six", nullptr, 8000, 8000, true, "one two six"},
      // More of it may come: 11 characters take 726 ms.
      {"one two six", nullptr, 2000, 2000, false, "one"},
      {"one two six", nullptr, 8000, 8000, false, "one two six"},
      // By the timings a word is heard when the next one begins.
      {"one two six", &timings, 3199, 8000, true, ""},
      {"one two six", &timings, 3200, 8000, true, "one"},
      {"one two six", &timings, 5600, 8000, true, "one two"},
      {"one two six", &timings, 7300, 8000, true, "one two six"},
      {"one two six", &timings, 7000, 8000, true, "one two"},
      // The last one after its length: a digit is a word.
      {"one two six", &timings, 7180, 16000, true, "one two"},
      {"one two six", &timings, 7190, 16000, true, "one two six"},
      {"one two 40.", &timings, 9290, 16000, true, "one two"},
      {"one two 40.", &timings, 9300, 16000, true, "one two 40."},
      {"grün süß weiß", nullptr, 6000, 8000, true, "grün süß"},
      {"\xe4\xbd\xa0\xe5\xa5\xbd\xe5\x90\x97", nullptr, 5400, 8000, true,
       "\xe4\xbd\xa0\xe5\xa5\xbd"},
      {"hello", nullptr, 7900, 8000, true, ""},
      {"", nullptr, 4000, 8000, true, ""},
  };
  for (const auto &c : cases) {
    g_test_message("%s %d of %d", c.text, static_cast<int>(c.samples),
                   static_cast<int>(c.total));
    SpokenScript script;
    script.add(c.text,
               c.timings != nullptr ? *c.timings : std::vector<WordTiming>(),
               0);
    const std::string heard = script.heard(c.samples, c.total, c.complete);
    g_assert_cmpstr(heard.c_str(), ==, c.heard);
  }
}

void test_heard_text_of_segments() {
  SpokenScript script;
  script.add("Hello there. ", {}, 0);
  script.add("How are you?", {}, 8000);
  const struct {
    std::uint64_t samples;
    const char *heard;
  } cases[] = {{0, ""},
               {4000, "Hello"},
               {8000, "Hello there."},
               {12'000, "Hello there. How"},
               {16'000, "Hello there. How are you?"}};
  for (const auto &c : cases) {
    const std::string heard = script.heard(c.samples, 16'000, true);
    g_assert_cmpstr(heard.c_str(), ==, c.heard);
  }
  // Text that has no audio yet was not heard.
  SpokenScript unspoken;
  unspoken.add("one", {}, 0);
  unspoken.add("two", {}, 0);
  const std::string nothing = unspoken.heard(0, 0, false);
  g_assert_cmpstr(nothing.c_str(), ==, "");
}

void test_hostile_timings() {
  SpokenScript script;
  script.add("abc \xc3\xa4", {{99, 0}, {5, 10}, {5, 20}}, 0);
  for (std::uint64_t samples = 0; samples < 9000; samples += 7)
    script.heard(samples, 8000, true);
}

} // namespace

void test::add_playout_text() {
  add_tests({
      {"/playout/heard-text-is-cut-at-the-word", test_heard_text},
      {"/playout/heard-text-of-several-segments", test_heard_text_of_segments},
      {"/playout/hostile-timings-do-no-harm", test_hostile_timings},
  });
}
