// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/check_text.hpp"
#include "net_test.hpp"
#include "raw_server.hpp"
#include "soup_peer.hpp"

#include "net/http_client.hpp"

#include <optional>

using namespace patchcord;
using net::HttpClient;
using net::HttpRequest;
using net::HttpResponse;

namespace {

HttpRequest request(std::string url, std::string method = "GET") {
  HttpRequest out;
  out.url = std::move(url);
  out.method = std::move(method);
  return out;
}

std::string describe(const Result<Unit> &result) {
  return result.ok() ? "done" : "error " + result.error().code;
}

HttpClient::StreamHandlers logging(EventLog &log) {
  HttpClient::StreamHandlers handlers;
  handlers.response = [&log](int status, const net::Headers &) {
    log.add("response " + std::to_string(status));
  };
  handlers.data = [&log](ByteSpan bytes) {
    log.add("data " + std::string(as_text(bytes)));
  };
  handlers.done = [&log](const Result<Unit> &result) {
    log.add(describe(result));
  };
  return handlers;
}

// A client on a real worker.
struct Client {
  Client() {
    worker->call([&] { http = &worker->service<HttpClient>(); });
  }
  Client(const Client &) = delete;
  Client &operator=(const Client &) = delete;
  ~Client() { worker->stop(); }

  Result<HttpResponse> fetch(const HttpRequest &what) {
    EventLog log;
    std::optional<Result<HttpResponse>> got;
    std::unique_ptr<HttpClient::Transfer> transfer;
    worker->call([&] {
      transfer = http->fetch(what, [&](Result<HttpResponse> result) {
        got = std::move(result);
        log.add("done");
      });
      g_assert_false(got.has_value()); // never from within
    });
    log.await("done");
    worker->call([&] { transfer.reset(); });
    return std::move(*got);
  }
  std::string error_of(const HttpRequest &what) {
    const auto result = fetch(what);
    if (result.ok())
      return "status " + std::to_string(result->status);
    g_test_message("%s: %s", what.url.c_str(), result.error().message.c_str());
    return result.error().code;
  }

  std::shared_ptr<Worker> worker = Worker::start("http");
  HttpClient *http = nullptr;
};

using Answer = void (*)(SoupServer *, SoupServerMessage *, const char *,
                        GHashTable *, void *);

void respond(SoupServerMessage *message, const std::string &body) {
  soup_server_message_set_status(message, 200, nullptr);
  soup_server_message_set_response(message, "text/plain", SOUP_MEMORY_COPY,
                                   body.data(), body.size());
}

// "METHOD|Header: value|...|body"
void answer_mirror(SoupServer *, SoupServerMessage *message, const char *,
                   GHashTable *, void *) {
  std::string text = soup_server_message_get_method(message);
  SoupMessageHeadersIter iter;
  soup_message_headers_iter_init(
      &iter, soup_server_message_get_request_headers(message));
  const char *name = nullptr, *value = nullptr;
  while (soup_message_headers_iter_next(&iter, &name, &value))
    if (!g_str_equal(name, "Host"))
      text += std::string("|") + name + ": " + value;
  const SoupMessageBody *body = soup_server_message_get_request_body(message);
  text += "|" + std::string(body->data, static_cast<std::size_t>(body->length));
  soup_message_headers_append(soup_server_message_get_response_headers(message),
                              "X-CUSTOM", " a  b ");
  respond(message, text);
}

void answer_megabyte(SoupServer *, SoupServerMessage *message, const char *,
                     GHashTable *, void *) {
  std::string body(std::size_t{1} << 20, '\0');
  for (std::size_t i = 0; i < body.size(); ++i)
    body[i] = static_cast<char>(i * 7 + (i >> 8));
  respond(message, body);
}

void answer_status(SoupServer *, SoupServerMessage *message, const char *path,
                   GHashTable *, void *) {
  const int status = std::atoi(path + std::string("/status/").size());
  respond(message, "body of " + std::to_string(status));
  soup_server_message_set_status(message, static_cast<guint>(status), nullptr);
  if (status / 100 == 3)
    soup_message_headers_replace(
        soup_server_message_get_response_headers(message), "Location", "/port");
}

void add_answers(SoupServer *server) {
  const std::pair<const char *, Answer> answers[] = {
      {"/mirror", answer_mirror},
      {"/megabyte", answer_megabyte},
      {"/status", answer_status}};
  for (const auto &[path, answer] : answers)
    soup_server_add_handler(server, path, answer, nullptr, nullptr);
}

} // namespace

