// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <vector>

namespace patchcord::openai {

// The newest part of a stream of audio bytes. Positions count from the first
// byte of the stream, whether it is still held or not.
//
// What was sent once is kept for the case that the connection is lost. Of 24
// kHz PCM that would be most of a call's memory: pack() keeps 8 kHz mu-law of
// it, a twelfth, which is all that a telephone had to give.
class AudioBacklog {
public:
  std::int64_t begin() const { return begin_; }
  std::int64_t end() const { return end_; }

  void append(ByteSpan bytes);
  // Forgets what is before `position`.
  void drop_before(std::int64_t position);
  // Packs what is before `position`, which must be 16-bit PCM at 24 kHz.
  void pack_before(std::int64_t position);
  // What is held of [from, to), unpacked.
  Bytes range(std::int64_t from, std::int64_t to) const;
  std::size_t held_bytes() const; // of memory, for tests

private:
  // 25 ms of PCM, 150 ms of mu-law; whole groups of three samples.
  static constexpr std::int64_t kBlock = 1200;
  struct Block {
    Bytes bytes;
    bool packed = false;
  };

  std::vector<Block> blocks_; // the first one begins at first_
  std::int64_t first_ = 0, begin_ = 0, end_ = 0;
};

} // namespace patchcord::openai
