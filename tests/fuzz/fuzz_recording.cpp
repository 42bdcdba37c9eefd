// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/bytes.hpp"
#include "recording/stereo.hpp"

#include <cstdlib>

// What is read can be written, and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  using namespace patchcord;
  const auto recording =
      recording::parse_recording(as_text({data, size}), "events.jsonl");
  if (!recording) {
    if (!recording.error().message.starts_with("events.jsonl"))
      std::abort();
    return 0;
  }
  std::string text = to_line(recording->header) + "\n";
  for (const auto &event : recording->events)
    text += to_line(event) + "\n";
  const auto again = recording::parse_recording(text, "events.jsonl");
  if (!again || again->events.size() != recording->events.size())
    std::abort();
  // Nothing that is longer than a call.
  if (recording->events.empty() || recording->events.back().t > 10s)
    return 0;
  recording::WayMeter way;
  for (const auto &event : recording->events)
    way.take(event);
  recording::StereoMixer mixer(way.samples());
  Bytes pcm;
  for (const auto &event : recording->events) {
    const bool has_audio = event.kind == recording::Kind::kMedia ||
                           event.kind == recording::Kind::kSent;
    const auto samples = has_audio && event.count < 8000 ? event.count : 0;
    mixer.take(event, Bytes(static_cast<std::size_t>(samples), 1));
    while (mixer.mix(pcm, false))
      ;
  }
  while (mixer.mix(pcm, true))
    ;
  if (pcm.size() % 4 != 0)
    std::abort();
  return 0;
}
