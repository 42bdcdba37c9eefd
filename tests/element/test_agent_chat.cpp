// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../unit/raw_server.hpp"
#include "agent_bench.hpp"

#include "base/json.hpp"

using namespace patchcord;

namespace {

// -------------------------------------------------------------

constexpr char kEvents[] = "HTTP/1.1 200 OK\r\n"
                           "Content-Type: text/event-stream\r\n"
                           "Connection: close\r\n\r\n";

std::string event(const std::string &content) {
  JsonWriter json;
  json.begin_object().key("choices").begin_array().begin_object();
  json.member("index", 0).key("delta").begin_object();
  json.member("content", content).end_object().end_object();
  json.end_array().end_object();
  return "data: " + json.text() + "\n\n";
}
constexpr char kEnd[] =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]"
    "}\n\ndata: [DONE]\n\n";

using What = events::Playout::What;

// An agent whose model the test plays by hand, on a worker of its own.
class ModelBench {
public:
  ModelBench() : worker_(Worker::start("agent-test")), bench_(worker_) {
    g_object_set(bench_.element(), "mind", "openai", "base-url",
                 (server_.url("http") + "v1").c_str(), "api-key", "sk-test",
                 "model", "test-model", nullptr);
    bench_.play();
    bench_.await("expect:anything");
    bench_.take();
  }
  AgentBench *operator->() { return &bench_; }
  // Says something and takes the request.
  Descriptor ask(const std::string &words) {
    g_assert_cmpint(bench_.words(words), ==, GST_FLOW_OK);
    return accept();
  }
  Descriptor accept() {
    Descriptor connection = server_.accept();
    head_ = connection.read_until("\r\n\r\n");
    const auto at = to_lower(head_).find("content-length: ");
    g_assert_true(at != std::string::npos);
    const auto size =
        static_cast<std::size_t>(std::stoul(head_.substr(at + 16)));
    body_.clear();
    while (body_.size() < size) {
      pollfd poll{connection.get(), POLLIN, 0};
      g_assert_cmpint(::poll(&poll, 1, 20000), ==, 1);
      body_ += connection.read();
    }
    return connection;
  }
  const std::string &head() const { return head_; }
  const std::string &body() const { return body_; }

private:
  std::shared_ptr<Worker> worker_;
  RawServer server_;
  AgentBench bench_;
  std::string head_, body_;
};

void test_model_call() {
  ModelBench bench;
  Descriptor connection = bench.ask("a room in Sunnyvale");
  g_assert_true(bench.head().starts_with("POST /v1/chat/completions "));
  g_assert_true(to_lower(bench.head()).find("authorization: bearer sk-test") !=
                std::string::npos);
  const auto body = JsonDocument::parse(bench.body());
  g_assert_true(body.ok());
  equal(*body->root()["model"].string(), "test-model");
  equal(*body->root()["messages"].at(2)["content"].string(),
        "a room in Sunnyvale");
  connection.write(kEvents);
  connection.write(event("{\"message\":\"Sunnyvale, fine. For wh"));
  // Spoken before the rest is there.
  bench->await("\"Sunnyvale, fine.\"");
  connection.write(event("ich day?\",\"action\":\"ask\",\"extracted\":{"
                         "\"request\":\"book\",\"location\":\"Sunnyvale\"}}"));
  connection.write(kEnd);
  connection.reset();
  bench->await("expect:anything");
  equal(bench->take(), "start:2 \"Sunnyvale, fine.\" \"For which day?\" end:2 "
                       "expect:anything");
  const auto decisions = bench->messages<messages::Decision>();
  equal(decisions.at(1).found.fields,
        R"({"request":"book","location":"Sunnyvale"})");
}

void test_model_without_stream() {
  ModelBench bench;
  const Descriptor connection = bench.ask("bye");
  JsonWriter json;
  json.begin_object().key("choices").begin_array().begin_object();
  json.member("index", 0).member("finish_reason", "stop").key("message");
  json.begin_object().member("role", "assistant");
  json.member("content",
              R"({"message":"Bye now.","action":"end_call","extracted":{}})");
  json.end_object().end_object().end_array().end_object();
  connection.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                   "Content-Length: " +
                   std::to_string(json.text().size()) + "\r\n\r\n" +
                   json.text());
  bench->await("eos");
  equal(bench->take(), "start:2 \"Bye now.\" end:2 expect:nothing eos");
  equal(bench->messages<messages::ConversationEnded>().at(0).reason,
        "agent_ended");
}

