// SPDX-License-Identifier: LGPL-2.1-or-later
// The request, the HTTP client, the event stream and the extractor together,
// against the fake of the provider and everything that it can get wrong.
#include "fake_server.hpp"
#include "virtual_network.hpp"

#include "base/json.hpp"
#include "net/http_client.hpp"
#include "openai/chat.hpp"

using namespace patchcord;
using fakes::FakeServer;
using fakes::Script;

namespace {

constexpr char kAnswer[] =
    R"({"message":"Sure, caf\u00e9 \"Süß\" 😀 at noon.","action":"ask"})";
constexpr char kSaid[] = "Sure, café \"Süß\" 😀 at noon.";
constexpr char kSchema[] =
    R"({"type":"object","properties":{"message":{"type":"string"},)"
    R"("action":{"type":"string","enum":["ask","end_call"]}},)"
    R"("required":["message","action"],"additionalProperties":false})";

void equal(const std::string &got, const std::string &expected) {
  g_assert_cmpstr(got.c_str(), ==, expected.c_str());
}

// One request and all that comes of it.
struct Answer {
  int status = 0;
  std::string said, refusal, finish, error;
  bool done = false, over = false, plain = false;
  int comments = 0;
  openai::ApiError refused;
  TimePoint first_word{};

  // "said|refusal|finish|error|done" with what is not empty or false.
  std::string shown() const {
    return said + "|" + refusal + "|" + finish + "|" + error + "|" +
           (done ? "done" : "");
  }
};

class Client {
public:
  explicit Client(Script script) : server_(std::move(script), *worker_) {
    request_.model = "gpt-6-luna";
    request_.messages = {{"system", "You answer the phone."},
                         {"user", "Noon?"}};
    request_.schema_name = "turn";
    request_.schema = kSchema;
  }

  openai::ChatRequest &request() { return request_; }
  FakeServer &server() { return server_; }
  Worker &worker() { return *worker_; }

  // Sends it and waits; `enough` ends the wait, and with it the request.
  Answer ask(const char *key,
             const std::function<bool(const Answer &)> &enough = {}) {
    Answer answer;
    openai::SseParser events;
    openai::MessageExtractor extractor;
    std::string body;
    const auto take_delta = [&](const Result<openai::ChatDelta> &delta) {
      g_assert_true(delta.ok());
      answer.said += extractor.feed(delta->content);
      if (!answer.said.empty() && answer.first_word == TimePoint{})
        answer.first_word = worker_->now();
      answer.refusal += delta->refusal;
      answer.finish += delta->finish_reason;
      answer.error += delta->error ? delta->error->code : "";
      answer.done = answer.done || delta->done;
    };
    const auto take = [&](std::optional<std::string_view> data) {
      if (data)
        take_delta(openai::parse_chat_event(*data));
      else
        ++answer.comments;
    };
    bool is_stream = false;
    net::HttpClient::StreamHandlers handlers;
    handlers.response = [&](int status, const net::Headers &headers) {
      answer.status = status;
      for (const auto &[name, value] : headers)
        if (name == "content-type")
          is_stream = value.starts_with("text/event-stream");
    };
    handlers.data = [&](ByteSpan bytes) {
      if (is_stream)
        g_assert_true(events.feed(bytes, take));
      else
        body += as_text(bytes);
    };
    handlers.done = [&](const Result<Unit> &result) {
      answer.over = true;
      if (!result.ok())
        answer.error += result.error().code;
      else if (is_stream)
        events.finish(take);
    };
    net::HttpRequest http;
    http.method = "POST";
    http.url = server_.url() + "/v1/chat/completions";
    http.headers = {{"Authorization", std::string("Bearer ") + key},
                    {"Content-Type", "application/json"}};
    http.body = openai::chat_request_body(request_);
    http.timeout = 10s;
    auto transfer =
        worker_->service<net::HttpClient>().stream(http, std::move(handlers));
    fakes::run_networked(
        *worker_, [&] { return answer.over || (enough && enough(answer)); },
        worker_->now() + 20s);
    transfer.reset();
    if (answer.over && !is_stream && answer.status == 200)
      take_delta(openai::parse_chat_completion(body));
    else if (answer.over && answer.status != 200)
      answer.refused = openai::parse_api_error(answer.status, body);
    answer.plain = extractor.is_plain_text();
    answer.said += extractor.plain_text();
    return answer;
  }

