// SPDX-License-Identifier: LGPL-2.1-or-later
#include "net/curl_connect.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace patchcord::net {

// TLS by libcurl over its own socket.
class CurlTransport final : public Transport {
public:
  CurlTransport(std::shared_ptr<CurlConnect> connect, int fd)
      : connect_(std::move(connect)), fd_(fd) {}

  int fd() const override { return fd_; }

  Read read(void *buffer, std::size_t size) override {
    if (connect_->easy() == nullptr)
      return {-ENOTCONN, false};
    std::size_t got = 0;
    const CURLcode code = curl_easy_recv(connect_->easy(), buffer, size, &got);
    if (code == CURLE_AGAIN)
      return {-EAGAIN, false};
    if (code != CURLE_OK)
      return {-ECONNRESET, false};
    return {static_cast<ssize_t>(got), got > 0};
  }

  // A TLS record that did not go out must be tried again from the same memory
  // (SSL_write(3)), and the caller's buffer may have moved by then: such a
  // piece is kept here until it is gone. The caller still counts it as its own
  // and comes back with the same bytes.
  ssize_t write(const void *data, std::size_t size) override {
    if (connect_->easy() == nullptr)
      return -ENOTCONN;
    if (!stuck_.empty()) {
      const ssize_t sent = send(stuck_.data(), stuck_.size());
      if (sent != -EAGAIN)
        stuck_.clear();
      return sent;
    }
    std::string piece(static_cast<const char *>(data), std::min(size, kRecord));
    const ssize_t sent = send(piece.data(), piece.size());
    if (sent == -EAGAIN)
      stuck_ = std::move(piece);
    return sent;
  }

  // As far as the peer's framing goes that is the end; TLS's own farewell is
  // not libcurl's to offer.
  void end_output() override { shutdown(fd_, SHUT_WR); }
  bool buffers_input() const override { return true; }

private:
  static constexpr std::size_t kRecord = 16384;

  ssize_t send(const char *data, std::size_t size) {
    std::size_t sent = 0;
    const CURLcode code = curl_easy_send(connect_->easy(), data, size, &sent);
    if (code == CURLE_AGAIN)
      return -EAGAIN;
    return code == CURLE_OK ? static_cast<ssize_t>(sent) : -ECONNRESET;
  }

  const std::shared_ptr<CurlConnect> connect_;
  const int fd_;
  std::string stuck_;
};

void CurlConnect::connect(const std::string &authority, bool tls,
                          const std::string &ca_file,
                          std::function<void()> done) {
  done_ = std::move(done);
  CURL *curl = easy();
  if (curl != nullptr) {
    const std::string url = (tls ? "https://" : "http://") + authority + "/";
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    // Of its own: nobody else's idle connection. And no HTTP/2: the upgrade is
    // HTTP/1.1's.
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    if (tls) // through a proxy, when the environment names one
      curl_easy_setopt(curl, CURLOPT_HTTPPROXYTUNNEL, 1L);
    else
      curl_easy_setopt(curl, CURLOPT_PROXY, "");
    trust_only(ca_file);
  }
  if (curl == nullptr || !start()) {
    error_ = "out of memory";
    wake();
  }
}

void CurlConnect::dispatch() {
  if (result() && *result() != CURLE_OK)
    error_ = error_text();
  if ((result() || !error_.empty()) && done_)
    std::exchange(done_, nullptr)();
}

curl_socket_t CurlConnect::active_socket() const {
  curl_socket_t fd = CURL_SOCKET_BAD;
  if (easy() != nullptr)
    curl_easy_getinfo(easy(), CURLINFO_ACTIVESOCKET, &fd);
  return fd;
}

int CurlConnect::take_socket() {
  const curl_socket_t fd = active_socket();
  const int copy = fd == CURL_SOCKET_BAD ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
  stop(); // closes its own descriptor; the connection stays with the copy
  return copy;
}

std::unique_ptr<Transport> CurlConnect::transport() {
  const curl_socket_t fd = active_socket();
  if (fd == CURL_SOCKET_BAD)
    return nullptr;
  return std::make_unique<CurlTransport>(
      std::static_pointer_cast<CurlConnect>(shared_from_this()), fd);
}

} // namespace patchcord::net
