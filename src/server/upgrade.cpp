// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server/exchange.hpp"

#include "base/log.hpp"
#include "base/text.hpp"

#include <array>

namespace patchcord::server {
namespace {

// What libsoup had read past the request's end. Its stream gives out its buffer
// first, then the socket's bytes; reading to where it would block leaves
// nothing in between. False when the peer sent more than any client does before
// the 101.
bool drain(GIOStream *stream, Bytes &already_read) {
  GInputStream *input = g_io_stream_get_input_stream(stream);
  if (!G_IS_POLLABLE_INPUT_STREAM(input))
    return false;
  std::array<std::uint8_t, 4096> buffer{};
  for (;;) {
    GErrorHolder error;
    const gssize got = g_pollable_input_stream_read_nonblocking(
        G_POLLABLE_INPUT_STREAM(input), buffer.data(), buffer.size(), nullptr,
        error.out());
    // 0 and errors are the end: whoever reads next finds it again.
    if (got <= 0)
      return true;
    already_read.insert(already_read.end(), buffer.begin(),
                        buffer.begin() + got);
    if (already_read.size() > kMaxBody)
      return false;
  }
}

} // namespace

Result<Unit> Exchange::check_handshake() const {
  if (to_lower(header("Upgrade")) != "websocket")
    return make_error("not_websocket",
                      "this is for WebSockets: an Upgrade is expected");
  GErrorHolder error;
  if (!soup_websocket_server_check_handshake(message_, nullptr, nullptr,
                                             nullptr, error.out()))
    return make_error("bad_handshake", error.message());
  return ok();
}

void Exchange::upgrade(std::function<void(const Attach &)> taken) {
  // No protocols and no extensions: libsoup answers 101 without any.
  if (!soup_websocket_server_process_handshake(message_, nullptr, nullptr,
                                               nullptr, nullptr)) {
    close_after(); // It has answered 400.
    return;
  }
  struct Closure {
    std::function<void(const Attach &)> taken;
  };
  g_signal_connect_data(
      message_, "wrote-informational",
      G_CALLBACK(+[](SoupServerMessage *self, gpointer data) {
        // Both go with the message, which the steal may free.
        const auto exchange = of(self);
        const auto run = static_cast<Closure *>(data)->taken;
        if (const Attach attach = exchange->take_connection())
          run(attach);
      }),
      std::make_unique<Closure>(Closure{std::move(taken)}).release(),
      +[](gpointer data, GClosure *) { delete static_cast<Closure *>(data); },
      static_cast<GConnectFlags>(0));
}

Exchange::Attach Exchange::take_connection() {
  struct Taken {
    std::shared_ptr<StolenConnection> connection;
    int fd = -1;
    Bytes already_read;
  };
  const auto taken = std::make_shared<Taken>();
  if (GSocket *its_socket = socket())
    taken->fd = g_socket_get_fd(its_socket);
  taken->connection = std::make_shared<StolenConnection>(
      soup_server_message_steal_connection(message_));
  if (taken->connection->get() == nullptr || taken->fd < 0 ||
      !drain(taken->connection->get(), taken->already_read)) {
    log::warning("refused: a media stream that was gone, or had sent more than "
                 "it may, before it began, from " +
                 peer());
    return {};
  }
  return [&worker = worker_, taken](net::WebSocket::Handlers handlers,
                                    const net::WebSocket::Limits &limits)
             -> std::unique_ptr<net::WebSocket> {
    if (!taken->connection)
      return nullptr; // Used up.
    return net::WebSocket::accept(
        worker, taken->fd, std::exchange(taken->connection, nullptr),
        std::exchange(taken->already_read, {}), std::move(handlers), limits);
  };
}

} // namespace patchcord::server
