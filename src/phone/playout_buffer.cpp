// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/playout_buffer.hpp"

#include "audio/mulaw.hpp"

#include <algorithm>

namespace patchcord::phone {
namespace {

constexpr Samples kUnderrunGap = kRate / 5;

} // namespace

void PlayoutBuffer::play_until(Samples until, Bytes &heard,
                               std::vector<Echo> &echoes) {
  if (until <= position_)
    return;
  const Samples count = std::min(until - position_, queued());
  if (count > 0) {
    const auto begin = queue_.begin() + static_cast<std::ptrdiff_t>(head_);
    heard.insert(heard.end(), begin, begin + count);
    head_ += static_cast<std::size_t>(count);
    while (!marks_.empty() && marks_.front().offset <= played_ + count) {
      echoes.push_back({std::move(marks_.front().name),
                        position_ + marks_.front().offset - played_, false});
      marks_.pop_front();
    }
    played_ += count;
    if (queued() == 0) {
      queue_.clear();
      head_ = 0;
      dry_since_ = position_ + count;
    } else if (head_ > queue_.size() / 2) {
      queue_.erase(queue_.begin(),
                   queue_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
  }
  heard.insert(heard.end(), static_cast<std::size_t>(until - position_ - count),
               audio::kMulawSilence);
  position_ = until;
}

bool PlayoutBuffer::push(ByteSpan mulaw) {
  const auto count = static_cast<Samples>(mulaw.size());
  if (count == 0)
    return true;
  if (queued() + count > kCapacity)
    return false;
  if (queued() == 0 && dry_since_ >= 0 && position_ > dry_since_ &&
      position_ - dry_since_ < kUnderrunGap)
    ++underruns_;
  queue_.insert(queue_.end(), mulaw.begin(), mulaw.end());
  pushed_ += count;
  return true;
}

void PlayoutBuffer::mark(std::string name, std::vector<Echo> &echoes) {
  if (queued() == 0)
    echoes.push_back({std::move(name), position_, false});
  else
    marks_.push_back({std::move(name), pushed_});
}

Samples PlayoutBuffer::clear(std::vector<Echo> &echoes) {
  const Samples dropped = queued();
  for (Mark &mark : marks_)
    echoes.push_back({std::move(mark.name), position_, true});
  marks_.clear();
  queue_.clear();
  head_ = 0;
  played_ = pushed_;
  // What comes after a clear is new speech, not the rest of the old.
  dry_since_ = -1;
  return dropped;
}

ByteSpan PlayoutBuffer::waiting() const {
  return ByteSpan(queue_).subspan(head_);
}

} // namespace patchcord::phone
