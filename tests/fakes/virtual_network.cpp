// SPDX-License-Identifier: LGPL-2.1-or-later
#include "virtual_network.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <set>
#include <sys/socket.h>
#include <thread>
#include <vector>

namespace patchcord::fakes {
namespace {

constexpr int kMaxFd = 256;
// Numbers are given out lowest first: after that many free ones there are no
// more sockets. Asking for each of the 256 would take longer than all the rest.
constexpr int kMaxGap = 32;
// What is done within a step is not waited for until its end.
constexpr Duration kStep = 2ms;
// Real time after which bytes count as lost, or the peer as one that is not
// ours to see.
constexpr auto kPatience = std::chrono::seconds(2);

enum TcpState { kEstablished = 1, kSynSent = 2, kFinWait1 = 4, kListen = 10 };

struct Socket {
  int local = 0, peer = 0; // ports
  int state = 0;
  std::uint64_t sent = 0, received = 0;
};

int port_of(const sockaddr_storage &address) {
  if (address.ss_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in &>(address).sin_port);
  if (address.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6 &>(address).sin6_port);
  return 0;
}

std::vector<Socket> tcp_sockets() {
  std::vector<Socket> sockets;
  int gap = 0;
  for (int fd = 3; fd < kMaxFd && gap < kMaxGap; ++fd) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
      gap = errno == EBADF ? gap + 1 : 0;
      continue; // not open, or no TCP socket
    }
    gap = 0;
    Socket socket;
    sockaddr_storage address{};
    size = sizeof address;
    getsockname(fd, reinterpret_cast<sockaddr *>(&address), &size);
    socket.local = port_of(address);
    address = {};
    size = sizeof address;
    getpeername(fd, reinterpret_cast<sockaddr *>(&address), &size);
    socket.peer = port_of(address);
    socket.state = info.tcpi_state;
    socket.sent = info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
    socket.received = info.tcpi_bytes_received;
    sockets.push_back(socket);
  }
  return sockets;
}

bool bytes_on_their_way() {
  const auto sockets = tcp_sockets();
  return std::any_of(sockets.begin(), sockets.end(), [&](const Socket &a) {
    if (a.state == kSynSent || a.state == kFinWait1)
      return true;
    if (a.state == kListen)
      return false;
    const auto b =
        std::find_if(sockets.begin(), sockets.end(), [&](const Socket &other) {
          return other.local == a.peer && other.peer == a.local;
        });
    if (b != sockets.end())
      return a.sent > b->received;
    // Its other end is not accepted yet, or is closed and the news is not here.
    return a.state == kEstablished &&
           std::any_of(sockets.begin(), sockets.end(), [&](const Socket &l) {
             return l.state == kListen && l.local == a.peer;
           });
  });
}

void settle(Worker &worker) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  worker.run_ready();
  while (bytes_on_their_way() && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::yield();
    worker.run_ready();
  }
  worker.run_ready();
}

} // namespace

bool run_networked(Worker &worker, const std::function<bool()> &done,
                   TimePoint deadline) {
  for (;;) {
    settle(worker);
    if (done())
      return true;
    if (worker.now() >= deadline)
      return false;
    worker.run_until(done, std::min(worker.now() + kStep, deadline));
  }
}

void run_networked_for(Worker &worker, Duration duration) {
  run_networked(
      worker, [] { return false; }, worker.now() + duration);
}

} // namespace patchcord::fakes
