// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "phone/line.hpp"
#include "phone/script.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace patchcord::phone {

// A line's audio, loaded once and shared by all calls.
struct Speech {
  Bytes mulaw;
  Samples voiced_end = 0; // end of the last voiced frame
};

// A line with what it takes to speak it; `speech` is set for kSay and kWav.
struct PlannedLine {
  Line line;
  std::shared_ptr<const Speech> speech;
};
using Plan = std::vector<PlannedLine>;

// The person at the phone: listens to when the agent speaks, and says its lines
// when their cues come, a frame at a time. Pure: line time is passed in.
class Caller {
public:
  explicit Caller(std::shared_ptr<const Plan> plan, std::size_t first = 0);

  // What SpeechDetector says of the agent, as it becomes known.
  void agent_started(Samples at);
  // `cut`: by a clear, which is no answer.
  void agent_stopped(Samples at, bool cut);

  struct Step {
    // What the caller says in this frame, up to 160 samples; the rest of the
    // frame is an idle line.
    ByteSpan audio;
    char key = 0; // pressed now
    bool hang_up = false;
    std::optional<std::size_t> started; // a line began with this frame
    // A line ended before or within this frame, its last voiced sample at
    // `voiced_end` and its last sample at `line_end`.
    std::optional<std::size_t> ended;
    Samples voiced_end = 0, line_end = 0;
  };
  // The next frame, which begins at `now`; frames follow one another.
  Step next(Samples now);

  bool speaking() const { return speaking_; }
  bool agent_speaking() const { return agent_speaking_; }
  std::size_t lines_begun() const { return index_ + (speaking_ ? 1 : 0); }
  // All lines were said.
  bool done() const { return index_ == plan_->size(); }

private:
  bool cue_has_come(const Cue &cue, Samples now) const;
  void speak(Samples now, Step &step);
  void press(Samples now, Step &step);
  void end_line(Samples voiced_end, Samples line_end, Step &step);

  std::shared_ptr<const Plan> plan_;
  std::size_t index_ = 0; // of the line being said or waited for
  bool speaking_ = false;
  Samples begun_ = 0;            // the current line
  std::size_t keys_pressed_ = 0; // of the current line
  Samples last_line_end_ = 0;
  bool agent_speaking_ = false;
  bool agent_has_replied_ = false; // spoke on after the last line ended
  Samples agent_since_ = 0;        // start of what it is saying
  Samples agent_until_ = 0;        // end of its latest speech
};

} // namespace patchcord::phone
