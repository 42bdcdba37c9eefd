// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/definition.hpp"

#include <optional>
#include <string_view>

namespace patchcord::agent {

// What a caller's words make of a list of which `known` is known: parts that he
// names are added, those that he does not want ("not the lamp", "without a
// lamp", "a desk instead of the lamp", "take the lamp out") go. nullopt: he
// spoke of none. Whether it may be so long is_valid() tells.
std::optional<List> edited_list(const Field &field, std::string_view spoken,
                                const List &known);

// The field as it is while its list may still grow.
Field so_far(Field field);

// Whether a part of `before` is not in `after`.
bool lacks_any(const List &after, const List &before);

} // namespace patchcord::agent
