// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <memory>
#include <sys/types.h>

namespace patchcord::net {

// Bytes in and out of one connected, non-blocking descriptor.
class Transport {
public:
  virtual ~Transport() = default;
  virtual int fd() const = 0;

  struct Read {
    ssize_t bytes = 0; // 0: the peer has ended; negative: -errno
    bool more = false; // another read may find something at once
  };
  virtual Read read(void *buffer, std::size_t size) = 0;
  // Bytes taken, or -errno.
  virtual ssize_t write(const void *data, std::size_t size) = 0;
  // Tells the peer that nothing more comes; reading goes on.
  virtual void end_output() = 0;
  // What was read from the descriptor and not yet handed out would not wake
  // anyone: read until nothing more is there.
  virtual bool buffers_input() const = 0;
};

// A plain socket. `owner` keeps it open.
std::unique_ptr<Transport> make_socket_transport(int fd,
                                                 std::shared_ptr<void> owner);
// Closes `fd` when it goes.
std::unique_ptr<Transport> make_socket_transport(int fd);

} // namespace patchcord::net
