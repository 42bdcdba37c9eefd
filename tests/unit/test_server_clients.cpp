// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server/endpoint.hpp"
#include "server/listen.hpp"

#include "../support/add_tests.hpp"
#include "../support/check_text.hpp"
#include "server_fixture.hpp"

#include <string>
#include <sys/resource.h>

// What clients may do to the server, and what is left of them.
using namespace patchcord;
using namespace patchcord::test;

namespace {

void test_bodies() {
  Fixture fixture;
  const std::string target = "/twilio/webhooks/voice";
  const std::string most = "a=" + std::string((256 << 10) - 2, 'x');
  // The largest that is read, and one byte more.
  g_assert_cmpint(fixture.request("POST", target, {}, most, kForm).status, ==,
                  403);
  const auto more = fixture.request("POST", target, {}, most + "x", kForm);
  g_assert_cmpint(more.status, ==, 413);
  check_holds(more.body, "too_large");
  // A client that asks first is told before it sends.
  const std::string head =
      "POST " + target +
      " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: " + kForm + "\r\n";
  RawClient polite(fixture.server->port());
  polite.send(head + "Expect: 100-continue\r\nContent-Length: 300000\r\n\r\n");
  check_holds(polite.read_until("}}"), "HTTP/1.1 413");
  // Chunks whose number nobody has announced.
  RawClient chunks(fixture.server->port());
  chunks.send(head + "Transfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  for (int i = 0; i < 5; ++i)
    chunks.send(chunk);
  chunks.send("0\r\n\r\n");
  check_holds(chunks.read_until("}}"), "HTTP/1.1 413");
  // Without end: cut off.
  RawClient endless(fixture.server->port());
  endless.send(head + "Transfer-Encoding: chunked\r\n\r\n");
  int sent = 0;
  while (endless.send(chunk) && sent < 4096)
    ++sent;
  g_assert_cmpint(sent, <, 4096);
  g_assert_cmpint(fixture.get("/healthz").status, ==, 200);
}

void test_heads() {
  Fixture fixture;
  RawClient large(fixture.server->port());
  large.send("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n");
  const std::string header = "X-Padding: " + std::string(8000, 'x') + "\r\n";
  for (int i = 0; i < 100; ++i)
    if (!large.send(header))
      break;
  large.send("\r\n");
  const std::string answer = large.read_until();
  g_assert_true(answer.find("200 OK") == std::string::npos);
  for (const char *nonsense :
       {"\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "GET %zz HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"}) {
    RawClient client(fixture.server->port());
    client.send(nonsense);
  }
  g_assert_cmpint(fixture.get("/healthz").status, ==, 200);
}

void test_slow_clients() {
  const auto worker = Worker::create_virtual();
  auto listening = server::listen_on({"127.0.0.1", 0}, 1);
  g_assert_true(listening.ok());
  auto endpoint = server::Endpoint::start(
      *worker, listening->sockets.front().get(),
      [](const std::shared_ptr<server::Exchange> &exchange) {
        exchange->respond_json(200, "{}");
      });
  g_assert_true(endpoint.ok());
  RawClient silent(listening->port), dripping(listening->port),
      half(listening->port), good(listening->port);
  half.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345");
  good.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  for (int second = 0; second < 14; ++second) {
    dripping.send("x");
    worker->run_for(1s);
  }
  for (const RawClient *client : {&silent, &dripping, &half, &good})
    g_assert_false(client->closed() && client != &good);
  check_holds(good.read_until("{}"), "200 OK");
  worker->run_for(2s);
  for (const RawClient *client : {&silent, &dripping, &half})
    g_assert_true(client->closed());
  g_assert_true(good.read_until().empty());
  g_assert_cmpuint(worker->armed_timers(), ==, 0);
}

// Clients that come when there are no descriptors left are served later.
void test_no_descriptors() {
  const auto worker = Worker::create_virtual();
  auto listening = server::listen_on({"127.0.0.1", 0}, 1);
  auto endpoint = server::Endpoint::start(
      *worker, listening->sockets.front().get(),
      [](const std::shared_ptr<server::Exchange> &exchange) {
        exchange->respond_json(200, "{}");
      });
  RawClient client(listening->port);
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  rlimit usual{};
  g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &usual), ==, 0);
  const int next = dup(STDIN_FILENO); // all below it are taken
  close(next);
  rlimit none = usual;
  none.rlim_cur = static_cast<rlim_t>(next);
  g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
  // Once it has tried it waits, instead of trying for ever.
  g_assert_true(worker->run_until([&] { return worker->armed_timers() == 1; },
                                  worker->now()));
  g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &usual), ==, 0);
  worker->run_for(1s);
  check_holds(client.read_until(), "200 OK");
}

