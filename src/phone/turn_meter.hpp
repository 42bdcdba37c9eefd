// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "phone/line.hpp"

#include <optional>
#include <vector>

namespace patchcord::phone {

// One line of the caller's and what the agent made of it, in line time. What
// did not happen is absent.
struct CallerTurn {
  std::size_t line = 0; // index in the script
  Samples started = 0;
  std::optional<Samples> voiced_end; // the caller's last voiced frame
  // The reply: its first audible audio arrived here, and was heard as speech.
  std::optional<Samples> arrived, heard;
  // The caller spoke while the agent was heard: the clear arrived, so many
  // samples were dropped by it, and the last voiced frame of the agent's.
  bool barge_in = false;
  std::optional<Samples> cleared, quiet;
  Samples dropped = 0;
  // The agent began to speak before the caller had finished.
  bool talked_over = false;

  // Response latencies in samples, from voiced_end.
  std::optional<Samples> arrival_latency() const;
  std::optional<Samples> heard_latency() const;
  // Of a barge-in: how long the agent was still heard.
  std::optional<Samples> leftover() const;
};

// Measures a call from outside, with nothing but what the caller says and
// hears. Pure.
class TurnMeter {
public:
  void line_started(std::size_t line, Samples at);
  void line_ended(Samples voiced_end);
  void media_arrived(Samples at, bool audible);
  void cleared(Samples at, Samples dropped);
  void agent_started(Samples at);
  void agent_stopped(Samples at);

  // The heard latency of the latest turn when speech that began at `at` is its
  // reply.
  std::optional<Samples> waited_for(Samples at) const;
  const std::vector<CallerTurn> &turns() const { return turns_; }

private:
  std::vector<CallerTurn> turns_;
  bool agent_speaking_ = false;
  // Audible audio that arrived while the caller still spoke and was not
  // cleared since: it may be the reply's.
  std::optional<Samples> early_media_;
};

// Of an unsorted list; absent when it is empty. `fraction` 0.5 is the median.
std::optional<double> quantile(std::vector<double> values, double fraction);

} // namespace patchcord::phone
