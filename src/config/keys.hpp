// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "config/config.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace patchcord::config {

// One key of the configuration: where it lives in Config and what it takes.
struct Key {
  using Text = std::string &(*)(Config &);
  using Whole = int &(*)(Config &);
  using Truth = bool &(*)(Config &);

  const char *section;
  const char *name;
  std::variant<Text, Whole, Truth> field;
  const char *expected;                        // completes "expected ..."
  bool (*accepts)(std::string_view) = nullptr; // text; null: anything
  int min = 0, max = 0;                        // whole numbers
  bool secret = false;

  std::string full_name() const { return std::string(section) + "." + name; }
};

std::span<const Key> keys();
const Key *find_key(std::string_view section, std::string_view name);

} // namespace patchcord::config
