// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/base64.hpp"
#include "base/block_queue.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/task_thread.hpp"
#include "base/text.hpp"
#include "base/url.hpp"

#include "../support/check_text.hpp"

#include <glib.h>

#include <random>
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
  g_assert_true(is_alnum("azAZ09"));
  for (const char *other : {"a-", "a b", "\xc3\xa4"})
    g_assert_false(is_alnum(other));
  g_assert_cmpuint(split("a,,b", ',').size(), ==, 3);
  g_assert_cmpuint(random_hex(16).size(), ==, 32);
  g_assert_true(random_hex(16) != random_hex(16));
  g_assert_true(constant_time_equal("abc", "abc"));
  g_assert_false(constant_time_equal("abc", "abd"));
  g_assert_false(constant_time_equal("abc", "ab"));
  CHECK_TEXT(log::mask_number("+14155550100"), "+1415*****00");
  CHECK_TEXT(log::mask_number("anon"), "****");
}

static void test_task_thread() {
  std::string order;
  {
    TaskThread thread("test", TaskThread::Priority::kBackground);
    for (const char each : std::string("abc"))
      thread.post([&order, each] { order += each; });
    thread.flush();
    CHECK_TEXT(order, "abc");
    // A task may post another; the end waits for both.
    thread.post([&] {
      order += 'd';
      thread.post([&order] { order += 'e'; });
    });
  }
  CHECK_TEXT(order, "abcde");
}

// Against a vector that does the same.
static void test_block_queue() {
  std::mt19937 random(20261126);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit)(random);
  };
  BlockQueue queue;
  Bytes all, scratch; // all that came and was not taken back
  std::uint64_t begin = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t held = all.size() - static_cast<std::size_t>(begin);
    switch (below(5)) {
    case 0:
      begin += below(held);
      queue.drop_before(begin);
      break;
    case 1:
      if (below(9) == 0) {
        all.resize(static_cast<std::size_t>(begin) + below(held));
        queue.truncate(all.size());
      }
      break;
    case 2: {
      const std::size_t at = static_cast<std::size_t>(begin) + below(held);
      const std::size_t count = below(200);
      all.insert(all.begin() + static_cast<std::ptrdiff_t>(at), count, 0xff);
      queue.insert(at, count, 0xff);
      break;
    }
    default: {
      Bytes more(below(3000));
      for (auto &byte : more)
        byte = static_cast<std::uint8_t>(random());
      all.insert(all.end(), more.begin(), more.end());
      queue.append(more);
    }
    }
    g_assert_cmpuint(queue.begin(), ==, begin);
    g_assert_cmpuint(queue.end(), ==, all.size());
    const std::size_t now = all.size() - static_cast<std::size_t>(begin);
    const std::size_t from = static_cast<std::size_t>(begin) + below(now);
    const std::size_t to = from + below(all.size() - from);
    const ByteSpan seen = queue.view(from, to, scratch);
    const ByteSpan want = ByteSpan(all).subspan(from, to - from);
    g_assert_cmpmem(seen.data(), seen.size(), want.data(), want.size());
  }
}

static void test_secrets_go_with_tls() {
  const struct {
    const char *url;
    bool in_the_clear;
  } rows[] = {
      {"https://api.example/v1", false},
      {"WSS://api.example", false},
      {"http://localhost:8000/v1", false},
      {"ws://127.0.0.1", false},
      {"http://[::1]:9/", false},
      {"", false},
      {"http://10.0.0.5/v1", true},
      {"ws://ears.example", true},
      // What libcurl would make a URL of.
      {"10.0.0.5:8000/v1", true},
      {"http:/10.0.0.5/v1", true},
      {"http:10.0.0.5", true},
      {"ftp://localhost/", true},
      {"http://localhost@10.0.0.5/", true},
  };
  for (const auto &row : rows)
    if (is_in_the_clear(row.url) != row.in_the_clear)
      g_error("%s", row.url);
}

