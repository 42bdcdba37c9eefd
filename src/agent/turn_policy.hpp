// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/definition.hpp"
#include "agent/expectation.hpp"
#include "agent/words.hpp"
#include "worker/time.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Whose turn it is: when the caller has finished, and whether what he says into
// the agent's words takes the turn. Pure: facts and their times in, a verdict
// out.
namespace patchcord::agent {

// --- when the caller has finished --------------------------------------------

struct TurnFacts {
  std::string_view text; // his words so far
  Expectation expected;
  TimePoint speech_stopped{}; // the end of his last voiced frame
  // When the recogniser took the words for complete; none: not yet.
  std::optional<TimePoint> provider_end;
};

// When the turn is over, unless he speaks on before. Digits that are dictated,
// letters that are spelled and sentences that break off ("and ...") keep it
// open; what answers the question ends it with the recogniser's word.
TimePoint turn_ends(const TurnFacts &facts);

// Whether words may be all that he has to say: nothing in them keeps the turn
// open.
bool is_complete(std::string_view text, const Expectation &expected);

// The silence that ends speech, of a recogniser that ends it after `usual`:
// digits are dictated in groups, and "yes" is soon over.
Duration silence_for(Expectation::Kind expected, Duration usual);

// How long words are waited for after speech; a turn without any ends then.
inline constexpr Duration kWordsDue = 2s;

// --- whether speech takes the turn -------------------------------------------

// What the caller does while the agent is heard.
struct Interjection {
  std::string_view text; // his words so far; empty: none yet
  bool final = false;    // there will be no more words
  Duration speech{};     // how long he spoke, or has been speaking
  bool speaking = false; // still
  Expectation expected;
  bool asked = false; // the agent's question was heard, but for its last word
  // The agent does what he wants: a tool runs, or it is about to end the call.
  bool served = false;
};
enum class Verdict {
  kUndecided,
  kInterrupts,
  kNoise,       // too short to be words, or without any
  kBackchannel, // "mm-hm", "thanks": go on
};

class TurnPolicy {
public:
  explicit TurnPolicy(const Definition::Interruptions &settings);
  Verdict judge(const Interjection &said) const;

private:
  const Duration min_speech_;
  const std::size_t min_words_;
  std::vector<Words> backchannels_, acknowledgements_;
};

// What listeners say without wanting the turn, by language ("en", "de-AT").
std::vector<std::string> default_backchannels(std::string_view language);
// And to whom does what they want: "thanks, bye", "take your time".
std::vector<std::string> default_acknowledgements(std::string_view language);

} // namespace patchcord::agent
