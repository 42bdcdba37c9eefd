// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "server/exchange.hpp"

namespace patchcord::server {

// HTTP on one worker and one listening socket: a SoupServer with bounds on what
// clients may send and how long they may take. Made and destroyed on the
// worker; when destroyed all its connections are closed.
class Endpoint {
public:
  // Gets each whole request; has answered when it returns, or called later(),
  // begin_stream() or upgrade().
  using Handler = std::function<void(const std::shared_ptr<Exchange> &)>;

  static Result<std::unique_ptr<Endpoint>>
  start(Worker &worker, GSocket *listening, Handler handler);
  ~Endpoint();
  Endpoint(const Endpoint &) = delete;
  Endpoint &operator=(const Endpoint &) = delete;

private:
  Endpoint(Worker &worker, Handler handler);

  Worker &worker_;
  const Handler handler_;
  Ref<SoupServer> server_;
};

} // namespace patchcord::server
