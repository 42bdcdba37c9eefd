// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "config/config.hpp"
#include "server/call_desk.hpp"
#include "store/record_store.hpp"
#include "worker/worker.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace patchcord::server {

// The daemon's HTTP surface: one listening socket and one SoupServer a worker,
// all on the same port. A call lives on the worker whose socket took its
// WebSocket. docs/api.md lists the paths.
class HttpServer {
public:
  struct Options {
    config::Config config; // server.listen may have port 0
    // Whether a call could be made now, besides the store: asked for /readyz,
    // on any worker. May be null.
    std::function<Result<Unit>()> ready;
  };
  // Listens when it returns. `desk` and `store` outlive the server.
  static Result<std::unique_ptr<HttpServer>>
  start(const Options &options,
        const std::vector<std::shared_ptr<Worker>> &workers, CallDesk &desk,
        store::RecordStore &store);
  // Closes all connections but those of media streams. Not on a worker.
  virtual ~HttpServer() = default;

  virtual int port() const = 0;
  virtual std::string voice_webhook_url() const = 0; // for Twilio's console

protected:
  HttpServer() = default;
};

} // namespace patchcord::server
