// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"

#include <cstdint>

namespace patchcord::openai {

// The newest part of a stream of audio bytes. Positions count from the first
// byte of the stream, whether it is still held or not.
class AudioBacklog {
public:
  std::int64_t begin() const { return begin_; }
  std::int64_t end() const {
    return begin_ + static_cast<std::int64_t>(bytes_.size() - head_);
  }

  void append(ByteSpan bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }

  // Forgets what is before `position`.
  void drop_before(std::int64_t position) {
    if (position <= begin_)
      return;
    if (position >= end()) {
      begin_ = end();
      bytes_.clear();
      head_ = 0;
      return;
    }
    head_ += static_cast<std::size_t>(position - begin_);
    begin_ = position;
    // Moving the rest only once as much is free as is left makes it cost a
    // constant a byte.
    if (head_ >= bytes_.size() / 2) {
      bytes_.erase(bytes_.begin(),
                   bytes_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
  }

  // What is held of [from, to). Valid until the next change.
  ByteSpan range(std::int64_t from, std::int64_t to) const {
    from = from < begin_ ? begin_ : from;
    to = to > end() ? end() : to;
    if (from >= to)
      return {};
    return ByteSpan(bytes_).subspan(head_ +
                                        static_cast<std::size_t>(from - begin_),
                                    static_cast<std::size_t>(to - from));
  }

private:
  Bytes bytes_;
  std::size_t head_ = 0;
  std::int64_t begin_ = 0;
};

} // namespace patchcord::openai
