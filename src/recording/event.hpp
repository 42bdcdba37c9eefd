// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "worker/time.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What is kept of a call so that it can be played again: all that came to its
// core from outside, with the running time at which it came, and what the core
// made of it. A line of JSON an event; docs/recordings.md is the table.
namespace patchcord::recording {

enum class Kind {
  // The media stream, from the peer.
  kStreamStart,
  kMedia,
  kDigit,
  kMarkBack,
  kStreamEnd,
  // The media stream, to the peer.
  kSent,
  kMark,
  kClear,
  // From the recogniser.
  kSpeechStarted,
  kSpeechStopped,
  kPartial,
  kWords,
  kEarsFailed,
  kEarsOver,
  // To the voice, and from it.
  kSay,
  kUtterance,
  kSpoken,
  kVoice,
  kUtteranceEnd,
  kMouthFailed,
  kMouthOver,
  // Over HTTP: a model, a tool.
  kRequest,
  kResponse,
  kData,
  kResponseOver,
  // From the operator.
  kEnd,
  // From the network: who answered; what came of a transfer.
  kAnsweredBy,
  kTransferEnded,
  // What the call told (docs/api.md, "Live events"): its decisions.
  kTold,
};

// Which members an event of a kind has, its line in the table says; the others
// are at their defaults.
struct Event {
  Kind kind = Kind::kMedia;
  Duration t{}; // running time
  std::string text, detail, code;
  std::int64_t number = 0, count = 0;
  Duration from{}, to{}; // running times of audio
  bool flag = false;
  std::vector<std::int64_t> numbers;
};

// The first line of a recording.
struct Header {
  std::string call_sid, account_sid, agent, pipeline;
  std::string today;            // the date that "tomorrow" is told from
  std::int64_t answered_ms = 0; // Unix time of running time 0
  std::int64_t max_duration_s = 0;
  // Of the elements "agent" and "twiliosink": the properties that were set.
  std::map<std::string, std::map<std::string, std::string>> elements;
};

std::string to_line(const Header &header); // without the newline
std::string to_line(const Event &event);

struct Recording {
  Header header;
  std::vector<Event> events; // in the order of time
  bool complete = false;     // the call, or its stream, had ended when it was
                             // written
};

// Reads a recording line by line. Errors ("bad_recording") are
// "FILE:LINE: KEY: expected ..., got ...".
class Parser {
public:
  explicit Parser(std::string file) : file_(std::move(file)) {}

  // A line without its newline. The first is the header, and no event.
  Result<std::optional<Event>> take(std::string_view line);
  const Header &header() const { return header_; }

private:
  const std::string file_;
  int lines_ = 0;
  Duration last_{};
  Header header_;
};

// A last line that is cut off is left out: the process was killed.
Result<Recording> parse_recording(std::string_view text,
                                  const std::string &file);

// Files of a recording, in its folder.
inline constexpr char kEventsFile[] = "events.jsonl";
inline constexpr char kCallerFile[] = "caller.wav"; // as it came, mu-law
inline constexpr char kAgentFile[] = "agent.wav";   // as it was sent, mu-law
inline constexpr char kStereoFile[] = "call.wav";
inline constexpr char kDefinitionFile[] = "agent.toml";

Result<Recording> read_recording(const std::string &folder);

// Gives the events of a recording one after another, for a whole call's take a
// lot of memory. Blocking. Ends at the first error.
Result<> for_each_event(const std::string &folder,
                        const std::function<Result<>(const Event &)> &take);

} // namespace patchcord::recording
