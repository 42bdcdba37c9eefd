// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "config/config.hpp"
#include "recording/writer.hpp"
#include "scenario/phone.hpp"
#include "scenario/scenario.hpp"
#include "store/record.hpp"

#include <optional>
#include <string>
#include <vector>

namespace patchcord::scenario {

// Something broke an expectation.
struct Failure {
  std::string what, expected, got;
};

// One line of the conversation as a reader wants it, in the order of time.
struct Talk {
  bool agent = false;
  Samples from = 0, to = 0;
  std::string text;  // the caller's words, or the whole of the agent's reply
  std::string heard; // by the other side
};

// What the agent believes that the caller heard of an utterance.
struct Belief {
  int utterance = 0;
  bool whole = false;
  std::string text;
  std::optional<std::int64_t> heard_ms;
};

// A scenario that was played.
struct Outcome {
  std::vector<SaidLine> said;
  std::vector<HeardReply> heard;
  std::vector<Stage::AgentWord> words;
  std::vector<Talk> talk;
  std::vector<Belief> beliefs;
  std::size_t lines_begun = 0;
  std::string caller_end;
  store::CallRecord record;
  std::vector<std::string> events, troubles; // JSON; providers
  std::vector<std::string> transfers, summaries;
  int interruptions = 0;
  std::vector<std::string> requests; // of the model: bodies
  std::vector<std::string> tool_requests;
  Samples duration = 0;
  std::uint64_t refused = 0; // messages that Twilio would not have taken
  Bytes caller_audio, heard_audio;
  double wall_ms = 0;
  std::vector<Failure> failures;
  bool passed() const { return failures.empty(); }
};

struct RunOptions {
  bool record_audio = false;
  recording::Writer *recordings = nullptr; // keeps one (docs/recordings.md)
  // Whose model answers instead of the scenario's: as far as it is waited for,
  // time is real.
  const config::Config *live_model = nullptr;
};

// Plays it in virtual time, on this thread, and checks what is expected.
// GStreamer is initialised. The error is one of the set-up: a file of a line
// that cannot be read, an agent that cannot be loaded, a model that has no
// answers.
Result<Outcome> run(const Scenario &scenario, const RunOptions &options = {});

std::string words_text(const std::vector<std::uint32_t> &numbers,
                       const std::vector<Stage::AgentWord> &words);
// The words of a reply that were heard, joined.
std::string heard_text(const HeardReply &reply,
                       const std::vector<Stage::AgentWord> &words);
// All that was to be said in a reply.
std::string reply_text(int reply, const std::vector<Stage::AgentWord> &words);

// Fills in `failures`. Of a live model's requests and times nothing is expected
// but what the scenario says.
void check(const Scenario &scenario, Outcome &outcome, bool live_model = false);

} // namespace patchcord::scenario
