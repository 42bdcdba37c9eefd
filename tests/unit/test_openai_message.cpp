// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json.hpp"
#include "base/text.hpp"
#include "openai/chat.hpp"

#include <glib.h>

using namespace patchcord;
using openai::MessageExtractor;

namespace {

// g_assert_cmpstr keeps pointers: a temporary string would be gone by then.
void equal(const std::string &got, const std::string &expected) {
  g_assert_cmpstr(got.c_str(), ==, expected.c_str());
}

struct Case {
  const char *name;
  std::string document;
  std::string message;
  bool complete = true;
  std::string plain = ""; // text without an object; "-": not to be spoken
};

const Case kCases[] = {
    {"first", R"({"message":"Hi.","action":"ask"})", "Hi."},
    {"last", R"({"action":"ask","n":-1.5e3,"t":true,"message":"Hi."})", "Hi."},
    {"spaces", " \r\n\t{ \"action\" : \"ask\" , \"message\" : \"Hi.\" } ",
     "Hi."},
    {"empty", R"({"message":""})", ""},
    {"nested-of-the-same-name",
     R"({"a":{"message":"no","b":["]}",{"message":"\"}"}]},"message":"yes"})",
     "yes"},
    {"string-of-the-same-name", R"({"a":"message","message":"yes"})", "yes"},
    {"key-with-a-prefix", R"({"messages":"no","amessage":"no","message":"y"})",
     "y"},
    {"key-with-escapes", R"({"\u006dess\u0061ge":"yes"})", "yes"},
    {"null", R"({"message":null,"action":"ask"})", "", false},
    {"number", R"({"message":12.5,"action":"ask"})", "", false},
    {"object", R"({"message":{"message":"no"},"action":"ask"})", "", false},
    {"two-of-them", R"({"message":"one","message":"two"})", "one"},
    {"escapes", R"({"message":"a\"b\\c\/d\be\ff\ng\rh\ti"})",
     "a\"b\\c/d e f g h i"},
    {"code-points", R"({"message":"caf\u00e9 \u20AC \ud83d\ude00!"})",
     "café € 😀!"},
    {"characters", "{\"message\":\"süß 日本 😀\"}", "süß 日本 😀"},
    {"lone-high-surrogate", R"({"message":"a\ud83db"})",
     "a\xEF\xBF\xBD"
     "b"},
    {"high-surrogate-before-an-escape", R"({"message":"\ud83d\n\ud83d\u0041"})",
     "\xEF\xBF\xBD \xEF\xBF\xBD"
     "A"},
    {"two-high-surrogates", R"({"message":"\ud83d\ud83d\ude00"})",
     "\xEF\xBF\xBD😀"},
    {"lone-low-surrogate", R"({"message":"\ude00"})", "\xEF\xBF\xBD"},
    {"surrogate-at-the-end", R"({"message":"\ud83d"})", "\xEF\xBF\xBD"},
    {"broken-escape", R"({"message":"\u12zz"})", "\xEF\xBF\xBDzz"},
    {"nul", R"({"message":"a\u0000b"})", "a b"},
    {"raw-line-end", "{\"message\":\"a\nb\"}", "a b"},
    {"invalid-utf-8", "{\"message\":\"a\xC3(\x80\xED\xA0\x80z\"}",
     "a\xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBDz"},
    {"cut-by-a-limit", R"({"message":"Our opening hours are from)",
     "Our opening hours are from", false},
    {"fence", "```json\n{\"message\":\"Hi.\"}\n```", "Hi."},
    {"fence-without-a-language", "```\n{\"message\":\"Hi.\"}```", "Hi."},
    {"fence-on-one-line", "```json {\"message\":\"Hi.\"}```", "Hi."},
    {"thoughts",
     "<think>{\"message\":\"no\"} < </thin </think>\n"
     "{\"message\":\"Hi.\"}",
     "Hi."},
    {"thoughts-and-a-fence",
     "<think></think>\n\n```json\n{\"message\":\"Hi.\"}\n```", "Hi."},
    {"byte-order-mark", "\xEF\xBB\xBF{\"message\":\"Hi.\"}", "Hi."},
    {"behind-the-object", R"({"message":"Hi."} {"message":"no"})", "Hi."},
    {"empty-object", "{}", "", false},
    {"no-message", R"({"action":"ask"})", "", false},
    // Words before the object are not of the message.
    {"words-before", "Sure! {\"message\":\"Hi.\"}", "Hi."},
    {"words-and-a-fence", "Sure:\n```json\n{\"message\":\"Hi.\"}\n```\nFine?",
     "Hi."},
    {"words-and-half-a-character", "S\xC3{\"message\":\"Hi.\"}", "Hi."},
    {"words-and-an-object-that-is-none", "Hello {you}.", "", false},
    {"plain", "Hello, you\nthere.", "", false, "Hello, you there."},
    {"plain-characters", "süß 😀", "", false, "süß 😀"},
    {"plain-like-a-fence", "``two", "", false, "``two"},
    // Nobody would want to hear these, whatever follows.
    {"array", "[1]", "", false, "-"},
    {"array-of-objects", " [{\"message\":\"no\"}]", "", false, "-"},
    {"fenced-array", "```\n[1]\n```", "", false, "-"},
    {"markup", "\n<html>{\"message\":\"no\"}</html>", "", false, "-"},
    {"like-a-thought", "<thinly> so", "", false, "-"},
};

