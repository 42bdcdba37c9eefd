// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/expectation.hpp"

#include <array>
#include <cstring>

namespace patchcord::agent {
namespace {

struct Word {
  Expectation::Kind kind;
  const char *word;
};
using Kind = Expectation::Kind;
constexpr std::array<Word, 9> kWords{{{Kind::kAnything, "anything"},
                                      {Kind::kYesNo, "yes-no"},
                                      {Kind::kChoice, "choice"},
                                      {Kind::kNumber, "number"},
                                      {Kind::kDigits, "digits"},
                                      {Kind::kDate, "date"},
                                      {Kind::kTime, "time"},
                                      {Kind::kName, "name"},
                                      {Kind::kNothing, "nothing"}}};

} // namespace

const char *to_string(Expectation::Kind kind) {
  for (const Word &entry : kWords)
    if (entry.kind == kind)
      return entry.word;
  return "anything";
}

Expectation::Kind expectation_kind(const char *word) {
  for (const Word &entry : kWords)
    if (word != nullptr && std::strcmp(entry.word, word) == 0)
      return entry.kind;
  return Kind::kAnything;
}

} // namespace patchcord::agent
