// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/handles.hpp"

#include <glib.h>

#include <string>
#include <string_view>

namespace patchcord::test {

// A message of bytes as they came: TAP wants one line, and UTF-8.
inline void tell(std::string_view bytes) {
  const std::string text(bytes.substr(0, 200));
  const GCharPtr shown(g_strescape(text.c_str(), nullptr));
  g_test_message("%s", shown.get());
}

} // namespace patchcord::test