static void test_requests() {
  const SoupPeer peer(add_answers);
  Client client;
  auto posted = request(peer.url("http", "/mirror"), "POST");
  posted.body = std::string("a\0b", 3);
  posted.headers = {{"X-One", "1"}, {"X-Empty", ""}};
  auto json = request(peer.url("http", "/mirror"), "PATCH");
  json.headers = {{"Content-Type", "application/json"}};
  json.body = "{}";
  auto removed = request(peer.url("http", "/mirror"), "DELETE");
  removed.username = "user";
  removed.password = "pass:word";
  auto long_body = request(peer.url("http", "/mirror"), "POST");
  long_body.body = std::string(200000, 'x');
  const std::pair<HttpRequest, std::string> cases[] = {
      {request(peer.url("http", "/mirror")), "GET|Accept: */*|"},
      {posted, std::string("POST|Accept: */*|Content-Length: 3|X-One: 1|"
                           "X-Empty: |a") +
                   '\0' + "b"},
      {json, "PATCH|Accept: */*|Content-Type: application/json|"
             "Content-Length: 2|{}"},
      {request(peer.url("http", "/mirror"), "POST"),
       "POST|Accept: */*|Content-Length: 0|"},
      {removed,
       "DELETE|Authorization: Basic dXNlcjpwYXNzOndvcmQ=|Accept: */*|"},
      {long_body, "POST|Accept: */*|Content-Length: 200000|" + long_body.body},
  };
  for (const auto &[what, mirrored] : cases) {
    const auto result = client.fetch(what);
    g_assert_true(result.ok());
    g_assert_cmpint(result->status, ==, 200);
    CHECK_TEXT(result->body, mirrored);
    g_assert_true(result->body == mirrored);
    CHECK_TEXT(*result->header("x-custom"), "a  b");
    g_assert_false(result->header("X-CUSTOM").has_value());
  }
  const auto head = client.fetch(request(peer.url("http", "/mirror"), "HEAD"));
  g_assert_true(head.ok() && head->status == 200 && head->body.empty());
}

static void test_any_status() {
  const SoupPeer peer(add_answers);
  Client client;
  for (const int status : {200, 302, 404, 429, 500, 503}) {
    const auto path = "/status/" + std::to_string(status);
    const auto result = client.fetch(request(peer.url("http", path)));
    g_assert_true(result.ok());
    g_assert_cmpint(result->status, ==, status);
    g_assert_true(result->body == "body of " + std::to_string(status));
  }
}

static void test_sizes() {
  const SoupPeer peer(add_answers);
  Client client;
  auto what = request(peer.url("http", "/megabyte"));
  const auto all = client.fetch(what);
  g_assert_true(all.ok());
  g_assert_cmpuint(all->body.size(), ==, std::size_t{1} << 20);
  for (std::size_t i = 0; i < all->body.size(); ++i)
    g_assert_true(all->body[i] == static_cast<char>(i * 7 + (i >> 8)));
  what.max_body = (std::size_t{1} << 20) - 1;
  CHECK_TEXT(client.error_of(what), "too_large");
}

namespace {

// A client on a virtual worker, and the server played by hand.
struct Bench {
  explicit Bench(int backlog = 16) : server(backlog) {}
  ~Bench() { worker->run_ready(); }
  Bench(const Bench &) = delete;
  Bench &operator=(const Bench &) = delete;

