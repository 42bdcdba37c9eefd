// SPDX-License-Identifier: LGPL-2.1-or-later
#include "graph/voice_format.hpp"

#include "audio/mulaw.hpp"

#include <gst/audio/audio.h>

#include <memory>
#include <vector>

namespace patchcord::graph {
namespace {

struct ResamplerFree {
  void operator()(GstAudioResampler *resampler) const {
    gst_audio_resampler_free(resampler);
  }
};

std::vector<std::int16_t> resample(std::span<const std::int16_t> samples,
                                   int from, int to) {
  const std::unique_ptr<GstAudioResampler, ResamplerFree> resampler(
      gst_audio_resampler_new(GST_AUDIO_RESAMPLER_METHOD_KAISER,
                              GST_AUDIO_RESAMPLER_FLAG_NONE,
                              GST_AUDIO_FORMAT_S16, 1, from, to, nullptr));
  // The filter holds back its look-ahead: as much silence pushes it out.
  std::vector<std::int16_t> in(samples.begin(), samples.end());
  in.resize(in.size() +
            2 * gst_audio_resampler_get_max_latency(resampler.get()) + 1);
  std::vector<std::int16_t> out(
      gst_audio_resampler_get_out_frames(resampler.get(), in.size()));
  gpointer in_planes[] = {in.data()};
  gpointer out_planes[] = {out.data()};
  gst_audio_resampler_resample(resampler.get(), in_planes, in.size(),
                               out_planes, out.size());
  out.resize(gst_util_uint64_scale_int_round(samples.size(), to, from));
  return out;
}

} // namespace

Bytes VoiceFormat::silence(std::uint64_t ms) const {
  return Bytes(bytes_in_ms(ms), mulaw ? audio::kMulawSilence : 0);
}

Ref<GstCaps> VoiceFormat::caps() const {
  return Ref<GstCaps>::adopt(
      mulaw ? gst_caps_new_simple("audio/x-mulaw", "rate", G_TYPE_INT, rate,
                                  "channels", G_TYPE_INT, 1, nullptr)
            : gst_caps_new_simple("audio/x-raw", "format", G_TYPE_STRING,
                                  "S16LE", "layout", G_TYPE_STRING,
                                  "interleaved", "rate", G_TYPE_INT, rate,
                                  "channels", G_TYPE_INT, 1, nullptr));
}

std::optional<VoiceFormat> VoiceFormat::from_caps(const GstCaps *caps) {
  if (caps == nullptr || !gst_caps_is_fixed(caps))
    return std::nullopt;
  const GstStructure *structure = gst_caps_get_structure(caps, 0);
  VoiceFormat format;
  format.mulaw = gst_structure_has_name(structure, "audio/x-mulaw") != FALSE;
  if (!gst_structure_get_int(structure, "rate", &format.rate) ||
      format.rate <= 0)
    return std::nullopt;
  const auto same = format.caps();
  return gst_caps_can_intersect(caps, same.get()) ? std::optional(format)
                                                  : std::nullopt;
}

Bytes convert_speech(std::span<const std::int16_t> samples, int rate,
                     const VoiceFormat &format) {
  std::vector<std::int16_t> resampled;
  if (rate != format.rate && !samples.empty()) {
    resampled = resample(samples, rate, format.rate);
    samples = resampled;
  }
  Bytes out;
  out.reserve(samples.size() * format.sample_bytes());
  for (const std::int16_t sample : samples) {
    if (format.mulaw) {
      out.push_back(audio::linear_to_mulaw(sample));
    } else {
      const auto bits = static_cast<std::uint16_t>(sample);
      out.push_back(static_cast<std::uint8_t>(bits & 0xff));
      out.push_back(static_cast<std::uint8_t>(bits >> 8));
    }
  }
  return out;
}

Bytes convert_speech(ByteSpan audio, const VoiceFormat &from,
                     const VoiceFormat &to) {
  std::vector<std::int16_t> samples(audio.size() / from.sample_bytes());
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i] =
        from.mulaw
            ? audio::mulaw_to_linear(audio[i])
            : static_cast<std::int16_t>(audio[2 * i] | audio[2 * i + 1] << 8);
  return convert_speech(samples, from.rate, to);
}

} // namespace patchcord::graph