void test_connections_end() {
  Fixture fixture;
  const std::string get = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n";
  const struct {
    std::string request;
    const char *status; // nullptr: there is no answer
  } cases[] = {
      {"", nullptr},
      {"GET /hea", nullptr},
      {get + "\r\n", "200"},
      {get + "Connection: keep-alive\r\n\r\n", "200"},
      {get + "Connection: close\r\n\r\n", "200"},
      {"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "200"},
      {get + "\r\n" + get + "\r\n", "200"},
      {get + "Content-Length: 9\r\n\r\n1234", nullptr},
      {"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
      {"GET /ws/voice/x HTTP/1.1\r\nHost: x\r\n\r\n", "426"},
      {fixture.handshake("unknown"), "403"},
      {"POST /twilio/webhooks/stream-status HTTP/1.1\r\nHost: x\r\n"
       "Content-Length: 0\r\n\r\n",
       "403"},
  };
  const std::size_t before = open_files();
  for (const auto &[request, status] : cases) {
    g_test_message("%s", request.c_str());
    for (int i = 0; i < 10; ++i) {
      RawClient client(fixture.server->port());
      client.send(request);
      std::string got;
      if (status != nullptr)
        got = client.read_until("}");
      client.finish();
      // To the end: the server has closed its side as well.
      got += client.read_until();
      if (status != nullptr)
        check_holds(got.substr(8, 5), std::string(" ") + status);
    }
    g_assert_cmpuint(open_files(), ==, before);
  }
}

void test_leaves_nothing() {
  { Fixture warm; } // what libraries keep for good
  const std::size_t before = open_files();
  {
    Fixture fixture;
    const std::string token = fixture.offered_token();
    RawClient stream(fixture.server->port());
    stream.send(fixture.handshake(token) + client_frame("x"));
    stream.read_until("echo x");
    RawClient events(fixture.server->port());
    events.send(
        "GET /api/calls/CA01/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    events.read_until("\"first\"}\n\n\r\n");
    RawClient idle(fixture.server->port());
    RawClient half(fixture.server->port());
    half.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Le");
    g_assert_cmpint(fixture.get("/healthz").status, ==, 200);
    // Going with open connections closes them, but for the media stream.
    fixture.server.reset();
    g_assert_true(events.read_until().empty());
    stream.send(client_frame("y"));
    CHECK_TEXT(stream.read_until("echo y"), server_frame("echo y"));
    stream.send("\x88\x80\x01\x02\x03\x04"); // close
    fixture.desk.await_closed(1);
  }
  g_assert_cmpuint(open_files(), ==, before);
}

} // namespace

void test::add_server_clients() {
  add_tests({
      {"/server/bodies-are-bounded", test_bodies},
      {"/server/heads-are-bounded", test_heads},
      {"/server/slow-clients-are-dropped", test_slow_clients},
      {"/server/clients-wait-for-descriptors", test_no_descriptors},
      {"/server/a-connection-ends-with-its-answer", test_connections_end},
      {"/server/nothing-is-left-behind", test_leaves_nothing},
  });
}
