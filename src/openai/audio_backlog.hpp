// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/block_queue.hpp"
#include "base/bytes.hpp"

#include <cstdint>

namespace patchcord::openai {

// The newest part of a stream of audio bytes. Positions count from the first
// byte of the stream, whether it is still held or not.
//
// What was sent once is kept for the case that the connection is lost. Of 24
// kHz PCM that would be most of a call's memory: pack() keeps 8 kHz mu-law of
// it, a sixth, which is all that a telephone had to give.
class AudioBacklog {
public:
  std::int64_t begin() const { return begin_; }
  std::int64_t end() const { return static_cast<std::int64_t>(plain_.end()); }

  void append(ByteSpan bytes) { plain_.append(bytes); }
  // Forgets what is before `position`.
  void drop_before(std::int64_t position);
  // Packs what is before `position`, which must be 16-bit PCM at 24 kHz.
  void pack_before(std::int64_t position);
  // What is held of [from, to), unpacked.
  Bytes range(std::int64_t from, std::int64_t to) const;
  std::size_t held_bytes() const; // of memory, for tests

private:
  // Where the packed part begins; it ends where the plain one begins.
  std::int64_t packed_begin() const;

  BlockQueue packed_, plain_; // plain_ counts as the stream does
  std::int64_t begin_ = 0;
};

} // namespace patchcord::openai
