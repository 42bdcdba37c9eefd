// SPDX-License-Identifier: LGPL-2.1-or-later
#include "net/websocket_connector.hpp"

#include "net/curl_connect.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace patchcord::net {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

std::optional<Address> numeric_address(const WebSocketUrl &url) {
  Address out;
  auto *v4 = reinterpret_cast<sockaddr_in *>(&out.storage);
  auto *v6 = reinterpret_cast<sockaddr_in6 *>(&out.storage);
  if (inet_pton(AF_INET, url.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(url.port);
    out.size = sizeof *v4;
    return out;
  }
  if (inet_pton(AF_INET6, url.host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(url.port);
    out.size = sizeof *v6;
    return out;
  }
  return std::nullopt;
}

} // namespace

void WebSocketConnector::start(WebSocketConnection &connection,
                               const WebSocket::ConnectOptions &options) {
  const auto connector = std::make_shared<WebSocketConnector>(connection);
  connection.set_connector(connector);
  if (!connector->begin(options))
    return;
  connector->deadline_ =
      connection.worker().after(options.timeout, [self = connector.get()] {
        const auto keep = self->shared_from_this();
        self->end("no WebSocket in time");
      });
}

bool WebSocketConnector::begin(const WebSocket::ConnectOptions &options) {
  auto url = parse_web_socket_url(options.url);
  const std::string key = make_web_socket_key();
  auto request = url.ok() ? upgrade_request(*url, key, options.headers)
                          : Result<std::string>(url.error());
  if (!request.ok()) {
    connection_.end_soon({1006, request.error().message, 0});
    return false;
  }
  url_ = std::move(*url);
  request_ = std::move(*request);
  response_.emplace(key);
  if (!url_.tls && numeric_address(url_))
    return connect_numeric();
  connect_by_curl(options.ca_file);
  return true;
}

bool WebSocketConnector::connect_numeric() {
  const auto address = numeric_address(url_);
  const int fd = socket(address->storage.ss_family,
                        SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    transport_ = make_socket_transport(fd);
    const auto *to = reinterpret_cast<const sockaddr *>(&address->storage);
    if (::connect(fd, to, address->size) == 0 || errno == EINPROGRESS) {
      watch_ = connection_.worker().watch(
          fd, EPOLLOUT, [this](std::uint32_t) { on_connect_ready(); });
      if (watch_)
        return true;
    }
  }
  connection_.end_soon(
      {1006, std::string("cannot connect: ") + std::strerror(errno), 0});
  return false;
}

void WebSocketConnector::on_connect_ready() {
  const auto keep = shared_from_this();
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(transport_->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0)
    end(std::string("cannot connect: ") + std::strerror(error));
  else
    ask(std::move(transport_));
}

void WebSocketConnector::connect_by_curl(const std::string &ca_file) {
  curl_ = std::make_shared<CurlConnect>(connection_.worker());
  curl_->connect(url_.authority(), url_.tls, ca_file,
                 [weak = weak_from_this()] {
                   if (const auto self = weak.lock())
                     self->on_curl_connected();
                 });
}

void WebSocketConnector::on_curl_connected() {
  if (!curl_->error().empty()) {
    end("cannot connect: " + curl_->error());
    return;
  }
  std::unique_ptr<Transport> transport;
  if (url_.tls) {
    transport = curl_->transport();
  } else if (const int fd = curl_->take_socket(); fd >= 0) {
    transport = make_socket_transport(fd);
  }
  curl_.reset();
  if (transport)
    ask(std::move(transport));
  else
    end("cannot connect: libcurl gave no socket");
}

void WebSocketConnector::ask(std::unique_ptr<Transport> transport) {
  watch_.reset();
  transport_ = std::move(transport);
  watch_ = connection_.worker().watch(transport_->fd(), EPOLLIN | EPOLLOUT,
                                      [this](std::uint32_t) { on_ready(); });
  if (!watch_)
    end("the descriptor cannot be watched");
}

void WebSocketConnector::on_ready() {
  const auto keep = shared_from_this();
  if (write_request())
    read_response();
}

// False when that was the end.
bool WebSocketConnector::write_request() {
  while (written_ < request_.size()) {
    const ssize_t taken = transport_->write(request_.data() + written_,
                                            request_.size() - written_);
    if (taken == -EAGAIN || taken == -EINTR)
      return true;
    if (taken <= 0) {
      end("connection lost");
      return false;
    }
    written_ += static_cast<std::size_t>(taken);
    if (written_ == request_.size())
      watch_.set_events(EPOLLIN);
  }
  return true;
}

void WebSocketConnector::read_response() {
  for (bool more = true; more;) {
    std::uint8_t bytes[2048];
    const Transport::Read got = transport_->read(bytes, sizeof bytes);
    if (got.bytes == -EAGAIN || got.bytes == -EINTR)
      return;
    if (got.bytes <= 0) {
      end("connection lost before the upgrade");
      return;
    }
    more = got.more;
    switch (response_->feed({bytes, static_cast<std::size_t>(got.bytes)})) {
    case UpgradeResponse::State::kMore:
      break;
    case UpgradeResponse::State::kRefused:
      end(response_->reason(), response_->status());
      return;
    case UpgradeResponse::State::kAccepted:
      watch_.reset();
      deadline_.cancel();
      connection_.open(std::move(transport_), response_->rest());
      return;
    }
  }
}

void WebSocketConnector::end(const std::string &reason, int http_status) {
  watch_.reset();
  deadline_.cancel();
  connection_.end({1006, reason, http_status});
}

} // namespace patchcord::net
