// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/log.hpp"
#include "server/endpoint.hpp"
#include "server/http_server.hpp"
#include "server/listen.hpp"
#include "server/single_call_server.hpp"
#include "twilio/ticket.hpp"
#include "worker/worker_pool.hpp"

#include "../support/check_text.hpp"
#include "server_test.hpp"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <sys/resource.h>

using namespace patchcord;

namespace {

const char kToken[] = "0123456789abcdef0123456789abcdef";
const char kCall[] = "CA00000000000000000000000000000001";
const char kForm[] = "application/x-www-form-urlencoded";

void check_holds(const std::string &text, const std::string &piece) {
  if (text.find(piece) == std::string::npos)
    g_error("expected \"%s\" in \"%s\"", piece.c_str(), text.c_str());
}

std::size_t open_files() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto &entry :
       std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

struct Answer {
  int status = 0;
  std::string body, type, allow;
};

// The server on two workers, and a client in the test's thread.
class Fixture {
public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  explicit Fixture(const std::function<void(config::Config &)> &change = {},
                   std::function<Result<Unit>()> ready = {}) {
    server::HttpServer::Options options;
    options.config.server.listen = "127.0.0.1:0";
    options.config.twilio.auth_token = std::string("other,") + kToken;
    options.ready = std::move(ready);
    if (change)
      change(options.config);
    auto started =
        server::HttpServer::start(options, pool_.workers(), desk, store);
    if (!started)
      g_error("%s", started.error().message.c_str());
    server = std::move(*started);
    url = "http://127.0.0.1:" + std::to_string(server->port());
    session_ = Ref<SoupSession>::adopt(soup_session_new());
  }

  Answer request(const char *method, const std::string &target,
                 const Headers &headers = {}, const std::string &body = {},
                 const char *type = nullptr) {
    const auto message = Ref<SoupMessage>::adopt(
        soup_message_new(method, (url + target).c_str()));
    for (const auto &[name, value] : headers)
      soup_message_headers_append(
          soup_message_get_request_headers(message.get()), name.c_str(),
          value.c_str());
    if (type != nullptr) {
      const auto bytes =
          Ref<GBytes>::adopt(g_bytes_new(body.data(), body.size()));
      soup_message_set_request_body_from_bytes(message.get(), type,
                                               bytes.get());
    }
    GErrorHolder error;
    const auto bytes = Ref<GBytes>::adopt(soup_session_send_and_read(
        session_.get(), message.get(), nullptr, error.out()));
    Answer answer;
    if (!bytes)
      g_error("%s %s: %s", method, target.c_str(), error.message());
    answer.status = static_cast<int>(soup_message_get_status(message.get()));
    gsize size = 0;
    const auto *data =
        static_cast<const char *>(g_bytes_get_data(bytes.get(), &size));
    if (size > 0)
      answer.body.assign(data, size);
    SoupMessageHeaders *got = soup_message_get_response_headers(message.get());
    if (const char *text = soup_message_headers_get_one(got, "Content-Type"))
      answer.type = text;
    if (const char *text = soup_message_headers_get_one(got, "Allow"))
      answer.allow = text;
    return answer;
  }
  Answer get(const std::string &target, const Headers &headers = {}) {
    return request("GET", target, headers);
  }
  // As Twilio posts: signed over `signed_url`, or over the true one.
  Answer post(const std::string &target, const twilio::Form &fields,
              const std::string &signed_url = {}) {
    const std::string signature = twilio::sign(
        kToken, signed_url.empty() ? url + target : signed_url, fields);
    return request("POST", target, {{"X-Twilio-Signature", signature}},
                   twilio::encode_form(fields), kForm);
  }

  // A handshake as Twilio makes it, with `more` bytes in the same segment.
  std::string handshake(const std::string &token,
                        const std::string &signed_url = {}) const {
    const std::string path = "/ws/voice/" + token;
    std::string signature = twilio::sign(
        kToken, signed_url.empty() ? "ws" + url.substr(4) + path : signed_url);
    return "GET " + path +
           " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
           "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           "Sec-WebSocket-Extensions: permessage-deflate\r\n"
           "X-Twilio-Signature: " +
           signature + "\r\n\r\n";
  }
  std::string offered_token() {
    const auto answer = post("/twilio/webhooks/voice", call_fields());
    g_assert_cmpint(answer.status, ==, 200);
    const auto start = answer.body.find("/ws/voice/") + 10;
    return answer.body.substr(start, answer.body.find('"', start) - start);
  }
  static twilio::Form call_fields() {
    return {{"CallSid", kCall},       {"AccountSid", "AC01"},
            {"From", "+14155550100"}, {"To", "+14155550199"},
            {"CallerName", ""},       {"Direction", "inbound"}};
  }
  std::size_t workers() const { return pool_.size(); }

