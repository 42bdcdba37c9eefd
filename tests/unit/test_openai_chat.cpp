// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json.hpp"
#include "openai/chat.hpp"

#include <glib.h>

#include <algorithm>

using namespace patchcord;
using namespace patchcord::openai;

namespace {

// g_assert_cmpstr keeps pointers: a temporary string would be gone by then.
void equal(const std::string &got, const std::string &expected) {
  g_assert_cmpstr(got.c_str(), ==, expected.c_str());
}

using Events = std::vector<std::optional<std::string>>;

std::function<void(std::optional<std::string_view>)> collect(Events &into) {
  return [&into](std::optional<std::string_view> data) {
    into.emplace_back(data ? std::optional<std::string>(*data) : std::nullopt);
  };
}

std::string shown(const Events &events) {
  std::string out;
  for (const auto &event : events)
    out += event ? "[" + *event + "]" : std::string("(comment)");
  return out;
}

// The stream in pieces of these sizes; the rest in one.
std::string events_of(std::string_view stream,
                      const std::vector<std::size_t> &cuts) {
  SseParser parser;
  Events events;
  std::size_t from = 0;
  for (const std::size_t cut : cuts) {
    g_assert_true(parser.feed(as_bytes(stream.substr(from, cut - from)),
                              collect(events)));
    from = cut;
  }
  g_assert_true(parser.feed(as_bytes(stream.substr(from)), collect(events)));
  parser.finish(collect(events));
  return shown(events);
}

struct SseCase {
  const char *name;
  std::string stream;
  const char *expected;
};

// Lines after the HTML standard's section on server-sent events.
const SseCase kSseCases[] = {
    {"lf", "data: a\n\ndata: b\n\n", "[a][b]"},
    {"crlf", "data: a\r\n\r\ndata: b\r\n\r\n", "[a][b]"},
    {"cr", "data: a\r\rdata: b\r\r", "[a][b]"},
    {"no-space", "data:a\n\ndata:  b\n\n", "[a][ b]"},
    {"byte-order-mark",
     "\xEF\xBB\xBF"
     "data: a\n\n",
     "[a]"},
    {"comments", ": OPENROUTER PROCESSING\n\n:\n\ndata: a\n:x\n\n",
     "(comment)(comment)(comment)[a]"},
    {"several-data-lines", "data: a\ndata\ndata:b\n\n", "[a\n\nb]"},
    {"other-fields", "event: x\nid: 7\nretry: 10\ndatum: n\ndata: a\n\n",
     "[a]"},
    {"event-without-data", "event: x\n\ndata: a\n\n", "[a]"},
    {"many-empty-lines", "\n\n\r\n\rdata: a\n\n\n\n", "[a]"},
    {"utf-8", "data: süß 😀\n\n", "[süß 😀]"},
    {"unfinished-json-is-given", "data: {\"a\":1}", "[{\"a\":1}]"},
    {"unfinished-done-is-given", "data: a\n\ndata: [DONE]\n", "[a][[DONE]]"},
    {"unfinished-else-is-dropped", "data: {\"a\":", ""},
};

void test_sse_lines() {
  for (const auto &test : kSseCases) {
    const std::string whole = events_of(test.stream, {});
    g_test_message("%s", test.name);
    equal(whole, test.expected);
  }
}

void test_sse_cut_anywhere() {
  for (const auto &test : kSseCases) {
    g_test_message("%s", test.name);
    for (std::size_t a = 0; a <= test.stream.size(); ++a)
      for (std::size_t b = a; b <= test.stream.size(); ++b)
        equal(events_of(test.stream, {a, b}), test.expected);
  }
}

void test_sse_limit() {
  SseParser parser;
  parser.limit = 64;
  Events events;
  g_assert_true(parser.feed(as_bytes("data: 0123456789\n"), collect(events)));
  g_assert_true(parser.feed(as_bytes("data: 0123456789\n"), collect(events)));
  g_assert_false(
      parser.feed(as_bytes("data: 01234567890123456789012345678901234567"),
                  collect(events)));
  g_assert_true(events.empty());
}

std::string request_of(const ChatRequest &request) {
  const std::string body = chat_request_body(request);
  const auto document = JsonDocument::parse(body);
  g_assert_true(document.ok());
  return body;
}

void test_request() {
  ChatRequest request;
  request.model = "gpt-6-luna";
  request.messages = {{"system", "You answer \"the\" phone."},
                      {"user", "Table\nfor four?"}};
  request.schema_name = "phone_turn";
  // Not in alphabetical order: it must arrive as it stands.
  request.schema = R"({"properties":{"message":{},"action":{}}})";
  request.max_completion_tokens = 300;
  equal(
      request_of(request),
      R"({"model":"gpt-6-luna","stream":true,)"
      R"("stream_options":{"include_usage":true,"include_obfuscation":false},)"
      R"("reasoning_effort":"none","max_completion_tokens":300,)"
      R"("messages":[{"role":"system","content":"You answer \"the\" phone."},)"
      R"({"role":"user","content":"Table\nfor four?"}],)"
      R"("response_format":{"type":"json_schema","json_schema":)"
      R"({"name":"phone_turn","strict":true,)"
      R"("schema":{"properties":{"message":{},"action":{}}}}}})");
  request.send_stream_options = false;
  request.send_reasoning_effort = false;
  request.use_max_tokens = true;
  request.schema.clear();
  request.messages.resize(1);
  equal(
      request_of(request),
      R"({"model":"gpt-6-luna","stream":true,"max_tokens":300,)"
      R"("messages":[{"role":"system","content":"You answer \"the\" phone."}]})");
}

