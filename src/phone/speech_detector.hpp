// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "phone/line.hpp"

#include <vector>

namespace patchcord::phone {

// Says when a side of the call speaks, by energy against a fixed threshold. An
// agent's audio comes straight from its voice, with digital silence between, so
// that nothing needs to adapt. Pure.
class SpeechDetector {
public:
  struct Event {
    bool started; // or stopped
    // Started: the first loud sample of the first voiced frame. Stopped: the
    // end of the last voiced frame.
    Samples at;
    Samples decided; // when it was known
  };

  // Quiet for `hangover` ends a speech; shorter pauses belong to it.
  explicit SpeechDetector(Duration hangover = 700ms);

  void push(ByteSpan mulaw, std::vector<Event> &events);
  // The audio is over, or was cut: speech under way ends here. More may
  // follow.
  void finish(std::vector<Event> &events);

  bool speaking() const { return speaking_; }
  Samples position() const { return position_; }

private:
  void end_frame(std::vector<Event> &events);

  Samples hangover_;
  Samples position_ = 0;
  std::int64_t energy_ = 0;
  int in_frame_ = 0;
  Samples first_loud_ = -1; // in this frame
  int voiced_run_ = 0;
  Samples first_voiced_ = 0, last_voiced_ = 0;
  bool speaking_ = false;
};

// Whether a caller could hear it: anything above the idle line's one step of
// dither.
bool audible(ByteSpan mulaw);

} // namespace patchcord::phone
