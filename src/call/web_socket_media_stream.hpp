// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "net/websocket.hpp"
#include "twilio/media_stream.hpp"
#include "worker/worker.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace patchcord::call {

// A media stream over a WebSocket that was taken over after its handshake:
// parses what Twilio sends, counts and logs (once a stream and kind) what it
// should not have sent, and gives the rest to the two listeners. Ends by
// `stop`, close, a lost connection, no `start` within 5 s, or nothing received
// for 10 s.
class WebSocketMediaStream
    : public twilio::MediaStream,
      public std::enable_shared_from_this<WebSocketMediaStream> {
public:
  // `attach` makes the WebSocket with the handlers it is given.
  using Attach = std::function<std::unique_ptr<net::WebSocket>(
      net::WebSocket::Handlers, const net::WebSocket::Limits &)>;
  // `check_start` may refuse the start message (wrong call, wrong account):
  // with an error the stream is closed with 1008, and the log says why.
  // `call_sid` is for the log, until there is a start message; it may be empty.
  using CheckStart = std::function<Result<>(const twilio::StreamStart &)>;
  static std::shared_ptr<WebSocketMediaStream>
  create(Worker &worker, const Attach &attach, const std::string &call_sid,
         CheckStart check_start);

  // Runs once when the stream has ended, after the listeners were told.
  virtual void on_ended(std::function<void()> ended) = 0;
};

} // namespace patchcord::call
