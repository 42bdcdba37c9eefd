// SPDX-License-Identifier: LGPL-2.1-or-later
#include "graph/events.hpp"

#include "graph/structures.hpp"

#include <array>

namespace patchcord::events {
namespace {

using graph::Fields;

GstEvent *downstream(StructurePtr structure) {
  return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, structure.release());
}
GstEvent *out_of_band(const char *name) {
  return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_OOB,
                              gst_structure_new_empty(name));
}
GstEvent *upstream(StructurePtr structure) {
  return gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, structure.release());
}

constexpr std::array kPlayoutWords{"started", "progress", "ended", "cut",
                                   "held"};

template <typename T> StructurePtr failure(const T &event) {
  return Fields(T::kName)
      .set("provider", event.provider)
      .set("code", event.code)
      .set("message", event.message)
      .set("retryable", event.retryable)
      .take();
}

template <typename T> T parse_failure(const GstStructure *structure) {
  T event;
  event.provider = graph::get_string(structure, "provider");
  event.code = graph::get_string(structure, "code");
  event.message = graph::get_string(structure, "message");
  event.retryable = graph::get_bool(structure, "retryable");
  return event;
}

// The structure of an event of this name, or null.
const GstStructure *match(GstEvent *event, const char *name) {
  const GstStructure *structure = gst_event_get_structure(event);
  return structure != nullptr && gst_structure_has_name(structure, name)
             ? structure
             : nullptr;
}

} // namespace

GstEvent *make(const SpeechStarted &event) {
  return downstream(
      Fields(SpeechStarted::kName).set("time", event.time).take());
}
GstEvent *make(const SpeechStopped &event) {
  return downstream(
      Fields(SpeechStopped::kName).set("time", event.time).take());
}
GstEvent *make(const PartialTranscript &event) {
  return downstream(
      Fields(PartialTranscript::kName).set("text", event.text).take());
}
GstEvent *make(const UtteranceStart &event) {
  return downstream(Fields(UtteranceStart::kName)
                        .set("utterance", event.utterance)
                        .set("interruptible", event.interruptible)
                        .take());
}
GstEvent *make(const SpokenText &event) {
  Fields fields(SpokenText::kName);
  fields.set("utterance", event.utterance).set("text", event.text);
  std::vector<std::uint32_t> offsets, times;
  for (const auto &timing : event.timings) {
    offsets.push_back(timing.offset);
    times.push_back(timing.ms);
  }
  fields.set("timing-offsets", offsets).set("timing-ms", times);
  return downstream(fields.take());
}
GstEvent *make(const UtteranceEnd &event) {
  return downstream(
      Fields(UtteranceEnd::kName).set("utterance", event.utterance).take());
}
GstEvent *make(const ProviderFailed &event) {
  return downstream(failure(event));
}
GstEvent *make(const Dtmf &event) {
  return downstream(Fields(Dtmf::kName).set("digit", event.digit).take());
}
GstEvent *make(const Hold &) { return out_of_band(Hold::kName); }
GstEvent *make(const Resume &) { return out_of_band(Resume::kName); }
GstEvent *make(const Playout &event) {
  return upstream(
      Fields(Playout::kName)
          .set("what", kPlayoutWords[static_cast<std::size_t>(event.what)])
          .set("utterance", event.utterance)
          .set("time", event.time)
          .set("first-audio", event.first_audio)
          .set("first-sent", event.first_sent)
          .set("heard-samples", event.heard_samples)
          .set("total-samples", event.total_samples)
          .set("heard-text", event.heard_text)
          .set("estimated", event.estimated)
          .take());
}
GstEvent *make(const Expect &event) {
  return upstream(Fields(Expect::kName)
                      .set("kind", agent::to_string(event.expectation.kind))
                      .set("phrases", event.expectation.phrases)
                      .set("also", event.expectation.also)
                      .take());
}
GstEvent *make(const VoiceFailed &event) { return upstream(failure(event)); }

