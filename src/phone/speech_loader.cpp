// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/speech_loader.hpp"

#include "graph/handles.hpp"
#include "offline/espeak_voice.hpp"
#include "phone/speech_detector.hpp"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

namespace patchcord {
template <> struct RefTraits<GstSample> {
  static void ref(GstSample *sample) { gst_sample_ref(sample); }
  static void unref(GstSample *sample) { gst_sample_unref(sample); }
};
} // namespace patchcord

namespace patchcord::phone {
namespace {

// Half an hour of speech in one line is a mistake, and would be 14 MB.
constexpr std::size_t kMaxSpeech = std::size_t{30} * 60 * kRate;

constexpr char kTail[] =
    " ! audioconvert ! audioresample ! mulawenc"
    " ! audio/x-mulaw,rate=8000,channels=1 ! appsink name=out sync=false";

std::shared_ptr<const Speech> finish(Bytes mulaw) {
  auto speech = std::make_shared<Speech>();
  SpeechDetector detector;
  std::vector<SpeechDetector::Event> events;
  detector.push(mulaw, events);
  detector.finish(events);
  // Audio without a voice (a tone, noise) ends where it ends.
  speech->voiced_end =
      events.empty() ? static_cast<Samples>(mulaw.size()) : events.back().at;
  speech->mulaw = std::move(mulaw);
  return speech;
}

std::string bus_error(GstElement *pipeline) {
  const auto bus = Ref<GstBus>::adopt(gst_element_get_bus(pipeline));
  const auto message = Ref<GstMessage>::adopt(
      gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
  if (!message)
    return {};
  GErrorHolder error;
  gst_message_parse_error(message.get(), error.out(), nullptr);
  return error.message();
}

// Runs a source described by `head` to its end; `set` gives it its properties,
// which need no quoting that way.
template <typename F>
Result<std::shared_ptr<const Speech>> run(const std::string &head, F &&set,
                                          const char *code) {
  GErrorHolder error;
  const auto pipeline = Ref<GstElement>::adopt(GST_ELEMENT(gst_object_ref_sink(
      gst_parse_launch_full((head + kTail).c_str(), nullptr,
                            GST_PARSE_FLAG_FATAL_ERRORS, error.out()))));
  if (error || !pipeline)
    return make_error("no_plugin", error.message());
  const auto element = [&](const char *name) {
    return Ref<GstElement>::adopt(
        gst_bin_get_by_name(GST_BIN(pipeline.get()), name));
  };
  set(element("in").get());
  const auto sink = element("out");
  Bytes mulaw;
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  while (mulaw.size() < kMaxSpeech) {
    const auto sample = Ref<GstSample>::adopt(gst_app_sink_try_pull_sample(
        GST_APP_SINK(sink.get()), 10 * GST_SECOND));
    if (!sample)
      break;
    const MappedBuffer buffer(gst_sample_get_buffer(sample.get()));
    mulaw.insert(mulaw.end(), buffer.bytes().begin(), buffer.bytes().end());
  }
  std::string trouble = bus_error(pipeline.get());
  if (trouble.empty() && mulaw.empty())
    trouble = "no audio came of it";
  if (mulaw.size() >= kMaxSpeech)
    trouble = "it is longer than half an hour";
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  if (!trouble.empty())
    return make_error(code, trouble);
  return finish(std::move(mulaw));
}

} // namespace

Result<std::shared_ptr<const Speech>> load_wav(const std::string &path) {
  auto speech = run(
      "filesrc name=in ! wavparse",
      [&](GstElement *source) {
        g_object_set(source, "location", path.c_str(), nullptr);
      },
      "bad_wav");
  if (!speech)
    return make_error(speech.error().code,
                      path + ": " + speech.error().message);
  return speech;
}

Result<std::shared_ptr<const Speech>> speak(const std::string &text,
                                            const std::string &voice) {
  offline::EspeakVoice::Settings settings;
  settings.voice = voice;
  const std::atomic<bool> cancelled{false};
  const auto spoken = offline::synthesize_espeak(text, settings, cancelled);
  if (!spoken)
    return make_error("bad_voice",
                      "\"" + text + "\": " + spoken.error().message);
  if (spoken->samples.empty())
    return make_error("bad_voice", "\"" + text + "\": nothing to pronounce");
  return run(
      "appsrc name=in format=time "
      "caps=audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate=" +
          std::to_string(offline::EspeakVoice::kRate),
      [&](GstElement *source) {
        const auto *data =
            reinterpret_cast<const std::uint8_t *>(spoken->samples.data());
        auto buffer = buffer_of(
            {data, spoken->samples.size() * sizeof spoken->samples[0]});
        gst_app_src_push_buffer(GST_APP_SRC(source), buffer.release());
        gst_app_src_end_of_stream(GST_APP_SRC(source));
      },
      "bad_voice");
}

Result<std::shared_ptr<const Plan>> load_plan(const Script &script) {
  auto plan = std::make_shared<Plan>();
  for (const Line &line : script.lines()) {
    PlannedLine planned{line, nullptr};
    if (line.what == Line::What::kSay || line.what == Line::What::kWav) {
      auto speech = line.what == Line::What::kWav
                        ? load_wav(line.text)
                        : speak(line.text, line.voice);
      if (!speech)
        return speech.error();
      planned.speech = std::move(*speech);
    }
    plan->push_back(std::move(planned));
  }
  return std::shared_ptr<const Plan>(std::move(plan));
}

} // namespace patchcord::phone
