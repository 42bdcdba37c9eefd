// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "recording/event.hpp"

#include <string>
#include <vector>

// A recorded call, played again in virtual time through the same core: what
// came from outside comes again when it came, and what is decided is held
// against what was decided. docs/recordings.md.
namespace patchcord::scenario {

// Two cuts that are so near are one: a packet.
constexpr Duration kSameCut = 20ms;

// Something that the call told, as a line of text.
struct Told {
  std::int64_t t_ms = 0;
  std::string what; // "decision", "heard", "tool", "trouble", "end"
  std::string text;
  bool cut = false;           // a text of what was heard, cut at a word
  std::int64_t heard_ms = -1; // how long the caller had heard it
};

struct Difference {
  std::int64_t t_ms = 0;
  std::string what;
  std::string recorded, now; // empty: nothing
};

struct Replayed {
  std::vector<Told> recorded, now;
  std::vector<Difference> differences; // by time
  Duration length{};
  double wall_ms = 0;
};

// The agent's definition is `agent_file`. GStreamer is initialised, and
// register_elements() was called. The error is one of the recording.
Result<Replayed> replay(const recording::Recording &recording,
                        const std::string &agent_file);

// What of a call's live events (JSON) is compared.
std::vector<Told> told_of(const std::vector<std::string> &events);
// `complete`: the recording has the end of the call.
std::vector<Difference> compare(const std::vector<Told> &recorded,
                                const std::vector<Told> &now, bool complete);

} // namespace patchcord::scenario
