// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/memory_socket.hpp"

#include <utility>

namespace patchcord::scenario {

class MemorySocket::Server final : public net::WebSocket {
public:
  Server(std::shared_ptr<MemorySocket> pair, Handlers handlers)
      : pair_(std::move(pair)), handlers_(std::move(handlers)) {}
  // As a connection that is dropped.
  ~Server() override {
    pair_->server_ = nullptr;
    pair_->closed_by_server(1006);
  }
  void send_text(std::string_view message) override {
    if (pair_->open_ && pair_->handlers_.text)
      pair_->handlers_.text(message);
  }
  void send_binary(ByteSpan) override {}
  void close(std::uint16_t code, std::string_view) override {
    if (!pair_->open_)
      return;
    pair_->closed_by_server(code);
    pair_->tell_server(code);
  }
  void leave(std::uint16_t code, std::string_view) override {
    pair_->server_ = nullptr;
    pair_->closed_by_server(code);
  }
  std::size_t queued_bytes() const override { return 0; }
  void set_read_period(Duration period) override {
    pair_->read_period_ = period;
  }

  const Handlers &handlers() const { return handlers_; }

private:
  const std::shared_ptr<MemorySocket> pair_;
  const Handlers handlers_;
};

std::unique_ptr<net::WebSocket>
MemorySocket::accept(net::WebSocket::Handlers handlers) {
  auto server =
      std::make_unique<Server>(shared_from_this(), std::move(handlers));
  server_ = server.get();
  open_ = true;
  return server;
}

void MemorySocket::deliver(std::string_view text) {
  if (open_ && server_ != nullptr)
    server_->handlers().text(text);
}

void MemorySocket::close(std::uint16_t code) {
  if (std::exchange(open_, false))
    tell_server(code);
}

void MemorySocket::closed_by_server(std::uint16_t code) {
  if (!std::exchange(open_, false))
    return;
  worker_.post([self = shared_from_this(), code] {
    if (self->handlers_.closed)
      self->handlers_.closed(code);
  });
}

// Never from within a call into the socket.
void MemorySocket::tell_server(std::uint16_t code) {
  worker_.post([self = shared_from_this(), code] {
    if (self->server_ == nullptr)
      return;
    // A copy: it may destroy the socket.
    const auto closed = self->server_->handlers().closed;
    net::WebSocket::Closed how;
    how.code = code;
    closed(how);
  });
}

} // namespace patchcord::scenario