static void test_urls() {
  const struct {
    const char *url, *host, *redacted;
  } rows[] = {
      {"https://h.example/a/b", "h.example", "https://h.example/a/b"},
      {"https://h:8443", "h", "https://h:8443"},
      {"http://me:pw@h/x?a=1", "h", "http://h/x?a=1"},
      {"http://a@b@h/", "h", "http://h/"},
      {"http://h?u@x", "h", "http://h?u@x"},
      {"http://[::1]:80/x", "::1", "http://[::1]:80/x"},
      {"https://h/x?day=1&key=s&Sig=s&Access_Token=s#f", "h",
       "https://h/x?day=1&key=***&Sig=***&Access_Token=***#f"},
      {"https://h/x?key", "h", "https://h/x?key"},
      {"https://h/x?pw=a&code=1&PIN=2&zipcode=3", "h",
       "https://h/x?pw=***&code=***&PIN=***&zipcode=3"},
      // By what it is like.
      {"https://hooks.example/services/T01/B02/abcDEF123456ghiJKL78",
       "hooks.example", "https://hooks.example/services/T01/B02/***"},
      {"https://h/bot12345:AAF-abcdefghi/send?to=42", "h",
       "https://h/***/send?to=42"},
      {"https://h/x?u=0123456789abcdef&v=2", "h", "https://h/x?u=***&v=2"},
      {"https://h/x?0123456789abcdef", "h", "https://h/x?***"},
      {"https://h/rooms-of-the-second-floor/2026?at=2026-05-04T10:00:00Z"
       "&in=12+Main+Street%20Springfield%201",
       "h",
       "https://h/rooms-of-the-second-floor/2026?at=2026-05-04T10:00:00Z"
       "&in=12+Main+Street%20Springfield%201"},
      // Of a template.
      {"https://h/{room_22_of_the_house_4}/{a}?key={key}&q={word_of_length_16}",
       "h",
       "https://h/{room_22_of_the_house_4}/"
       "{a}?key={key}&q={word_of_length_16}"},
      {"https://h/x?key=s{key}&q=0123456789abcdef{a}", "h",
       "https://h/x?key=***&q=***"},
      {"https://h/{a", "h", "https://h/{a"},
      {"https://h/x?key=a=b&c", "h", "https://h/x?key=***&c"},
      {"", "", ""},
      {"me:pw@h", "h", "h"},
  };
  for (const auto &row : rows) {
    CHECK_TEXT(url_host(row.url), row.host);
    CHECK_TEXT(redacted_url(row.url), row.redacted);
  }
  // A replay asks by the template that was kept, and a request is known by its
  // URL.
  for (const std::string value : {"monday", "hunter2", "0123456789abcdef"})
    for (const std::string kept :
         {"https://h/0123456789abcdefghij/{a}?key=s&code={a}&day={a}",
          "https://h/{a}.json?token={a}&keyword={a}"}) {
      const auto filled = [&](std::string url) {
        for (auto at = url.find("{a}"); at != std::string::npos;
             at = url.find("{a}"))
          url.replace(at, 3, value);
        return url;
      };
      CHECK_TEXT(redacted_url(filled(redacted_url(kept))),
                 redacted_url(filled(kept)));
    }
  CHECK_TEXT(with_redacted_urls("url = \"https://h/{id}?key=s\"\n"
                                "# http://me:pw@h/\nb = 'https://h?token=t'"
                                " key=k http://h"),
             "url = \"https://h/{id}?key=***\"\n# http://h/\n"
             "b = 'https://h?token=***' key=k http://h");
  CHECK_TEXT(with_redacted_urls(""), "");
  CHECK_TEXT(url_resource("https://h/a?b"), "/a?b");
  CHECK_TEXT(url_resource("https://h?b"), "?b");
  CHECK_TEXT(url_resource("https://h"), "/");
  for (const char *host :
       {"localhost", "LocalHost", "127.0.0.1", "127.1.2.3", "::1"})
    g_assert_true(is_loopback_host(host));
  for (const char *host : {"", "h", "128.0.0.1", "127.0.0.1.h", "127.h", "::2",
                           "10.0.0.1", "localhost.h", "0.0.0.0"})
    g_assert_false(is_loopback_host(host));
  for (const char *name :
       {"Authorization", "Proxy-Authorization", "Cookie", "x-api-key",
        "api-key", "X-Token", "client_secret", "password", "X-Session-Id"})
    g_assert_true(is_secret_name(name));
  for (const char *name :
       {"Accept", "X-Request-Id", "day", "design", "passage"})
    g_assert_false(is_secret_name(name));
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
  g_test_add_func("/task-thread/ends-when-all-is-done", test_task_thread);
  g_test_add_func("/block-queue/is-as-a-vector-would-be", test_block_queue);
  g_test_add_func("/url/secrets-are-not-shown", test_urls);
  g_test_add_func("/url/secrets-go-with-tls", test_secrets_go_with_tls);
  return g_test_run();
}
