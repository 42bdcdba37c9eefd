// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchcord::twilio {

// application/x-www-form-urlencoded, as Twilio sends its webhooks and takes its
// REST requests: decoded names and values, in order, repeated names kept.
using Form = std::vector<std::pair<std::string, std::string>>;

struct FormLimits {
  std::size_t bytes = std::size_t{256} << 10;
  std::size_t fields = 1000;
};

// Lenient in what does not matter: empty pieces between `&` are skipped, a name
// without `=` has an empty value, a `%` without two hex digits stands for
// itself. Values are bytes, not checked to be UTF-8. Codes: "too_large".
Result<Form> parse_form(std::string_view body, const FormLimits &limits = {});

// The first value of `name`; empty when there is none.
std::string_view form_value(const Form &form, std::string_view name);
bool has_field(const Form &form, std::string_view name);

std::string encode_form(const Form &form);
// Everything but RFC 3986's unreserved characters becomes %XX.
std::string percent_encode(std::string_view text);

} // namespace patchcord::twilio
