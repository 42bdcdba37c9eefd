// SPDX-License-Identifier: LGPL-2.1-or-later
// Our WebSocket against libsoup's, either side, over loopback, with and without
// TLS.
#include "../support/check_text.hpp"
#include "net_test.hpp"
#include "soup_peer.hpp"

#include "worker/worker.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

using namespace patchcord;
using net::WebSocket;

namespace {

std::string text_of(GBytes *bytes) {
  gsize size = 0;
  const auto *data = static_cast<const char *>(g_bytes_get_data(bytes, &size));
  return {data, size};
}

// Sends back what comes. "bye" makes it close with 4001; "headers" tells the
// X-Test header of the request.
void add_echo(SoupServer *server) {
  const auto on_open = [](SoupServer *, SoupServerMessage *message,
                          const char *, SoupWebsocketConnection *connection,
                          void *) {
    const char *header = soup_message_headers_get_one(
        soup_server_message_get_request_headers(message), "X-Test");
    g_object_set_data_full(G_OBJECT(connection), "x-test", g_strdup(header),
                           g_free);
    const auto on_message = [](SoupWebsocketConnection *self, int type,
                               GBytes *bytes, void *) {
      const std::string text = text_of(bytes);
      if (text == "bye")
        soup_websocket_connection_close(self, 4001, "farewell");
      else if (text == "headers")
        soup_websocket_connection_send_text(
            self, static_cast<const char *>(
                      g_object_get_data(G_OBJECT(self), "x-test")));
      else
        soup_websocket_connection_send_message(
            self, static_cast<SoupWebsocketDataType>(type), bytes);
    };
    g_signal_connect(
        connection, "message",
        G_CALLBACK(+static_cast<void (*)(SoupWebsocketConnection *, int,
                                         GBytes *, void *)>(on_message)),
        nullptr);
    soup_websocket_connection_set_max_incoming_payload_size(connection, 0);
    g_signal_connect(connection, "closed", G_CALLBACK(g_object_unref), nullptr);
    g_object_ref(connection);
  };
  soup_server_add_websocket_handler(server, "/echo", nullptr, nullptr, on_open,
                                    nullptr, nullptr);
  soup_server_add_handler(
      server, "/refused",
      [](SoupServer *, SoupServerMessage *message, const char *, GHashTable *,
         void *) { soup_server_message_set_status(message, 403, nullptr); },
      nullptr, nullptr);
}

// A client of ours on a worker of its own.
struct Client {
  explicit Client(WebSocket::ConnectOptions options,
                  WebSocket::Limits limits = {}) {
    limits.message_bytes = std::size_t{1} << 20;
    worker->call([&] {
      socket =
          WebSocket::connect(*worker, options, logging_handlers(log), limits);
    });
  }
  ~Client() {
    worker->call([&] { socket.reset(); });
  }
  Client(const Client &) = delete;
  Client &operator=(const Client &) = delete;
  void send(const std::string &text) {
    worker->call([&] { socket->send_text(text); });
  }
  EventLog log;
  std::shared_ptr<Worker> worker = Worker::start("client");
  std::unique_ptr<WebSocket> socket;
};

WebSocket::ConnectOptions options(std::string url, std::string ca_file = {}) {
  WebSocket::ConnectOptions out;
  out.url = std::move(url);
  out.ca_file = std::move(ca_file);
  return out;
}

void exchange(const WebSocket::ConnectOptions &where) {
  Client client(where);
  client.send("before open"); // queued until then
  client.log.await("text before open");
  client.send("zwölf Boxkämpfer");
  client.log.await("text zwölf Boxkämpfer");
  // Sizes around those of the frame header's three lengths and of the buffers.
  for (const std::size_t size : {125, 126, 4095, 4096, 65535, 65536, 90001}) {
    client.send(std::string(size, 'x'));
    client.log.await(size > 200 ? "text " + std::to_string(size) + " bytes"
                                : "text " + std::string(size, 'x'));
  }
  client.worker->call([&] {
    client.socket->send_binary(as_bytes("\x01\x02"));
    client.socket->send_text("headers");
  });
  client.log.await("binary \x01\x02");
  client.log.await("text from us");
  client.send("bye");
  client.log.await("closed 4001 farewell 0");
  const std::string all = client.log.joined();
  g_assert_true(all.starts_with("open|"));
  g_assert_true(all.ends_with("|closed 4001 farewell 0"));
}

} // namespace

static void test_client_exchanges() {
  const SoupPeer peer(add_echo);
  // A numeric address, and a name that libcurl resolves.
  for (const char *host : {"127.0.0.1", "localhost"}) {
    auto where = options(peer.url("ws", "/echo", host));
    where.headers = {{"X-Test", "from us"}};
    exchange(where);
  }
}

