// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/words.hpp"

namespace patchcord::agent {

// `value` is said not to be meant: "not the lamp", "a desk instead of the
// lamp", "anything but the lamp", "I can't do the lamp", "I don't think the
// lamp works", "not before three". Where the words begin that say so.
std::optional<std::size_t> denial_of(const Words &words, Span value);
inline bool is_denied(const Words &words, Span value) {
  return denial_of(words, value).has_value();
}

enum class Of { kDay, kTime };
// That, or a negation behind it: "tomorrow doesn't suit me", "Friday I won't be
// able to". Whatever follows the negation, for to ask once more costs a caller
// less than a wrong day does: but not what speaks for it ("isn't too late",
// "is not a problem"), nor, of a day, what refuses an hour of it ("I can't
// come before three"), nor, of a time, what refuses a day ("I can't do
// Monday").
bool is_refused(const Words &words, Span span, Of of);

} // namespace patchcord::agent
