// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <glib.h>

#include <string>

// g_assert_cmpstr() keeps only the pointers, which for a temporary string are
// gone when it compares.
#define CHECK_TEXT(is, expected)                                               \
  do {                                                                         \
    const std::string check_is(is), check_expected(expected);                  \
    g_assert_cmpstr(check_is.c_str(), ==, check_expected.c_str());             \
  } while (false)