  HttpRequest to_server() const { return request(server.url("http")); }
  void start(const HttpRequest &what, HttpClient::StreamHandlers handlers) {
    transfer = worker->service<HttpClient>().stream(what, std::move(handlers));
    worker->run_ready();
  }
  // Accepts, and reads the request.
  void serve() {
    peer = server.accept();
    worker->run_ready();
    peer.read_until("\r\n\r\n");
  }
  void answer(std::string_view bytes) {
    peer.write(bytes);
    worker->run_ready();
  }
  void expect(const char *events) { CHECK_TEXT(log.joined(), events); }
  // Milliseconds of the worker's time until the log holds `event`.
  std::int64_t time_until(std::string_view event) {
    const TimePoint start = worker->now();
    g_assert_true(worker->run_until([&] { return log.count(event) > 0; },
                                    start + std::chrono::hours(1)));
    return (worker->now() - start) / 1ms;
  }

  RawServer server;
  EventLog log;
  std::shared_ptr<Worker> worker = Worker::create_virtual();
  std::unique_ptr<HttpClient::Transfer> transfer;
  Descriptor peer;
};

constexpr const char *kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

} // namespace

static void test_stream() {
  Bench bench;
  bench.start(bench.to_server(), logging(bench.log));
  bench.serve();
  bench.answer("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n");
  bench.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chu");
  bench.expect("");
  bench.answer("nked\r\n\r\n");
  bench.expect("response 200");
  bench.answer("5\r\nhello\r\n");
  bench.expect("response 200|data hello");
  bench.answer("6\r\n wo");
  bench.expect("response 200|data hello|data  wo");
  bench.answer("rld\r\n0\r\nX-Trailer: 1\r\n\r\n");
  bench.expect("response 200|data hello|data  wo|data rld|done");
}

static void test_cut_off() {
  const std::pair<std::string, const char *> cases[] = {
      {std::string(kChunked) + "5\r\nhello\r\n",
       "response 200|data hello|error protocol"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
       "response 200|data hello|error protocol"},
      {"HTTP/1.1 200 OK\r\nContent-Le", "error protocol"},
      {"", "error protocol"},
      {"NOT HTTP AT ALL\r\n\r\n", "error protocol"},
      // Without a length the end is the end (RFC 7230 section 3.3.3).
      {"HTTP/1.1 200 OK\r\n\r\nhello", "response 200|data hello|done"},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(70000, 'x') + "\r\n\r\nhi",
       "error protocol"},
  };
  for (const auto &[bytes, events] : cases) {
    Bench bench;
    bench.start(bench.to_server(), logging(bench.log));
    bench.serve();
    bench.answer(bytes);
    bench.peer.reset();
    bench.worker->run_ready();
    g_test_message("%.60s", bytes.c_str());
    bench.expect(events);
  }
}

static void test_timeouts() {
  struct Case {
    const char *what;
    bool connects;
    const char *answer;
    Duration connect, total, idle;
    std::int64_t ms;
  };
  const Case cases[] = {
      {"connect", false, "", 2s, 10s, 0s, 2000},
      {"total before connect", false, "", 0s, 3s, 0s, 3000},
      {"total", true, "", 2s, 10s, 0s, 10000},
      {"total while idle is long", true, kChunked, 2s, 10s, 30s, 10000},
      {"idle before an answer", true, "", 2s, 0s, 5s, 5000},
      {"idle within the answer", true, kChunked, 2s, 60s, 5s, 5000},
  };
  for (const auto &each : cases) {
    g_test_message("%s", each.what);
    // A backlog of 0 has room for one, and the next one's SYN is dropped.
    Bench bench(each.connects ? 16 : 0);
    const Descriptor taken = bench.server.connect();
    if (each.connects)
      bench.server.accept();
    auto what = bench.to_server();
    what.connect_timeout = each.connect;
    what.timeout = each.total;
    what.idle_timeout = each.idle;
    bench.start(what, logging(bench.log));
    if (each.connects) {
      bench.serve();
      bench.answer(each.answer);
    }
    const auto ms = bench.time_until("error timeout");
    g_assert_cmpint(ms, >=, each.ms);
    g_assert_cmpint(ms, <=, each.ms + 2);
    g_assert_cmpuint(bench.worker->armed_timers(), <=, 1); // libcurl's own
  }
}

