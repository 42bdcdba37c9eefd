// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace patchcord {

// Bytes in the order in which they came. Positions count from the first byte
// that ever came, whether it is still held or not.
//
// In blocks of one size, which are given back one by one as their bytes are
// dropped: of a hundred queues of which each is long at another time, none
// keeps what it does not need, and what one gives back fits the next.
class BlockQueue {
public:
  static constexpr std::size_t kBlock = 1600; // bytes

  std::uint64_t begin() const { return begin_; }
  std::uint64_t end() const { return end_; }

  void append(ByteSpan bytes);
  // `count` times `byte` before what is at `position`.
  void insert(std::uint64_t position, std::size_t count, std::uint8_t byte);
  // Forgets what is before `position`; not beyond end().
  void drop_before(std::uint64_t position);
  // Forgets what is from `position` on, which takes what comes next.
  void truncate(std::uint64_t position);
  // What is held of [from, to); in `scratch` when it is not in one block.
  ByteSpan view(std::uint64_t from, std::uint64_t to, Bytes &scratch) const;
  // Of memory.
  std::size_t held_bytes() const { return blocks_.size() * kBlock; }

private:
  using Block = std::array<std::uint8_t, kBlock>;
  ByteSpan piece(std::uint64_t from, std::uint64_t to) const;

  std::vector<std::unique_ptr<Block>> blocks_;
  std::uint64_t first_ = 0; // position of the first block's first byte
  std::uint64_t begin_ = 0, end_ = 0;
};

} // namespace patchcord
