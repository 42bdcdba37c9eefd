// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "worker/time.hpp"

#include <optional>
#include <string>
#include <vector>

namespace patchcord::agent {

// How digits are collected by the phone's keys.
struct DigitRules {
  std::string terminator = "#"; // ends them; empty: none does
  Duration timeout = 2s;        // behind each
  int fewest = 1, most = 32;    // the last of the most ends them at once
};

// What the agent expects the caller to say next: the recogniser that cannot
// take dictation makes its grammar from it.
struct Expectation {
  enum class Kind {
    kAnything, // no idea; also before the first question
    kYesNo,
    kChoice, // one of `phrases`
    kNumber, // a cardinal: "two", "twenty five"
    kDigits, // dictated digits: phone numbers, codes
    kDate,
    kTime,
    kName, // one of `phrases`, names it was given
    kNothing,
  };
  Kind kind = Kind::kAnything;
  std::vector<std::string> phrases; // lower case words, as spoken
  // Words that may also come: "yes", "no", "help", "repeat", "operator" ...
  std::vector<std::string> also;
  // When a field of digits is asked for.
  std::optional<DigitRules> digits;
  // Whether a telephone number or an e-mail address may be what is asked for;
  // a model does not tell.
  bool phone = false, email = false;
};

const char *to_string(Expectation::Kind kind);
// kAnything for an unknown word.
Expectation::Kind expectation_kind(const char *word);

} // namespace patchcord::agent
