// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "worker/time.hpp"

#include <cstddef>

// How long the conversation waits for what. How long for words, turn_policy.hpp
// says.
namespace patchcord::agent {

// From a request to its first token: what a caller bears.
inline constexpr Duration kFirstToken = 4s;
// Letters of a question that need not be heard to know that it is one.
inline constexpr std::size_t kLastWords = 12;
// Behind "mm-hm" into the agent's words, for more of them.
inline constexpr Duration kListens = 300ms;
// Behind speech, for the first word of it, from a recogniser that tells words
// while they are spoken.
inline constexpr Duration kFirstWordDue = 300ms;
// Before a failed request is made again.
inline constexpr Duration kRetryDelay = 500ms;
// Of what a model says before it is known whether it is asked.
inline constexpr std::size_t kLongestGuess = std::size_t{64} << 10;
// For the end of speech of which there is no sign any more.
inline constexpr Duration kLongestSpeech = 30s;
// For the network's word on who answered: Twilio listens for 30 s, and its word
// has a way to go.
inline constexpr Duration kScreening = 40s;
// Behind words of who may be a machine: a human being waits for an answer.
inline constexpr Duration kScreenQuiet = 6s;
// For the end of a machine's greeting, once it is known to be one.
inline constexpr Duration kMachineGreeting = 20s;
// For the sink's word on what was heard, after a flush. The sink waits for the
// answer to its clear: a round trip (up to 2 s, before the first is known), and
// a second more.
inline constexpr Duration kCutDue = 4s;
// For the sink's word on the end of an utterance: beyond twice its estimated
// length, and beyond its estimated length before any word from the sink.
inline constexpr Duration kReportLate = 10s;
inline constexpr Duration kFirstReportLate = 5s;

} // namespace patchcord::agent
