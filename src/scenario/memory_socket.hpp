// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "net/websocket.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace patchcord::scenario {

// A WebSocket without a network, for two sides on one worker: what is sent is
// there at once, and always in the same order. A call does not know it from a
// connection.
//
// The server's side is a net::WebSocket. The phone's side is this class: it
// hears of texts from within the server's send_text(), so that it may only take
// note of them; deliver() and close() are for the worker's own callbacks.
class MemorySocket : public std::enable_shared_from_this<MemorySocket> {
public:
  struct Handlers {
    std::function<void(std::string_view)> text; // from the server
    std::function<void(std::uint16_t code)> closed;
  };
  MemorySocket(Worker &worker, Handlers handlers)
      : worker_(worker), handlers_(std::move(handlers)) {}

  // What call::Call attaches.
  std::unique_ptr<net::WebSocket> accept(net::WebSocket::Handlers handlers);
  void deliver(std::string_view text);
  void close(std::uint16_t code);
  bool open() const { return open_; }
  // The server would read no more often; 0: at once.
  Duration read_period() const { return read_period_; }
  // The phone is gone: it hears nothing more.
  void forget() { handlers_ = {}; }

private:
  class Server;
  void closed_by_server(std::uint16_t code);
  void tell_server(std::uint16_t code);

  Worker &worker_;
  Handlers handlers_;
  Server *server_ = nullptr; // null when it is gone
  Duration read_period_{0};
  bool open_ = false;
};

} // namespace patchcord::scenario
