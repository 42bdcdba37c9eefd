// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/block_queue.hpp"

#include <algorithm>

namespace patchcord {

void BlockQueue::append(ByteSpan bytes) {
  while (!bytes.empty()) {
    const auto used = static_cast<std::size_t>(end_ - first_);
    if (used == blocks_.size() * kBlock)
      blocks_.push_back(std::make_unique_for_overwrite<Block>());
    const std::size_t at = used % kBlock;
    const std::size_t take = std::min(bytes.size(), kBlock - at);
    std::copy_n(bytes.begin(), take, blocks_[used / kBlock]->begin() + at);
    bytes = bytes.subspan(take);
    end_ += take;
  }
}

void BlockQueue::insert(std::uint64_t position, std::size_t count,
                        std::uint8_t byte) {
  Bytes tail;
  const ByteSpan behind = view(position, end_, tail);
  if (tail.empty())
    tail.assign(behind.begin(), behind.end());
  truncate(position);
  append(Bytes(count, byte));
  append(tail);
}

void BlockQueue::drop_before(std::uint64_t position) {
  begin_ = std::clamp(position, begin_, end_);
  const std::uint64_t gone = (begin_ - first_) / kBlock;
  blocks_.erase(blocks_.begin(),
                blocks_.begin() + static_cast<std::ptrdiff_t>(gone));
  first_ += gone * kBlock;
  if (begin_ == end_) {
    blocks_.clear();
    first_ = end_;
  }
}

void BlockQueue::truncate(std::uint64_t position) {
  end_ = std::clamp(position, begin_, end_);
  const auto used = static_cast<std::size_t>(end_ - first_);
  blocks_.resize((used + kBlock - 1) / kBlock);
}

ByteSpan BlockQueue::piece(std::uint64_t from, std::uint64_t to) const {
  const auto index = static_cast<std::size_t>((from - first_) / kBlock);
  const auto at = static_cast<std::size_t>((from - first_) % kBlock);
  return ByteSpan(*blocks_[index])
      .subspan(at, static_cast<std::size_t>(
                       std::min<std::uint64_t>(to - from, kBlock - at)));
}

ByteSpan BlockQueue::view(std::uint64_t from, std::uint64_t to,
                          Bytes &scratch) const {
  scratch.clear();
  from = std::max(from, begin_);
  to = std::min(to, end_);
  if (from >= to)
    return {};
  if (const ByteSpan whole = piece(from, to); whole.size() == to - from)
    return whole;
  scratch.reserve(static_cast<std::size_t>(to - from));
  while (from < to) {
    const ByteSpan next = piece(from, to);
    scratch.insert(scratch.end(), next.begin(), next.end());
    from += next.size();
  }
  return scratch;
}

} // namespace patchcord