static void test_idle_counts_from_the_last_byte() {
  Bench bench;
  auto what = bench.to_server();
  what.timeout = 0s;
  what.idle_timeout = 5s;
  bench.start(what, logging(bench.log));
  bench.serve();
  bench.answer(kChunked);
  for (int i = 0; i < 10; ++i) {
    bench.worker->run_for(4s);
    bench.answer("1\r\nx\r\n");
  }
  g_assert_cmpuint(bench.log.count("data x"), ==, 10);
  const auto ms = bench.time_until("error timeout");
  g_assert_cmpint(ms, >=, 5000);
  g_assert_cmpint(ms, <=, 5002);
}

// In each handler: the transfer is destroyed, and nothing runs after that.
static void test_cancel_in_handlers() {
  for (const int where : {0, 1, 2}) {
    Bench bench;
    HttpClient::StreamHandlers handlers = logging(bench.log);
    std::string captured(100, 'c'); // lives in the handler that is destroyed
    const auto maybe = [&bench, where, captured](int here, auto &&log_it) {
      if (here == where)
        bench.transfer.reset();
      g_assert_cmpuint(captured.size(), ==, 100);
      log_it();
    };
    handlers.response = [=, &bench](int, const net::Headers &) {
      maybe(0, [&] { bench.log.add("response"); });
    };
    handlers.data = [=, &bench](ByteSpan) {
      maybe(1, [&] { bench.log.add("data"); });
    };
    handlers.done = [=, &bench](const Result<Unit> &) {
      maybe(2, [&] { bench.log.add("done"); });
    };
    bench.start(bench.to_server(), std::move(handlers));
    bench.serve();
    bench.answer(std::string(kChunked) + "1\r\nx\r\n");
    if (where == 2)
      bench.answer("0\r\n\r\n");
    else // a connection in the middle of an answer is of no use to others
      g_assert_true(bench.peer.read().ends_with("EOF"));
    const char *expected[] = {"response", "response|data",
                              "response|data|done"};
    bench.expect(expected[where]);
    g_assert_null(bench.transfer.get());
  }
}

static void test_keep_alive() {
  Bench bench;
  bench.start(bench.to_server(), logging(bench.log));
  bench.serve();
  for (int i = 0; i < 3; ++i) {
    bench.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    g_assert_cmpuint(bench.log.count("done"), ==, static_cast<guint>(i) + 1);
    bench.transfer.reset();
    bench.worker->run_for(30s); // between two turns of a conversation
    bench.start(bench.to_server(), logging(bench.log));
    bench.peer.read_until("\r\n\r\n"); // on the same connection
  }
}

static void test_idle_connections_are_closed() {
  Bench bench;
  for (guint i = 1; i <= 2; ++i) { // and then a new one serves
    bench.start(bench.to_server(), logging(bench.log));
    bench.serve();
    bench.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    g_assert_cmpuint(bench.log.count("done"), ==, i);
    bench.transfer.reset();
    bench.worker->run_for(59s);
    CHECK_TEXT(bench.peer.read(), "");
    bench.worker->run_for(2s);
    CHECK_TEXT(bench.peer.read(), "EOF");
    g_assert_cmpuint(bench.worker->armed_timers(), ==, 0);
  }
}

