// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "worker/time.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace patchcord::phone {

// When a line's turn has come.
struct Cue {
  enum class Kind {
    // The agent has spoken since the caller's last line, and has now been
    // quiet for `amount`.
    kReply,
    // `amount` into the agent's next speech, while it speaks.
    kBargeIn,
    // Nobody has spoken for `amount`.
    kSilence,
    // `amount` after the caller's last line (or the start), whatever goes on.
    kWait,
  };
  Kind kind = Kind::kReply;
  Duration amount = 700ms;
};

// What the caller does when it comes.
struct Line {
  enum class What { kSay, kWav, kDtmf, kHangUp };
  What what = What::kSay;
  std::string text;  // the words, the file, or the keys
  std::string voice; // of kSay
  Cue cue;
  // Begins an error about it: "caller.txt:3: wav: ".
  std::string where;
};

// The caller's part, in order. A directive is a word and an argument: the
// command's options ("--say TEXT") and the lines of a script file ("say TEXT")
// are the same directives. docs/phone.md lists them.
class Script {
public:
  // Code: bad_script. The message says what was expected.
  Result<Unit> add(std::string_view directive, std::string_view argument) {
    return add(directive, argument, "--" + std::string(directive) + ": ");
  }
  // A whole file's text; `name` and the line number are put before errors.
  // Empty lines and lines that start with # are passed over.
  Result<Unit> add_text(std::string_view text, const std::string &name);
  // After the last directive: a cue without a line behind it is an error.
  Result<Unit> finish() const;

  static bool is_directive(std::string_view word);

  const std::vector<Line> &lines() const { return lines_; }
  Duration reply_after() const { return reply_after_; }

private:
  Result<Unit> add(std::string_view directive, std::string_view argument,
                   std::string where);
  Result<Unit> set_cue(std::string_view directive, std::string_view argument);
  Line &add_line(Line::What what, std::string_view text);

  std::vector<Line> lines_;
  std::string voice_ = "en-us+f2";
  Duration reply_after_ = 700ms;
  Cue next_;
  std::string pending_; // directive of a cue that waits for its line
};

// "700", "700ms", "1.5s", "2m": from 0 to a day. A bare number counts in
// `unit`.
Result<Duration> parse_duration(std::string_view text, Duration unit);

} // namespace patchcord::phone
