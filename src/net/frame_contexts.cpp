// SPDX-License-Identifier: LGPL-2.1-or-later
#include "net/frame_contexts.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace patchcord::net {
namespace {

// RFC 6455 section 5.2.
std::uint64_t header_size(const wslay_frame_iocb &frame) {
  const std::uint64_t length = frame.payload_length > 0xffff ? 8
                               : frame.payload_length > 125  ? 2
                                                             : 0;
  return 2 + length + (frame.mask != 0 ? 4 : 0);
}

// Masks must not be predictable (RFC 6455 section 10.3); a system call for each
// would be dear.
void random_mask(std::uint8_t *key, std::size_t size) {
  thread_local std::array<std::uint8_t, 1024> pool;
  thread_local std::size_t used = pool.size();
  if (used + size > pool.size()) {
    for (std::size_t filled = 0; filled < pool.size();) {
      const ssize_t got =
          getrandom(pool.data() + filled, pool.size() - filled, 0);
      if (got < 0 && errno != EINTR)
        std::abort(); // As in random_hex(): nothing can be done without it.
      filled += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    used = 0;
  }
  std::memcpy(key, pool.data() + used, size);
  used += size;
}

} // namespace

FrameContext::FrameContext() {
  const wslay_frame_callbacks callbacks = {&on_write, &on_read, &on_mask};
  wslay_frame_context *frames = nullptr;
  if (wslay_frame_context_init(&frames, &callbacks, this) != 0)
    std::abort(); // Out of memory, as operator new would have it.
  frames_.reset(frames);
}

ssize_t FrameContext::on_read(std::uint8_t *buffer, std::size_t size, int,
                              void *self) {
  auto &context = *static_cast<FrameContext *>(self);
  const ssize_t got = context.user_->read_bytes(buffer, size);
  if (got > 0)
    context.fed_ += static_cast<std::uint64_t>(got);
  return got;
}

ssize_t FrameContext::on_write(const std::uint8_t *data, std::size_t size, int,
                               void *self) {
  static_cast<FrameContext *>(self)->user_->write_bytes(data, size);
  return static_cast<ssize_t>(size);
}

int FrameContext::on_mask(std::uint8_t *key, std::size_t size, void *) {
  random_mask(key, size);
  return 0;
}

ssize_t FrameContext::receive(wslay_frame_iocb &frame) {
  const ssize_t got = wslay_frame_recv(frames_.get(), &frame);
  if (got < 0)
    return got;
  if (!std::exchange(in_frame_, true)) {
    fed_ -= header_size(frame);
    left_ = frame.payload_length;
  }
  fed_ -= frame.data_length;
  left_ -= frame.data_length;
  in_frame_ = left_ != 0;
  return got;
}

void FrameContext::send(wslay_frame_iocb &frame) {
  wslay_frame_send(frames_.get(), &frame);
}

std::unique_ptr<FrameContext> FrameContexts::borrow(FrameContext::User &user) {
  std::unique_ptr<FrameContext> context;
  if (free_.empty()) {
    context = std::make_unique<FrameContext>();
  } else {
    context = std::move(free_.back());
    free_.pop_back();
  }
  context->set_user(&user);
  return context;
}

void FrameContexts::give_back(std::unique_ptr<FrameContext> context) {
  if (context->idle() && free_.size() < kKept)
    free_.push_back(std::move(context));
}

void FrameContexts::send(FrameContext::User &user, wslay_frame_iocb &frame) {
  FrameContext &context = frame.mask != 0 ? masked_ : unmasked_;
  context.set_user(&user);
  context.send(frame);
}

} // namespace patchcord::net
