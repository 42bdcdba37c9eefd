// SPDX-License-Identifier: LGPL-2.1-or-later
#include "openai/audio_backlog.hpp"

#include "audio/mulaw.hpp"

#include <algorithm>

namespace patchcord::openai {
namespace {

constexpr std::size_t kGroup = 3; // samples of 24 kHz for one of 8 kHz

int sample_at(const Bytes &pcm, std::size_t index) {
  return static_cast<std::int16_t>(pcm[2 * index] | pcm[2 * index + 1] << 8);
}

Bytes pack(const Bytes &pcm) {
  Bytes out(pcm.size() / 2 / kGroup);
  for (std::size_t i = 0; i < out.size(); ++i) {
    int sum = 0;
    for (std::size_t k = 0; k < kGroup; ++k)
      sum += sample_at(pcm, i * kGroup + k);
    out[i] = audio::linear_to_mulaw(
        static_cast<std::int16_t>(sum / static_cast<int>(kGroup)));
  }
  return out;
}

// Straight lines between the middles of the groups.
Bytes unpack(const Bytes &mulaw) {
  Bytes out;
  out.reserve(mulaw.size() * kGroup * 2);
  const auto value = [&](std::size_t i) {
    return int{audio::mulaw_to_linear(mulaw[std::min(i, mulaw.size() - 1)])};
  };
  for (std::size_t i = 0; i < mulaw.size(); ++i) {
    const int before = value(i == 0 ? 0 : i - 1), here = value(i),
              behind = value(i + 1);
    for (const int sample :
         {(before + 2 * here) / 3, here, (2 * here + behind) / 3}) {
      out.push_back(static_cast<std::uint8_t>(sample & 0xff));
      out.push_back(static_cast<std::uint8_t>(sample >> 8 & 0xff));
    }
  }
  return out;
}

} // namespace

void AudioBacklog::append(ByteSpan bytes) {
  end_ += static_cast<std::int64_t>(bytes.size());
  while (!bytes.empty()) {
    if (blocks_.empty() || blocks_.back().bytes.size() == kBlock ||
        blocks_.back().packed) {
      blocks_.emplace_back();
      blocks_.back().bytes.reserve(kBlock);
    }
    Bytes &last = blocks_.back().bytes;
    const std::size_t take = std::min(bytes.size(), kBlock - last.size());
    last.insert(last.end(), bytes.begin(),
                bytes.begin() + static_cast<std::ptrdiff_t>(take));
    bytes = bytes.subspan(take);
  }
}

void AudioBacklog::drop_before(std::int64_t position) {
  begin_ = std::clamp(position, begin_, end_);
  if (begin_ == end_) {
    // What comes next may be of another format.
    blocks_.clear();
    first_ = end_;
  }
  const std::int64_t gone = (begin_ - first_) / kBlock;
  blocks_.erase(blocks_.begin(), blocks_.begin() + gone);
  first_ += gone * kBlock;
}

void AudioBacklog::pack_before(std::int64_t position) {
  // The newest that can be packed first: those before it are, as a rule.
  for (std::int64_t i =
           std::min<std::int64_t>((position - first_) / kBlock,
                                  static_cast<std::int64_t>(blocks_.size())) -
           1;
       i >= 0; --i) {
    Block &block = blocks_[static_cast<std::size_t>(i)];
    if (block.packed || block.bytes.size() < kBlock)
      return;
    block.bytes = pack(block.bytes);
    block.packed = true;
  }
}

Bytes AudioBacklog::range(std::int64_t from, std::int64_t to) const {
  from = std::max(from, begin_);
  to = std::min(to, end_);
  Bytes out;
  if (from >= to)
    return out;
  out.reserve(static_cast<std::size_t>(to - from));
  while (from < to) {
    const std::int64_t index = (from - first_) / kBlock;
    const std::int64_t start = first_ + index * kBlock;
    const Block &block = blocks_[static_cast<std::size_t>(index)];
    const Bytes &bytes = block.packed ? unpack(block.bytes) : block.bytes;
    const std::int64_t until = std::min(to, start + kBlock);
    out.insert(out.end(), bytes.begin() + (from - start),
               bytes.begin() + (until - start));
    from = until;
  }
  return out;
}

std::size_t AudioBacklog::held_bytes() const {
  std::size_t sum = 0;
  for (const Block &block : blocks_)
    sum += block.bytes.capacity();
  return sum;
}

} // namespace patchcord::openai
