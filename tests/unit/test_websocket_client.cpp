// SPDX-License-Identifier: LGPL-2.1-or-later
// The client's side, on a virtual worker, with the server played by hand.
#include "../support/check_text.hpp"
#include "frames.hpp"
#include "net_test.hpp"
#include "raw_server.hpp"

#include "net/upgrade.hpp"
#include "worker/worker.hpp"

#include <set>

using namespace patchcord;
using net::UpgradeResponse;
using net::WebSocket;

namespace {

constexpr FrameOptions kPlain = {.mask = false};

struct Bench {
  explicit Bench(int backlog = 16) : server(backlog) {
    options.url = server.url("ws") + "path?a=b%20c";
  }
  ~Bench() {
    socket.reset();
    worker->run_ready();
    g_assert_cmpuint(worker->watched_fds(), ==, 0);
    g_assert_cmpuint(worker->armed_timers(), ==, 0);
  }
  Bench(const Bench &) = delete;
  Bench &operator=(const Bench &) = delete;

  void connect() {
    socket = WebSocket::connect(*worker, options, handlers, limits);
    expect(""); // not from within
    worker->run_ready();
  }
  // Accepts and reads the request.
  void serve() {
    peer = server.accept();
    worker->run_ready();
    request = peer.read_until("\r\n\r\n");
  }
  std::string header(const std::string &name) const {
    const auto at = request.find("\r\n" + name + ": ");
    g_assert_true(at != std::string::npos);
    const auto start = at + name.size() + 4;
    return request.substr(start, request.find("\r\n", start) - start);
  }
  std::string upgrade() const {
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n"
           "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: " +
           net::accept_key(header("Sec-WebSocket-Key")) + "\r\n\r\n";
  }
  void open() {
    connect();
    serve();
    say(upgrade());
  }
  void say(const std::string &bytes) {
    peer.write(bytes);
    worker->run_ready();
  }
  std::string hear() {
    worker->run_ready();
    return describe_frames(peer.read(), true);
  }
  void expect(const std::string &events) { CHECK_TEXT(log.joined(), events); }
  // Milliseconds of the worker's time until it is closed.
  std::int64_t time_until_closed() {
    const TimePoint start = worker->now();
    g_assert_true(worker->run_until(
        [&] { return log.joined().find("closed") != std::string::npos; },
        start + 3600s));
    return (worker->now() - start) / 1ms;
  }

  RawServer server;
  EventLog log;
  std::shared_ptr<Worker> worker = Worker::create_virtual();
  WebSocket::ConnectOptions options;
  WebSocket::Handlers handlers = logging_handlers(log);
  WebSocket::Limits limits;
  std::unique_ptr<WebSocket> socket;
  Descriptor peer;
  std::string request;
};

} // namespace

