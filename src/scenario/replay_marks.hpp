// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "recording/event.hpp"
#include "twilio/peer_messages.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace patchcord::scenario {

// When a replayed call's marks come back. Times are running times. Pure.
//
// Not by their names: where marks are set depends on when others came back, to
// the millisecond, and so does how many there are. As long as what is sent is
// played when the recording's was, a mark comes back when the recording's came
// that is as far in the audio, or by so much sooner as it is before it. One
// that a clear brought back waits for the clear; one that was lost is lost
// again. Where the call has gone another way, with other audio, a clear more or
// one less, marks come back as from a phone: when all before them was played or
// cleared, and as soon as the recording's fastest did.
class ReplayMarks {
public:
  explicit ReplayMarks(const std::vector<recording::Event> &recorded);

  // What the call sends.
  void sent(const twilio::peer::Message &message, TimePoint now);
  // When the next mark comes back; none: there is none, or not of this peer.
  std::optional<TimePoint> due() const;
  // The marks that come back by now, in order; each once.
  std::vector<std::string> take(TimePoint now);

private:
  // In the audio: samples since the last clear.
  struct Place {
    std::int64_t clears = 0, samples = 0;
    bool operator<(const Place &other) const {
      return std::tie(clears, samples) < std::tie(other.clears, other.samples);
    }
  };
  // What was sent, and when it will have been played.
  struct Line {
    Place place;
    TimePoint end{};
    void media(std::int64_t samples, TimePoint now);
    void clear(TimePoint now);
    TimePoint played(TimePoint now) const { return std::max(end, now); }
  };
  struct Then {
    Place place;
    TimePoint played{};
    std::optional<TimePoint> back;
    bool has_namesake = false; // set later, before this one was back
  };
  struct Now {
    std::string name;
    Place place;
    const Then *then = nullptr; // its like in the recording
    TimePoint due{};
  };

  void read(const std::vector<recording::Event> &recorded);
  std::vector<Then>::const_iterator first_from(const Place &place) const;
  const Then *find(const Place &place, TimePoint played) const;
  bool was_lost(const Place &place, TimePoint played) const;
  bool cleared(const Then &then) const;
  TimePoint due(const Now &mark, TimePoint played) const;
  void clear(TimePoint now);

  std::vector<Then> then_;        // the recording's marks, by place
  std::vector<Then> lost_;        // those that never came back
  std::vector<TimePoint> clears_; // of the recording
  std::optional<Duration> way_;   // the fastest; none: none ever came back
  Line line_;
  std::deque<Now> out_;
};

} // namespace patchcord::scenario
