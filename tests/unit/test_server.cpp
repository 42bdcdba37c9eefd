// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/log.hpp"

#include "../support/add_tests.hpp"
#include "../support/check_text.hpp"
#include "server_fixture.hpp"

#include <atomic>
#include <string>

// What the server answers of its own: health, records, events, errors.
using namespace patchcord;
using namespace patchcord::test;

namespace {

void test_port_in_use() {
  Fixture fixture;
  WorkerPool pool(2);
  server::HttpServer::Options options;
  options.config.server.listen =
      "127.0.0.1:" + std::to_string(fixture.server->port());
  const auto second = server::HttpServer::start(options, pool.workers(),
                                                fixture.desk, fixture.store);
  g_assert_false(second.ok());
  check_holds(second.error().message, "another program listens there already");
  check_holds(second.error().message, "server.listen");
}

void test_methods_and_paths() {
  Fixture fixture;
  const struct {
    const char *method, *target;
    int status;
    const char *allow;
  } cases[] = {
      {"GET", "/nothing", 404, ""},
      {"GET", "/", 404, ""},
      {"GET", "/api/nothing", 404, ""},
      {"GET", "/api/calls/", 404, ""},
      {"GET", "/api/calls/a%2Fb", 404, ""},
      {"PUT", "/twilio/webhooks/voice", 405, "POST, GET"},
      {"DELETE", "/twilio/webhooks/stream-status", 405, "POST, GET"},
      {"POST", "/ws/voice/token1", 405, "GET"},
      {"POST", "/healthz", 405, "GET, HEAD"},
      {"POST", "/readyz", 405, "GET, HEAD"},
      {"DELETE", "/api/calls/CA01", 405, "GET, HEAD"},
      {"POST", "/api/calls/CA01/events", 405, "GET"},
      {"HEAD", "/healthz", 200, ""},
  };
  for (const auto &[method, target, status, allow] : cases) {
    g_test_message("%s %s", method, target);
    const auto answer = fixture.request(method, target);
    g_assert_cmpint(answer.status, ==, status);
    CHECK_TEXT(answer.allow, allow);
    CHECK_TEXT(answer.type, "application/json");
    if (status != 200)
      check_holds(answer.body, "{\"error\":{\"code\":");
  }
}

void test_api_admission() {
  Fixture open;
  g_assert_cmpint(open.get("/api/calls").status, ==, 200);
  g_assert_cmpint(open.get("/api/calls", {{"Host", "localhost:1"}}).status, ==,
                  200);
  const Fixture::Headers proxied[] = {
      {{"X-Forwarded-For", "203.0.113.9"}},
      {{"Forwarded", "for=203.0.113.9"}},
      {{"X-Forwarded-Host", "voice.example.com"}},
      {{"Via", "1.1 proxy"}},
      {{"Host", "voice.example.com"}},
  };
  for (const auto &headers : proxied) {
    g_test_message("%s", headers.front().first.c_str());
    const auto answer = open.get("/api/calls", headers);
    g_assert_cmpint(answer.status, ==, 403);
    check_holds(answer.body, "server.api_token");
  }

  Fixture closed(
      [](config::Config &config) { config.server.api_token = "s3cret"; });
  for (const char *bad : {"", "Bearer", "Bearer ", "Bearer s3creT",
                          "Bearer s3cret2", "Basic s3cret", "s3cret"}) {
    Fixture::Headers headers;
    if (*bad != '\0')
      headers = {{"Authorization", bad}};
    g_assert_cmpint(closed.get("/api/calls", headers).status, ==, 401);
  }
  g_assert_cmpint(closed
                      .get("/api/calls", {{"Authorization", "Bearer s3cret"},
                                          {"X-Forwarded-For", "203.0.113.9"}})
                      .status,
                  ==, 200);
}

void test_api_records() {
  Fixture fixture;
  store::CallRecord record;
  record.call_sid = "CA01";
  record.from = "+14155550100";
  fixture.store.put_call(record);
  record.call_sid = "CA02";
  fixture.store.put_call(record);
  const auto one = fixture.get("/api/calls/CA01");
  g_assert_cmpint(one.status, ==, 200);
  CHECK_TEXT(one.type, "application/json");
  check_holds(one.body, "\"call_sid\":\"CA01\"");
  g_assert_cmpint(fixture.get("/api/calls/CA03").status, ==, 404);
  const auto all = fixture.get("/api/calls").body;
  check_holds(all, "{\"calls\":[{");
  check_holds(all, "CA02");
  const auto second = fixture.get("/api/calls?limit=1&offset=1").body;
  check_holds(second, "CA02");
  g_assert_true(second.find("CA01") == std::string::npos);
  for (const char *bad :
       {"limit=0", "limit=501", "limit=x", "limit=", "offset=-1"})
    g_assert_cmpint(fixture.get(std::string("/api/calls?") + bad).status, ==,
                    400);
}

void test_events() {
  Fixture fixture;
  g_assert_cmpint(fixture.get("/api/calls/CA09/events").status, ==, 404);
  const std::string request =
      "GET /api/calls/CA01/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  {
    RawClient client(fixture.server->port());
    client.send(request);
    fixture.desk.tell(R"({"event":"second"})");
    const std::string got =
        client.read_until("data: {\"event\":\"second\"}\n\n\r\n");
    check_holds(got, "HTTP/1.1 200 OK");
    check_holds(got, "Content-Type: text/event-stream\r\n");
    check_holds(got, "data: {\"event\":\"first\"}\n\n");
    fixture.desk.tell(std::nullopt);
    check_holds(client.read_until(), "0\r\n\r\n"); // and closed
    fixture.desk.await_unsubscribed();
  }
}

