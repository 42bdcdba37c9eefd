// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server/listen.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

namespace patchcord::server {
namespace {

constexpr int kBacklog = 4096;

class Descriptor {
public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0)
      close(fd_);
  }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  int get() const { return fd_; }
  void release() { fd_ = -1; }

private:
  int fd_;
};

struct Native {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr *get() const {
    return reinterpret_cast<const sockaddr *>(&storage);
  }
};

Result<Native> to_native(const config::ListenAddress &address, int port) {
  const std::string host =
      address.host == "localhost" ? "127.0.0.1" : address.host;
  const auto socket_address =
      Ref<GSocketAddress>::adopt(g_inet_socket_address_new_from_string(
          host.c_str(), static_cast<guint>(port)));
  Native native;
  if (!socket_address ||
      !g_socket_address_to_native(socket_address.get(), &native.storage,
                                  sizeof native.storage, nullptr))
    return make_error("bad_address", address.host + ": is no IP address");
  native.size = static_cast<socklen_t>(
      g_socket_address_get_native_size(socket_address.get()));
  return native;
}

// g_socket_bind() clears SO_REUSEPORT on TCP sockets: hence by hand.
int bound_socket(const Native &native, bool reuse_port) {
  Descriptor fd(socket(native.get()->sa_family,
                       SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (fd.get() < 0 ||
      setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      (reuse_port &&
       setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) ||
      bind(fd.get(), native.get(), native.size) != 0)
    return -1;
  const int bound = fd.get();
  fd.release();
  return bound;
}

Error cannot_listen(const config::ListenAddress &address) {
  const int code = errno;
  std::string why = std::strerror(code);
  if (code == EADDRINUSE)
    why = "another program listens there already";
  else if (code == EACCES)
    why = "ports below 1024 are for root: take another, behind a proxy";
  else if (code == EADDRNOTAVAIL)
    why = "this machine has no such address";
  return make_error("cannot_listen", "cannot listen on " + address.host +
                                         " port " +
                                         std::to_string(address.port) + ": " +
                                         why + " (server.listen)");
}

int port_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr *>(&storage), &size) != 0)
    return 0;
  const auto address = Ref<GSocketAddress>::adopt(
      g_socket_address_new_from_native(&storage, size));
  return address ? g_inet_socket_address_get_port(
                       G_INET_SOCKET_ADDRESS(address.get()))
                 : 0;
}

} // namespace

Result<Listening> listen_on(const config::ListenAddress &address,
                            std::size_t count) {
  Listening listening;
  auto native = to_native(address, address.port);
  if (!native)
    return native.error();
  // SO_REUSEPORT would let a second daemon in and split the calls between the
  // two: one socket without it finds whether the port is taken.
  if (address.port != 0) {
    const Descriptor probe(bound_socket(*native, false));
    if (probe.get() < 0)
      return cannot_listen(address);
  }
  for (std::size_t i = 0; i < count; ++i) {
    Descriptor fd(bound_socket(*native, count > 1));
    if (fd.get() < 0 || listen(fd.get(), kBacklog) != 0)
      return cannot_listen(address);
    GErrorHolder error;
    auto socket =
        Ref<GSocket>::adopt(g_socket_new_from_fd(fd.get(), error.out()));
    if (!socket)
      return make_error("cannot_listen", error.message());
    if (i == 0) {
      listening.port = port_of(fd.get());
      native = to_native(address, listening.port);
      if (!native)
        return native.error();
    }
    fd.release();
    listening.sockets.push_back(std::move(socket));
  }
  return listening;
}

} // namespace patchcord::server