  std::int64_t counter(const char *name) const {
    const auto document = JsonDocument::parse(server_.stats());
    return document->root()["counters"][name].integer().value_or(0);
  }

private:
  std::shared_ptr<Worker> worker_ = Worker::create_virtual();
  FakeServer server_;
  openai::ChatRequest request_;
};

Script script() {
  Script out;
  out.answers = {{kAnswer, "", 0}};
  return out;
}

void test_streams() {
  const std::string whole = std::string(kSaid) + "||stop||done";
  const struct {
    const char *fault;
    std::string expected;
  } cases[] = {
      {"none", whole},
      {"crlf", whole},
      {"comments", whole},
      {"no_space", whole},
      {"bom", whole},
      {"bytes", whole},
      {"azure", whole},
      {"fence", whole},
      {"think", whole},
      {"not_streamed", whole},
      {"no_done", std::string(kSaid) + "||stop||"},
      {"refusal", "|I can't help with that.|stop||done"},
      {"length", "Sure, café \"Süß\" 😀 at||length||done"},
      {"content_filter", "Sure, café \"Süß\" 😀 at||content_filter||done"},
      {"error_in_stream", "|||server_is_overloaded|"},
      {"plain_text",
       "I am sorry, I can only answer in plain words.||stop||done"},
  };
  for (const auto &test : cases) {
    Client client(script());
    const Answer answer =
        client.ask((std::string("fault-") + test.fault).c_str());
    g_test_message("%s", test.fault);
    equal(answer.shown(), test.expected);
    g_assert_cmpint(answer.status, ==, 200);
    g_assert_true(answer.over);
    g_assert_cmpint(answer.plain, ==,
                    std::string_view(test.fault) == "plain_text");
    g_assert_cmpint(answer.comments, ==,
                    std::string_view(test.fault) == "comments" ? 1 : 0);
  }
}

void test_refusals() {
  const struct {
    const char *key;
    int status;
    const char *code, *param;
    bool retryable, is_key, is_quota;
  } cases[] = {
      {"bad", 401, "invalid_api_key", "", false, true, false},
      {"fault-rate_limit", 429, "rate_limit_exceeded", "", true, false, false},
      {"fault-quota", 429, "insufficient_quota", "", false, false, true},
      {"fault-overloaded", 503, "server_is_overloaded", "", true, false, false},
      {"fault-http_500", 500, "server_error", "", true, false, false},
      {"fault-model_not_found", 404, "model_not_found", "", false, false,
       false},
      {"fault-no_reasoning_effort", 400, "unsupported_parameter",
       "reasoning_effort", false, false, false},
  };
  Client client(script());
  for (const auto &test : cases) {
    const Answer answer = client.ask(test.key);
    g_test_message("%s", test.key);
    g_assert_cmpint(answer.status, ==, test.status);
    equal(answer.refused.error.code, test.code);
    equal(answer.refused.param, test.param);
    g_assert_cmpint(answer.refused.retryable, ==, test.retryable);
    g_assert_cmpint(answer.refused.is_key, ==, test.is_key);
    g_assert_cmpint(answer.refused.is_quota, ==, test.is_quota);
  }
  client.request().send_reasoning_effort = false;
  equal(client.ask("fault-no_reasoning_effort").said, kSaid);
  g_assert_cmpint(client.counter("chat.refused"), ==, 7);
}

void test_bad_requests() {
  const struct {
    const char *name;
    std::function<void(openai::ChatRequest &)> spoil;
    const char *param;
  } cases[] = {
      {"no model", [](auto &r) { r.model.clear(); }, "model"},
      {"no messages", [](auto &r) { r.messages.clear(); }, "messages"},
      {"a role of its own", [](auto &r) { r.messages[0].role = "boss"; },
       "messages[0].role"},
      {"the old name of the limit", [](auto &r) { r.use_max_tokens = true; },
       "max_tokens"},
      {"no schema", [](auto &r) { r.schema.clear(); }, "response_format"},
      {"name of the schema", [](auto &r) { r.schema_name = "a b"; },
       "response_format.json_schema.name"},
      {"an open object",
       [](auto &r) {
         r.schema = R"({"type":"object","properties":{},"required":[]})";
       },
       "response_format"},
      {"an optional property",
       [](auto &r) {
         r.schema = R"({"type":"object","properties":{"a":{"type":"string"}},)"
                    R"("required":[],"additionalProperties":false})";
       },
       "response_format"},
  };
  for (const auto &test : cases) {
    Client client(script());
    test.spoil(client.request());
    const Answer answer = client.ask("sk-test");
    g_test_message("%s", test.name);
    g_assert_cmpint(answer.status, ==, 400);
    equal(answer.refused.param, test.param);
  }
}

