// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server/exchange.hpp"

#include "base/text.hpp"

#include <array>

namespace patchcord::server {
namespace {

// A connection that is libsoup's no more.
struct Taken {
  Ref<GIOStream> stream;
  int fd = -1;
  Bytes already_read;
};

// What libsoup had read past the request's end. Its stream gives out its buffer
// first, then the socket's bytes; reading to where it would block leaves
// nothing in between. Null when the peer sent more than any client does before
// the 101.
std::shared_ptr<Taken> drain(Ref<GIOStream> stream, int fd) {
  auto taken = std::make_shared<Taken>();
  GInputStream *input = g_io_stream_get_input_stream(stream.get());
  if (!G_IS_POLLABLE_INPUT_STREAM(input))
    return nullptr;
  std::array<std::uint8_t, 4096> buffer{};
  for (;;) {
    GErrorHolder error;
    const gssize got = g_pollable_input_stream_read_nonblocking(
        G_POLLABLE_INPUT_STREAM(input), buffer.data(), buffer.size(), nullptr,
        error.out());
    // 0 and errors are the end: whoever reads next finds it again.
    if (got <= 0)
      break;
    taken->already_read.insert(taken->already_read.end(), buffer.begin(),
                               buffer.begin() + got);
    if (taken->already_read.size() > kMaxBody)
      return nullptr;
  }
  taken->stream = std::move(stream);
  taken->fd = fd;
  return taken;
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
                                               nullptr, nullptr))
    return; // It has answered 400.
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
  GSocket *socket = soup_server_message_get_socket(message_);
  const int fd = socket != nullptr ? g_socket_get_fd(socket) : -1;
  auto stream =
      Ref<GIOStream>::adopt(soup_server_message_steal_connection(message_));
  if (!stream || fd < 0)
    return {};
  auto taken = drain(std::move(stream), fd);
  if (!taken)
    return {};
  return [&worker = worker_, taken](net::WebSocket::Handlers handlers,
                                    const net::WebSocket::Limits &limits)
             -> std::unique_ptr<net::WebSocket> {
    if (taken->fd < 0)
      return nullptr; // Used up.
    const int owned = std::exchange(taken->fd, -1);
    const auto read = std::move(taken->already_read);
    return net::WebSocket::accept(
        worker, owned,
        std::make_shared<Ref<GIOStream>>(std::move(taken->stream)), read,
        std::move(handlers), limits);
  };
}

} // namespace patchcord::server
