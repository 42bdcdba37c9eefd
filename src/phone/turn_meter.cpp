// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/turn_meter.hpp"

#include <algorithm>
#include <cmath>

namespace patchcord::phone {

std::optional<Samples> CallerTurn::arrival_latency() const {
  if (!arrived || !voiced_end || talked_over)
    return std::nullopt;
  return *arrived - *voiced_end;
}

std::optional<Samples> CallerTurn::heard_latency() const {
  if (!heard || !voiced_end || talked_over)
    return std::nullopt;
  return *heard - *voiced_end;
}

std::optional<Samples> CallerTurn::leftover() const {
  if (!barge_in || !quiet)
    return std::nullopt;
  return *quiet - started;
}

void TurnMeter::line_started(std::size_t line, Samples at) {
  CallerTurn turn;
  turn.line = line;
  turn.started = at;
  turn.barge_in = agent_speaking_;
  turns_.push_back(turn);
  early_media_.reset();
}

void TurnMeter::line_ended(Samples voiced_end) {
  if (turns_.empty())
    return;
  CallerTurn &turn = turns_.back();
  turn.voiced_end = voiced_end;
  turn.talked_over = turn.heard && *turn.heard < voiced_end;
  // What came between the last voiced frame and the end of the line's audio.
  if (early_media_ && *early_media_ >= voiced_end)
    turn.arrived = early_media_;
}

void TurnMeter::media_arrived(Samples at, bool audible) {
  if (!audible || turns_.empty())
    return;
  CallerTurn &turn = turns_.back();
  if (!turn.voiced_end) {
    if (!early_media_)
      early_media_ = at;
  } else if (!turn.arrived && at >= *turn.voiced_end) {
    turn.arrived = at;
  }
}

void TurnMeter::cleared(Samples at, Samples dropped) {
  early_media_.reset();
  if (turns_.empty())
    return;
  CallerTurn &turn = turns_.back();
  // What had arrived was not the reply: it is gone.
  if (!turn.heard)
    turn.arrived.reset();
  if (turn.barge_in && !turn.cleared) {
    turn.cleared = at;
    turn.dropped = dropped;
  }
}

void TurnMeter::agent_started(Samples at) {
  agent_speaking_ = true;
  if (turns_.empty())
    return;
  CallerTurn &turn = turns_.back();
  if (turn.heard)
    return;
  turn.heard = at;
  turn.talked_over = turn.voiced_end && at < *turn.voiced_end;
}

void TurnMeter::agent_stopped(Samples at) {
  agent_speaking_ = false;
  if (!turns_.empty() && turns_.back().barge_in && !turns_.back().quiet)
    turns_.back().quiet = at;
}

std::optional<Samples> TurnMeter::waited_for(Samples at) const {
  if (turns_.empty() || turns_.back().heard != at)
    return std::nullopt;
  return turns_.back().heard_latency();
}

std::optional<double> quantile(std::vector<double> values, double fraction) {
  if (values.empty())
    return std::nullopt;
  std::ranges::sort(values);
  // The nearest rank: a value that was measured, also of few.
  const double rank =
      std::ceil(fraction * static_cast<double>(values.size())) - 1;
  const auto index = static_cast<std::size_t>(std::max(rank, 0.0));
  return values[std::min(index, values.size() - 1)];
}

} // namespace patchcord::phone
