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

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/websocket/a-client-of-ours-talks-to-libsoup",
                  test_client_exchanges);
  g_test_add_func("/websocket/a-client-of-ours-talks-to-libsoup-over-tls",
                  test_client_over_tls);
  return g_test_run();
}
