// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <glib.h>

#include <initializer_list>
#include <utility>

namespace patchcord::test {

// For programs whose tests are in several files: each names its own, and main()
// calls them in turn. Names are whole, as the documentation has them.
inline void
add_tests(std::initializer_list<std::pair<const char *, void (*)()>> tests) {
  for (const auto &[name, test] : tests)
    g_test_add_func(name, test);
}

} // namespace patchcord::test
