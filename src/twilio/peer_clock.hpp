// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "worker/time.hpp"

#include <cstdint>

namespace patchcord::twilio {

// Where the peer is in playing what we sent, by the clock. Positions are
// samples at 8 kHz since the stream began.
//
// The peer is taken to play in real time from the moment of sending. It really
// starts one way (L) later; but a `clear` takes L as well, so what the caller
// has heard when a clear takes effect is what this clock says at the moment of
// sending it, whatever L is. Marks that come back later than they ought to say
// that the peer is behind, and move the clock.
class PeerClock {
public:
  void sent(std::uint64_t samples, TimePoint now);
  // What was sent will not be played any further. What is sent next is at
  // `position`: of what was not played, some may be sent again.
  void cleared(std::uint64_t position, TimePoint now);

  std::uint64_t sent() const { return sent_; }
  // How far the peer has played.
  std::uint64_t played(TimePoint now) const;
  // When all that was sent will have been played: the time at which a mark that
  // is sent now is due.
  TimePoint end() const { return end_; }

  // Whether all before a mark which is due at `due` may have been played by
  // then: as far as clocks agree.
  bool may_have_played(TimePoint due, TimePoint now) const;
  // Whether who returns the mark by then does not play first what is before it.
  // In between it came too early, and says nothing else of the peer.
  bool is_hasty(TimePoint due, TimePoint now) const;

  // A mark came back which was due at `due`. Returns by how much the clock was
  // moved: marks still out are due as much later.
  Duration echoed(TimePoint due, TimePoint now);
  // A mark came back which waited for no audio, in this time. Returns by how
  // much that was longer than the round trip; less than nothing where it was
  // shorter than any before.
  Duration answered(Duration took);
  // Marks came back that cannot have waited for their audio: what they seemed
  // to say is forgotten.
  void distrust();
  bool seen_echo() const { return seen_echo_; }
  // The shortest way of a mark there and back, once one was seen.
  Duration round_trip() const { return round_trip_; }
  // By how much marks commonly come later than they might, and by how much they
  // have at most, as far as that is the line's doing.
  Duration jitter() const { return jitter_; }
  Duration spread() const { return spread_; }
  // By how much further behind than played() says the peer is likely to be: the
  // last mark may have been right.
  Duration behind() const;
  // By how much it is commonly behind before a mark tells it.
  Duration usual() const { return echoes_ == 0 ? usual_ : Duration{}; }
  // Marks have taken their time: the way is not the same for each.
  bool uneven() const;

private:
  void seen(Duration late);
  // Before that no mark can have been played which is due at `due`: it may be
  // due later by as much as marks made the clock wait.
  TimePoint earliest(TimePoint due) const { return due - moved_; }

  std::uint64_t sent_ = 0;
  TimePoint end_{};
  bool seen_echo_ = false;
  Duration round_trip_{};
  Duration moved_{};       // in this run of audio without a break
  Duration last_excess_{}; // over the round trip, of the mark before
  int echoes_ = 0;         // in this run
  Duration jitter_{}, spread_{}, usual_{};
};

constexpr Duration kSampleTime = 125us; // 8 kHz

} // namespace patchcord::twilio
