// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/pattern.hpp"

#include <regex>

namespace patchcord::agent {
namespace {

// A caller's words; more is no code and no name.
constexpr std::size_t kLongest = 500;
// The compiler of expressions calls itself for each bracket.
constexpr std::size_t kLongestExpression = 500;

} // namespace

struct Pattern::Compiled {
  std::regex regex;
};

Result<Pattern> Pattern::compile(const std::string &expression) {
  // libstdc++ backtracks by default: "(a+)+b" would hold up a worker for hours.
  // Its other way needs no more than the square of the text.
  constexpr auto kFlags =
      std::regex::ECMAScript | std::regex_constants::__polynomial;
  if (expression.size() > kLongestExpression)
    return make_error("bad_pattern", "it is longer than " +
                                         std::to_string(kLongestExpression) +
                                         " characters");
  try {
    Pattern pattern;
    pattern.expression_ = expression;
    pattern.compiled_ = std::make_shared<const Compiled>(
        Compiled{std::regex(expression, kFlags)});
    return pattern;
  } catch (const std::regex_error &error) {
    if (error.code() == std::regex_constants::error_complexity)
      return make_error("bad_pattern", "it has a back-reference");
    return make_error("bad_pattern", error.what());
  }
}

bool Pattern::matches(const std::string &text) const {
  return text.size() <= kLongest && std::regex_match(text, compiled_->regex);
}

} // namespace patchcord::agent
