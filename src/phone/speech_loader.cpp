// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/speech_loader.hpp"

#include "graph/handles.hpp"
#include "offline/espeak_voice.hpp"
#include "phone/speech_detector.hpp"
#include "phone/wav_reader.hpp"

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

// What comes out of the pipeline, on its streaming thread.
struct Gathered {
  Bytes mulaw;
  bool too_long = false;
};

GstFlowReturn gather(GstAppSink *sink, gpointer data) {
  auto &gathered = *static_cast<Gathered *>(data);
  const auto sample = Ref<GstSample>::adopt(gst_app_sink_pull_sample(sink));
  if (!sample)
    return GST_FLOW_EOS;
  const MappedBuffer buffer(gst_sample_get_buffer(sample.get()));
  gathered.mulaw.insert(gathered.mulaw.end(), buffer.bytes().begin(),
                        buffer.bytes().end());
  gathered.too_long = gathered.mulaw.size() > kMaxSpeech;
  return gathered.too_long ? GST_FLOW_ERROR : GST_FLOW_OK;
}

// Until the pipeline's end, or its error, whose text is returned.
std::string play_out(GstElement *pipeline) {
  const bool starts = gst_element_set_state(pipeline, GST_STATE_PLAYING) !=
                      GST_STATE_CHANGE_FAILURE;
  const auto bus = Ref<GstBus>::adopt(gst_element_get_bus(pipeline));
  const auto message = Ref<GstMessage>::adopt(gst_bus_timed_pop_filtered(
      bus.get(), starts ? GST_CLOCK_TIME_NONE : 0,
      static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS)));
  gst_element_set_state(pipeline, GST_STATE_NULL);
  if (!message)
    return "GStreamer does not begin with it";
  if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS)
    return {};
  GErrorHolder error;
  gst_message_parse_error(message.get(), error.out(), nullptr);
  return std::string("GStreamer says: ") + error.message();
}

// Runs `sound`, whose format is `caps`, through `decoder` to its end.
Result<std::shared_ptr<const Speech>> run(ByteSpan sound,
                                          const std::string &caps,
                                          const std::string &decoder,
                                          const char *code) {
  GErrorHolder error;
  const std::string description =
      "appsrc name=in format=" + caps + decoder + kTail;
  const auto pipeline = Ref<GstElement>::adopt(GST_ELEMENT(gst_object_ref_sink(
      gst_parse_launch_full(description.c_str(), nullptr,
                            GST_PARSE_FLAG_FATAL_ERRORS, error.out()))));
  if (error || !pipeline)
    return make_error("no_plugin", error.message());
  const auto element = [&](const char *name) {
    return Ref<GstElement>::adopt(
        gst_bin_get_by_name(GST_BIN(pipeline.get()), name));
  };
  Gathered gathered;
  GstAppSinkCallbacks callbacks{};
  callbacks.new_sample = gather;
  gst_app_sink_set_callbacks(GST_APP_SINK(element("out").get()), &callbacks,
                             &gathered, nullptr);
  const auto source = element("in");
  auto buffer = buffer_of(sound);
  gst_app_src_push_buffer(GST_APP_SRC(source.get()), buffer.release());
  gst_app_src_end_of_stream(GST_APP_SRC(source.get()));
  std::string trouble = play_out(pipeline.get());
  if (gathered.too_long)
    trouble = "it is longer than half an hour";
  else if (trouble.empty() && gathered.mulaw.empty())
    trouble = "there is no audio in it";
  if (!trouble.empty())
    return make_error(code, trouble);
  return finish(std::move(gathered.mulaw));
}

} // namespace

Result<std::shared_ptr<const Speech>> load_wav(const std::string &path) {
  const auto file = read_wav_file(path);
  if (!file)
    return file.error();
  const auto coding = inspect_wav(*file);
  if (!coding)
    return make_error(coding.error().code,
                      '"' + path + "\" " + coding.error().message);
  const char *decoder = *coding == WavCoding::kMulaw  ? " ! mulawdec"
                        : *coding == WavCoding::kAlaw ? " ! alawdec"
                                                      : "";
  auto speech =
      run(*file, "bytes", std::string(" ! wavparse") + decoder, "bad_wav");
  if (!speech)
    return make_error(speech.error().code,
                      '"' + path +
                          "\" cannot be played: " + speech.error().message);
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
  const auto *data =
      reinterpret_cast<const std::uint8_t *>(spoken->samples.data());
  return run(
      {data, spoken->samples.size() * sizeof spoken->samples[0]},
      "time caps=audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate=" +
          std::to_string(offline::EspeakVoice::kRate),
      "", "bad_voice");
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
        return make_error(speech.error().code,
                          line.where + speech.error().message);
      planned.speech = std::move(*speech);
    }
    plan->push_back(std::move(planned));
  }
  return std::shared_ptr<const Plan>(std::move(plan));
}

} // namespace patchcord::phone
