// SPDX-License-Identifier: LGPL-2.1-or-later
// Names are looked up on threads of their own: a resolver that hangs holds up
// nobody, and a numeric address does not ask it.
#include "../support/check_text.hpp"
#include "net_test.hpp"
#include "raw_server.hpp"

#include "net/http_client.hpp"

#include <atomic>
#include <dlfcn.h>
#include <netdb.h>

using namespace patchcord;
using net::HttpClient;
using net::WebSocket;

namespace {

// The resolver of this program: "hangs.test" until released, "served.test" is
// loopback.
class Resolver {
public:
  int resolve(const char *name, const char *service, const addrinfo *hints,
              addrinfo **result) {
    using Function =
        int (*)(const char *, const char *, const addrinfo *, addrinfo **);
    static const auto real =
        reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
    ++lookups;
    const std::string_view asked = name != nullptr ? name : "";
    if (asked == "hangs.test") {
      std::unique_lock lock(mutex_);
      ++hanging_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return released_; });
      --hanging_;
      changed_.notify_all();
      return EAI_FAIL;
    }
    return real(asked == "served.test" ? "127.0.0.1" : name, service, hints,
                result);
  }
  void await_hanging(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return hanging_ == count; });
  }
  void release() {
    std::unique_lock lock(mutex_);
    released_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return hanging_ == 0; });
  }
  std::atomic<int> lookups{0};

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false;
  int hanging_ = 0;
};
Resolver resolver;

} // namespace

// Found before libc's by libcurl too.
extern "C" int getaddrinfo(const char *name, const char *service,
                           const addrinfo *hints, addrinfo **result) {
  return resolver.resolve(name, service, hints, result);
}

namespace {

// A worker, a client on it, and what it was told.
struct Bench {
  Bench() = default;
  ~Bench() { worker->stop(); }
  Bench(const Bench &) = delete;
  Bench &operator=(const Bench &) = delete;
  void connect(const std::string &url) {
    WebSocket::ConnectOptions options;
    options.url = url;
    options.timeout = 200ms;
    worker->call([&] {
      socket = WebSocket::connect(*worker, options, logging_handlers(log), {});
    });
  }
  void fetch(const std::string &url) {
    net::HttpRequest request;
    request.url = url;
    request.connect_timeout = 200ms;
    worker->call([&] {
      transfer = worker->service<HttpClient>().fetch(
          request, [this](const Result<net::HttpResponse> &result) {
            log.add(result.ok() ? "status " + std::to_string(result->status)
                                : "error " + result.error().code);
          });
    });
  }
  void let_go() {
    worker->call([&] {
      socket.reset();
      transfer.reset();
    });
  }
  EventLog log;
  std::shared_ptr<Worker> worker = Worker::start("names");
  std::unique_ptr<WebSocket> socket;
  std::unique_ptr<HttpClient::Transfer> transfer;
};

} // namespace

static void test_numeric() {
  const RawServer server;
  Bench bench;
  const int before = resolver.lookups;
  bench.fetch(server.url("http"));
  const Descriptor first = server.accept();
  first.read_until("\r\n\r\n");
  first.write("HTTP/1.1 204 No Content\r\n\r\n");
  bench.log.await("status 204");
  bench.connect(server.url("ws"));
  const Descriptor second = server.accept();
  second.read_until("\r\n\r\n");
  second.write("HTTP/1.1 204 No Content\r\n\r\n");
  bench.log.await("closed 1006 the server answered 204 204");
  g_assert_cmpint(resolver.lookups, ==, before);
  bench.let_go();
}

static void test_names() {
  const RawServer server;
  Bench bench;
  std::string url = server.url("ws");
  url.replace(url.find("127.0.0.1"), 9, "served.test");
  const int before = resolver.lookups;
  bench.connect(url);
  const Descriptor peer = server.accept();
  const std::string request = peer.read_until("\r\n\r\n");
  g_assert_true(request.find("\r\nHost: served.test:") != std::string::npos);
  peer.write("HTTP/1.1 418 Teapot\r\n\r\n");
  bench.log.await("closed 1006 the server answered 418 418");
  g_assert_cmpint(resolver.lookups, ==, before + 1);
  bench.let_go();
}

// Timeouts, giving up, and the end of the worker, all while lookups hang. That
// this test ends is what it shows: they are released behind all that.
static void test_hanging() {
  {
    Bench bench;
    bench.fetch("http://hangs.test/");
    bench.connect("ws://hangs.test/");
    resolver.await_hanging(2);
    bench.log.await("error timeout");
    bench.log.await("closed 1006 no WebSocket in time");
    bench.fetch("https://hangs.test/");
    bench.connect("wss://hangs.test/");
    resolver.await_hanging(4);
    bench.let_go();
    bench.fetch("http://hangs.test/");
    resolver.await_hanging(5);
  }
  resolver.release();
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/net/numeric-addresses-ask-no-resolver", test_numeric);
  g_test_add_func("/net/names-are-looked-up", test_names);
  g_test_add_func("/net/a-resolver-that-hangs-holds-up-nobody", test_hanging);
  return g_test_run();
}
