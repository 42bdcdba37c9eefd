// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "worker/worker.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchcord::net {

// A WebSocket (RFC 6455) on a worker, either side. Framing by wslay; no
// extensions, no subprotocols. Everything happens on the worker's thread.
//
// Handlers run from the worker, never from within a call into this object.
// Destroying the object, also from within one of its handlers, drops the
// connection at once without a close frame, unless leave() was called; nothing
// runs after that.
class WebSocket {
public:
  struct Closed {
    // The peer's close code; 1005 when its close frame had none; 1006 when the
    // connection ended without one (RFC 6455 section 7.1.5).
    std::uint16_t code = 1006;
    std::string reason;
    // Client side: the upgrade was refused with this HTTP status, or 0.
    int http_status = 0;
  };
  struct Handlers {
    std::function<void()> open; // client side: the upgrade was accepted
    std::function<void(std::string_view)> text; // whole messages, valid UTF-8
    std::function<void(ByteSpan)> binary;
    // A message of more than Limits::message_bytes came and was skipped;
    // without this handler it ends the connection with 1009.
    std::function<void()> too_big;
    // Once, last: the connection is gone, whoever ended it.
    std::function<void(const Closed &)> closed;
    // A send that left something in the queue (queued_bytes() was not 0 when it
    // returned) has been given to the kernel, and nothing waits; optional.
    std::function<void()> drained;
  };
  struct Limits {
    std::size_t message_bytes = std::size_t{64} << 10; // received
    // More than this waiting to be sent means that the peer does not read:
    // the connection is dropped (1006, "slow peer").
    std::size_t send_queue_bytes = std::size_t{4} << 20;
    Duration ping_interval = 20s; // 0: no pings; no pong by the next: 1006
    Duration close_timeout = 2s;  // wait for the peer's close frame
  };

  // Server side, after the 101 was written. `fd` is a connected non-blocking
  // stream socket kept open by `owner`; `already_read` are bytes that the HTTP
  // server had read past the request.
  static std::unique_ptr<WebSocket>
  accept(Worker &worker, int fd, std::shared_ptr<void> owner,
         ByteSpan already_read, Handlers handlers, const Limits &limits);

  struct ConnectOptions {
    std::string url; // ws:// or wss://
    std::vector<std::pair<std::string, std::string>> headers;
    Duration timeout = 10s; // until the upgrade is accepted
    std::string ca_file;    // empty: the system's
  };
  // Client side. Never fails at once: a bad URL is told by `closed`.
  static std::unique_ptr<WebSocket> connect(Worker &worker,
                                            const ConnectOptions &options,
                                            Handlers handlers,
                                            const Limits &limits);

  virtual ~WebSocket() = default;

  // Queued, and written as far as the kernel takes it. Client side: may be
  // called before `open`. Ignored once closing.
  virtual void send_text(std::string_view message) = 0;
  virtual void send_binary(ByteSpan message) = 0;
  // Sends a close frame behind what is queued; `closed` follows. Idempotent.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
  // The same by one who does not stay for the end: no handler runs any more,
  // and the object may be destroyed. A connection that is not open is dropped.
  virtual void leave(std::uint16_t code, std::string_view reason) = 0;
  virtual std::size_t queued_bytes() const = 0;
  // Stops reading, and begins again: what the peer sends meanwhile waits with
  // the kernel, and then with the peer. What a slow reader does to a server.
  virtual void set_reading(bool) {}
  // Reads what has come at most so often, for a stream of small messages of
  // which each need not be known at once; on the beat (worker/beat.hpp). 0:
  // reads when something comes.
  virtual void set_read_period(Duration) {}
  // Gathers what is sent until it is told false: one write instead of several.
  virtual void set_corked(bool) {}

protected:
  WebSocket() = default;
};

// Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 section 4.2.2).
std::string accept_key(std::string_view key);

} // namespace patchcord::net
