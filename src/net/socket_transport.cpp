// SPDX-License-Identifier: LGPL-2.1-or-later
#include "net/transport.hpp"

#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace patchcord::net {
namespace {

class SocketTransport final : public Transport {
public:
  SocketTransport(int fd, std::shared_ptr<void> owner, bool close_it)
      : fd_(fd), close_(close_it), owner_(std::move(owner)) {
    // Frames are written whole, and late ones are of no use. A socketpair has
    // no such option, which does not matter.
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~SocketTransport() override {
    // An owner may be shared with others, and the connection ends all the same.
    if (close_)
      close(fd_);
    else
      shutdown(fd_, SHUT_RDWR);
  }
  SocketTransport(const SocketTransport &) = delete;
  SocketTransport &operator=(const SocketTransport &) = delete;

  int fd() const override { return fd_; }

  Read read(void *buffer, std::size_t size) override {
    const ssize_t got = recv(fd_, buffer, size, MSG_DONTWAIT);
    if (got < 0)
      return {-errno, false};
    // A short read took all there was: no second call to learn that. Epoll is
    // level-triggered and tells when more has come.
    return {got, static_cast<std::size_t>(got) == size};
  }

  ssize_t write(const void *data, std::size_t size) override {
    const ssize_t sent = send(fd_, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? -errno : sent;
  }

  void end_output() override { shutdown(fd_, SHUT_WR); }
  bool buffers_input() const override { return false; }

private:
  const int fd_;
  const bool close_;
  const std::shared_ptr<void> owner_;
};

} // namespace

std::unique_ptr<Transport> make_socket_transport(int fd,
                                                 std::shared_ptr<void> owner) {
  return std::make_unique<SocketTransport>(fd, std::move(owner), false);
}

std::unique_ptr<Transport> make_socket_transport(int fd) {
  return std::make_unique<SocketTransport>(fd, nullptr, true);
}

} // namespace patchcord::net
