// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <glib.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>

// A descriptor that is closed when it goes.
class Descriptor {
public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor &operator=(Descriptor &&other) noexcept {
    reset();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  ~Descriptor() { reset(); }
  int get() const { return fd_; }
  void reset() {
    if (const int fd = std::exchange(fd_, -1); fd >= 0)
      close(fd);
  }
  void write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent =
          ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      g_assert_cmpint(sent, >, 0);
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // What is there now; "EOF" behind it when the other side has ended.
  std::string read() const {
    std::string out;
    for (;;) {
      char buffer[65536];
      const ssize_t got = recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got > 0)
        out.append(buffer, static_cast<std::size_t>(got));
      else
        return got == 0 ? out + "EOF" : out;
    }
  }
  // Waits until `end` has come and returns all up to it.
  std::string read_until(std::string_view end) const {
    std::string out;
    while (!out.ends_with(end)) {
      pollfd poll{fd_, POLLIN, 0};
      g_assert_cmpint(::poll(&poll, 1, 20000), ==, 1);
      char one = 0;
      g_assert_cmpint(recv(fd_, &one, 1, 0), ==, 1);
      out += one;
    }
    return out;
  }

private:
  int fd_ = -1;
};

// A TCP listener on loopback of which the test plays the server by hand.
class RawServer {
public:
  explicit RawServer(int backlog = 16)
      : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto *any = reinterpret_cast<sockaddr *>(&address);
    socklen_t size = sizeof address;
    g_assert_cmpint(bind(listener_.get(), any, size), ==, 0);
    if (backlog >= 0)
      g_assert_cmpint(listen(listener_.get(), backlog), ==, 0);
    g_assert_cmpint(getsockname(listener_.get(), any, &size), ==, 0);
    port_ = ntohs(address.sin_port);
  }
  std::string url(const std::string &scheme) const {
    return scheme + "://127.0.0.1:" + std::to_string(port_) + "/";
  }
  Descriptor accept() const {
    pollfd poll{listener_.get(), POLLIN, 0};
    g_assert_cmpint(::poll(&poll, 1, 20000), ==, 1);
    return Descriptor(::accept(listener_.get(), nullptr, nullptr));
  }
  // Takes up the backlog, so that whoever connects next waits for ever.
  Descriptor connect() const {
    Descriptor out(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    ::connect(out.get(), reinterpret_cast<sockaddr *>(&address),
              sizeof address);
    return out;
  }

private:
  Descriptor listener_;
  std::uint16_t port_ = 0;
};