static void test_accept_key() { // RFC 6455 section 1.3
  CHECK_TEXT(net::accept_key("dGhlIHNhbXBsZSBub25jZQ=="),
             "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void test_urls() {
  struct Case {
    const char *url;
    const char *parsed; // "tls host port target authority", or "bad_url"
  };
  const Case cases[] = {
      {"ws://example.com", "0 example.com 80 / example.com"},
      {"wss://example.com/a?b=c", "1 example.com 443 /a?b=c example.com"},
      {"ws://example.com:443/", "0 example.com 443 / example.com:443"},
      {"wss://example.com:443/", "1 example.com 443 / example.com"},
      {"ws://127.0.0.1:8080?x", "0 127.0.0.1 8080 /?x 127.0.0.1:8080"},
      {"ws://[::1]:8080/%2F", "0 ::1 8080 /%2F [::1]:8080"},
      {"http://example.com/", "bad_url"},
      {"example.com", "bad_url"},
      {"", "bad_url"},
      {"ws://", "bad_url"},
      {"ws:///path", "bad_url"},
      {"ws://user:password@example.com/", "bad_url"},
      {"ws://example.com/#fragment", "bad_url"},
      {"ws://example.com:0/", "bad_url"},
      {"ws://example.com:65536/", "bad_url"},
      {"ws://example.com/a b", "0 example.com 80 /a%20b example.com"},
      // Escaped, so that it does not break out of its line.
      {"ws://example.com/\r\nX: y", "0 example.com 80 /%0D%0AX:%20y "
                                    "example.com"},
      {"ws://exa\nmple.com/", "bad_url"},
  };
  for (const auto &[url, parsed] : cases) {
    const auto got = net::parse_web_socket_url(url);
    const std::string text = got.ok() ? std::string(got->tls ? "1 " : "0 ") +
                                            got->host + " " +
                                            std::to_string(got->port) + " " +
                                            got->target + " " + got->authority()
                                      : got.error().code;
    g_test_message("%s", url);
    CHECK_TEXT(text, parsed);
  }
}

static void test_responses() {
  const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";
  const std::string good = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
                           "\r\n";
  const std::string start = "HTTP/1.1 101 Switching Protocols\r\n";
  struct Case {
    std::string bytes;
    const char *outcome; // "+rest", "?" or "status reason"
  };
  const Case cases[] = {
      {start + good + "\r\n", "+"},
      {start + good + "\r\n\x81\x02hi", "+\x81\x02hi"},
      {"HTTP/1.1 101\r\n" + good + "\r\n", "+"},
      {start + "X: y\r\nuPGRADE:WEBSOCKET\r\nconnection: a,upgrade ,b\r\n"
               "sec-websocket-accept:\ts3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n\r\n",
       "+"},
      {start + good, "?"},
      {"", "?"},
      {"HTTP/1.1 403 Forbidden\r\n\r\nbody", "403 the server answered 403"},
      {"HTTP/1.0 200 OK\r\n" + good + "\r\n", "200 the server answered 200"},
      {"HTTP/2 101 x\r\n\r\n", "0 the server does not speak HTTP/1.1"},
      {"HTTP/1.1 1010 x\r\n\r\n", "0 the server does not speak HTTP/1.1"},
      {"HTTP/1.1 1x1 x\r\n\r\n", "0 the server does not speak HTTP/1.1"},
      {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "0 the server does not speak HTTP/1.1"},
      {"\r\n\r\n", "0 the server does not speak HTTP/1.1"},
      {start + "\r\n", "0 the server's 101 is not an upgrade to websocket"},
      {start + "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
       "0 the server's 101 is not an upgrade to websocket"},
      {start + "Upgrade: websocket\r\nConnection: close\r\n\r\n",
       "0 the server's 101 is not an upgrade to websocket"},
      {start + "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
       "0 the server's Sec-WebSocket-Accept is wrong"},
      {start + good + "Sec-WebSocket-Accept: other\r\n\r\n",
       "0 the server's Sec-WebSocket-Accept is wrong"},
      {start + good + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
       "0 the server chose what was not offered: sec-websocket-extensions"},
      {start + good + "Sec-WebSocket-Protocol: chat\r\n\r\n",
       "0 the server chose what was not offered: sec-websocket-protocol"},
      {start + good + "no colon\r\n\r\n",
       "0 the server's response headers are malformed"},
      {start + good + "X Y: z\r\n\r\n",
       "0 the server's response headers are malformed"},
      {start + good + " folded\r\n\r\n",
       "0 the server's response headers are malformed"},
      {start + "X: " + std::string(20000, 'x'),
       "0 the server's response headers are too long"},
      {start + "X: " + std::string(20000, 'x') + "\r\n" + good + "\r\n",
       "0 the server's response headers are too long"},
  };
  const auto outcome = [](const UpgradeResponse &response,
                          UpgradeResponse::State state) -> std::string {
    switch (state) {
    case UpgradeResponse::State::kMore:
      return "?";
    case UpgradeResponse::State::kAccepted:
      return "+" + std::string(as_text(response.rest()));
    default:
      return std::to_string(response.status()) + " " + response.reason();
    }
  };
  for (const auto &[bytes, expected] : cases) {
    g_test_message("%.80s", bytes.c_str());
    UpgradeResponse whole(key);
    const auto state = whole.feed(as_bytes(bytes));
    CHECK_TEXT(outcome(whole, state), expected);
    // In pieces it is the same, but for what comes after the end.
    UpgradeResponse pieces(key);
    auto last = UpgradeResponse::State::kMore;
    std::size_t at = 0;
    for (; at < bytes.size() && last == UpgradeResponse::State::kMore; ++at)
      last = pieces.feed(as_bytes(std::string_view(bytes).substr(at, 1)));
    if (state == UpgradeResponse::State::kAccepted)
      CHECK_TEXT(outcome(pieces, last) + bytes.substr(at), expected);
    else
      CHECK_TEXT(outcome(pieces, last), expected);
  }
}

static void test_opens() {
  Bench bench;
  bench.options.headers = {{"Authorization", "Bearer key"}, {"X-Two", ""}};
  bench.connect();
  bench.socket->send_text("before open");
  bench.serve();
  g_assert_true(bench.request.starts_with("GET /path?a=b%20c HTTP/1.1\r\n"));
  CHECK_TEXT("ws://" + bench.header("Host") + "/", bench.server.url("ws"));
  CHECK_TEXT(bench.header("Upgrade"), "websocket");
  CHECK_TEXT(bench.header("Connection"), "Upgrade");
  CHECK_TEXT(bench.header("Sec-WebSocket-Version"), "13");
  CHECK_TEXT(bench.header("Authorization"), "Bearer key");
  CHECK_TEXT(bench.header("X-Two"), "");
  g_assert_true(bench.request.find("Extensions") == std::string::npos);
  CHECK_TEXT(bench.peer.read(), ""); // nothing before the answer
  bench.say(bench.upgrade() + frame(kText, "with the answer", kPlain) +
            frame(kText, "cut", kPlain).substr(0, 3));
  bench.expect("open|drained|text with the answer");
  CHECK_TEXT(bench.hear(), "text before open");
  bench.say(frame(kText, "cut", kPlain).substr(3) +
            frame(kBinary, "\x01", kPlain) + frame(kPing, "p", kPlain));
  bench.expect("open|drained|text with the answer|text cut|binary \x01");
  bench.socket->send_binary(as_bytes("b"));
  CHECK_TEXT(bench.hear(), "pong p|binary b");
}

static void test_key_and_masks_differ() {
  std::set<std::string> keys;
  for (int i = 0; i < 3; ++i) {
    Bench bench;
    bench.open();
    keys.insert(bench.header("Sec-WebSocket-Key"));
    std::set<std::string> frames;
    for (int j = 0; j < 300; ++j) {
      bench.socket->send_text("same");
      frames.insert(bench.peer.read());
    }
    g_assert_cmpuint(frames.size(), ==, 300);
  }
  g_assert_cmpuint(keys.size(), ==, 3);
}

static void test_masked_server() {
  Bench bench;
  bench.open();
  bench.say(frame(kText, "masked"));
  CHECK_TEXT(bench.hear(), "close 1002 a server's frame is masked|EOF");
  bench.peer.reset();
  bench.worker->run_ready();
  bench.expect("open|closed 1006 a server's frame is masked 0");
}

// The server hangs up first (RFC 6455 section 7.1.1); one that does not is not
// waited for beyond the close timeout.
static void test_server_hangs_up() {
  for (const bool hangs_up : {true, false}) {
    Bench bench;
    bench.open();
    bench.say(frame(kClose, close_payload(1000, "bye"), kPlain));
    CHECK_TEXT(bench.hear(), "close 1000");
    bench.expect("open");
    if (hangs_up)
      bench.peer.reset();
    g_assert_cmpint(bench.time_until_closed(), ==, hangs_up ? 0 : 2000);
    bench.expect("open|closed 1000 bye 0");
  }
}

static void test_we_close() {
  Bench bench;
  bench.open();
  bench.socket->close(1000, "enough");
  CHECK_TEXT(bench.hear(), "close 1000 enough");
  bench.say(frame(kClose, close_payload(1000), kPlain));
  bench.peer.reset();
  bench.worker->run_ready();
  bench.expect("open|closed 1000  0");
}

static void test_pings() {
  Bench bench;
  bench.open();
  bench.worker->run_for(20s);
  CHECK_TEXT(bench.hear(), "ping");
  bench.say(frame(kPong, "", kPlain));
  bench.worker->run_for(20s);
  CHECK_TEXT(bench.hear(), "ping");
  g_assert_cmpint(bench.time_until_closed(), ==, 20000);
  bench.expect("open|closed 1006 no pong 0");
}

static void test_refused() {
  struct Case {
    std::string answer;
    bool hangs_up;
    std::string closed;
  };
  const Case cases[] = {
      {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", false,
       "the server answered 401 401"},
      {"HTTP/1.1 503 Busy\r\n\r\n", true, "the server answered 503 503"},
      {"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
       "Sec-WebSocket-Accept: wrong\r\n\r\n",
       false, "the server's Sec-WebSocket-Accept is wrong 0"},
      {"HTTP/1.1 101 Sw", true, "connection lost before the upgrade 0"},
      {"", true, "connection lost before the upgrade 0"},
  };
  for (const auto &[answer, hangs_up, closed] : cases) {
    Bench bench;
    bench.connect();
    bench.socket->send_text("queued");
    bench.serve();
    bench.say(answer);
    if (hangs_up)
      bench.peer.reset();
    bench.worker->run_ready();
    bench.expect("closed 1006 " + closed);
    bench.socket->send_text("ignored");
    g_assert_cmpuint(bench.socket->queued_bytes(), ==, 0);
  }
}

static void test_timeouts() {
  for (const int backlog : {16, 0}) {
    // With a backlog the kernel accepts, and nobody answers; without room in
    // it there is no connection.
    Bench bench(backlog);
    const Descriptor taken = bench.server.connect();
    bench.options.timeout = 3s;
    bench.connect();
    g_assert_cmpint(bench.time_until_closed(), ==, 3000);
    bench.expect("closed 1006 no WebSocket in time 0");
  }
}

static void test_cannot_connect() {
  Bench deaf(-1); // bound, but not listening
  deaf.connect();
  deaf.expect("closed 1006 cannot connect: Connection refused 0");
  const std::pair<const char *, WebSocket::ConnectOptions> cases[] = {
      {"a WebSocket's URL starts with ws:// or wss://", {"http://a/", {}}},
      {"header cannot be sent: X", {"ws://a/", {{"X", "1\r\nY: 2"}}}},
      {"header cannot be sent: X Y", {"ws://a/", {{"X Y", "1"}}}},
      {"header cannot be sent: Upgrade", {"ws://a/", {{"Upgrade", "h2c"}}}},
  };
  for (const auto &[reason, options] : cases) {
    Bench bench;
    bench.options = options;
    bench.connect();
    bench.expect("closed 1006 " + std::string(reason) + " 0");
  }
}

static void test_closed_before_open() {
  Bench bench;
  bench.connect();
  bench.socket->close(1000, "never mind");
  bench.expect("");
  bench.worker->run_for(60s);
  bench.expect("closed 1006 closed before it was open 0");
  bench.peer = bench.server.accept();
  g_assert_true(bench.peer.read().ends_with("EOF"));
}

static void test_destroy() {
  for (const int when : {0, 1, 2, 3}) {
    Bench bench;
    bench.handlers.open = [&] {
      bench.log.add("open");
      bench.socket.reset();
    };
    bench.handlers.closed = [&](const WebSocket::Closed &) {
      bench.log.add("closed");
      bench.socket.reset();
    };
    bench.socket = WebSocket::connect(*bench.worker, bench.options,
                                      bench.handlers, bench.limits);
    if (when == 0)
      bench.socket.reset();
    bench.peer = bench.server.accept();
    bench.worker->run_ready();
    if (when == 1)
      bench.socket.reset();
    if (when >= 2) {
      bench.request = bench.peer.read_until("\r\n\r\n");
      bench.say(when == 2 ? bench.upgrade() + frame(kText, "", kPlain)
                          : "HTTP/1.1 500 No\r\n\r\n");
    }
    bench.worker->run_for(60s);
    bench.expect(when < 2 ? "" : when == 2 ? "open" : "closed");
    g_assert_null(bench.socket.get());
    g_assert_true(bench.peer.read().ends_with("EOF"));
  }
}

// Who leaves is gone at once; the connection closes as it should.
static void test_leave() {
  for (const bool answers : {true, false}) {
    Bench bench;
    bench.open();
    bench.socket->set_reading(false);
    bench.socket->send_text("last words");
    bench.socket->leave(1000, "enough");
    bench.socket.reset();
    CHECK_TEXT(bench.hear(), "text last words|close 1000 enough");
    bench.say(frame(kText, "too late", kPlain));
    if (answers)
      bench.say(frame(kClose, close_payload(1000), kPlain));
    bench.worker->run_for(1999ms); // for the server to hang up
    g_assert_cmpuint(bench.worker->watched_fds(), ==, 1);
    if (answers)
      bench.peer.reset();
    bench.worker->run_for(1ms);
    g_assert_cmpuint(bench.worker->watched_fds(), ==, 0);
    bench.expect("open");
  }
  // From within a handler.
  Bench within;
  within.handlers.text = [&](std::string_view) {
    const auto socket = std::move(within.socket);
    socket->leave(1000, "");
    within.log.add("left");
  };
  within.open();
  within.say(frame(kText, "a", kPlain) + frame(kText, "b", kPlain));
  CHECK_TEXT(within.hear(), "close 1000");
  within.peer.reset();
  within.worker->run_ready();
  within.expect("open|left");
  // Before there is anything to close, and behind the end.
  Bench early;
  early.connect();
  early.socket->leave(1000, "");
  early.worker->run_for(60s);
  early.expect("");
  early.peer = early.server.accept();
  g_assert_true(early.peer.read().ends_with("EOF"));
  Bench late;
  late.open();
  late.peer.reset();
  late.worker->run_ready();
  late.socket->leave(1000, "");
  late.expect("open|closed 1006 connection lost 0");
  // None outlives its worker.
  auto worker = Worker::create_virtual();
  Bench gone;
  gone.open();
  gone.socket->leave(1000, "");
  gone.socket.reset();
  gone.worker = std::move(worker);
  g_assert_true(gone.peer.read().ends_with("EOF"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const std::pair<const char *, void (*)()> tests[] = {
      {"the-accept-key-is-the-rfc's", test_accept_key},
      {"urls", test_urls},
      {"only-a-right-101-is-an-upgrade", test_responses},
      {"it-opens", test_opens},
      {"keys-and-masks-differ", test_key_and_masks_differ},
      {"a-server-that-masks-is-refused", test_masked_server},
      {"the-server-hangs-up", test_server_hangs_up},
      {"we-close", test_we_close},
      {"a-server-that-does-not-pong-is-dropped", test_pings},
      {"a-refusal-tells-its-status", test_refused},
      {"a-server-that-does-not-answer-is-given-up", test_timeouts},
      {"what-cannot-work-is-told", test_cannot_connect},
      {"closed-before-open", test_closed_before_open},
      {"it-may-be-destroyed-at-any-time", test_destroy},
      {"who-leaves-need-not-stay-for-the-end", test_leave},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func((std::string("/websocket-client/") + name).c_str(), test);
  return g_test_run();
}
