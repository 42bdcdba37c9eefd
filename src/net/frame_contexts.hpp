// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "worker/worker.hpp"

#include <wslay/wslay.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace patchcord::net {

// wslay's state of a connection, which is 4 kB of read buffer and little else.
// Between two frames there is nothing in it: connections borrow one while they
// read, and keep it only when they are left with a part of a frame.
class FrameContext {
public:
  // Whose bytes are read and written; both as wslay's callbacks have it.
  class User {
  public:
    virtual ssize_t read_bytes(std::uint8_t *buffer, std::size_t size) = 0;
    virtual void write_bytes(const std::uint8_t *data, std::size_t size) = 0;

  protected:
    ~User() = default;
  };

  FrameContext();
  FrameContext(const FrameContext &) = delete;
  FrameContext &operator=(const FrameContext &) = delete;

  void set_user(User *user) { user_ = user; }
  // As wslay_frame_recv(): a whole header at least, or an error.
  ssize_t receive(wslay_frame_iocb &frame);
  // The whole frame, by one call or more of write_bytes().
  void send(wslay_frame_iocb &frame);
  // Whether it is between two frames and holds nothing. After an error: no.
  bool idle() const { return left_ == 0 && fed_ == 0; }

private:
  struct Free {
    void operator()(wslay_frame_context *frames) const {
      wslay_frame_context_free(frames);
    }
  };
  static ssize_t on_read(std::uint8_t *buffer, std::size_t size, int,
                         void *self);
  static ssize_t on_write(const std::uint8_t *data, std::size_t size, int,
                          void *self);
  static int on_mask(std::uint8_t *key, std::size_t size, void *);

  std::unique_ptr<wslay_frame_context, Free> frames_;
  User *user_ = nullptr;
  bool in_frame_ = false;
  std::uint64_t left_ = 0; // of the frame's payload
  std::uint64_t fed_ = 0;  // bytes that wslay was given and has not returned
};

// Those of a worker.
class FrameContexts {
public:
  explicit FrameContexts(Worker &) {}
  FrameContexts(const FrameContexts &) = delete;
  FrameContexts &operator=(const FrameContexts &) = delete;

  std::unique_ptr<FrameContext> borrow(FrameContext::User &user);
  // What is not idle is not lent to anybody else.
  void give_back(std::unique_ptr<FrameContext> context);
  // Sending leaves nothing behind.
  void send(FrameContext::User &user, wslay_frame_iocb &frame);

private:
  // One is enough as long as no handler of one connection reads another.
  static constexpr std::size_t kKept = 4;
  std::vector<std::unique_ptr<FrameContext>> free_;
  // A server's frames are not masked, a client's are; wslay's context, once it
  // has masked a payload, masks all.
  FrameContext unmasked_, masked_;
};

} // namespace patchcord::net