  FakeDesk desk;
  FakeStore store;
  std::string url;

private:
  WorkerPool pool_{2};
  Ref<SoupSession> session_;

public:
  std::unique_ptr<server::HttpServer> server;
};

void test_webhook() {
  Fixture fixture([](config::Config &config) {
    config.call.agent = "hotel";
    config.server.public_url = "https://voice.example.com";
  });
  CHECK_TEXT(fixture.server->voice_webhook_url(),
             "https://voice.example.com/twilio/webhooks/voice");
  const std::string target = "/twilio/webhooks/voice";
  const auto answer = fixture.post(target, Fixture::call_fields(),
                                   "https://voice.example.com" + target);
  g_assert_cmpint(answer.status, ==, 200);
  CHECK_TEXT(answer.type, "text/xml; charset=utf-8");
  CHECK_TEXT(answer.body,
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Connect>"
             "<Stream url=\"wss://voice.example.com/ws/voice/token1\" "
             "statusCallback=\"https://voice.example.com/twilio/webhooks/"
             "stream-status\" statusCallbackMethod=\"POST\">"
             "<Parameter name=\"agent\" value=\"hotel\"/>"
             "<Parameter name=\"from\" value=\"+14155550100\"/>"
             "<Parameter name=\"pipeline\" value=\"offline\"/>"
             "<Parameter name=\"to\" value=\"+14155550199\"/>"
             "</Stream></Connect><Hangup/></Response>\n");
  g_assert_cmpuint(fixture.desk.offers.size(), ==, 1);
  const auto &offer = fixture.desk.offers.front();
  CHECK_TEXT(offer.call_sid, kCall);
  CHECK_TEXT(offer.account_sid, "AC01");
  CHECK_TEXT(offer.from, "+14155550100");
  CHECK_TEXT(offer.direction, "inbound");
}

void test_webhook_choices() {
  Fixture fixture;
  const auto answer = fixture.post(
      "/twilio/webhooks/voice?agent=hotel&pipeline=fast&campaign=a%26b",
      Fixture::call_fields());
  g_assert_cmpint(answer.status, ==, 200);
  const auto &offer = fixture.desk.offers.front();
  CHECK_TEXT(offer.agent, "hotel");
  CHECK_TEXT(offer.pipeline, "fast");
  g_assert_cmpuint(offer.parameters.size(), ==, 1);
  CHECK_TEXT(offer.parameters.at("campaign"), "a&b");
  check_holds(answer.body, "<Parameter name=\"campaign\" value=\"a&amp;b\"/>");

  // By GET everything is in the URL, and nothing else is signed. A tilde may
  // have come escaped.
  const std::string query =
      "?CallSid=CA02&From=%2B14155550100&CallerName=A%7EB";
  const auto got = fixture.get(
      "/twilio/webhooks/voice" + query,
      {{"X-Twilio-Signature",
        twilio::sign(kToken, fixture.url + "/twilio/webhooks/voice" + query)}});
  g_assert_cmpint(got.status, ==, 200);
  CHECK_TEXT(fixture.desk.offers.back().call_sid, "CA02");
  CHECK_TEXT(fixture.desk.offers.back().from, "+14155550100");
  g_assert_true(fixture.desk.offers.back().parameters.empty());
}

void test_webhook_refused() {
  Fixture fixture;
  const std::string target = "/twilio/webhooks/voice";
  const std::string form = twilio::encode_form(Fixture::call_fields());
  for (const char *path :
       {"/twilio/webhooks/voice", "/twilio/webhooks/stream-status"}) {
    const auto unsigned_ = fixture.request("POST", path, {}, form, kForm);
    g_assert_cmpint(unsigned_.status, ==, 403);
    check_holds(unsigned_.body, "\"unsigned\"");
    // Signed for another server.
    const auto wrong = fixture.post(path, Fixture::call_fields(),
                                    "https://voice.example.com" + target);
    g_assert_cmpint(wrong.status, ==, 403);
    check_holds(wrong.body, "\"wrong_signature\"");
  }
  const auto json =
      fixture.request("POST", target, {}, "{}", "application/json");
  g_assert_cmpint(json.status, ==, 415);
  for (const char *path :
       {"/twilio/webhooks/voice", "/twilio/webhooks/stream-status",
        "/twilio/webhooks/call-status"}) {
    const auto missing = fixture.post(path, {{"From", "x"}});
    g_assert_cmpint(missing.status, ==, 400);
    check_holds(missing.body, "CallSid is missing");
    const auto bad = fixture.post(path, {{"CallSid", "a/b"}});
    g_assert_cmpint(bad.status, ==, 400);
    check_holds(bad.body, "CallSid is not of letters and digits");
  }
  g_assert_true(fixture.desk.offers.empty());
  g_assert_true(fixture.desk.statuses.empty());
}

// What else Twilio asks and tells: from nobody else.
void test_call_webhooks_refused() {
  Fixture fixture;
  const std::string form = twilio::encode_form(Fixture::call_fields());
  for (const char *name :
       {"after-stream", "whisper?ticket=t1", "dial-result?ticket=t1",
        "answered-by", "call-status?ticket=t1", "voice?ticket=t1"}) {
    const std::string path = std::string("/twilio/webhooks/") + name;
    g_assert_cmpint(fixture.request("POST", path, {}, form, kForm).status, ==,
                    403);
    g_assert_cmpint(
        fixture.post(path, Fixture::call_fields(), "https://other" + path)
            .status,
        ==, 403);
    g_assert_cmpint(fixture.post(path, {{"To", "+1"}}).status, >=, 400);
    g_assert_cmpint(fixture.request("PUT", path, {}, form, kForm).status, ==,
                    405);
  }
  g_assert_true(fixture.desk.told.empty());
  g_assert_true(fixture.desk.offers.empty());
}

void test_transfer_webhooks() {
  Fixture fixture([](config::Config &config) {
    config.server.public_url = "https://voice.example.com";
  });
  const auto post = [&](const std::string &path, const twilio::Form &fields) {
    return fixture.post("/twilio/webhooks/" + path, fields,
                        "https://voice.example.com/twilio/webhooks/" + path);
  };
  // Only an agent with people to put through to wants to be asked.
  fixture.desk.transfers = true;
  check_holds(post("voice", Fixture::call_fields()).body,
              "<Connect action=\"https://voice.example.com/twilio/webhooks/"
              "after-stream\"><Stream");
  check_holds(post("after-stream", Fixture::call_fields()).body,
              "<Response><Hangup/></Response>");
  fixture.desk.dial = "<Response><Dial/></Response>";
  // Who has hung up is put through to nobody, and nothing is asked.
  auto gone = Fixture::call_fields();
  std::erase_if(gone,
                [](const auto &field) { return field.first == "CallStatus"; });
  gone.emplace_back("CallStatus", "completed");
  check_holds(post("after-stream", gone).body,
              "<Response><Hangup/></Response>");
  const auto dial = post("after-stream", Fixture::call_fields());
  CHECK_TEXT(dial.body, "<Response><Dial/></Response>");
  CHECK_TEXT(dial.type, "text/xml; charset=utf-8");

  const twilio::Form other = {{"CallSid", "CA77"}, {"ParentCallSid", kCall}};
  check_holds(post("whisper?ticket=t1", other).body,
              "<Say language=\"en-US\">Rome &lt;1&gt;.</Say>");
  check_holds(post("whisper?ticket=t2", other).body, "<Response></Response>");

  const auto result = [&](const char *ticket, const char *status,
                          const char *bridged, const char *call) {
    return post(std::string("dial-result?ticket=") + ticket,
                {{"CallSid", kCall},
                 {"CallStatus", call},
                 {"DialCallStatus", status},
                 {"DialBridged", bridged}})
        .body;
  };
  check_holds(result("t1", "completed", "true", "in-progress"),
              "<Response><Hangup/></Response>");
  check_holds(result("t1", "busy", "false", "in-progress"),
              "<Connect action=\"https://voice.example.com/twilio/webhooks/"
              "after-stream\"><Stream url=\"wss://voice.example.com/ws/voice/"
              "token9\"");
  // A transfer of nobody's: its caller hears that, and is not left in silence.
  check_holds(result("t2", "no-answer", "", "in-progress"), "<Say");
  check_holds(result("t2", "completed", "", "in-progress"),
              "<Response><Hangup/></Response>");
  (void)result("t1", "completed", "false", "in-progress");
  (void)result("t1", "canceled", "false", "completed");
  const std::string sid = kCall;
  const std::vector<std::string> expected = {
      "after-stream " + sid, "after-stream " + sid, "whisper t1 " + sid,
      "whisper t2 " + sid, "dial-result " + sid + " t1 answered",
      "dial-result " + sid + " t1 busy", "dial-result " + sid + " t2 no-answer",
      "dial-result " + sid + " t2 answered",
      // The other had hung up before the two were joined.
      "dial-result " + sid + " t1 failed",
      "dial-result " + sid + " t1 canceled gone"};
  g_assert_true(fixture.desk.told == expected);
}

void test_placed_webhooks() {
  Fixture fixture;
  twilio::DialTicket ticket;
  ticket.agent = "reminder";
  ticket.to = "+14155550199";
  ticket.expires = std::time(nullptr) + 60;
  ticket.nonce = "n1";
  const auto voice = [&](const twilio::DialTicket &with, const char *sid,
                         const char *key = kToken) {
    twilio::Form fields = Fixture::call_fields();
    fields[0].second = sid;
    return fixture.post(
        "/twilio/webhooks/voice?ticket=" + twilio::seal(with, key), fields);
  };
  const auto taken = voice(ticket, kCall);
  g_assert_cmpint(taken.status, ==, 200);
  check_holds(taken.body, "name=\"agent\" value=\"reminder\"");
  g_assert_true(taken.body.find("ticket") == std::string::npos);
  g_assert_true(fixture.desk.offers.back().screened);
  CHECK_TEXT(fixture.desk.offers.back().agent, "reminder");
  g_assert_cmpint(voice(ticket, kCall).status, ==, 200); // Twilio asks again
  // Of another call, too late, of another number, by another hand.
  g_assert_cmpint(voice(ticket, "CA77").status, ==, 403);
  twilio::DialTicket other = ticket;
  other.nonce = "n2";
  g_assert_cmpint(voice(other, kCall, "other key").status, ==, 403);
  other.to = "+14155550123";
  g_assert_cmpint(voice(other, kCall).status, ==, 403);
  other = ticket;
  other.nonce = "n3";
  other.expires = std::time(nullptr) - 1;
  g_assert_cmpint(voice(other, kCall).status, ==, 403);
  // No path comes from a URL.
  other = ticket;
  other.nonce = "n4";
  other.agent = "../secret";
  check_holds(voice(other, kCall).body, "We are sorry");
  g_assert_cmpuint(fixture.desk.offers.size(), ==, 2);

  const auto tell = [&](const std::string &path, const char *name,
                        const char *value) {
    return fixture
        .post("/twilio/webhooks/" + path, {{"CallSid", kCall}, {name, value}})
        .status;
  };
  g_assert_cmpint(tell("answered-by", "AnsweredBy", "machine_end_beep"), ==,
                  204);
  g_assert_cmpint(tell("answered-by", "AnsweredBy", "a cat"), ==, 204);
  other.agent = "reminder";
  g_assert_cmpint(tell("call-status?ticket=" + twilio::seal(other, kToken),
                       "CallStatus", "busy"),
                  ==, 204);
  g_assert_cmpint(tell("call-status?ticket=x", "CallStatus", "ringing"), ==,
                  204);
  const std::string sid = kCall;
  const std::vector<std::string> expected = {
      "answered-by " + sid + " machine_end_beep",
      "call-status " + sid + " busy reminder",
      "call-status " + sid + " ringing "};
  g_assert_true(fixture.desk.told == expected);
}

void test_without_token() {
  // Nothing to check with is no reason to accept.
  Fixture strict([](config::Config &config) { config.twilio.auth_token = ""; });
  const auto refused =
      strict.post("/twilio/webhooks/voice", Fixture::call_fields());
  g_assert_cmpint(refused.status, ==, 500);
  check_holds(refused.body, "no_auth_token");
  const auto unready = strict.get("/readyz");
  g_assert_cmpint(unready.status, ==, 503);
  check_holds(unready.body, "no auth token");
  RawClient stream(strict.server->port());
  stream.send(strict.handshake("token1"));
  check_holds(stream.read_until("}}"), "HTTP/1.1 500");

  Fixture lax([](config::Config &config) {
    config.twilio.auth_token = "";
    config.twilio.validate_signatures = false;
  });
  const auto accepted =
      lax.request("POST", "/twilio/webhooks/voice", {},
                  twilio::encode_form(Fixture::call_fields()), kForm);
  g_assert_cmpint(accepted.status, ==, 200);
  g_assert_cmpuint(lax.desk.offers.size(), ==, 1);
}

void test_turned_away() {
  Fixture fixture([](config::Config &config) {
    config.server.busy_message = "All lines are busy.";
  });
  for (const char *code : {"full", "draining"}) {
    fixture.desk.refuse_with = make_error(code, "no");
    const auto answer =
        fixture.post("/twilio/webhooks/voice", Fixture::call_fields());
    g_assert_cmpint(answer.status, ==, 200);
    check_holds(answer.body, "<Response><Say language=\"en-US\">All lines are "
                             "busy.</Say><Hangup/></Response>");
  }
  fixture.desk.refuse_with = make_error("bad_agent", "no such agent");
  const auto trouble =
      fixture.post("/twilio/webhooks/voice", Fixture::call_fields());
  g_assert_cmpint(trouble.status, ==, 200);
  check_holds(trouble.body, "We are sorry");
  g_assert_true(trouble.body.find("agent") == std::string::npos);

  // No path comes in through the URL.
  fixture.desk.refuse_with.reset();
  const auto path =
      fixture.post("/twilio/webhooks/voice?agent=..%2F..%2Fetc%2Fpasswd.toml",
                   Fixture::call_fields());
  check_holds(path.body, "We are sorry");
  g_assert_true(fixture.desk.offers.empty());
}

void test_stream_status() {
  Fixture fixture;
  const auto answer = fixture.post("/twilio/webhooks/stream-status",
                                   {{"CallSid", kCall},
                                    {"StreamSid", "MZ01"},
                                    {"StreamEvent", "stream-error"},
                                    {"StreamError", "31920"}});
  g_assert_cmpint(answer.status, ==, 204);
  g_assert_true(answer.body.empty());
  g_assert_cmpuint(fixture.desk.statuses.size(), ==, 1);
  CHECK_TEXT(fixture.desk.statuses.front(),
             std::string(kCall) + " stream-error 31920");
}

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

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  // What is refused is logged, as it should be; here it would only be noise.
  log::set_threshold(log::Level::kError);
  const std::pair<const char *, void (*)()> tests[] = {
      {"/server/a-signed-webhook-gets-a-stream", test_webhook},
      {"/server/the-webhook-url-chooses-agent-and-pipeline",
       test_webhook_choices},
      {"/server/other-webhooks-are-refused", test_webhook_refused},
      {"/server/other-questions-about-calls-are-refused",
       test_call_webhooks_refused},
      {"/server/a-caller-is-put-through-and-comes-back",
       test_transfer_webhooks},
      {"/server/a-ticket-is-good-for-one-placed-call", test_placed_webhooks},
      {"/server/without-a-token-nothing-is-accepted", test_without_token},
      {"/server/who-cannot-be-served-is-told-in-words", test_turned_away},
      {"/server/stream-status-reaches-the-calls", test_stream_status},
      {"/server/a-media-stream-is-taken-over-whole", test_media_stream},
      {"/server/a-claim-is-released-when-its-client-goes",
       test_claim_of_a_client_that_goes},
      {"/server/other-media-streams-are-refused", test_media_stream_refused},
      {"/server/all-workers-take-calls", test_all_workers_serve},
      {"/server/a-taken-port-is-an-error", test_port_in_use},
      {"/server/unknown-paths-and-methods-are-refused", test_methods_and_paths},
      {"/server/bodies-are-bounded", test_bodies},
      {"/server/heads-are-bounded", test_heads},
      {"/server/slow-clients-are-dropped", test_slow_clients},
      {"/server/the-api-is-for-the-operator", test_api_admission},
      {"/server/records-are-listed", test_api_records},
      {"/server/events-are-passed-on-until-the-end", test_events},
      {"/server/a-follower-that-went-is-forgotten", test_events_client_gone},
      {"/server/readiness-says-what-is-missing", test_health_and_readiness},
      {"/server/clients-wait-for-descriptors", test_no_descriptors},
      {"/server/a-connection-ends-with-its-answer", test_connections_end},
      {"/server/nothing-is-left-behind", test_leaves_nothing},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func(name, test);
  return g_test_run();
}
