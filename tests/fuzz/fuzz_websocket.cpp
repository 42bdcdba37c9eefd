// SPDX-License-Identifier: LGPL-2.1-or-later
// A WebSocket's peer says anything, in pieces of any size. The first byte says
// which side we are (its lowest bit) and how large the pieces are (the others;
// 0: all at once).
#include "net/utf8.hpp"
#include "net/websocket_connection.hpp"

#include <algorithm>
#include <cstdlib>
#include <sys/socket.h>
#include <unistd.h>

using namespace patchcord;
using net::WebSocket;
using net::WebSocketConnection;

namespace {

constexpr std::size_t kLimit = 2000;

void require(bool holds) {
  if (!holds)
    std::abort();
}

struct Told {
  int closed = 0;
  void message(std::size_t size) const {
    require(closed == 0 && size <= kLimit);
  }
};

WebSocket::Handlers checking_handlers(Told &told) {
  WebSocket::Handlers handlers;
  handlers.text = [&told](std::string_view text) {
    told.message(text.size());
    require(net::is_utf8(text));
  };
  handlers.binary = [&told](ByteSpan bytes) { told.message(bytes.size()); };
  handlers.closed = [&told](const WebSocket::Closed &closed) {
    require(++told.closed == 1);
    require(net::is_utf8(closed.reason));
    require(closed.code >= 1000 && closed.code < 5000);
  };
  return handlers;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  if (size == 0 || size > 100000)
    return 0;
  const auto role = (data[0] & 1) != 0 ? WebSocketConnection::Role::kClient
                                       : WebSocketConnection::Role::kServer;
  const std::size_t piece = data[0] > 1 ? data[0] >> 1 : size;
  ByteSpan bytes(data + 1, size - 1);
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
    return 0;
  const auto worker = Worker::create_virtual();
  Told told;
  WebSocket::Limits limits;
  limits.message_bytes = kLimit;
  const auto connection = std::make_shared<WebSocketConnection>(
      *worker, role, checking_handlers(told), limits);
  connection->open(net::make_socket_transport(fds[0]), {});
  while (!bytes.empty() && told.closed == 0) {
    const std::size_t take = std::min(piece, bytes.size());
    const ssize_t sent =
        send(fds[1], bytes.data(), take, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0)
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    worker->run_ready();
    std::uint8_t scrap[65536]; // pongs, a close frame
    while (recv(fds[1], scrap, sizeof scrap, MSG_DONTWAIT) > 0) {
    }
  }
  close(fds[1]);
  worker->run_for(60s);
  require(told.closed == 1);
  require(worker->watched_fds() == 0 && worker->armed_timers() == 0);
  connection->drop();
  return 0;
}
