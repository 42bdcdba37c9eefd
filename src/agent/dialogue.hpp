// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/mind.hpp"
#include "worker/time.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace patchcord::agent {

// How long a voice needs for it, roughly.
Duration speech_length(std::string_view text);

// One reply of the agent on its way to the caller's ear.
struct Utterance {
  std::uint32_t id = 0;
  std::uint32_t turn = 0;
  bool interruptible = true;
  std::vector<std::string> clauses; // given to the voice
  std::vector<std::size_t> fillers; // which of them only fill a wait
  bool whole = false;               // its end was given, too
  TimePoint sent{};                 // of the first clause

  bool started = false;       // the caller hears it, or did
  bool over = false;          // ended, cut, or dropped
  bool closed = false;        // the sink told its end
  bool presumed_over = false; // by the clock, without the sink's word
  TimePoint last_report{};
  std::string heard;
  std::uint64_t heard_ms = 0;

  std::string text() const;
  bool is_filler(std::size_t clause) const;
  // Where the first clause from that one on that is no filler begins in its
  // text, in bytes.
  std::size_t begin_of(std::size_t clause) const;
  // Without fillers, from that clause on.
  std::string reply(std::size_t from = 0) const;
  // What was heard, with what only filled a wait in parentheses.
  std::string heard_marked() const;
  // How long a voice needs for it, roughly.
  Duration estimate() const;
  // What a voice has said of it after `elapsed`, to the word; by estimate.
  std::string spoken_after(Duration elapsed) const;
};

// What was said by whom, in order. Of what the agent says only what was heard
// counts, whenever that becomes known.
class Dialogue {
public:
  void caller_said(const std::string &text);
  // The caller's last words turned out to be longer.
  void caller_corrected(const std::string &text);
  Utterance &open(std::uint32_t turn, bool interruptible, TimePoint now);
  Utterance *find(std::uint32_t id);
  // The last utterance while it is not over; null when nobody is talking.
  Utterance *current();
  History history() const;
  // What was said before, in another media stream.
  void restore(const History &history, std::uint32_t utterances);
  std::uint32_t utterances() const {
    return static_cast<std::uint32_t>(utterances_.size());
  }

private:
  struct Entry {
    std::string caller;      // or
    std::uint32_t utterance; // not 0
  };
  std::vector<Entry> entries_;
  std::deque<Utterance> utterances_; // stays where it is
};

} // namespace patchcord::agent
