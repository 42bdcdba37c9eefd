// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "server/exchange.hpp"

namespace patchcord::server {

// HTTP on one worker and one listening socket: a SoupServer with bounds on what
// clients may send and how long they may take. Made and destroyed on the
// worker; when destroyed all its connections are closed.
//
// Connections are accepted here and handed to libsoup: one that libsoup 3.2
// accepts itself leaves its GSocket behind, with the descriptor when it was
// kept alive and the client closed it. One that it is handed serves one
// request.
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
  Endpoint(Worker &worker, GSocket *listening, Handler handler);
  void listen();
  void accept_some();
  bool accept_one(); // false: there is none, or none can be had

  Worker &worker_;
  const Handler handler_;
  const Ref<SoupServer> server_;
  const Ref<GSocket> listening_;
  FdWatch watch_;
  Timer retry_;
  bool full_ = false; // no descriptors
};

} // namespace patchcord::server