static void test_client_over_tls() {
  const TestCertificate certificate;
  if (certificate.path.empty()) {
    g_test_skip("the openssl program is not installed");
    return;
  }
  const SoupPeer peer(add_echo, certificate.certificate);
  for (const char *host : {"127.0.0.1", "localhost"}) {
    auto where = options(peer.url("wss", "/echo", host), certificate.path);
    where.headers = {{"X-Test", "from us"}};
    exchange(where);
  }
  // Not trusted without the file.
  Client stranger(options(peer.url("wss", "/echo")));
  const std::string closed = stranger.log.await("closed 1006");
  g_test_message("%s", closed.c_str());
  g_assert_nonnull(g_strstr_len(closed.c_str(), -1, "certificate"));
}

// More than the kernel takes at once, both ways, so that both sides stop and
// go on within frames and TLS records.
static void flood(SoupPeer &peer, const WebSocket::ConnectOptions &where) {
  WebSocket::Limits limits;
  limits.send_queue_bytes = std::size_t{64} << 20;
  Client client(where, limits);
  client.log.await("open");
  constexpr int kCount = 30;
  // From libsoup's thread, which reads nothing meanwhile.
  peer.call([&] {
    client.worker->call([&] {
      for (int i = 0; i < kCount; ++i)
        client.socket->send_text(std::string(500000 + i, 'x'));
      g_assert_cmpuint(client.socket->queued_bytes(), >, 0);
      // Moves the buffer while a TLS record is half sent.
      for (int i = 0; i < 100; ++i)
        client.socket->send_text("small");
      client.socket->send_text("bye");
    });
  });
  client.log.await("closed 4001 farewell 0");
  g_assert_cmpuint(client.log.count("text small"), ==, 100);
  for (int i = 0; i < kCount; ++i)
    g_assert_cmpuint(
        client.log.count("text " + std::to_string(500000 + i) + " bytes"), ==,
        1);
  g_assert_cmpuint(client.log.count("drained"), ==, 1);
}

static void test_client_floods() {
  const TestCertificate certificate;
  SoupPeer plain(add_echo);
  flood(plain, options(plain.url("ws", "/echo")));
  if (certificate.path.empty()) {
    g_test_skip("TLS: the openssl program is not installed");
    return;
  }
  SoupPeer secure(add_echo, certificate.certificate);
  flood(secure, options(secure.url("wss", "/echo"), certificate.path));
}

static void test_client_is_refused() {
  const TestCertificate certificate;
  const SoupPeer plain(add_echo);
  Client client(options(plain.url("ws", "/refused")));
  client.log.await("closed 1006 the server answered 403 403");
  Client missing(options(plain.url("ws", "/nowhere")));
  missing.log.await("closed 1006 the server answered 404 404");
  if (certificate.path.empty())
    return;
  const SoupPeer secure(add_echo, certificate.certificate);
  Client tls(options(secure.url("wss", "/refused"), certificate.path));
  tls.log.await("closed 1006 the server answered 403 403");
}

// Gone at every stage of a connection over TLS.
static void test_client_leaves() {
  const TestCertificate certificate;
  if (certificate.path.empty()) {
    g_test_skip("the openssl program is not installed");
    return;
  }
  const SoupPeer peer(add_echo, certificate.certificate);
  for (const char *when : {"", "open", "text x"}) {
    Client client(options(peer.url("wss", "/echo"), certificate.path));
    client.send("x");
    if (*when != '\0')
      client.log.await(when);
    client.worker->call([&] { client.socket.reset(); });
    // Of the connection nothing is left; libcurl's mailbox trip may be.
    client.worker->call(
        [&] { g_assert_cmpuint(client.worker->watched_fds(), ==, 0); });
  }
}

namespace {

// Our server's side behind a handshake by hand: echoes; "bye" makes it close.
struct Server {
  Server() {
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto *any = reinterpret_cast<sockaddr *>(&address);
    socklen_t size = sizeof address;
    g_assert_cmpint(bind(listener, any, size), ==, 0);
    g_assert_cmpint(listen(listener, 8), ==, 0);
    g_assert_cmpint(getsockname(listener, any, &size), ==, 0);
    url = "ws://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
    worker->call([&] {
      watch = worker->watch(listener, EPOLLIN,
                            [this](std::uint32_t) { on_connect(); });
    });
  }
  ~Server() {
    worker->call([&] {
      watch.reset();
      socket_.reset();
    });
    close(listener);
  }
  Server(const Server &) = delete;
  Server &operator=(const Server &) = delete;

  void on_connect() {
    const int fd = accept4(listener, nullptr, nullptr, 0);
    std::string request;
    while (!request.ends_with("\r\n\r\n")) {
      char one = 0;
      g_assert_cmpint(recv(fd, &one, 1, 0), ==, 1);
      request += one;
    }
    const std::string name = "Sec-WebSocket-Key: ";
    const auto at = request.find(name) + name.size();
    const std::string answer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Accept: " +
        net::accept_key(request.substr(at, request.find("\r\n", at) - at)) +
        "\r\n\r\n";
    g_assert_cmpint(send(fd, answer.data(), answer.size(), 0), ==,
                    static_cast<ssize_t>(answer.size()));
    WebSocket::Limits limits;
    limits.message_bytes = std::size_t{1} << 20;
    auto handlers = logging_handlers(log);
    handlers.text = [this](std::string_view text) {
      if (text == "bye")
        socket_->close(4002, "farewell");
      else
        socket_->send_text(text);
    };
    handlers.binary = [this](ByteSpan bytes) { socket_->send_binary(bytes); };
    const auto owner =
        std::shared_ptr<void>(nullptr, [fd](void *) { close(fd); });
    socket_ =
        WebSocket::accept(*worker, fd, owner, {}, std::move(handlers), limits);
  }

