// SPDX-License-Identifier: LGPL-2.1-or-later
#include "speech_socket.hpp"

#include "elevenlabs/messages.hpp"

#include <set>
#include <utility>

using namespace patchcord;

// What a socket's handlers hold on to.
struct SpeechSocket::State {
  Handlers handlers;
  std::unique_ptr<net::WebSocket> socket;
  bool open = false, closed = false;
  Leaving *leaving = nullptr; // where it is kept
};

// The sockets of a worker that wait for the server's close.
struct SpeechSocket::Leaving {
  explicit Leaving(Worker &) {}
  std::set<std::shared_ptr<State>> states;
};

SpeechSocket::SpeechSocket(Worker &worker,
                           const net::WebSocket::ConnectOptions &options,
                           Handlers handlers)
    : worker_(worker), state_(std::make_shared<State>()) {
  state_->handlers = std::move(handlers);
  const std::weak_ptr<State> weak = state_;
  net::WebSocket::Handlers socket_handlers;
  socket_handlers.open = [weak] {
    const auto state = weak.lock();
    if (!state)
      return;
    state->open = true;
    if (const auto open = state->handlers.open)
      open();
  };
  socket_handlers.text = [weak](std::string_view message) {
    const auto state = weak.lock();
    if (!state)
      return;
    if (const auto text = state->handlers.text)
      text(message);
  };
  socket_handlers.closed = [weak](const net::WebSocket::Closed &why) {
    const auto state = weak.lock();
    if (!state)
      return;
    state->closed = true;
    if (state->leaving != nullptr)
      state->leaving->states.erase(state);
    if (const auto closed = state->handlers.closed)
      closed(why);
  };
  net::WebSocket::Limits limits;
  limits.message_bytes = std::size_t{16} << 20; // minutes of audio at once
  state_->socket = net::WebSocket::connect(worker, options,
                                           std::move(socket_handlers), limits);
}

SpeechSocket::~SpeechSocket() {
  state_->handlers = {};
  if (!state_->open || state_->closed)
    return;
  state_->socket->send_text(elevenlabs::close_socket());
  state_->socket->close(1000, "");
  state_->leaving = &worker_.service<Leaving>();
  state_->leaving->states.insert(state_);
}

void SpeechSocket::send(const std::string &message) {
  state_->socket->send_text(message);
}
