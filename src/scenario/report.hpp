// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "scenario/run.hpp"

#include <string>
#include <vector>

namespace patchcord::scenario {

// A scenario and what became of it; `error` instead of an outcome when it could
// not be played.
struct Played {
  Scenario scenario;
  Outcome outcome;
  std::string error;
  bool passed() const { return error.empty() && outcome.passed(); }
};

// "ok    A room is booked  62.1 s in 41 ms", with a newline.
std::string line_of(const Played &played);
// The conversation with its times.
std::string talk_text(const Played &played);
// What was expected and what came.
std::string failures_text(const Played &played);

// Everything but wall time and the wall clock: the same scenario gives the same
// bytes.
std::string timelines_json(const std::vector<Played> &all);
std::string junit_xml(const std::vector<Played> &all);

} // namespace patchcord::scenario
