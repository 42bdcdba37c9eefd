// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "net/websocket.hpp"

#include <functional>
#include <memory>
#include <string>

// A WebSocket to ElevenLabs that takes its leave: dropping it asks the server
// to close, and the connection lives on for the moment that this takes, so that
// the session does not end as a broken one (1006).
class SpeechSocket {
public:
  struct Handlers {
    std::function<void()> open;
    std::function<void(std::string_view)> text;
    // Last; the socket may be dropped from within any of them.
    std::function<void(const patchcord::net::WebSocket::Closed &)> closed;
  };
  SpeechSocket(patchcord::Worker &worker,
               const patchcord::net::WebSocket::ConnectOptions &options,
               Handlers handlers);
  ~SpeechSocket();
  SpeechSocket(const SpeechSocket &) = delete;
  SpeechSocket &operator=(const SpeechSocket &) = delete;

  void send(const std::string &message);

private:
  struct State;
  struct Leaving;

  patchcord::Worker &worker_;
  std::shared_ptr<State> state_;
};