struct EventCase {
  const char *data;
  // content | refusal | finish_reason | error code | done
  const char *expected;
};

std::string shown(const ChatDelta &delta) {
  return delta.content + "|" + delta.refusal + "|" + delta.finish_reason + "|" +
         (delta.error ? delta.error->code : "") + "|" +
         (delta.done ? "done" : "");
}

void test_events() {
  const EventCase cases[] = {
      {R"({"choices":[{"index":0,"delta":{"role":"assistant","content":"",)"
       R"("refusal":null},"finish_reason":null}],"usage":null})",
       "||||"},
      {R"({"choices":[{"delta":{"content":"Sure"},"finish_reason":null}],)"
       R"("obfuscation":"x8f"})",
       "Sure||||"},
      {R"({"choices":[{"delta":{"content":null,"refusal":"I can't"}}]})",
       "|I can't|||"},
      {R"({"choices":[{"delta":{},"finish_reason":"length"}]})", "||length||"},
      {R"({"choices":[],"usage":{"prompt_tokens":1210}})", "||||"},
      {R"({"choices":[],"prompt_filter_results":[{"prompt_index":0}]})",
       "||||"},
      {R"({"choices":[{"index":0,"delta":null,"finish_reason":null,)"
       R"("content_filter_results":{}}]})",
       "||||"},
      {R"({"choices":null})", "||||"},
      {R"({"choices":[{"delta":{"content":17}}]})", "||||"},
      {R"([1])", "||||"},
      {R"({"error":{"message":"overloaded","type":"service_unavailable_error",)"
       R"("param":null,"code":"server_is_overloaded"}})",
       "|||server_is_overloaded|"},
      {R"({"error":{"message":"x","type":"server_error","code":502},)"
       R"("choices":[{"delta":{"content":""},"finish_reason":"error"}]})",
       "|||server_error|"},
      {R"({"error":"out of memory"})", "|||server_error|"},
      {R"({"error":null,"choices":[{"delta":{"content":"a"}}]})", "a||||"},
      {"[DONE]", "||||done"},
      {"[DONE] ", "||||done"},
  };
  for (const auto &test : cases) {
    const auto delta = parse_chat_event(test.data);
    g_test_message("%s", test.data);
    g_assert_true(delta.ok());
    equal(shown(*delta), test.expected);
  }
  for (const char *bad : {"", "{", "not json", "{\"choices\":[}"})
    g_assert_false(parse_chat_event(bad).ok());
  const std::string deep = std::string(500, '[') + std::string(500, ']');
  equal(parse_chat_event(deep).error().code, "too_deep");
}

