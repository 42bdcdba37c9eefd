// SPDX-License-Identifier: LGPL-2.1-or-later
#include "telephone.hpp"

#include "audio/mulaw.hpp"
#include "offline/espeak_voice.hpp"

#include <glib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <string_view>

namespace patchcord::test {
namespace {

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4 && i < bytes.size(); ++i)
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]))
             << (8 * i);
  return value;
}

std::optional<Sound> parse_wav(std::string_view wav) {
  if (wav.size() < 44 || !wav.starts_with("RIFF"))
    return std::nullopt;
  Sound sound;
  for (std::size_t at = 12; at + 8 <= wav.size();) {
    const std::string_view id = wav.substr(at, 4);
    const std::size_t size = little_endian(wav.substr(at + 4));
    const std::string_view body = wav.substr(at + 8, size);
    if (id == "fmt ")
      sound.rate = static_cast<int>(little_endian(body.substr(4)));
    if (id == "data") {
      sound.samples.resize(body.size() / 2);
      std::memcpy(sound.samples.data(), body.data(), sound.samples.size() * 2);
      return sound;
    }
    at += 8 + size + size % 2;
  }
  return std::nullopt;
}

} // namespace

Sound say(const std::string &voice, int words_per_minute,
          const std::string &text) {
  offline::EspeakVoice::Settings settings;
  settings.voice = voice;
  settings.words_per_minute = words_per_minute;
  auto speech = offline::synthesize_espeak(text, settings, false);
  if (!speech)
    g_error("%s: %s", voice.c_str(), speech.error().message.c_str());
  return {offline::EspeakVoice::kRate, std::move(speech->samples)};
}

std::optional<Sound> read_wav(const std::string &path) {
  g_autofree char *data = nullptr;
  gsize size = 0;
  if (!g_file_get_contents(path.c_str(), &data, &size, nullptr))
    return std::nullopt;
  return parse_wav({data, size});
}

Sound resampled(const Sound &sound, int rate) {
  // A sinc under a Hann window, as wide as 16 samples of the slower side.
  const double step = static_cast<double>(sound.rate) / rate;
  const double cutoff = 0.94 * std::min(1.0, 1.0 / step);
  const double half = 16.0 * std::max(1.0, step);
  Sound out{rate, {}};
  const auto size = static_cast<std::int64_t>(sound.samples.size());
  const auto count =
      static_cast<std::int64_t>(static_cast<double>(size) / step);
  for (std::int64_t n = 0; n < count; ++n) {
    const double centre = static_cast<double>(n) * step;
    double sum = 0.0;
    const auto first = static_cast<std::int64_t>(std::ceil(centre - half));
    const auto last = static_cast<std::int64_t>(std::floor(centre + half));
    for (std::int64_t k = std::max<std::int64_t>(0, first);
         k <= std::min(last, size - 1); ++k) {
      const double x = static_cast<double>(k) - centre;
      const double angle = std::numbers::pi * cutoff * x;
      const double sinc =
          std::abs(angle) < 1e-9 ? 1.0 : std::sin(angle) / angle;
      const double window = 0.5 + 0.5 * std::cos(std::numbers::pi * x / half);
      sum += sound.samples[static_cast<std::size_t>(k)] * sinc * window;
    }
    out.samples.push_back(static_cast<std::int16_t>(
        std::lround(std::clamp(sum * cutoff, -32768.0, 32767.0))));
  }
  return out;
}

Sound over_telephone(const Sound &sound, int silence_ms) {
  Sound line = resampled(sound, audio::kMulawRate);
  for (std::int16_t &sample : line.samples)
    sample = audio::mulaw_to_linear(audio::linear_to_mulaw(sample));
  const auto silence =
      static_cast<std::size_t>(silence_ms * audio::kMulawRate / 1000);
  line.samples.insert(line.samples.begin(), silence, 0);
  line.samples.insert(line.samples.end(), silence, 0);
  return resampled(line, 16000);
}

} // namespace patchcord::test
