// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent_bench.hpp"
#include "fake_server.hpp"
#include "http.hpp"
#include "virtual_network.hpp"

#include "base/json.hpp"

#include <glib/gstdio.h>

#include <optional>

// The agent element with a model that calls tools, and a server of theirs.
using namespace patchcord;
using fakes::FakeHost;
using fakes::FakeServer;
using fakes::Script;

namespace {

constexpr char kCalled[] = R"({"message":"At seven.","action":"ask"})";

// Answers each request in the same way.
struct Railway {
  int status = 200;
  std::string body = R"({"trains":["7:00"]})";
  std::string location;
  bool stalls = false;

  std::vector<std::string> requests; // "GET /path?query body"
  std::string authorization;
  bool given_up = false;
  std::unique_ptr<fakes::StreamedResponse> stalled;

  void serve(SoupServerMessage *message) {
    GUri *uri = soup_server_message_get_uri(message);
    const char *query = g_uri_get_query(uri);
    const std::string sent = fakes::request_body(message);
    requests.push_back(std::string(soup_server_message_get_method(message)) +
                       " " + g_uri_get_path(uri) +
                       (query != nullptr ? "?" + std::string(query) : "") +
                       (sent.empty() ? "" : " " + sent));
    authorization = fakes::request_header(message, "Authorization");
    if (stalls) {
      stalled = std::make_unique<fakes::StreamedResponse>(
          message, "application/json", [this] { given_up = true; });
      stalled->write("{");
      return;
    }
    if (!location.empty())
      soup_message_headers_append(
          soup_server_message_get_response_headers(message), "Location",
          location.c_str());
    fakes::reply_json(message, status, body);
  }
};

Script script(std::vector<Script::Answer::Call> calls) {
  Script script;
  Script::Answer answer;
  answer.text = kCalled;
  answer.calls = std::move(calls);
  script.answers = {answer};
  return script;
}

const Script::Answer::Call kTrains{"trains",
                                   R"({"city":"Rome","day":"2026-04-29"})"};

class ToolBench {
public:
  explicit ToolBench(const Script &script, const char *origin = nullptr)
      : server_(script, *worker_), bench_(worker_, "train-desk") {
    server_.run([this](FakeHost &host) {
      soup_server_add_handler(
          host.server(), "/v1/Rome",
          [](SoupServer *, SoupServerMessage *message, const char *,
             GHashTable *,
             gpointer data) { static_cast<Railway *>(data)->serve(message); },
          &railway, nullptr);
      soup_server_add_handler(
          host.server(), "/v1/bookings",
          [](SoupServer *, SoupServerMessage *message, const char *,
             GHashTable *,
             gpointer data) { static_cast<Railway *>(data)->serve(message); },
          &railway, nullptr);
    });
    g_object_set(bench_.element(), "mind", "openai", "base-url",
                 (server_.url() + "/v1").c_str(), "api-key", "sk-test", "model",
                 "test-model", nullptr);
    if (origin == nullptr)
      use_definition();
    else
      g_object_set(bench_.element(), "tool-origin", server_.url().c_str(),
                   nullptr);
    bench_.play();
    bench_.take();
  }
  ~ToolBench() { g_unlink(file_.c_str()); }
  ToolBench(const ToolBench &) = delete;
  ToolBench &operator=(const ToolBench &) = delete;

  AgentBench *operator->() { return &bench_; }
  void until(const std::function<bool()> &done) {
    g_assert_true(fakes::run_networked(*worker_, done, worker_->now() + 20s));
  }
  // Says something and waits for what is said to it.
  std::string ask(const char *words) {
    g_assert_cmpint(bench_.words(words), ==, GST_FLOW_OK);
    std::string said;
    until([&] {
      if (const std::string more = bench_.take(); !more.empty())
        said += (said.empty() ? "" : " ") + more;
      return said.find("expect:") != std::string::npos;
    });
    return said;
  }
  // What the model was told: the last request's last message.
  std::string told() const {
    const auto stats = JsonDocument::parse(server_.stats());
    const JsonView requests = stats->root()["requests"];
    const auto body =
        JsonDocument::parse(*requests.at(requests.size() - 1)["body"].string());
    const JsonView messages = body->root()["messages"];
    const JsonView last = messages.at(messages.size() - 1);
    return *last["role"].string() + ": " + *last["content"].string();
  }
  std::string all_requests() const { return server_.stats(); }
  // "name status" of each tool that ended.
  std::string ended() {
    std::vector<std::string> lines;
    for (const auto &tool : bench_.messages<messages::Tool>())
      lines.push_back(tool.name + " " + tool.status);
    return join(lines, ", ");
  }