  EventLog log;
  std::shared_ptr<Worker> worker = Worker::start("server");
  int listener = -1;
  std::string url;
  FdWatch watch;
  std::unique_ptr<WebSocket> socket_;
};

// libsoup's client.
struct SoupClient {
  explicit SoupClient(const std::string &url) {
    thread.call([&] {
      session = soup_session_new();
      soup_session_set_proxy_resolver(session, nullptr);
      SoupMessage *message = soup_message_new("GET", url.c_str());
      soup_session_websocket_connect_async(
          session, message, nullptr, nullptr, G_PRIORITY_DEFAULT, nullptr,
          [](GObject *source, GAsyncResult *result, void *data) {
            static_cast<SoupClient *>(data)->on_open(
                soup_session_websocket_connect_finish(SOUP_SESSION(source),
                                                      result, nullptr));
          },
          this);
      g_object_unref(message);
    });
    log.await("open");
  }
  ~SoupClient() {
    thread.call([&] {
      g_clear_object(&connection);
      g_clear_object(&session);
    });
  }
  SoupClient(const SoupClient &) = delete;
  SoupClient &operator=(const SoupClient &) = delete;

  void on_open(SoupWebsocketConnection *opened) {
    g_assert_nonnull(opened);
    connection = opened;
    soup_websocket_connection_set_max_incoming_payload_size(opened, 0);
    const auto on_message = [](SoupWebsocketConnection *, int, GBytes *bytes,
                               void *self) {
      const std::string text = text_of(bytes);
      static_cast<SoupClient *>(self)->log.add(
          "message " +
          (text.size() <= 200 ? text : std::to_string(text.size()) + " bytes"));
    };
    const auto on_closed = [](SoupWebsocketConnection *closed, void *self) {
      const char *reason = soup_websocket_connection_get_close_data(closed);
      static_cast<SoupClient *>(self)->log.add(
          "closed " +
          std::to_string(soup_websocket_connection_get_close_code(closed)) +
          " " + (reason != nullptr ? reason : ""));
    };
    g_signal_connect(
        opened, "message",
        G_CALLBACK(+static_cast<void (*)(SoupWebsocketConnection *, int,
                                         GBytes *, void *)>(on_message)),
        this);
    g_signal_connect(
        opened, "closed",
        G_CALLBACK(+static_cast<void (*)(SoupWebsocketConnection *, void *)>(
            on_closed)),
        this);
    log.add("open");
  }

  EventLog log;
  SoupThread thread;
  SoupSession *session = nullptr;
  SoupWebsocketConnection *connection = nullptr;
};

} // namespace

static void test_server_exchanges() {
  Server server;
  SoupClient client(server.url);
  const auto send = [&](const std::string &text) {
    client.thread.call([&] {
      soup_websocket_connection_send_text(client.connection, text.c_str());
    });
  };
  send("zwölf Boxkämpfer");
  client.log.await("message zwölf Boxkämpfer");
  for (const std::size_t size : {125, 126, 4095, 4096, 65535, 65536, 900001}) {
    send(std::string(size, 'x'));
    client.log.await(size > 200 ? "message " + std::to_string(size) + " bytes"
                                : "message " + std::string(size, 'x'));
  }
  client.thread.call([&] {
    soup_websocket_connection_send_binary(client.connection, "\x01\x02", 2);
  });
  client.log.await("message \x01\x02");
  send("bye");
  client.log.await("closed 4002 farewell");
  server.log.await("closed 4002");
}

static void test_server_is_left() {
  Server server;
  SoupClient client(server.url);
  client.thread.call([&] {
    soup_websocket_connection_close(client.connection, 4003, "leaving");
  });
  server.log.await("closed 4003 leaving 0");
  client.log.await("closed 4003");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const std::pair<const char *, void (*)()> tests[] = {
      {"a-client-of-ours-talks-to-libsoup", test_client_exchanges},
      {"a-client-of-ours-talks-to-libsoup-over-tls", test_client_over_tls},
      {"a-client-of-ours-floods-libsoup", test_client_floods},
      {"libsoup-refuses-a-client-of-ours", test_client_is_refused},
      {"a-client-of-ours-leaves-over-tls", test_client_leaves},
      {"libsoup-talks-to-a-server-of-ours", test_server_exchanges},
      {"libsoup-leaves-a-server-of-ours", test_server_is_left},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func((std::string("/websocket/") + name).c_str(), test);
  return g_test_run();
}
