// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace patchcord::twilio {

// When the text from byte `offset` on is spoken, in ms since the start of its
// segment's audio.
struct WordTiming {
  std::uint32_t offset = 0;
  std::uint32_t ms = 0;
};

// The words of one utterance along its audio: what of it was heard, cut at the
// word. A word counts once it was heard to its end. Pure.
class SpokenScript {
public:
  // The audio from sample `begin` on says `text`, up to where the next segment
  // begins. `timings` ascend; without any, words are placed by their share of
  // the segment's length.
  void add(std::string text, std::vector<WordTiming> timings,
           std::uint64_t begin);
  // `total`: samples known of the utterance; `complete`: there will be no more.
  std::string heard(std::uint64_t samples, std::uint64_t total,
                    bool complete) const;

private:
  struct Segment {
    std::string text;
    std::vector<WordTiming> timings;
    std::uint64_t begin = 0;
  };
  std::vector<Segment> segments_;
};

} // namespace patchcord::twilio
