// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/form.hpp"

#include "../support/check_text.hpp"

#include <glib.h>

using namespace patchcord;
using namespace patchcord::twilio;

static void test_decodes() {
  const struct {
    const char *body;
    Form fields;
  } cases[] = {
      {"", {}},
      {"a=1&b=2", {{"a", "1"}, {"b", "2"}}},
      {"From=%2B14155550100&City=SAN+FRANCISCO",
       {{"From", "+14155550100"}, {"City", "SAN FRANCISCO"}}},
      {"Digits=&x", {{"Digits", ""}, {"x", ""}}},
      {"&&a=1&&", {{"a", "1"}}},
      {"a=1&a=2&a=1", {{"a", "1"}, {"a", "2"}, {"a", "1"}}},
      {"a=b=c", {{"a", "b=c"}}},
      {"=v", {{"", "v"}}},
      {"n=Jos%C3%A9+%c3%91", {{"n", "Jos\xc3\xa9 \xc3\x91"}}},
      // What is no escape stands for itself.
      {"a=%&b=%4&c=%zz&d=100%25",
       {{"a", "%"}, {"b", "%4"}, {"c", "%zz"}, {"d", "100%"}}},
      {"a=+x+", {{"a", " x "}}},
  };
  for (const auto &[body, fields] : cases) {
    g_test_message("%s", body);
    const auto form = parse_form(body);
    g_assert_true(form.ok());
    g_assert_true(*form == fields);
  }
}

static void test_bounds() {
  g_assert_true(parse_form("abcd", {4, 10}).ok());
  CHECK_TEXT(parse_form("abcde", {4, 10}).error().code, "too_large");
  g_assert_true(parse_form("a&b&c", {100, 3}).ok());
  CHECK_TEXT(parse_form("a&b&c&d", {100, 3}).error().code, "too_large");
}

static void test_lookup() {
  const Form form = {{"a", "1"}, {"a", "2"}, {"empty", ""}};
  g_assert_true(form_value(form, "a") == "1");
  g_assert_true(form_value(form, "absent").empty());
  g_assert_true(has_field(form, "empty"));
  g_assert_false(has_field(form, "absent"));
}

static void test_round_trip() {
  Form form;
  std::string all;
  for (int i = 0; i < 256; ++i)
    all += static_cast<char>(i);
  form.emplace_back(all, all);
  form.emplace_back("&=+%", "");
  const auto back = parse_form(encode_form(form));
  g_assert_true(back.ok());
  g_assert_true(*back == form);
  CHECK_TEXT(percent_encode("a b/\xc3\xa9~"), "a%20b%2F%C3%A9~");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/form/decodes-as-twilio-encodes", test_decodes);
  g_test_add_func("/form/bytes-and-fields-are-bounded", test_bounds);
  g_test_add_func("/form/the-first-value-of-a-name-is-found", test_lookup);
  g_test_add_func("/form/what-is-encoded-decodes-to-the-same", test_round_trip);
  return g_test_run();
}