void test_breaks() {
  Client client(script());
  const Answer cut = client.ask("fault-disconnect");
  g_assert_true(cut.over);
  g_assert_false(cut.done);
  g_assert_false(cut.error.empty());
  // A model that falls silent is given up by the transfer's own limit.
  const Answer stalled = client.ask("fault-stall");
  equal(stalled.error, "timeout");
  g_assert_cmpint(client.counter("chat.aborted"), ==, 1);
}

// The caller interrupts: the request ends and the server sees it.
void test_abort_is_seen() {
  Script slow = script();
  slow.llm_token_ms = 100;
  Client client(slow);
  const Answer answer =
      client.ask("sk-test", [](const Answer &a) { return !a.said.empty(); });
  equal(answer.said, "Sure");
  g_assert_false(answer.over);
  fakes::run_networked_for(client.worker(), 10ms);
  g_assert_cmpint(client.counter("chat.aborted"), ==, 1);
}

void test_timing_and_choice_of_answers() {
  Script timed = script();
  timed.answers.push_back({R"({"message":"Second.","action":"ask"})", "", 0});
  timed.llm_first_token_ms = 400;
  timed.llm_token_ms = 20;
  Client client(timed);
  const TimePoint asked = client.worker().now();
  const Answer first = client.ask("sk-test");
  equal(first.said, kSaid);
  // {, ", message, ", :, " and then the first word.
  g_assert_cmpint((first.first_word - asked) / 1ms, >=, 400);
  g_assert_cmpint((first.first_word - asked) / 1ms, <=, 400 + 7 * 20 + 5);
  client.request().messages.push_back({"assistant", "Sure."});
  client.request().messages.push_back({"user", "And?"});
  equal(client.ask("sk-test").said, "Second.");
  client.request().messages.push_back({"user", "And?"});
  equal(client.ask("sk-test").said, "Second."); // the last serves the rest
}

void test_a_fault_may_pass() {
  Script once = script();
  once.answers[0].fault = "overloaded";
  once.answers[0].fault_times = 2;
  Client client(once);
  g_assert_cmpint(client.ask("sk-test").status, ==, 503);
  g_assert_cmpint(client.ask("sk-test").status, ==, 503);
  equal(client.ask("sk-test").said, kSaid);
}

void test_scripts() {
  const auto parsed = fakes::parse_script(
      R"({"transcripts":["a",{"text":"b","fault":"never"}],"answers":["x",)"
      R"({"z":1,"a":2},{"answer":{"z":1},"fault":"length"}],)"
      R"("stt_delay_ms":5,"elevenlabs":{"k":[1]}})");
  g_assert_true(parsed.ok());
  equal(parsed->transcripts[1].fault, "never");
  equal(parsed->answers[0].text, "x");
  equal(parsed->answers[1].text, R"({"z":1,"a":2})");
  equal(parsed->answers[2].text, R"({"z":1})");
  equal(parsed->answers[2].fault, "length");
  g_assert_cmpint(parsed->stt_delay_ms, ==, 5);
  equal(parsed->elevenlabs, R"({"k":[1]})");
  for (const char *bad :
       {"[]", R"({"transcript":[]})", R"({"stt_delay_ms":"5"})",
        R"({"transcripts":[{"text":"a","faults":"x"}]})",
        R"({"answers":[{"fault":3}]})", R"({"transcripts":{}})"})
    g_assert_false(fakes::parse_script(bad).ok());
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const std::pair<const char *, void (*)()> tests[] = {
      {"/chat-wire/streams-of-all-servers", test_streams},
      {"/chat-wire/refusals", test_refusals},
      {"/chat-wire/bad-requests-are-refused", test_bad_requests},
      {"/chat-wire/breaks", test_breaks},
      {"/chat-wire/abort-is-seen-by-the-server", test_abort_is_seen},
      {"/chat-wire/timing-and-choice-of-answers",
       test_timing_and_choice_of_answers},
      {"/chat-wire/a-fault-may-pass", test_a_fault_may_pass},
      {"/fakes/scripts-are-checked", test_scripts},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func(name, test);
  return g_test_run();
}
