// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server/endpoint.hpp"

namespace patchcord::server {

Endpoint::Endpoint(Worker &worker, Handler handler)
    : worker_(worker), handler_(std::move(handler)),
      // Paths as they came: signatures are made over them.
      server_(Ref<SoupServer>::adopt(soup_server_new(
          "server-header", "patchcord", "raw-paths", TRUE, nullptr))) {
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
  std::unique_ptr<Endpoint> endpoint(new Endpoint(worker, std::move(handler)));
  GErrorHolder error;
  // Its sources go to the thread's default context. A virtual worker's is that
  // only while it runs.
  g_main_context_push_thread_default(worker.context());
  const bool listens = soup_server_listen_socket(
      endpoint->server_.get(), listening,
      static_cast<SoupServerListenOptions>(0), error.out());
  g_main_context_pop_thread_default(worker.context());
  if (!listens)
    return make_error("cannot_listen", error.message());
  return endpoint;
}

Endpoint::~Endpoint() {
  g_signal_handlers_disconnect_by_data(server_.get(), this);
  soup_server_remove_handler(server_.get(), nullptr);
  soup_server_disconnect(server_.get());
}

} // namespace patchcord::server
