// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/wav.hpp"

#include "audio/mulaw.hpp"
#include "base/handles.hpp"

#include <glib.h>

#include <algorithm>

namespace patchcord::phone {
namespace {

void append_little_endian(Bytes &out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void append_text(Bytes &out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

} // namespace

Bytes stereo_wav(ByteSpan left_mulaw, ByteSpan right_mulaw) {
  constexpr std::uint32_t kChannels = 2, kBytesPerSample = 2;
  const std::size_t samples = std::max(left_mulaw.size(), right_mulaw.size());
  const auto size =
      static_cast<std::uint32_t>(samples * kChannels * kBytesPerSample);
  Bytes wav;
  wav.reserve(size + 44U);
  append_text(wav, "RIFF");
  append_little_endian(wav, size + 36, 4);
  append_text(wav, "WAVEfmt ");
  append_little_endian(wav, 16, 4); // of this chunk
  append_little_endian(wav, 1, 2);  // PCM
  append_little_endian(wav, kChannels, 2);
  append_little_endian(wav, audio::kMulawRate, 4);
  append_little_endian(wav, audio::kMulawRate * kChannels * kBytesPerSample, 4);
  append_little_endian(wav, kChannels * kBytesPerSample, 2);
  append_little_endian(wav, kBytesPerSample * 8, 2);
  append_text(wav, "data");
  append_little_endian(wav, size, 4);
  const auto sample = [](ByteSpan side, std::size_t i) {
    return i < side.size() ? audio::mulaw_to_linear(side[i]) : std::int16_t{0};
  };
  for (std::size_t i = 0; i < samples; ++i) {
    append_little_endian(wav, static_cast<std::uint16_t>(sample(left_mulaw, i)),
                         2);
    append_little_endian(wav,
                         static_cast<std::uint16_t>(sample(right_mulaw, i)), 2);
  }
  return wav;
}

Result<Unit> write_file(const std::string &path, ByteSpan bytes) {
  GErrorHolder error;
  const GCharPtr folder(g_path_get_dirname(path.c_str()));
  g_mkdir_with_parents(folder.get(), 0755);
  if (!g_file_set_contents(path.c_str(),
                           reinterpret_cast<const char *>(bytes.data()),
                           static_cast<gssize>(bytes.size()), error.out()))
    return make_error("write_failed", error.message());
  return ok();
}

} // namespace patchcord::phone
