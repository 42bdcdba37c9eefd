// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/text.hpp"
#include "elevenlabs/failure.hpp"
#include "elevenlabs/messages.hpp"
#include "elevenlabs/session.hpp"
#include "elevenlabs/speech_text.hpp"

#include <cstdlib>

using namespace patchcord;
using namespace patchcord::elevenlabs;

namespace {

// Whatever comes: each text is finished once, no audio after that, and never
// more audio out than in.
class Strict final : public Session::Listener {
public:
  void send(const std::string &) override {}
  void spoken(Session::Segment segment, const std::string &words,
              const std::vector<WordTiming> &timings) override {
    if (finished_[segment] || words.empty())
      std::abort();
    for (const WordTiming &timing : timings)
      if (timing.offset >= words.size())
        std::abort();
  }
  void audio(Session::Segment segment, Bytes audio) override {
    if (finished_[segment])
      std::abort();
    bytes += audio.size();
  }
  void finished(Session::Segment segment) override {
    if (finished_[segment])
      std::abort();
    finished_[segment] = true;
  }
  std::size_t bytes = 0;

private:
  bool finished_[3] = {};
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  const std::string spoken = speech_text(text);
  if (!valid_utf8(spoken) || trim(spoken).size() != spoken.size())
    std::abort();
  classify_http(400, text);
  classify_close(1008, text);

  const auto message = parse_server_message(text);
  if (!message.ok())
    return 0;
  Strict strict;
  Session session({}, {8000, 2}, strict);
  session.connected();
  session.speak(0, "One two.");
  session.speak(1, "Three, four.");
  session.end_utterance();
  session.speak(2, "Five.");
  session.receive(*message);
  session.receive(*message);
  if (strict.bytes > 2 * message->audio.size())
    std::abort();
  session.disconnected();
  session.connected();
  session.receive(*message);
  session.take_unsaid();
  if (!session.idle())
    std::abort();
  return 0;
}