  Railway railway;

private:
  // The same agent with the fake for its railway.
  void use_definition() {
    char *text = nullptr;
    g_assert_true(g_file_get_contents(definition_path("train-desk").c_str(),
                                      &text, nullptr, nullptr));
    const GCharPtr owned(text);
    const auto parts = split(text, '\n');
    std::string changed;
    constexpr std::string_view kOrigin = "https://rail.example.com";
    for (std::string line : parts) {
      if (const auto at = line.find(kOrigin); at != std::string::npos)
        line.replace(at, kOrigin.size(), server_.url());
      changed += line + "\n";
    }
    char *name = nullptr;
    const int fd = g_file_open_tmp("agent-XXXXXX.toml", &name, nullptr);
    g_assert_cmpint(fd, >=, 0);
    g_close(fd, nullptr);
    file_ = name;
    g_free(name);
    g_assert_true(g_file_set_contents(file_.c_str(), changed.data(),
                                      static_cast<gssize>(changed.size()),
                                      nullptr));
    g_object_set(bench_.element(), "definition", file_.c_str(), nullptr);
  }

  const std::shared_ptr<Worker> worker_ = Worker::create_virtual();
  FakeServer server_;
  AgentBench bench_;
  std::string file_;
};

void test_a_tool_is_called() {
  ToolBench bench(script({kTrains}));
  equal(bench.ask("to Rome"), "start:2 \"At seven.\" end:2 expect:anything");
  g_assert_cmpuint(bench.railway.requests.size(), ==, 1);
  equal(bench.railway.requests[0], "GET /v1/Rome/trains?day=2026-04-29");
  equal(bench.railway.authorization, "Bearer geheim");
  equal(bench.told(), R"(tool: {"trains":["7:00"]})");
  equal(bench.ended(), "trains ok");
  g_assert_cmpuint(bench->errors(), ==, 0);
  // The secret is nowhere else.
  g_assert_true(bench.all_requests().find("geheim") == std::string::npos);
}

void test_servers_differ() {
  for (const char *fault :
       {"calls_index_0", "calls_whole", "calls_stop", "bytes"}) {
    Script each =
        script({kTrains, {"book", R"({"train":"7:00","window":null})"}});
    each.answers[0].fault = fault;
    ToolBench bench(each);
    equal(bench.ask("to Rome"), "start:2 \"At seven.\" end:2 expect:anything");
    // Both at once, in whatever order.
    std::sort(bench.railway.requests.begin(), bench.railway.requests.end());
    equal(join(bench.railway.requests, "; "),
          "GET /v1/Rome/trains?day=2026-04-29; "
          R"(POST /v1/bookings {"train":"7:00"})");
  }
}

void test_failures() {
  const struct {
    const char *name;
    std::function<void(Railway &)> set;
    const char *ended, *told;
  } rows[] = {
      {"status", [](Railway &to) { to.status = 404, to.body = "no"; },
       "trains http_404", R"(tool: {"error":"HTTP status 404"})"},
      {"not JSON", [](Railway &to) { to.body = "<html>"; }, "trains not_json",
       R"(tool: {"error":"the answer is not JSON"})"},
      {"too large", [](Railway &to) { to.body = std::string(20'000, ' '); },
       "trains too_large",
       R"(tool: {"error":"the response is larger than 16384 bytes"})"},
      {"stalls", [](Railway &to) { to.stalls = true; }, "trains timeout",
       R"(tool: {"error":"not complete within 3 s"})"},
      {"leads elsewhere",
       [](Railway &to) {
         to.status = 302, to.body = "";
         to.location = "http://127.0.0.1:1/admin";
       },
       "trains http_302", R"(tool: {"error":"HTTP status 302"})"},
  };
  for (const auto &row : rows) {
    g_test_message("%s", row.name);
    ToolBench bench(script({kTrains}));
    row.set(bench.railway);
    const std::string said = bench.ask("to Rome");
    // Behind a filler when it takes long.
    const bool is_long = bench.railway.stalls;
    equal(said, std::string("start:2 ") + (is_long ? "\"Let me see.\" " : "") +
                    "\"At seven.\" end:2 expect:anything");
    equal(bench.ended(), row.ended);
    equal(bench.told(), row.told);
    g_assert_cmpuint(bench.railway.requests.size(), ==, 1);
  }
}

void test_the_caller_goes_on() {
  ToolBench bench(script({kTrains}));
  bench.railway.stalls = true;
  g_assert_cmpint(bench->words("to Rome"), ==, GST_FLOW_OK);
  bench.until([&] { return !bench.railway.requests.empty(); });
  // His next words give it up: its connection is closed at once.
  bench.railway.stalls = false;
  g_assert_cmpint(bench->words("or rather"), ==, GST_FLOW_OK);
  bench.until([&] { return bench.railway.given_up; });
  equal(bench.ended(), "trains cancelled");
}

void test_goes_with_a_tool_out() {
  ToolBench bench(script({kTrains}));
  bench.railway.stalls = true;
  g_assert_cmpint(bench->words("to Rome"), ==, GST_FLOW_OK);
  bench.until([&] { return !bench.railway.requests.empty(); });
  gst_element_set_state(bench->element(), GST_STATE_NULL);
  bench.until([&] { return bench.railway.given_up; });
}

void test_origin_for_tests() {
  // Called there, and without its secrets.
  g_unsetenv("RAIL_TOKEN");
  {
    ToolBench bench(script({kTrains}), "the fake");
    equal(bench.ask("to Rome"), "start:2 \"At seven.\" end:2 expect:anything");
    equal(bench.railway.authorization, "");
  }
  g_setenv("RAIL_TOKEN", "geheim", TRUE);
}

void test_missing_secret() {
  g_unsetenv("RAIL_TOKEN");
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker, "train-desk");
  g_object_set(bench.element(), "mind", "openai", "api-key", "sk-test",
               nullptr);
  g_assert_cmpint(gst_element_set_state(bench.element(), GST_STATE_PAUSED), ==,
                  GST_STATE_CHANGE_FAILURE);
  g_assert_cmpuint(bench.errors(), ==, 1);
  // The scripted mind calls none.
  g_object_set(bench.element(), "mind", "scripted", nullptr);
  g_assert_cmpint(gst_element_set_state(bench.element(), GST_STATE_PAUSED), !=,
                  GST_STATE_CHANGE_FAILURE);
  g_setenv("RAIL_TOKEN", "geheim", TRUE);
}

} // namespace

int main(int argc, char **argv) {
  g_setenv("RAIL_TOKEN", "geheim", TRUE);
  gst_init(&argc, &argv);
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"called-with-its-secret-and-its-result-told", test_a_tool_is_called},
      {"calls-as-servers-send-them", test_servers_differ},
      {"failures-are-told-to-the-model", test_failures},
      {"given-up-when-the-caller-goes-on", test_the_caller_goes_on},
      {"goes-with-a-tool-out", test_goes_with_a_tool_out},
      {"called-elsewhere-for-tests", test_origin_for_tests},
      {"secret-that-is-missing-is-told", test_missing_secret},
  };
  for (const auto &test : tests)
    g_test_add_func(("/agent/tools/" + std::string(test.name)).c_str(),
                    test.test);
  const int result = g_test_run();
  gst_deinit();
  return result;
}