void respond(const Descriptor &connection, const std::string &status,
             const std::string &body) {
  connection.write("HTTP/1.1 " + status +
                   "\r\nContent-Type: application/json\r\nConnection: close\r\n"
                   "Content-Length: " +
                   std::to_string(body.size()) + "\r\n\r\n" + body);
}

void test_model_bad_key() {
  ModelBench bench;
  Descriptor connection = bench.ask("hello");
  respond(connection, "401 Unauthorized",
          R"({"error":{"message":"wrong key","type":"invalid_request_error",)"
          R"("param":null,"code":"invalid_api_key"}})");
  bench->await("eos");
  const auto trouble = bench->messages<messages::ProviderTrouble>();
  g_assert_cmpuint(trouble.size(), ==, 1);
  equal(trouble[0].code, "invalid_api_key");
  g_assert_true(trouble[0].fatal);
  equal(bench->messages<messages::ConversationEnded>().at(0).reason,
        "provider_failed");
  g_assert_cmpuint(bench->errors(), ==, 0);
}

void test_model_retry() {
  ModelBench bench;
  Descriptor connection = bench.ask("hello");
  respond(connection, "500 Internal Server Error",
          R"({"error":{"message":"oops","type":"server_error"}})");
  bench->await("\"One moment, please.\"");
  connection = bench.accept();
  connection.write(kEvents);
  connection.write(event(R"({"message":"Hi.","action":"ask","extracted":{}})"));
  connection.write(kEnd);
  bench->await("expect:anything");
  equal(bench->take(), "start:2 \"One moment, please.\" \"Hi.\" end:2 "
                       "expect:anything");
}

void test_model_broken_stream() {
  ModelBench bench;
  Descriptor connection = bench.ask("hello");
  connection.write(kEvents);
  connection.write(event("{\"message\":\"Hi there. And"));
  bench->await("\"Hi there.\"");
  connection.reset();
  bench->await("expect:anything");
  equal(bench->take(),
        "start:2 \"Hi there.\" \"Sorry, I lost my words. Please go on.\" "
        "end:2 expect:anything");
}

void test_model_interrupted() {
  // The connection is closed as soon as nobody wants the rest.
  ModelBench bench;
  Descriptor connection = bench.ask("hello");
  connection.write(kEvents);
  connection.write(event("{\"message\":\"Hi there. And"));
  bench->await("\"Hi there.\"");
  bench->playout(What::kStarted, 2);
  bench->downstream(events::SpeechStarted{});
  bench->downstream(events::PartialTranscript{"wait"});
  bench->await("flush-stop");
  pollfd poll{connection.get(), POLLIN, 0};
  g_assert_cmpint(::poll(&poll, 1, 20000), ==, 1);
  equal(connection.read(), "EOF");
  connection.reset();
  bench->downstream(events::SpeechStopped{});
  connection = bench.ask("wait");
  // Of the answer nothing was heard: the caller's words stand together.
  g_assert_true(bench.body().find("\"hello wait\"") != std::string::npos);
}

void test_model_gone() {
  // Going while a request is out.
  ModelBench bench;
  const Descriptor connection = bench.ask("hello");
  gst_element_set_state(bench->element(), GST_STATE_NULL);
  pollfd poll{connection.get(), POLLIN, 0};
  g_assert_cmpint(::poll(&poll, 1, 20000), ==, 1);
  equal(connection.read(), "EOF");
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"speaks-while-the-model-writes", test_model_call},
      {"server-that-does-not-stream", test_model_without_stream},
      {"bad-key-ends-the-call-with-words", test_model_bad_key},
      {"request-that-fails-is-made-again", test_model_retry},
      {"stream-that-breaks-off", test_model_broken_stream},
      {"interruption-closes-the-request", test_model_interrupted},
      {"goes-with-a-request-out", test_model_gone},
  };
  for (const auto &test : tests)
    g_test_add_func(("/agent/model/" + std::string(test.name)).c_str(),
                    test.test);
  const int result = g_test_run();
  gst_deinit();
  return result;
}
