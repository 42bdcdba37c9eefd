// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json.hpp"
#include "base/text.hpp"
#include "openai/realtime.hpp"

#include <cstdlib>

// Each line is an event of the server's; its first byte says what else happens
// around it. Whatever the server sends: what is sent to it is JSON, what is
// said is text, the time goes on, and the end comes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  using namespace patchcord;
  using openai::RealtimeTranscription;
  using Kind = RealtimeTranscription::Action::Kind;
  if (size == 0)
    return 0;
  const std::string_view input(reinterpret_cast<const char *>(data), size);
  RealtimeTranscription::Settings settings;
  settings.model =
      (data[0] & 1) != 0 ? "gpt-live-transcribe" : "gpt-transcribe";
  settings.base_url = (data[0] & 2) != 0 ? "http://x/v1" : settings.base_url;
  RealtimeTranscription session(settings);
  TimePoint now = 10s;
  bool finished = false;
  const auto settle = [&] {
    for (;;) {
      if (const auto message = session.next_message(now)) {
        JsonLimits limits;
        limits.bytes = std::size_t{1} << 22;
        if (!JsonDocument::parse(*message, limits).ok())
          std::abort();
        continue;
      }
      RealtimeTranscription::Action action{};
      if (!session.next_action(action))
        return;
      if (!valid_utf8(action.text) || finished ||
          (action.kind == Kind::kResult &&
           (action.text.empty() || action.end < action.start)))
        std::abort();
      finished = action.kind == Kind::kFinished;
    }
  };
  const Bytes audio(1600, 0xff);
  session.start(now);
  session.set_format(RealtimeTranscription::Format::kMulaw8k, now);
  settle();
  for (const auto &line : split(input, '\n')) {
    const auto first = static_cast<unsigned char>(line.empty() ? 0 : line[0]);
    now += std::chrono::milliseconds(first * 4);
    session.on_open(now);
    session.on_message(line, now);
    session.push_audio(audio, now);
    if (first == 's')
      session.speech_started(session.position(), now);
    if (first == 'e')
      session.speech_stopped(session.position(), now);
    if (first == 'c')
      session.on_closed(1006, line, 0, now);
    if (first == 'f')
      session.flush(now);
    settle();
    if (const auto deadline = session.deadline(); deadline && *deadline <= now)
      session.on_time(now);
    settle();
  }
  session.finish(true, now);
  settle();
  for (int i = 0; i < 100'000 && !finished; ++i) {
    const auto deadline = session.deadline();
    if (!deadline)
      std::abort(); // it would wait for ever
    now = std::max(now, *deadline);
    session.on_time(now);
    settle();
  }
  if (!finished)
    std::abort();
  return 0;
}