template <> std::optional<SpeechStarted> parse(GstEvent *event) {
  const auto *structure = match(event, SpeechStarted::kName);
  if (structure == nullptr)
    return std::nullopt;
  return SpeechStarted{graph::get_time(structure, "time")};
}
template <> std::optional<SpeechStopped> parse(GstEvent *event) {
  const auto *structure = match(event, SpeechStopped::kName);
  if (structure == nullptr)
    return std::nullopt;
  return SpeechStopped{graph::get_time(structure, "time")};
}
template <> std::optional<PartialTranscript> parse(GstEvent *event) {
  const auto *structure = match(event, PartialTranscript::kName);
  if (structure == nullptr)
    return std::nullopt;
  return PartialTranscript{graph::get_string(structure, "text")};
}
template <> std::optional<UtteranceStart> parse(GstEvent *event) {
  const auto *structure = match(event, UtteranceStart::kName);
  if (structure == nullptr)
    return std::nullopt;
  return UtteranceStart{graph::get_uint(structure, "utterance"),
                        graph::get_bool(structure, "interruptible")};
}
template <> std::optional<SpokenText> parse(GstEvent *event) {
  const auto *structure = match(event, SpokenText::kName);
  if (structure == nullptr)
    return std::nullopt;
  SpokenText spoken;
  spoken.utterance = graph::get_uint(structure, "utterance");
  spoken.text = graph::get_string(structure, "text");
  const auto offsets = graph::get_uints(structure, "timing-offsets");
  const auto times = graph::get_uints(structure, "timing-ms");
  for (std::size_t i = 0; i < offsets.size() && i < times.size(); ++i)
    spoken.timings.push_back({offsets[i], times[i]});
  return spoken;
}
template <> std::optional<UtteranceEnd> parse(GstEvent *event) {
  const auto *structure = match(event, UtteranceEnd::kName);
  if (structure == nullptr)
    return std::nullopt;
  return UtteranceEnd{graph::get_uint(structure, "utterance")};
}
template <> std::optional<ProviderFailed> parse(GstEvent *event) {
  const auto *structure = match(event, ProviderFailed::kName);
  if (structure == nullptr)
    return std::nullopt;
  return parse_failure<ProviderFailed>(structure);
}
template <> std::optional<VoiceFailed> parse(GstEvent *event) {
  const auto *structure = match(event, VoiceFailed::kName);
  if (structure == nullptr)
    return std::nullopt;
  return parse_failure<VoiceFailed>(structure);
}
template <> std::optional<Dtmf> parse(GstEvent *event) {
  const auto *structure = match(event, Dtmf::kName);
  if (structure == nullptr)
    return std::nullopt;
  return Dtmf{graph::get_string(structure, "digit")};
}
template <> std::optional<Hold> parse(GstEvent *event) {
  return match(event, Hold::kName) != nullptr ? std::optional<Hold>(Hold{})
                                              : std::nullopt;
}
template <> std::optional<Resume> parse(GstEvent *event) {
  return match(event, Resume::kName) != nullptr
             ? std::optional<Resume>(Resume{})
             : std::nullopt;
}
template <> std::optional<Playout> parse(GstEvent *event) {
  const auto *structure = match(event, Playout::kName);
  if (structure == nullptr)
    return std::nullopt;
  Playout playout;
  const std::string what = graph::get_string(structure, "what");
  for (std::size_t i = 0; i < kPlayoutWords.size(); ++i)
    if (what == kPlayoutWords[i])
      playout.what = static_cast<Playout::What>(i);
  playout.utterance = graph::get_uint(structure, "utterance");
  playout.time = graph::get_time(structure, "time");
  playout.first_audio = graph::get_time(structure, "first-audio");
  playout.first_sent = graph::get_time(structure, "first-sent");
  playout.heard_samples = graph::get_uint64(structure, "heard-samples");
  playout.total_samples = graph::get_uint64(structure, "total-samples");
  playout.heard_text = graph::get_string(structure, "heard-text");
  playout.estimated = graph::get_bool(structure, "estimated");
  return playout;
}
template <> std::optional<Expect> parse(GstEvent *event) {
  const auto *structure = match(event, Expect::kName);
  if (structure == nullptr)
    return std::nullopt;
  Expect expect;
  expect.expectation.kind =
      agent::expectation_kind(graph::get_string(structure, "kind").c_str());
  expect.expectation.phrases = graph::get_strings(structure, "phrases");
  expect.expectation.also = graph::get_strings(structure, "also");
  return expect;
}

} // namespace patchcord::events
