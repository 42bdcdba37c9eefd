// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/add_tests.hpp"
#include "../support/check_text.hpp"
#include "server_fixture.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

// Media streams on their way to their calls.
using namespace patchcord;
using namespace patchcord::test;

namespace {

void test_media_stream() {
  Fixture fixture;
  const std::string token = fixture.offered_token();
  {
    // The first frames come in one segment with the request: libsoup has read
    // them when the connection is taken over.
    RawClient client(fixture.server->port());
    client.send(fixture.handshake(token) + client_frame("one") +
                client_frame("two"));
    const std::string got = client.read_until(server_frame("echo two"));
    check_holds(got, "HTTP/1.1 101 Switching Protocols\r\n");
    check_holds(got, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    check_holds(got, "\r\n\r\n" + server_frame("echo one"));
    g_assert_true(got.find("Extensions") == std::string::npos);
    client.send(client_frame("three"));
    CHECK_TEXT(client.read_until("three"), server_frame("echo three"));
  }
  fixture.desk.await_closed(1);
  // Told in any case: whether the call has started is the desk's to know.
  fixture.desk.await_released(1);
  CHECK_TEXT(fixture.desk.released.front(), token);
}

void test_claim_of_a_client_that_goes() {
  Fixture fixture;
  const std::string token = fixture.offered_token();
  {
    RawClient client(fixture.server->port());
    client.send(fixture.handshake(token));
  } // gone before or after its 101
  fixture.desk.await_released(1);
  CHECK_TEXT(fixture.desk.released.front(), token);
}

void test_media_stream_refused() {
  Fixture fixture;
  const std::string token = fixture.offered_token();
  const std::string good = fixture.handshake(token);
  const std::string path = "/ws/voice/" + token;
  const auto without = [&](const std::string &line) {
    std::string request = good;
    const auto at = request.find(line);
    g_assert_true(at != std::string::npos);
    return request.erase(at, request.find("\r\n", at) + 2 - at);
  };
  const struct {
    const char *why;
    std::string request;
    const char *status;
  } cases[] = {
      {"unsigned", without("X-Twilio-Signature"), "403"},
      {"signed as https", fixture.handshake(token, fixture.url + path), "403"},
      {"signed for another token",
       fixture.handshake(token, "ws" + fixture.url.substr(4) + "/ws/voice/x"),
       "403"},
      {"unknown token", fixture.handshake("unknown"), "403"},
      {"no WebSocket", without("Upgrade: "), "426"},
      {"old WebSocket", without("Sec-WebSocket-Version"), "400"},
      {"no key", without("Sec-WebSocket-Key"), "400"},
      {"no token", fixture.handshake(""), "404"},
      {"not one token", fixture.handshake("a%2Fb"), "404"},
  };
  for (const auto &[why, request, status] : cases) {
    g_test_message("%s", why);
    RawClient client(fixture.server->port());
    client.send(request);
    check_holds(client.read_until("}}"), std::string("HTTP/1.1 ") + status);
  }
  // All of that has not used up the token; one handshake does. A slash at the
  // end of the path is known to be signed.
  RawClient first(fixture.server->port());
  first.send(
      fixture.handshake(token, "ws" + fixture.url.substr(4) + path + "/"));
  check_holds(first.read_until("\r\n\r\n"), "HTTP/1.1 101");
  RawClient second(fixture.server->port());
  second.send(good);
  check_holds(second.read_until("}}"), "bad_token");
  fixture.desk.await_started(1);
  g_assert_cmpuint(fixture.desk.workers.size(), ==, 1);
}

void test_all_workers_serve() {
  Fixture fixture;
  // The kernel spreads by the client's port: 40 on one side of two would be a
  // chance of 2^-39.
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 40; ++i) {
    const std::string token = fixture.offered_token();
    clients.push_back(std::make_unique<RawClient>(fixture.server->port()));
    clients.back()->send(fixture.handshake(token) + client_frame("x"));
    clients.back()->read_until("echo x");
  }
  auto workers = fixture.desk.workers;
  std::sort(workers.begin(), workers.end());
  workers.erase(std::unique(workers.begin(), workers.end()), workers.end());
  g_assert_cmpuint(workers.size(), ==, fixture.workers());
  clients.clear();
  fixture.desk.await_closed(40);
}

} // namespace

void test::add_server_streams() {
  add_tests({
      {"/server/a-media-stream-is-taken-over-whole", test_media_stream},
      {"/server/a-claim-is-released-when-its-client-goes",
       test_claim_of_a_client_that_goes},
      {"/server/other-media-streams-are-refused", test_media_stream_refused},
      {"/server/all-workers-take-calls", test_all_workers_serve},
  });
}