static void test_start_in_handler() {
  Bench bench;
  HttpClient::StreamHandlers handlers = logging(bench.log);
  handlers.done = [&](const Result<Unit> &) {
    bench.transfer = bench.worker->service<HttpClient>().stream(
        bench.to_server(), logging(bench.log));
  };
  bench.start(bench.to_server(), std::move(handlers));
  bench.serve();
  bench.answer("HTTP/1.1 204 No Content\r\n\r\n");
  bench.expect("response 204");
  bench.peer.read_until("\r\n\r\n"); // the next, on the same connection
  bench.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  bench.expect("response 204|response 200|data hi|done");
}

static void test_cancel_before_connect() {
  Bench bench;
  bench.start(bench.to_server(), logging(bench.log));
  bench.transfer.reset();
  bench.worker->run_for(60s);
  bench.expect("");
  g_assert_cmpuint(bench.worker->armed_timers(), ==, 0);
  g_assert_cmpuint(bench.worker->watched_fds(), ==, 0);
}

// A transfer may outlive its worker's services and the worker.
static void test_outlives_worker() {
  std::unique_ptr<HttpClient::Transfer> transfer;
  EventLog log;
  const RawServer server;
  {
    const auto worker = Worker::create_virtual();
    transfer = worker->service<HttpClient>().stream(request(server.url("http")),
                                                    logging(log));
    worker->run_ready();
  }
  transfer.reset();
  CHECK_TEXT(log.joined(), "");
}

static void test_failures() {
  const RawServer deaf(-1); // bound, but not listening
  Client client;
  auto injected = request("http://127.0.0.1:9/");
  injected.headers = {{"X-A", "1\r\nX-B: 2"}};
  const std::pair<HttpRequest, const char *> cases[] = {
      {request(deaf.url("http")), "connect"},
      {request("ftp://127.0.0.1/"), "bad_url"},
      {request("http://"), "bad_url"},
      {injected, "protocol"},
  };
  for (const auto &[what, code] : cases)
    CHECK_TEXT(client.error_of(what), code);
}

static void test_tls() {
  const TestCertificate certificate;
  if (certificate.path.empty()) {
    g_test_skip("the openssl program is not installed");
    return;
  }
  const SoupPeer peer(add_answers, certificate.certificate);
  Client client;
  auto what = request(peer.url("https", "/status/200"));
  CHECK_TEXT(client.error_of(what), "tls");
  what.ca_file = certificate.path;
  CHECK_TEXT(client.error_of(what), "status 200");
  what.url = peer.url("https", "/status/200", "localhost");
  CHECK_TEXT(client.error_of(what), "status 200");
}

// Parsing the system's certificates takes some 30 ms: not for each connection.
static void test_certificates_are_kept() {
  const TestCertificate certificate;
  if (certificate.path.empty()) {
    g_test_skip("the openssl program is not installed");
    return;
  }
  const SoupPeer peer(add_answers, certificate.certificate);
  Client client;
  auto what = request(peer.url("https", "/status/200"));
  what.ca_file = certificate.path;
  CHECK_TEXT(client.error_of(what), "status 200");
  g_assert_cmpint(unlink(certificate.path.c_str()), ==, 0);
  // The peer ends each connection with its response: this is another.
  CHECK_TEXT(client.error_of(what), "status 200");
  what.ca_file += ".other"; // and of this one nothing is known
  CHECK_TEXT(client.error_of(what), "tls");
}

