// SPDX-License-Identifier: LGPL-2.1-or-later
// Two processes with WebSockets between them over loopback TCP: this one
// serves, its child calls. What a message received and another one sent in
// return costs on each side, in CPU time of the whole process with its system
// calls, and what an idle connection holds.
#include "figures.hpp"

#include "net/websocket.hpp"

#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <semaphore>

// Counts allocations: there are to be none per message.
static std::atomic<std::size_t> allocations{0};
extern "C" {
void *__libc_malloc(std::size_t size); // NOLINT(bugprone-reserved-identifier)
void *malloc(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
}

using namespace patchcord;
using net::WebSocket;

namespace {

// A Twilio media message of 20 ms: 160 bytes of audio in base64, and JSON.
constexpr std::size_t kMessage = 330;

enum class Mode {
  kSaturated, // an answer is answered at once
  kPaced,     // each connection sends every 20 ms, and is answered
  kOneWay,    // the same, and nobody answers
  kIdle,
};

std::size_t heap_bytes() { return mallinfo2().uordblks; }
std::size_t resident_bytes() {
  std::size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

int listen_on_loopback(std::string &url) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto *any = reinterpret_cast<sockaddr *>(&address);
  socklen_t size = sizeof address;
  if (bind(fd, any, size) != 0 || listen(fd, 4096) != 0 ||
      getsockname(fd, any, &size) != 0)
    std::abort();
  url = "ws://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  return fd;
}

// One side: its connections, and its account.
class Side {
public:
  Side(const char *name, Mode mode, int connections)
      : name_(name), mode_(mode), connections_(connections) {
    // Made once before what is measured, as are the worker's own buffers.
    worker_->call([] {});
    heap_ = heap_bytes();
    resident_ = resident_bytes();
  }
  Side(const Side &) = delete;
  Side &operator=(const Side &) = delete;
  virtual ~Side() = default;

  void run() {
    all_open_.acquire();
    if (mode_ == Mode::kIdle) {
      worker_->call([this] { print_memory(); });
      return;
    }
    Timer begin, end;
    worker_->call([&] {
      begin = worker_->after(1s, [this] { mark(); });
      end = worker_->after(5s, [this] {
        print_cpu();
        measured_.release();
      });
    });
    measured_.acquire();
    worker_->call([&] {
      begin = Timer();
      end = Timer();
    });
  }
  void hang_up() {
    worker_->call([this] { sockets_.clear(); });
    worker_->stop();
  }

protected:
  void opened() {
    if (++open_ == connections_)
      all_open_.release();
  }
  void mark() {
    messages_ = 0;
    allocations_ = allocations.load();
    cpu_ = process_cpu_seconds();
  }
  void print_cpu() const {
    if (messages_ == 0)
      return;
    const double cpu = process_cpu_seconds() - cpu_;
    const auto count = static_cast<double>(messages_);
    const std::string what =
        std::string(name_) + ", " + std::to_string(connections_) +
        (mode_ == Mode::kSaturated ? " connections, saturated"
                                   : " connections at 50 messages a second");
    print_figure(cpu / count * 1e6, "us",
                 what + (mode_ == Mode::kOneWay
                             ? ": a message received"
                             : ": a message received and one sent"));
    print_figure(count / 4, "/s", what + ": messages");
    print_figure(static_cast<double>(allocations.load() - allocations_) / count,
                 "", what + ": allocations a message");
  }
  void print_memory() const {
    const std::string what = std::string(name_) + ": an idle connection's ";
    print_figure(static_cast<double>(heap_bytes() - heap_) / connections_ /
                     1024,
                 "kB", what + "heap");
    print_figure(static_cast<double>(resident_bytes() - resident_) /
                     connections_ / 1024,
                 "kB", what + "resident memory");
  }

  const char *const name_;
  const Mode mode_;
  const int connections_;
  std::shared_ptr<Worker> worker_ = Worker::start("bench");
  std::vector<std::unique_ptr<WebSocket>> sockets_;
  std::size_t messages_ = 0;

private:
  std::size_t heap_ = 0, resident_ = 0, allocations_ = 0;
  double cpu_ = 0;
  int open_ = 0;
  std::binary_semaphore all_open_{0}, measured_{0};
};

class Server final : public Side {
public:
  Server(Mode mode, int connections, int listener)
      : Side("server", mode, connections), listener_(listener) {
    worker_->call([this] {
      watch_ = worker_->watch(listener_, EPOLLIN,
                              [this](std::uint32_t) { on_connect(); });
    });
  }
  ~Server() override {
    worker_->stop();
    close(listener_);
  }

private:
  void on_connect() {
    const int fd = accept4(listener_, nullptr, nullptr, 0);
    if (fd < 0)
      std::abort();
    std::string request;
    while (!request.ends_with("\r\n\r\n")) {
      char bytes[1024];
      const ssize_t got = recv(fd, bytes, sizeof bytes, 0);
      if (got <= 0)
        std::abort();
      request.append(bytes, static_cast<std::size_t>(got));
    }
    const std::string name = "Sec-WebSocket-Key: ";
    const auto at = request.find(name) + name.size();
    const std::string answer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Accept: " +
        net::accept_key(request.substr(at, request.find("\r\n", at) - at)) +
        "\r\n\r\n";
    if (send(fd, answer.data(), answer.size(), 0) < 0)
      std::abort();
    const std::size_t index = sockets_.size();
    WebSocket::Handlers handlers;
    handlers.text = [this, index](std::string_view text) {
      ++messages_;
      if (mode_ != Mode::kOneWay)
        sockets_[index]->send_text(text);
    };
    const std::shared_ptr<void> owner(nullptr, [fd](void *) { close(fd); });
    sockets_.push_back(
        WebSocket::accept(*worker_, fd, owner, {}, std::move(handlers), {}));
    opened();
  }

  const int listener_;
  FdWatch watch_;
};

class Client final : public Side {
public:
  Client(Mode mode, int connections, const std::string &url)
      : Side("client", mode, connections) {
    worker_->call([&] {
      for (int i = 0; i < connections_; ++i)
        connect(i, url);
    });
  }
  ~Client() override {
    worker_->call([this] { timers_.clear(); });
    worker_->stop();
  }

private:
  void connect(int number, const std::string &url) {
    const auto index = static_cast<std::size_t>(number);
    WebSocket::Handlers handlers;
    handlers.open = [this, index] {
      if (mode_ == Mode::kSaturated)
        sockets_[index]->send_text(message_);
      opened();
    };
    handlers.text = [this, index](std::string_view) {
      ++messages_;
      if (mode_ == Mode::kSaturated)
        sockets_[index]->send_text(message_);
    };
    WebSocket::ConnectOptions options;
    options.url = url;
    sockets_.push_back(
        WebSocket::connect(*worker_, options, std::move(handlers), {}));
    if (mode_ == Mode::kSaturated || mode_ == Mode::kIdle)
      return;
    // Spread over the 20 ms, as calls are.
    timers_.emplace_back();
    timers_.back() =
        worker_->after(500ms + 20ms * number / connections_, [this, index] {
          sockets_[index]->send_text(message_);
          worker_->rearm(timers_[index], worker_->now() + 20ms);
        });
  }

  const std::string message_ = std::string(kMessage, 'm');
  std::vector<Timer> timers_;
};

void run(Mode mode, int connections) {
  std::string url;
  const int listener = listen_on_loopback(url);
  int done[2]; // ends when this process closes its side
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, done) != 0)
    std::abort();
  const pid_t child = fork();
  if (child == 0) {
    close(done[0]);
    Client client(mode, connections, url);
    client.run();
    // Until the server has its figures too.
    char byte = 0;
    [[maybe_unused]] const auto got = read(done[1], &byte, 1);
    client.hang_up();
    _exit(0);
  }
  close(done[1]);
  Server server(mode, connections, listener);
  server.run();
  close(done[0]);
  waitpid(child, nullptr, 0);
  server.hang_up();
}

} // namespace

int main() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  run(Mode::kPaced, 200);
  run(Mode::kOneWay, 200);
  run(Mode::kSaturated, 200);
  run(Mode::kIdle, 1000);
  return 0;
}
