// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/suggest.hpp"

#include <algorithm>
#include <numeric>

namespace patchcord {
namespace {

// Levenshtein's edit distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1,
                         diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

} // namespace

std::string nearest(std::string_view word,
                    const std::vector<std::string> &known) {
  std::string best;
  // A third of the word may be wrong; two letters of a short one.
  std::size_t limit = std::max<std::size_t>(2, word.size() / 3) + 1;
  if (word.size() > 200)
    return best; // No slip of the fingers; and the time is quadratic.
  for (const auto &candidate : known) {
    const std::size_t off = distance(word, candidate);
    if (off < limit && off < candidate.size()) {
      limit = off;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word,
                         const std::vector<std::string> &known) {
  const std::string best = nearest(word, known);
  return best.empty() ? std::string() : " (did you mean " + best + "?)";
}

} // namespace patchcord
