// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "net/upgrade.hpp"
#include "net/websocket_connection.hpp"

#include <memory>
#include <optional>
#include <string>

namespace patchcord::net {

class CurlConnect;

// Brings a client's connection up: connects, asks for the upgrade, judges the
// answer. A numeric ws:// address is a plain socket from the start; a name is
// looked up and connected to by libcurl, which then hands over its socket; of a
// wss:// connection libcurl keeps the TLS. Owned by the connection that it
// serves.
class WebSocketConnector
    : public std::enable_shared_from_this<WebSocketConnector> {
public:
  static void start(WebSocketConnection &connection,
                    const WebSocket::ConnectOptions &options);
  explicit WebSocketConnector(WebSocketConnection &connection)
      : connection_(connection) {}

private:
  bool begin(const WebSocket::ConnectOptions &options);
  // Errors are told as those of the connection's end; nothing after them.
  bool connect_numeric();
  void connect_by_curl(const std::string &ca_file);
  void on_connect_ready();
  void on_curl_connected();
  void ask(std::unique_ptr<Transport> transport);
  void on_ready();
  bool write_request();
  void read_response();
  void end(const std::string &reason, int http_status = 0);

  WebSocketConnection &connection_;
  WebSocketUrl url_;
  std::string request_;
  std::size_t written_ = 0;
  std::optional<UpgradeResponse> response_;
  std::shared_ptr<CurlConnect> curl_;
  std::unique_ptr<Transport> transport_;
  // Behind what they refer to, so that they go first.
  FdWatch watch_;
  Timer deadline_;
};

} // namespace patchcord::net