namespace {

// Sees what comes before who asked does.
class Observer final : public net::HttpObserver {
public:
  explicit Observer(EventLog &log) : log_(log) {}
  std::int64_t requested(const HttpRequest &request) override {
    log_.add("seen " + request.method + " " + request.body);
    return 7;
  }
  void response(std::int64_t number, int status,
                const net::Headers &) override {
    log_.add("seen " + std::to_string(number) + " response " +
             std::to_string(status));
  }
  void data(std::int64_t, ByteSpan bytes) override {
    log_.add("seen " + std::string(as_text(bytes)));
  }
  void done(std::int64_t, const Result<Unit> &result) override {
    log_.add("seen " + describe(result));
  }

private:
  EventLog &log_;
};

// On a worker without time, with nobody to connect to.
void test_served() {
  const auto worker = Worker::create_virtual();
  auto &http = worker->service<HttpClient>();
  std::vector<HttpClient::StreamHandlers> served;
  http.serve_by(
      [&](const HttpRequest &what, HttpClient::StreamHandlers handlers) {
        CHECK_TEXT(what.url, "http://nowhere.invalid/");
        served.push_back(std::move(handlers));
        return std::make_unique<HttpClient::Transfer>();
      });
  EventLog log;
  HttpRequest asked = request("http://nowhere.invalid/", "POST");
  asked.body = "b";
  asked.observer = std::make_shared<Observer>(log);
  const auto stream = http.stream(asked, logging(log));
  std::optional<Result<HttpResponse>> fetched;
  const auto fetch = http.fetch(
      request("http://nowhere.invalid/"),
      [&](Result<HttpResponse> result) { fetched = std::move(result); });
  worker->run_for(60s);
  g_assert_false(http.busy());
  g_assert_cmpuint(served.size(), ==, 2);
  for (const auto &handlers : served) {
    handlers.response(200, {});
    handlers.data(as_bytes("hi"));
    handlers.done(ok());
  }
  CHECK_TEXT(log.joined(), "seen POST b|seen 7 response 200|response 200|seen "
                           "hi|data hi|seen done|done");
  g_assert_true(fetched.has_value() && fetched->ok());
  CHECK_TEXT((*fetched)->body, "hi");
}

void test_busy() {
  const SoupPeer peer(add_answers);
  Client client;
  EventLog log;
  std::unique_ptr<HttpClient::Transfer> transfer;
  client.worker->call([&] {
    g_assert_false(client.http->busy());
    transfer =
        client.http->stream(request(peer.url("http", "/mirror")), logging(log));
    g_assert_true(client.http->busy());
  });
  log.await("done");
  client.worker->call([&] { g_assert_false(client.http->busy()); });
  client.worker->call([&] { transfer.reset(); });
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/http-client/requests-arrive-as-given", test_requests);
  g_test_add_func("/http-client/any-status-is-a-response", test_any_status);
  g_test_add_func("/http-client/a-connection-is-used-again", test_keep_alive);
  g_test_add_func("/http-client/idle-connections-are-closed",
                  test_idle_connections_are_closed);
  g_test_add_func("/http-client/a-body-is-whole-or-too-large", test_sizes);
  g_test_add_func("/http-client/a-stream-is-told-as-it-comes", test_stream);
  g_test_add_func("/http-client/a-body-cut-off-is-an-error", test_cut_off);
  g_test_add_func("/http-client/timeouts-go-by-the-worker's-clock",
                  test_timeouts);
  g_test_add_func("/http-client/idle-counts-from-the-last-byte",
                  test_idle_counts_from_the_last_byte);
  g_test_add_func("/http-client/a-handler-may-destroy-its-transfer",
                  test_cancel_in_handlers);
  g_test_add_func("/http-client/a-handler-may-start-the-next",
                  test_start_in_handler);
  g_test_add_func("/http-client/cancelled-is-cancelled",
                  test_cancel_before_connect);
  g_test_add_func("/http-client/a-transfer-may-outlive-its-worker",
                  test_outlives_worker);
  g_test_add_func("/http-client/failures-have-codes", test_failures);
  g_test_add_func("/http-client/tls-certificates-are-checked", test_tls);
  g_test_add_func("/http-client/requests-may-be-served-and-seen", test_served);
  g_test_add_func("/http-client/is-busy-while-an-answer-is-on-its-way",
                  test_busy);
  g_test_add_func("/http-client/certificates-are-parsed-once",
                  test_certificates_are_kept);
  return g_test_run();
}
