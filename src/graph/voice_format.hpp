// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "graph/handles.hpp"

#include <gst/gst.h>

#include <cstdint>
#include <optional>
#include <span>

namespace patchcord::graph {

// The audio that voices make: mono, G.711 mu-law or 16-bit little-endian.
struct VoiceFormat {
  bool mulaw = false;
  int rate = 22050; // samples a second

  std::size_t sample_bytes() const { return mulaw ? 1 : 2; }
  GstClockTime duration(std::uint64_t samples) const {
    return gst_util_uint64_scale_int(samples, GST_SECOND, rate);
  }
  // Rounded up to a whole sample.
  std::size_t bytes_in_ms(std::uint64_t ms) const {
    return static_cast<std::size_t>(
               (ms * static_cast<std::uint64_t>(rate) + 999) / 1000) *
           sample_bytes();
  }
  Bytes silence(std::uint64_t ms) const;
  Ref<GstCaps> caps() const;
  // Fixed caps; nullopt when it is none of the above.
  static std::optional<VoiceFormat> from_caps(const GstCaps *caps);

  bool operator==(const VoiceFormat &) const = default;
};

// 16-bit samples at `rate` as they sound in `format`: resampled in one piece
// (same duration to the sample) and encoded.
Bytes convert_speech(std::span<const std::int16_t> samples, int rate,
                     const VoiceFormat &format);
// What was made in one format as it sounds in another; a piece by itself.
Bytes convert_speech(ByteSpan audio, const VoiceFormat &from,
                     const VoiceFormat &to);

} // namespace patchcord::graph
