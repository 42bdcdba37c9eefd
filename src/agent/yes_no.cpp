// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/values.hpp"

namespace patchcord::agent {
namespace {

bool is_yes(std::string_view word) {
  return is_one_of(word, {"yes", "yeah", "yep", "yup", "yea", "aye"});
}
bool is_no(std::string_view word) {
  return is_one_of(word, {"no", "nope", "nah", "nay"});
}

} // namespace

std::optional<bool> yes_or_no(const Words &words) {
  // A plain word in front decides: "yes, that is not a problem".
  const Words said = without_lead(words);
  if (!said.empty() && is_yes(said[0]) && (said.size() < 2 || !is_no(said[1])))
    return true;
  if (find_phrase(words, {"no", "problem"}) ||
      find_phrase(words, {"why", "not"}))
    return true;
  const bool no =
      has_any(words, {"no", "nope", "nah", "nay", "not", "wrong", "incorrect",
                      "never", "negative", "dont", "isnt", "cancel"});
  const bool yes =
      has_any(words, {"yes", "yeah", "yep", "yup", "yea", "aye"}) ||
      find_phrase(words, {"uh", "huh"}) || find_phrase(words, {"mm", "hmm"});
  if (no)
    return yes ? std::nullopt : std::optional(false);
  const bool agreed =
      has_any(words, {"sure", "correct", "right", "exactly", "ok", "okay",
                      "absolutely", "certainly", "true", "definitely",
                      "perfect", "fine", "good", "great", "confirmed",
                      "confirm", "affirmative"}) ||
      find_phrase(words, {"of", "course"}) ||
      find_phrase(words, {"go", "ahead"}) ||
      find_phrase(words, {"please", "do"});
  return yes || agreed ? std::optional(true) : std::nullopt;
}

} // namespace patchcord::agent
