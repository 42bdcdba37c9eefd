// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "base/fifo.hpp"
#include "graph/events.hpp"
#include "graph/handles.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace patchcord::graph {

// What a voice element has still to put out, in the order that docs/events.md
// promises: the text pad's events and texts go in, an engine adds the audio of
// each text as it is made, and what may go out now comes out of next(). Engines
// may work on several texts at once; their audio comes out in the order of the
// texts. Neither pads nor time: the element has those.
class VoiceQueue {
public:
  // A text as the engine knows it. Never used twice.
  using Segment = std::uint64_t;
  // Bytes is audio in the element's format; an event passes through as it is.
  using Output = std::variant<events::UtteranceStart, events::SpokenText, Bytes,
                              events::UtteranceEnd, Ref<GstEvent>>;

  // --- from the text pad, in its order
  void start(const events::UtteranceStart &utterance);
  [[nodiscard]] Segment text(std::string text);
  void end(const events::UtteranceEnd &utterance);
  void pass(Ref<GstEvent> event);
  // Drops everything; what an engine says later of the dropped texts is
  // ignored.
  void flush();

  // --- from the engine. Unknown segments are ignored: they were flushed.
  // What the segment's audio from here on says. Without it before the first
  // audio, the whole text is announced.
  void spoken(Segment segment, std::string text,
              std::vector<events::SpokenText::Timing> timings);
  void audio(Segment segment, Bytes audio);
  void finished(Segment segment);
  // Forgets what was made of a text of which nothing has gone out yet: another
  // engine speaks it from the start. False when it is too late for that.
  bool take_back(Segment segment);

  // All audio that waits, to be made over.
  void change_audio(const std::function<void(Bytes &)> &change);

  // What goes out next; nothing while the engine is at work.
  [[nodiscard]] std::optional<Output> next();

  bool empty() const { return entries_.empty(); }
  // Texts given to the engine and not finished.
  bool speaking() const;

private:
  struct Text {
    Segment segment = 0;
    std::uint32_t utterance = 0;
    std::string text;
    bool announced = false;
    bool begun = false; // some of it has gone out
    bool finished = false;
    Fifo<std::variant<events::SpokenText, Bytes>> made;
  };
  using Entry = std::variant<Text, events::UtteranceStart, events::UtteranceEnd,
                             Ref<GstEvent>>;

  Text *find(Segment segment);

  Fifo<Entry> entries_;
  Segment last_segment_ = 0;
  std::uint32_t utterance_ = 0; // of the texts that come in
};

} // namespace patchcord::graph
