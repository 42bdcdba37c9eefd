// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "phone/line.hpp"

#include <deque>
#include <string>
#include <vector>

namespace patchcord::phone {

// What Twilio does with the audio, marks and clears it is sent (Twilio docs,
// "Media Streams - WebSocket messages"): audio queues and plays in real time,
// a mark comes back when all that was queued before it has been played, `clear`
// empties the queue and returns every mark that waited. Pure: the time is
// passed in as line time.
class PlayoutBuffer {
public:
  // Twilio holds about ten minutes and discards what comes on top (31931).
  static constexpr Samples kCapacity = Samples{10} * 60 * kRate;

  struct Echo {
    std::string name;
    Samples at = 0;       // when the audio before the mark had been played
    bool cleared = false; // came back because of a clear
  };

  // Plays on up to `until`: appends what is heard from position() on, silence
  // where nothing is queued, and the marks that were reached.
  void play_until(Samples until, Bytes &heard, std::vector<Echo> &echoes);

  // Queued at position(): call play_until(now) first. False, with the audio
  // discarded, when the buffer is full.
  bool push(ByteSpan mulaw);
  // Returned at once when nothing is queued.
  void mark(std::string name, std::vector<Echo> &echoes);
  // Returns how many samples will now never be heard.
  Samples clear(std::vector<Echo> &echoes);

  Samples position() const { return position_; }
  Samples queued() const { return pushed_ - played_; }
  ByteSpan waiting() const; // the audio itself
  std::size_t pending_marks() const { return marks_.size(); }
  // How often the queue ran dry and more audio came less than 200 ms later: a
  // hole inside speech, as a sender that is paced too tightly leaves it.
  std::uint64_t underruns() const { return underruns_; }

private:
  struct Mark {
    std::string name;
    Samples offset; // of pushed_ when it came
  };

  Bytes queue_;
  std::size_t head_ = 0; // of queue_, first sample not yet played
  std::deque<Mark> marks_;
  Samples position_ = 0;
  Samples pushed_ = 0, played_ = 0;
  Samples dry_since_ = -1; // position at which the queue ran dry
  std::uint64_t underruns_ = 0;
};

} // namespace patchcord::phone
