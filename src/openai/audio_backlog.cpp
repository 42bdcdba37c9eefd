// SPDX-License-Identifier: LGPL-2.1-or-later
#include "openai/audio_backlog.hpp"

#include "audio/mulaw.hpp"

#include <algorithm>

namespace patchcord::openai {
namespace {

// Three samples of 24 kHz for one of 8 kHz.
constexpr std::int64_t kSamples = 3, kGroup = 2 * kSamples; // bytes

int sample_at(ByteSpan pcm, std::size_t index) {
  return static_cast<std::int16_t>(pcm[2 * index] | pcm[2 * index + 1] << 8);
}

Bytes pack(ByteSpan pcm) {
  Bytes out(pcm.size() / kGroup);
  for (std::size_t i = 0; i < out.size(); ++i) {
    int sum = 0;
    for (std::size_t k = 0; k < kSamples; ++k)
      sum += sample_at(pcm, i * kSamples + k);
    out[i] = audio::linear_to_mulaw(
        static_cast<std::int16_t>(sum / static_cast<int>(kSamples)));
  }
  return out;
}

// Straight lines between the middles of the groups.
Bytes unpack(ByteSpan mulaw) {
  Bytes out;
  out.reserve(mulaw.size() * kGroup);
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

std::int64_t AudioBacklog::packed_begin() const {
  return static_cast<std::int64_t>(plain_.begin()) -
         kGroup * static_cast<std::int64_t>(packed_.end() - packed_.begin());
}

void AudioBacklog::drop_before(std::int64_t position) {
  begin_ = std::clamp(position, begin_, end());
  const auto groups = static_cast<std::uint64_t>(
      std::max<std::int64_t>(begin_ - packed_begin(), 0) / kGroup);
  const std::uint64_t packed = packed_.end() - packed_.begin();
  packed_.drop_before(packed_.begin() + std::min(groups, packed));
  if (groups > packed) // whole groups, so that what is left can be packed
    plain_.drop_before(plain_.begin() + (groups - packed) * kGroup);
  if (begin_ == end()) // what comes next may be of another format
    plain_.drop_before(plain_.end());
}

void AudioBacklog::pack_before(std::int64_t position) {
  const std::int64_t plain = static_cast<std::int64_t>(plain_.begin()),
                     groups = (std::min(position, end()) - plain) / kGroup;
  if (groups <= 0)
    return;
  const auto until = static_cast<std::uint64_t>(plain + groups * kGroup);
  Bytes scratch;
  packed_.append(pack(plain_.view(plain_.begin(), until, scratch)));
  plain_.drop_before(until);
}

Bytes AudioBacklog::range(std::int64_t from, std::int64_t to) const {
  from = std::max(from, begin_);
  to = std::min(to, end());
  Bytes out, scratch;
  if (from >= to)
    return out;
  out.reserve(static_cast<std::size_t>(to - from));
  const auto plain = static_cast<std::int64_t>(plain_.begin());
  if (from < plain) {
    const std::int64_t until = std::min(to, plain), start = packed_begin();
    const auto group = [&](std::int64_t bytes) {
      return packed_.begin() + static_cast<std::uint64_t>(bytes / kGroup);
    };
    const std::uint64_t first = group(from - start);
    const Bytes pcm =
        unpack(packed_.view(first, group(until - start + kGroup - 1), scratch));
    const std::int64_t offset = (from - start) % kGroup;
    out.insert(out.end(), pcm.begin() + offset,
               pcm.begin() + offset + (until - from));
    from = until;
  }
  const ByteSpan rest = plain_.view(static_cast<std::uint64_t>(from),
                                    static_cast<std::uint64_t>(to), scratch);
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

std::size_t AudioBacklog::held_bytes() const {
  return packed_.held_bytes() + plain_.held_bytes();
}

} // namespace patchcord::openai
