// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fake_socket.hpp"

#include <utility>

namespace patchcord::fakes {

FakeSocket::FakeSocket(FakeHost &host, const char *kind,
                       SoupWebsocketConnection *socket, Handlers handlers)
    : host_(host), socket_(Ref<SoupWebsocketConnection>::share(socket)),
      handlers_(std::move(handlers)), log_(host.stats().open(kind)) {
  log_->event("open", host_.now_ns());
  soup_websocket_connection_set_max_incoming_payload_size(socket, 15 << 20);
  g_signal_connect(socket, "message",
                   G_CALLBACK(+[](SoupWebsocketConnection *, int type,
                                  GBytes *message, gpointer data) {
                     gsize size = 0;
                     const auto *text = static_cast<const char *>(
                         g_bytes_get_data(message, &size));
                     const Handlers &on =
                         static_cast<FakeSocket *>(data)->handlers_;
                     if (type == SOUP_WEBSOCKET_DATA_TEXT || !on.binary)
                       on.text({text, size});
                     else
                       on.binary();
                   }),
                   this);
  g_signal_connect(socket, "closed",
                   G_CALLBACK(+[](SoupWebsocketConnection *, gpointer data) {
                     auto *self = static_cast<FakeSocket *>(data);
                     self->log_->closed = true;
                     self->log_->event("closed", self->host_.now_ns(),
                                       soup_websocket_connection_get_close_code(
                                           self->socket_.get()));
                     const auto over = self->handlers_.over;
                     over();
                   }),
                   this);
}

FakeSocket::~FakeSocket() {
  g_signal_handlers_disconnect_by_data(socket_.get(), this);
  drop();
}

bool FakeSocket::open() const {
  return soup_websocket_connection_get_state(socket_.get()) ==
         SOUP_WEBSOCKET_STATE_OPEN;
}

void FakeSocket::close(int code, const char *reason) {
  if (open())
    soup_websocket_connection_close(socket_.get(), static_cast<gushort>(code),
                                    reason);
}

void FakeSocket::send_text(const std::string &text) {
  if (open())
    soup_websocket_connection_send_text(socket_.get(), text.c_str());
}

void FakeSocket::drop() {
  GIOStream *stream = soup_websocket_connection_get_io_stream(socket_.get());
  if (G_IS_SOCKET_CONNECTION(stream))
    g_socket_shutdown(
        g_socket_connection_get_socket(G_SOCKET_CONNECTION(stream)), TRUE, TRUE,
        nullptr);
  else
    g_io_stream_close(stream, nullptr, nullptr);
}

} // namespace patchcord::fakes
