// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "worker/time.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace patchcord::phone {

// Something that happened in a simulated call, for its timeline and the live
// view; docs/phone.md is the table of kinds and fields.
struct PhoneEvent {
  using Value = std::variant<std::string, std::int64_t, double, bool>;

  Duration at{};         // since the call began
  std::string_view kind; // a literal
  std::vector<std::pair<std::string_view, Value>> fields = {};

  const std::string &text(std::string_view field) const {
    static const std::string kNone;
    for (const auto &[name, value] : fields)
      if (name == field)
        if (const auto *string = std::get_if<std::string>(&value))
          return *string;
    return kNone;
  }
  double number(std::string_view field) const {
    for (const auto &[name, value] : fields)
      if (name == field) {
        if (const auto *real = std::get_if<double>(&value))
          return *real;
        if (const auto *whole = std::get_if<std::int64_t>(&value))
          return static_cast<double>(*whole);
      }
    return 0;
  }
};

using EventSink = std::function<void(const PhoneEvent &)>;

} // namespace patchcord::phone
