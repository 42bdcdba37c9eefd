// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/handles.hpp"
#include "base/result.hpp"
#include "config/config.hpp"

#include <gio/gio.h>

#include <vector>

namespace patchcord::server {

// `count` sockets that listen on the same address, among which the kernel
// spreads the connections (SO_REUSEPORT). Port 0 becomes a free one, the same
// for all. The error says who holds the port, as far as that is known.
struct Listening {
  std::vector<Ref<GSocket>> sockets;
  int port = 0;
};
Result<Listening> listen_on(const config::ListenAddress &address,
                            std::size_t count);

} // namespace patchcord::server
