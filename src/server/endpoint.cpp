// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server/endpoint.hpp"

#include "base/log.hpp"

#include <sys/epoll.h>

namespace patchcord::server {

namespace {

// Of one wake-up: a rush of clients is not to hold up the calls.
constexpr int kBatch = 32;
// How long no more are accepted when there are no descriptors left for them.
constexpr Duration kNoDescriptors = 100ms;

} // namespace

Endpoint::Endpoint(Worker &worker, GSocket *listening, Handler handler)
    : worker_(worker), handler_(std::move(handler)),
      // Paths as they came: signatures are made over them.
      server_(Ref<SoupServer>::adopt(soup_server_new(
          "server-header", "patchcord", "raw-paths", TRUE, nullptr))),
      listening_(Ref<GSocket>::share(listening)) {
  g_signal_connect(
      server_.get(), "request-started",
      G_CALLBACK(+[](SoupServer *, SoupServerMessage *message, gpointer self) {
        Exchange::attach(static_cast<Endpoint *>(self)->worker_, message);
      }),
      this);
  soup_server_add_handler(
      server_.get(), nullptr,
      +[](SoupServer *, SoupServerMessage *message, const char *, GHashTable *,
          gpointer self) {
        const auto exchange = Exchange::of(message);
        if (exchange->begin())
          static_cast<Endpoint *>(self)->handler_(exchange);
      },
      this, nullptr);
}

Result<std::unique_ptr<Endpoint>>
Endpoint::start(Worker &worker, GSocket *listening, Handler handler) {
  std::unique_ptr<Endpoint> endpoint(
      new Endpoint(worker, listening, std::move(handler)));
  g_socket_set_blocking(listening, FALSE);
  endpoint->listen();
  if (!endpoint->watch_)
    return make_error("cannot_listen", "the socket cannot be watched");
  return endpoint;
}

Endpoint::~Endpoint() {
  watch_.reset();
  g_signal_handlers_disconnect_by_data(server_.get(), this);
  soup_server_remove_handler(server_.get(), nullptr);
  soup_server_disconnect(server_.get());
}

void Endpoint::listen() {
  watch_ = worker_.watch(g_socket_get_fd(listening_.get()), EPOLLIN,
                         [this](std::uint32_t) { accept_some(); });
}

void Endpoint::accept_some() {
  for (int i = 0; i < kBatch && accept_one(); ++i) {
  }
}

bool Endpoint::accept_one() {
  GErrorHolder error;
  const auto socket = Ref<GSocket>::adopt(
      g_socket_accept(listening_.get(), nullptr, error.out()));
  if (!socket) {
    if (error->code != G_IO_ERROR_WOULD_BLOCK) {
      if (!std::exchange(full_, true))
        log::warning(std::string("connections have to wait: ") +
                     error.message());
      watch_.reset(); // It would report them again and again.
      retry_ = worker_.after(kNoDescriptors, [this] { listen(); });
    }
    return false;
  }
  full_ = false;
  Exchange::hand_over(server_.get(), socket.get());
  return true;
}

} // namespace patchcord::server
