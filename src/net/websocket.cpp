// SPDX-License-Identifier: LGPL-2.1-or-later
#include "net/websocket.hpp"

#include "net/websocket_connector.hpp"

namespace patchcord::net {
namespace {

class Socket final : public WebSocket {
public:
  explicit Socket(std::shared_ptr<WebSocketConnection> connection)
      : connection_(std::move(connection)) {}
  ~Socket() override {
    if (!left_)
      connection_->drop();
  }
  Socket(const Socket &) = delete;
  Socket &operator=(const Socket &) = delete;

  void send_text(std::string_view message) override {
    connection_->send(WSLAY_TEXT_FRAME, as_bytes(message));
  }
  void send_binary(ByteSpan message) override {
    connection_->send(WSLAY_BINARY_FRAME, message);
  }
  void close(std::uint16_t code, std::string_view reason) override {
    connection_->close(code, reason);
  }
  void leave(std::uint16_t code, std::string_view reason) override {
    left_ = true;
    connection_->leave(code, reason);
  }
  std::size_t queued_bytes() const override {
    return connection_->queued_bytes();
  }
  void set_reading(bool reading) override { connection_->set_reading(reading); }
  void set_corked(bool corked) override { connection_->set_corked(corked); }
  void set_read_period(Duration period) override {
    connection_->set_read_period(period);
  }

private:
  const std::shared_ptr<WebSocketConnection> connection_;
  bool left_ = false;
};

} // namespace

std::unique_ptr<WebSocket> WebSocket::accept(Worker &worker, int fd,
                                             std::shared_ptr<void> owner,
                                             ByteSpan already_read,
                                             Handlers handlers,
                                             const Limits &limits) {
  const auto connection = std::make_shared<WebSocketConnection>(
      worker, WebSocketConnection::Role::kServer, std::move(handlers), limits);
  connection->open(make_socket_transport(fd, std::move(owner)), already_read);
  return std::make_unique<Socket>(connection);
}

std::unique_ptr<WebSocket> WebSocket::connect(Worker &worker,
                                              const ConnectOptions &options,
                                              Handlers handlers,
                                              const Limits &limits) {
  const auto connection = std::make_shared<WebSocketConnection>(
      worker, WebSocketConnection::Role::kClient, std::move(handlers), limits);
  WebSocketConnector::start(*connection, options);
  return std::make_unique<Socket>(connection);
}

} // namespace patchcord::net