void test_events_client_gone() {
  Fixture fixture;
  {
    RawClient client(fixture.server->port());
    client.send("GET /api/calls/CA01/events HTTP/1.1\r\nHost: x\r\n\r\n");
    client.send("");
  }
  // Host x is not this machine's: refused, no subscription is left behind.
  g_assert_cmpint(fixture.desk.unsubscribed, ==, 0);
  {
    RawClient client(fixture.server->port());
    client.send(
        "GET /api/calls/CA01/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    client.read_until("\"first\"}\n\n\r\n");
  }
  // Nobody reads: found out when there is something to write.
  for (int i = 0; i < 3; ++i)
    fixture.desk.tell(std::string(700000, 'x'));
  fixture.desk.await_unsubscribed();
}

void test_health_and_readiness() {
  std::atomic<bool> graph{true};
  Fixture fixture({}, [&]() -> Result<Unit> {
    if (graph)
      return ok();
    return make_error("bad_pipeline", "no element \"mulawdec\"");
  });
  g_assert_cmpint(fixture.get("/healthz").status, ==, 200);
  const auto ready = fixture.get("/readyz");
  g_assert_cmpint(ready.status, ==, 200);
  CHECK_TEXT(ready.body, "{\"ready\":true,\"full\":false,\"active_calls\":3}");
  fixture.desk.full_ = true;
  const auto full = fixture.get("/readyz");
  g_assert_cmpint(full.status, ==, 200);
  CHECK_TEXT(full.body, "{\"ready\":true,\"full\":true,\"active_calls\":3}");

  fixture.store.broken = true;
  const auto disk = fixture.get("/readyz");
  g_assert_cmpint(disk.status, ==, 503);
  check_holds(disk.body, "disk full");
  graph = false;
  check_holds(fixture.get("/readyz").body, "mulawdec");
  fixture.desk.draining_ = true;
  check_holds(fixture.get("/readyz").body, "about to stop");
  g_assert_cmpint(fixture.get("/healthz").status, ==, 200);
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  // What is refused is logged, as it should be; here it would only be noise.
  log::set_threshold(log::Level::kError);
  add_server_webhooks();
  add_server_streams();
  add_tests({
      {"/server/a-taken-port-is-an-error", test_port_in_use},
      {"/server/unknown-paths-and-methods-are-refused", test_methods_and_paths},
      {"/server/the-api-is-for-the-operator", test_api_admission},
      {"/server/records-are-listed", test_api_records},
      {"/server/events-are-passed-on-until-the-end", test_events},
      {"/server/a-follower-that-went-is-forgotten", test_events_client_gone},
      {"/server/readiness-says-what-is-missing", test_health_and_readiness},
  });
  add_server_clients();
  return g_test_run();
}
