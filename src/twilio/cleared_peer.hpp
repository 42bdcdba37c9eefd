// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "twilio/peer_clock.hpp"

#include <optional>
#include <vector>

namespace patchcord::twilio {

// What a peer had played when it was cleared, as its answer tells: the marks
// that were out, and the one that was sent with the clear and comes back as
// soon as the peer has it. Pure.
//
// The clear took effect as much later than it should as that mark is late;
// marks that came back well before it were played, those that came with it were
// not, and nor was what should have been played by then and is behind the first
// of them. A peer may return that one late, or never: it then came when a mark
// came back by it that had not been played.
struct ClearedPeer {
  struct Mark {
    std::uint64_t position = 0;
    TimePoint due{};
    std::optional<TimePoint> back; // it came back
  };
  struct Heard {
    std::uint64_t position = 0;   // as far as can be known
    std::uint64_t surely = 0;     // nothing before it was not heard
    bool certain = true;          // position, to within a message
    bool hasty = false;           // the peer returns marks before they are due
    std::optional<Duration> took; // the clear, there and back
  };

  PeerClock clock; // as it was when the clear was sent
  TimePoint sent{};
  std::uint64_t confirmed = 0; // by marks, when the clear was sent
  std::vector<Mark> marks;     // out by then, in order

  // `answered`: when the mark came back that was sent with the clear.
  // `message`: samples between marks that are as close as they can be.
  Heard heard(std::optional<TimePoint> answered, std::uint64_t message) const;

  Duration apart(const Mark &mark, TimePoint due, const PeerClock &peer,
                 TimePoint answered) const;
  TimePoint soonest() const;
  bool sooner(std::size_t index, TimePoint due, const PeerClock &peer) const;
};

} // namespace patchcord::twilio
