// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/base64.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

#include "../support/check_text.hpp"

#include <glib.h>

#include <string>
#include <vector>

using namespace patchcord;

static void test_base64_vectors() {
  // RFC 4648 section 10.
  const char *vectors[][2] = {{"", ""},
                              {"f", "Zg=="},
                              {"fo", "Zm8="},
                              {"foo", "Zm9v"},
                              {"foob", "Zm9vYg=="},
                              {"fooba", "Zm9vYmE="},
                              {"foobar", "Zm9vYmFy"}};
  for (const auto &[plain, coded] : vectors) {
    CHECK_TEXT(base64::encode(as_bytes(plain)), coded);
    Bytes back;
    g_assert_true(base64::append_decoded(back, coded));
    CHECK_TEXT(as_text(back), plain);
  }
}

static void test_base64_refuses() {
  for (const char *bad : {"Z", "Zg", "Zg=", "Z===", "====", "Zm9v\n", "Zm9*",
                          "Zg==Zg==", "=m9v", "Zm=v"}) {
    Bytes out = {7};
    g_test_message("%s", bad);
    g_assert_false(base64::append_decoded(out, bad));
    g_assert_cmpuint(out.size(), ==, 1);
  }
}

static void test_base64_round_trip() {
  Bytes bytes;
  for (int i = 0; i < 600; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(i * 37));
    Bytes back;
    g_assert_true(base64::append_decoded(back, base64::encode(bytes)));
    g_assert_true(back == bytes);
  }
}

static void test_json_bounds() {
  const std::string deep(100000, '[');
  CHECK_TEXT(JsonDocument::parse(deep).error().code, "bad_json");
  CHECK_TEXT(JsonDocument::parse(deep + std::string(100000, ']')).error().code,
             "too_deep");
  CHECK_TEXT(JsonDocument::parse(std::string(2 << 20, ' ')).error().code,
             "too_large");
  CHECK_TEXT(JsonDocument::parse("{\"a\":\"\xff\"}").error().code, "not_utf8");
  for (const char *bad : {"", " ", "{", "{]", "nonsense", "{\"a\":}", "1 2",
                          "{\"a\":1,}", "\"\\ud800\"", "\"\x01\""})
    CHECK_TEXT(JsonDocument::parse(bad).error().code, "bad_json");
  // As deep as the limit, and no deeper; whatever was parsed before.
  const auto nested = [](int depth) {
    const auto size = static_cast<std::size_t>(depth);
    return std::string(size, '[') + "1" + std::string(size, ']');
  };
  for (const int limit : {32, 4, 32}) {
    JsonLimits limits;
    limits.depth = limit;
    g_assert_true(JsonDocument::parse(nested(limit), limits).ok());
    CHECK_TEXT(JsonDocument::parse(nested(limit + 1), limits).error().code,
               "too_deep");
  }
  // Brackets in strings are not depth.
  g_assert_true(JsonDocument::parse("\"" + std::string(1000, '[') + "\"").ok());
}

static void test_json_types() {
  const auto document = JsonDocument::parse(
      R"({"s":"12","i":3,"d":1.5,"b":true,"n":null,"a":[1,"x"],"o":{}})");
  g_assert_true(document.ok());
  const JsonView root = document->root();
  g_assert_cmpint(*root["s"].lenient_integer(), ==, 12);
  g_assert_cmpint(*root["i"].lenient_integer(), ==, 3);
  g_assert_false(root["s"].integer().has_value());
  g_assert_false(root["i"].text().has_value());
  g_assert_cmpfloat(*root["i"].number(), ==, 3.0);
  g_assert_true(*root["b"].boolean());
  g_assert_true(root["n"].is_null());
  g_assert_true(root["absent"].is_null());
  g_assert_false(root["absent"]["deeper"].string().has_value());
  g_assert_cmpuint(root["a"].size(), ==, 2);
  g_assert_cmpint(*root["a"].at(0).integer(), ==, 1);
  g_assert_false(static_cast<bool>(root["a"].at(2)));
  g_assert_cmpuint(root["o"].size(), ==, 0);
}

static void test_json_documents_are_apart() {
  // Parsers are used again: a document of one thread and the next do not mix,
  // nor do several at once, nor those that are moved.
  std::vector<JsonDocument> documents;
  for (int i = 0; i < 10; ++i) {
    auto parsed = JsonDocument::parse("{\"text\":\"number " +
                                      std::to_string(i) + "\",\"pad\":\"" +
                                      std::string(1000 * i * i, 'x') + "\"}");
    g_assert_true(parsed.ok());
    documents.push_back(*std::move(parsed));
  }
  for (int i = 0; i < 10; ++i)
    CHECK_TEXT(documents[i].root()["text"].string().value(),
               "number " + std::to_string(i));
  const JsonDocument moved = std::move(documents[3]);
  documents.clear();
  CHECK_TEXT(moved.root()["text"].string().value(), "number 3");
  const auto nul = JsonDocument::parse(R"({"t":"a\u0000b","t":"second"})");
  CHECK_TEXT(nul->root()["t"].string().value(), "a");
}

static void test_json_writer_keeps_order() {
  JsonWriter writer;
  writer.begin_object()
      .member("zebra", 1)
      .member("apple", "q\"\\\n\x01")
      .key("list")
      .begin_array()
      .value(true)
      .null()
      .value(0.5)
      .end_array()
      .key("raw")
      .raw("{\"x\":1}")
      .end_object();
  CHECK_TEXT(
      writer.text(),
      R"({"zebra":1,"apple":"q\"\\\n\u0001","list":[true,null,0.5],"raw":{"x":1}})");
  JsonWriter odd;
  odd.value(std::string_view("a\xff"
                             "b\0c",
                             5));
  g_assert_true(JsonDocument::parse("[" + odd.text() + "]").ok());
}

static void test_text() {
  CHECK_TEXT(trim("  a b\r\n"), "a b");
  g_assert_cmpuint(split("a,,b", ',').size(), ==, 3);
  g_assert_cmpuint(random_hex(16).size(), ==, 32);
  g_assert_true(random_hex(16) != random_hex(16));
  g_assert_true(constant_time_equal("abc", "abc"));
  g_assert_false(constant_time_equal("abc", "abd"));
  g_assert_false(constant_time_equal("abc", "ab"));
  CHECK_TEXT(log::mask_number("+14155550100"), "+1415*****00");
  CHECK_TEXT(log::mask_number("anon"), "****");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/base64/rfc-4648-vectors", test_base64_vectors);
  g_test_add_func("/base64/refuses-what-is-not-whole", test_base64_refuses);
  g_test_add_func("/base64/round-trip-of-every-length", test_base64_round_trip);
  g_test_add_func("/json/bounds-come-before-parsing", test_json_bounds);
  g_test_add_func("/json/types-are-checked", test_json_types);
  g_test_add_func("/json/documents-are-apart", test_json_documents_are_apart);
  g_test_add_func("/json/writer-keeps-order", test_json_writer_keeps_order);
  g_test_add_func("/text/small-things", test_text);
  return g_test_run();
}
