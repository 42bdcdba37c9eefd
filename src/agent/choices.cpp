// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/values.hpp"

#include "agent/refusal.hpp"

namespace patchcord::agent {

std::optional<std::size_t> find_choice(const Words &words,
                                       const std::vector<Choice> &choices) {
  // "The small one, no, the large one."
  if (const Words corrected = behind_correction(words);
      corrected.size() < words.size())
    if (const auto choice = find_choice(corrected, choices))
      return choice;
  std::optional<std::size_t> best;
  std::size_t best_size = 0;
  bool tied = false;
  for (std::size_t i = 0; i < choices.size(); ++i)
    for (const std::string &phrase : choices[i].spoken) {
      const auto span = find_phrase(words, to_words(phrase));
      if (!span || is_denied(words, *span))
        continue;
      if (span->size() > best_size) {
        best = i;
        best_size = span->size();
        tied = false;
      } else if (span->size() == best_size && best != i) {
        tied = true;
      }
    }
  return tied ? std::nullopt : best;
}

} // namespace patchcord::agent