void test_completion() {
  const EventCase cases[] = {
      {R"({"choices":[{"message":{"role":"assistant","content":"{}",)"
       R"("refusal":null},"finish_reason":"stop"}]})",
       "{}||stop||done"},
      {R"({"choices":[{"message":{"content":null,"refusal":"No."}}]})",
       "|No.|||done"},
      {R"({"error":{"message":"m","type":"t","code":null}})", "|||t|done"},
  };
  for (const auto &test : cases) {
    const auto delta = parse_chat_completion(test.data);
    g_assert_true(delta.ok());
    equal(shown(*delta), test.expected);
  }
  for (const char *bad : {"<html>", "{}", R"({"choices":[]})"})
    g_assert_false(parse_chat_completion(bad).ok());
}

struct ApiErrorCase {
  int status;
  const char *body;
  const char *code, *message, *param;
  bool retryable, is_key, is_quota;
};

void test_api_errors() {
  const ApiErrorCase cases[] = {
      {400,
       R"({"error":{"message":"temperature not supported","type":)"
       R"("invalid_request_error","param":"temperature",)"
       R"("code":"unsupported_value"}})",
       "unsupported_value", "temperature not supported", "temperature", false,
       false, false},
      {400,
       R"({"error":{"message":"m","type":"invalid_request_error",)"
       R"("param":null,"code":null}})",
       "invalid_request_error", "m", "", false, false, false},
      {401,
       R"({"error":{"message":"Wrong key sk-proj-abc. See the page",)"
       R"("type":"invalid_request_error","code":"invalid_api_key"}})",
       "invalid_api_key", "Wrong key [key] See the page", "", false, true,
       false},
      {401, "", "http_401", "HTTP status 401", "", false, true, false},
      {403, R"({"error":{"message":"region"}})", "http_403", "region", "",
       false, false, false},
      {404, R"({"error":{"message":"m","code":"model_not_found"}})",
       "model_not_found", "m", "", false, false, false},
      {402, R"({"message":"pay"})", "http_402", "pay", "", false, false, true},
      {408, "", "http_408", "HTTP status 408", "", true, false, false},
      {413, R"({"error":{"message":"m","type":"server_error"}})",
       "server_error", "m", "", false, false, false},
      {429,
       R"({"error":{"message":"slow","type":"rate_limit_error",)"
       R"("code":"rate_limit_exceeded"}})",
       "rate_limit_exceeded", "slow", "", true, false, false},
      {429,
       R"({"error":{"message":"none left","type":"insufficient_quota",)"
       R"("code":"insufficient_quota"}})",
       "insufficient_quota", "none left", "", false, false, true},
      {429, R"({"error":{"code":"project_spend_limit_exceeded"}})",
       "project_spend_limit_exceeded", "HTTP status 429", "", false, false,
       true},
      {500, R"({"error":"failed to read"})", "http_500", "failed to read", "",
       true, false, false},
      {503, "<html>busy</html>", "http_503", "HTTP status 503", "", true, false,
       false},
      {422, R"({"detail":[{"loc":["body"],"msg":"field required"}]})",
       "http_422", "field required", "", false, false, false},
      {404, R"({"detail":"Not Found"})", "http_404", "Not Found", "", false,
       false, false},
      {400, R"([{"error":{"code":400,"message":"bad","status":"INVALID"}}])",
       "http_400", "bad", "", false, false, false},
  };
  for (const auto &test : cases) {
    const ApiError api = parse_api_error(test.status, test.body);
    g_test_message("%d %s", test.status, test.body);
    equal(api.error.code, test.code);
    equal(api.error.message, test.message);
    equal(api.param, test.param);
    g_assert_cmpint(api.retryable, ==, test.retryable);
    g_assert_cmpint(api.is_key, ==, test.is_key);
    g_assert_cmpint(api.is_quota, ==, test.is_quota);
  }
  const ApiError long_one =
      parse_api_error(500, "{\"error\":\"" + std::string(5000, 'x') + "\"}");
  g_assert_cmpuint(long_one.error.message.size(), <=, 300);
}