// Feeds the document in pieces that end at `cuts`; whatever comes out at each
// piece must be whole characters.
std::string extract(MessageExtractor &extractor, const std::string &document,
                    const std::vector<std::size_t> &cuts) {
  std::string message;
  std::size_t from = 0;
  const auto feed = [&](std::size_t to) {
    const std::string piece =
        extractor.feed(std::string_view(document).substr(from, to - from));
    g_assert_true(valid_utf8(piece));
    message += piece;
    from = to;
  };
  for (const std::size_t cut : cuts)
    feed(cut);
  feed(document.size());
  return message;
}

void check(const Case &test, const std::vector<std::size_t> &cuts) {
  MessageExtractor extractor;
  const std::string message = extract(extractor, test.document, cuts);
  equal(message, test.message);
  g_assert_cmpint(extractor.message_complete(), ==, test.complete);
  g_assert_cmpint(extractor.is_plain_text(), ==, !test.plain.empty());
  if (!test.plain.empty())
    equal(extractor.plain_text(), test.plain == "-" ? "" : test.plain);
  equal(extractor.text(), test.document);
}

void test_documents() {
  for (const auto &test : kCases) {
    g_test_message("%s", test.name);
    check(test, {});
  }
}

void test_cut_anywhere() {
  for (const auto &test : kCases) {
    g_test_message("%s", test.name);
    for (std::size_t a = 0; a <= test.document.size(); ++a)
      for (std::size_t b = a; b <= test.document.size(); ++b)
        check(test, {a, b});
    std::vector<std::size_t> every;
    for (std::size_t at = 0; at <= test.document.size(); ++at)
      every.push_back(at);
    check(test, every);
  }
}

// Where the object is whole JSON, its message is what was extracted.
void test_agrees_with_the_parser() {
  int compared = 0;
  for (const auto &test : kCases) {
    MessageExtractor extractor;
    std::string message = extract(extractor, test.document, {});
    const auto document = JsonDocument::parse(extractor.object_text());
    if (!document.ok() || !extractor.message_complete() ||
        std::string_view(test.name) == "two-of-them" ||
        std::string_view(test.name) == "nul" || // text() ends there
        std::string_view(test.name) == "broken-escape" ||
        test.document.find("\\ud83d") != std::string::npos ||
        test.document.find("\\ude00") != std::string::npos)
      continue;
    std::string parsed = document->root()["message"].string().value();
    for (char &c : parsed)
      if (static_cast<unsigned char>(c) < 0x20)
        c = ' ';
    g_test_message("%s", test.name);
    equal(parsed, message);
    ++compared;
  }
  g_assert_cmpint(compared, >, 15);
}

void test_early() {
  MessageExtractor extractor;
  equal(extractor.feed("{\"message\":\"Go"), "Go");
  equal(extractor.feed("od \xC3"), "od ");
  equal(extractor.feed("\xA9 \\u00"), "é ");
  equal(extractor.feed("e9 \\ud83d\\ude"), "é ");
  equal(extractor.feed("00"), "😀");
  g_assert_false(extractor.message_complete());
  equal(extractor.feed("\""), "");
  g_assert_true(extractor.message_complete());
}

void test_object_text() {
  MessageExtractor fenced;
  fenced.feed("```json\n{\"message\":\"Hi.\",\"a\":[{}]}\n``` {}");
  equal(std::string(fenced.object_text()), "{\"message\":\"Hi.\",\"a\":[{}]}");
  MessageExtractor plain;
  plain.feed("Hello.");
  g_assert_true(plain.object_text().empty());
  MessageExtractor behind_words;
  behind_words.feed("Hello {}.");
  equal(std::string(behind_words.object_text()), "{}");
  MessageExtractor cut;
  cut.feed(" {\"message\":");
  equal(std::string(cut.object_text()), "{\"message\":");
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/message/of-each-document", test_documents);
  g_test_add_func("/message/wherever-it-is-cut", test_cut_anywhere);
  g_test_add_func("/message/agrees-with-the-parser",
                  test_agrees_with_the_parser);
  g_test_add_func("/message/comes-as-early-as-it-can", test_early);
  g_test_add_func("/message/object-without-its-wrapping", test_object_text);
  return g_test_run();
}
