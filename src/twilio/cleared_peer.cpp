// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/cleared_peer.hpp"

#include <algorithm>

namespace patchcord::twilio {
namespace {

// Marks that a clear returns come together, or nearly so.
constexpr Duration kTogether = 5ms, kNear = 80ms;
// What is late by less may be late for any reason.
constexpr Duration kLate = 40ms, kFar = 120ms;
// A clear that is later was held up on the way, and so was what was sent before
// it: by more than the peer is kept ahead.
constexpr Duration kHeldUp = 200ms;

std::uint64_t to_samples(Duration duration) {
  return static_cast<std::uint64_t>(duration / kSampleTime);
}

} // namespace

// How long before the answer a mark has to have come back that was played. At
// another time than it should have come it may well have come by the clear.
Duration ClearedPeer::apart(const Mark &mark, TimePoint due,
                            const PeerClock &peer, TimePoint answered) const {
  const Duration way = peer.seen_echo() ? peer.round_trip() : answered - sent;
  const Duration late = *mark.back - due - way;
  if (late < -kTogether || (!peer.seen_echo() && late > kTogether))
    return kNear;
  return late > kFar ? std::clamp(clock.spread(), kNear / 4, kNear) : kTogether;
}

// Nothing comes back by the clear before this.
TimePoint ClearedPeer::soonest() const {
  return sent + clock.round_trip() - kLate;
}

// Whether it came back before it can have been played, and so by the clear,
// with all behind it.
bool ClearedPeer::sooner(std::size_t index, TimePoint due,
                         const PeerClock &peer) const {
  const Mark &mark = marks[index];
  if (!mark.back || *mark.back < soonest())
    return false;
  for (std::size_t later = index + 1; later < marks.size(); ++later)
    if (marks[later].back && *marks[later].back > *mark.back + kNear)
      return false;
  return clock.seen_echo() ? *mark.back < due + peer.round_trip() - kTogether
                           : due > sent + kTogether;
}

ClearedPeer::Heard ClearedPeer::heard(std::optional<TimePoint> answered,
                                      std::uint64_t message) const {
  Heard heard;
  PeerClock peer = clock;
  // Heard for certain; heard, as far as can be told; not heard.
  std::uint64_t surely = confirmed, least = confirmed, most = peer.sent();
  std::optional<TimePoint> unheard; // when the first that was not was due
  bool told = false;                // and it came back, by the clear
  Duration moved{};
  for (std::size_t i = 0; i < marks.size(); ++i) {
    const Mark &mark = marks[i];
    const TimePoint due = mark.due + moved;
    const bool came = mark.back && clock.may_have_played(mark.due, *mark.back);
    const Duration before =
        mark.back && answered ? *answered - *mark.back : Duration::max();
    const bool before_clear = mark.back && *mark.back < soonest();
    heard.hasty |= mark.back && clock.is_hasty(mark.due, *mark.back) &&
                   before > kNear && before_clear;
    if (before > (peer.uneven() ? kNear : kTogether) && sooner(i, due, peer)) {
      // The clear came when this mark came back by it, whatever has become of
      // the one behind the clear.
      most = std::min(most, mark.position);
      unheard = due;
      told = true;
      answered = mark.back;
      break;
    }
    if (!came || (answered && before <= apart(mark, due, peer, *answered))) {
      most = std::min(most, mark.position);
      unheard = due;
      told = mark.back.has_value();
      break;
    }
    moved += peer.echoed(due, *mark.back);
    least = std::max(least, mark.position);
    if (clock.seen_echo() && before > kNear && before_clear)
      surely = least;
  }
  most = std::max(most, least);

  // By how much later than the peer's own clock says it was cleared.
  const Duration late =
      answered ? peer.answered(*answered - sent) : Duration{0};
  const Duration earliest = std::min(late, Duration{0});
  const Duration took =
      std::max(late - peer.jitter(), earliest) - peer.behind() - peer.usual();
  // A mark that came with the answer and in time may have been played as well.
  heard.position =
      std::clamp(peer.played(sent + took), least,
                 std::min(peer.sent(), most + to_samples(kTogether)));
  const bool close = most - least <= message;
  if (!peer.uneven() || !close)
    surely =
        std::clamp(peer.played(sent + earliest - peer.spread() - peer.behind()),
                   surely, std::max(surely, heard.position));
  heard.surely = surely;
  if (answered)
    heard.took = clock.seen_echo() ? *answered - sent : peer.round_trip();

  const bool held_up = !answered || late > kHeldUp;
  const bool starved =
      unheard &&
      sent + took > *unheard + (close ? kLate + 2 * peer.jitter() : kFar);
  if (!held_up && !starved) {
    // The clear was late, or its answer: no mark says which.
    heard.certain =
        told || late <= static_cast<std::int64_t>(message) * kSampleTime;
    return heard;
  }
  // It had not all that it should have played. What was held up with the clear
  // came too late; where else it ceased is not known.
  if (!starved)
    most = heard.position;
  heard.position = starved && held_up && close ? least : (least + most) / 2;
  heard.surely = std::min(surely, least);
  heard.certain = close;
  return heard;
}

} // namespace patchcord::twilio
