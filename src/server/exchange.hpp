// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "call/web_socket_media_stream.hpp"
#include "worker/worker.hpp"

#include <libsoup/soup.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace patchcord::server {

// What a request may hold, and how long it may take to come.
inline constexpr std::size_t kMaxBody = std::size_t{256} << 10; // else 413
inline constexpr std::size_t kMaxWasted = std::size_t{4} << 20; // else dropped
inline constexpr Duration kRequestTimeout = 15s; // from accept to the last byte
inline constexpr int kIdleTimeout = 30; // seconds without progress on a socket
inline constexpr std::size_t kMaxUnsent = std::size_t{1} << 20; // of a stream

// A connection that is libsoup's no more; closed when this goes. (Its socket
// may still be referenced by libsoup's message, so letting go would not close
// it.)
class StolenConnection {
public:
  explicit StolenConnection(GIOStream *adopted)
      : stream_(Ref<GIOStream>::adopt(adopted)) {}
  ~StolenConnection() {
    if (stream_)
      g_io_stream_close(stream_.get(), nullptr, nullptr);
  }
  StolenConnection(const StolenConnection &) = delete;
  StolenConnection &operator=(const StolenConnection &) = delete;
  GIOStream *get() const { return stream_.get(); }

private:
  const Ref<GIOStream> stream_;
};

// One HTTP request and its answer, on the worker whose server took it. Belongs
// to libsoup's message and goes with it, at the latest when the connection is
// gone: whoever answers later keeps a weak_ptr and locks it on the worker only.
class Exchange : public std::enable_shared_from_this<Exchange> {
public:
  // Gives a new connection to libsoup.
  static void hand_over(SoupServer *server, GSocket *socket);
  // Called when a request begins, the first one with the connection: bounds it.
  static void attach(Worker &worker, SoupServerMessage *message);
  static std::shared_ptr<Exchange> of(SoupServerMessage *message);

  // Before the handler: false when the request is refused, and answered.
  bool begin();

  explicit Exchange(Worker &worker, SoupServerMessage *message);
  ~Exchange();
  Exchange(const Exchange &) = delete;
  Exchange &operator=(const Exchange &) = delete;

  std::string_view method() const;
  std::string path() const;                   // still percent-encoded
  std::string query() const;                  // without the question mark
  std::string target() const;                 // path and query
  std::string header(const char *name) const; // empty: none
  bool has_header(const char *name) const;
  std::string_view body();
  std::string peer() const; // IP address
  // Whether a program on this machine asks, directly: a proxy's requests come
  // from this machine too, but with other people's wishes.
  bool from_this_machine() const;
  Worker &worker() const { return worker_; }

  // The answer: at once, or after later(). Ignored when the client has gone.
  void respond(int status, const char *content_type, std::string_view body);
  void respond_json(int status, std::string_view json) {
    respond(status, "application/json", json);
  }
  // {"error":{"code":...,"message":...}}
  void respond_error(int status, std::string_view code,
                     std::string_view message);
  void set_header(const char *name, const std::string &value);
  // The answer will come when the handler has returned.
  std::weak_ptr<Exchange> later();

  // An answer that goes on: chunks, until end_stream() or the client goes. A
  // client that does not read is dropped.
  void begin_stream(const char *content_type);
  void write(std::string_view chunk);
  void end_stream();
  // Lives until the exchange is over.
  void keep(std::shared_ptr<void> companion) {
    companion_ = std::move(companion);
  }

  // Answers 101 to a WebSocket handshake, and when that is written takes the
  // connection out of libsoup's hands: `taken` runs within libsoup's dispatch,
  // with the means to go on, good for one use.
  using Attach = call::WebSocketMediaStream::Attach;
  void upgrade(std::function<void(const Attach &)> taken);
  // Code "not_websocket" or "bad_handshake" when this is no WebSocket
  // handshake.
  Result<Unit> check_handshake() const;

  SoupServerMessage *message() const { return message_; }

private:
  void on_headers();
  void on_chunk(std::size_t bytes);
  void over();
  void refuse_body();
  void drop();
  void resume();
  void close_after();
  GSocket *socket() const;
  Attach take_connection();

  Worker &worker_;
  SoupServerMessage *const message_; // owns this
  const Ref<GSocketAddress> peer_;
  Timer deadline_;
  std::size_t body_bytes_ = 0;
  std::size_t unsent_ = 0;
  bool too_large_ = false, paused_ = false, over_ = false;
  std::shared_ptr<void> companion_;
};

} // namespace patchcord::server
