// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "worker/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Conversations that are played from a file, in virtual time: a caller's lines,
// what the providers do, and what is expected of the agent. docs/scenarios.md
// is the table of keys.
namespace patchcord::scenario {

// When a line's turn has come.
struct Cue {
  enum class Kind {
    kReply,   // the agent has answered, and has been quiet for `time`
    kWord,    // the caller has heard `time` of the `word`th word of the answer
    kAt,      // `time` after the call began
    kAfter,   // `time` after the caller's last line ended
    kSilence, // nobody has spoken for `time`
  };
  Kind kind = Kind::kReply;
  Duration time = 700ms; // of kWord: after the word's first sample
  int word = 0;
  std::uint32_t line = 0; // of the file
};
// As the file has it, and what it means that it never came: "at_word = 9: ...".
std::string missed(const Cue &cue);

// What the caller does then.
struct Line {
  enum class What { kSay, kWav, kNoise, kDtmf, kHangUp };
  What what = What::kSay;
  std::string text; // words, file or keys
  // Begins an error about it: "room.toml:12: caller.wav: ".
  std::string where;
  // What the recogniser makes of it; absent: the words. Empty: it hears that
  // somebody spoke, and understands nothing.
  std::optional<std::string> heard;
  std::string voice; // empty: synthetic; else a voice of espeak-ng
  Duration length{}; // of kNoise
  Cue cue;
  // So long after it began the phone's messages cease for a while; then they
  // come all at once, or those with sound never.
  struct Stall {
    Duration at{}, length{};
    bool lost = false;
  } stall;
};

struct SttScript {
  Duration delay = 300ms;   // from the end of the turn to its words
  Duration silence = 500ms; // that ends a turn
  int fail_at = 0;          // the turn at which it fails for good; 0: never
};

struct VoiceScript {
  Duration first_byte = 150ms; // from a text to its sound
  int fail_at = 0;     // the text at which it fails for good; 0: never. Another
                       // voice stands in
  bool timings = true; // it tells when it says which word
};

struct PhoneScript {
  bool marks = true; // come back when they were played; else never
};

// What the telephone network does beside carrying sound.
struct NetworkScript {
  // Of a call that we placed: its word on who answered, and when after the
  // call began. Empty: the call came in.
  std::string answered_by;
  Duration answered_by_at = 3s;
  // What comes of transfers, in turn; the last of all that follow.
  std::vector<std::string> transfers = {"answered"};
};

// One answer of the chat model, in the order of the requests.
struct ModelAnswer {
  std::string content; // as the model streams it
  struct Call {
    std::string name, arguments; // of a tool
  };
  std::vector<Call> calls;
  int status = 200;                    // of HTTP
  std::optional<Duration> first_token; // absent: as the script says
  bool breaks_off = false;             // in the middle, without an end
};

struct ModelScript {
  Duration first_token = 400ms;
  Duration token = 15ms; // between pieces
  std::vector<ModelAnswer> answers;
};

// One answer of a tool's server: the first that fits and was not given yet.
struct ToolReply {
  std::string request = "*"; // "GET /rooms*", with the body behind it
  std::string content;
  int status = 200;
  Duration delay = 200ms;
  bool breaks_off = false;
};

// Texts as glob patterns: "*" stands for anything.
struct ExpectedReply {
  int number = 0; // from 1: the greeting
  std::string pattern;
};

struct Expectations {
  std::optional<std::string> end, caller_end;
  std::optional<std::string> action;               // of the last turn
  std::optional<std::vector<std::string>> actions; // of all turns, in order
  std::optional<bool> goal_reached;
  std::map<std::string, std::string> fields; // values as JSON
  std::optional<std::string> missing;        // the names of fields, as JSON
  std::vector<ExpectedReply> replies;
  std::vector<std::string> heard;   // each is in a reply, in this order
  std::vector<std::string> history; // "agent: ..." and "caller: ..."
  std::vector<std::string> requests_contain;     // of the last model request
  std::optional<std::vector<std::string>> tools; // all requests, in order
  std::optional<int> model_requests, interruptions, false_interruptions,
      unsaid_lines;
  std::optional<std::string> answered_by;
  std::vector<std::string> transfers; // "desk: busy", in this order
  std::vector<std::string> summaries; // to who was to take the call
  std::vector<std::string> troubles;  // providers that failed, in this order
  std::optional<Duration> reply_within, overlap, ended_by, not_before;
};

struct Scenario {
  std::string file;
  std::string name;
  std::string agent; // path of its definition
  std::string mind = "scripted";
  std::string today = "2026-05-04"; // a Monday
  Duration max_duration{};          // of any call; 0: the agent's own
  std::vector<Line> lines;
  SttScript stt;
  VoiceScript voice;
  PhoneScript phone;
  NetworkScript network;
  ModelScript model;
  std::vector<ToolReply> tools;
  Expectations expect;
};

// Errors ("bad_definition") are "FILE:LINE: key: expected ..., got ...".
// Relative paths in it are looked for next to `file`, whose name tells whether
// it is YAML (*.yaml, *.yml) or TOML.
Result<Scenario> parse_scenario(std::string_view text, const std::string &file);
Result<Scenario> read_scenario(const std::string &file);

// All of these files, and all *.toml, *.yaml and *.yml below these folders,
// each once, sorted within a folder.
Result<std::vector<std::string>>
find_scenarios(const std::vector<std::string> &paths);

} // namespace patchcord::scenario