// A whole streamed answer as it comes from the network: pieces of the model's
// text cut inside the key, an escape, \u00e9 and a surrogate pair.
const std::vector<std::string> kPieces = {"{\"",
                                          "message",
                                          "\":\"",
                                          "Sure",
                                          ", Friday",
                                          " works. You said \\",
                                          "\"four\\\" people, caf",
                                          "\\u00",
                                          "e9 side? \\ud83d",
                                          "\\ude00",
                                          "\",\"",
                                          "action",
                                          "\":\"continue",
                                          "\",\"transfer_to\":",
                                          "null}"};
constexpr char kSaid[] = "Sure, Friday works. You said \"four\" people, café "
                         "side? 😀";

std::string chunk(const std::string &delta, const std::string &finish) {
  return R"(data: {"id":"chatcmpl-x1","object":"chat.completion.chunk",)"
         R"("created":1795340000,"model":"gpt-6-luna","choices":[{"index":0,)"
         R"("delta":)" +
         delta + R"(,"logprobs":null,"finish_reason":)" + finish +
         R"(}],"usage":null})"
         "\n\n";
}

std::string normal_stream() {
  std::string stream =
      chunk(R"({"role":"assistant","content":"","refusal":null})", "null");
  for (const auto &piece : kPieces) {
    std::string text;
    append_json_escaped(text, piece);
    stream += chunk("{\"content\":\"" + text + "\"}", "null");
  }
  stream += chunk("{}", "\"stop\"");
  return stream + "data: {\"choices\":[],\"usage\":{\"total_tokens\":1241}}\n\n"
                  "data: [DONE]\n\n";
}

struct Answer {
  std::string said, finish;
  bool done = false;
  MessageExtractor extractor;

  void take(std::optional<std::string_view> data) {
    if (!data)
      return;
    const auto delta = parse_chat_event(*data);
    g_assert_true(delta.ok());
    said += extractor.feed(delta->content);
    if (!delta->finish_reason.empty())
      finish = delta->finish_reason;
    done = done || delta->done;
  }
};

void test_stream_cut_at_every_byte() {
  const std::string stream = normal_stream();
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    SseParser parser;
    Answer answer;
    const auto take = [&](auto data) { answer.take(data); };
    parser.feed(as_bytes(stream).first(cut), take);
    parser.feed(as_bytes(stream).subspan(cut), take);
    parser.finish(take);
    equal(answer.said, kSaid);
    g_assert_true(answer.extractor.message_complete());
    g_assert_true(answer.done);
    equal(answer.finish, "stop");
    const auto whole = JsonDocument::parse(answer.extractor.object_text());
    equal(*whole->root()["message"].string(), kSaid);
    g_assert_true(whole->root()["transfer_to"].is_null());
  }
}

void test_first_words_come_with_their_chunk() {
  const std::string stream = normal_stream();
  SseParser parser;
  Answer answer;
  const auto end = stream.find(", Friday");
  parser.feed(as_bytes(stream).first(end), [&](auto d) { answer.take(d); });
  equal(answer.said, "Sure");
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/sse/lines-as-the-standard-has-them", test_sse_lines);
  g_test_add_func("/sse/reads-may-cut-anywhere", test_sse_cut_anywhere);
  g_test_add_func("/sse/an-event-has-a-limit", test_sse_limit);
  g_test_add_func("/chat/request-keeps-the-order-of-the-schema", test_request);
  g_test_add_func("/chat/chunks-of-all-servers", test_events);
  g_test_add_func("/chat/whole-completion", test_completion);
  g_test_add_func("/chat/errors-of-all-shapes", test_api_errors);
  g_test_add_func("/chat/stream-cut-at-every-byte",
                  test_stream_cut_at_every_byte);
  g_test_add_func("/chat/first-words-come-with-their-chunk",
                  test_first_words_come_with_their_chunk);
  return g_test_run();
}
