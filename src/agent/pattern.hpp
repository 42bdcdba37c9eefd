// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"

#include <memory>
#include <string>

namespace patchcord::agent {

// A regular expression for a whole text, in ECMAScript's grammar without
// back-references: what a match costs grows with the text's length, whatever
// the expression.
class Pattern {
public:
  // Error "bad_pattern" says what is wrong with it.
  static Result<Pattern> compile(const std::string &expression);
  bool matches(const std::string &text) const;
  const std::string &expression() const { return expression_; }

private:
  struct Compiled;
  Pattern() = default;
  std::string expression_;
  std::shared_ptr<const Compiled> compiled_;
};

} // namespace patchcord::agent
