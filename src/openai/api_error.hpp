// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/json.hpp"

#include <string>
#include <string_view>

namespace patchcord::openai {

// The error object of HTTP bodies, of streamed chunks and of Realtime's `error`
// events. Absent and null members are "". (openai-openapi 2.3.0, Error and
// RealtimeServerEventError.)
struct ErrorFields {
  std::string code, type, message, param, event_id;
  // The code, else the type, else `fallback`.
  std::string name(const std::string &fallback) const {
    return !code.empty() ? code : !type.empty() ? type : fallback;
  }
};
// `error` may also be a string: its message.
ErrorFields read_error(JsonView error);

// What is no character becomes U+FFFD: servers' words go into events, messages
// and logs, which must be UTF-8.
std::string to_valid_utf8(std::string text);

// The account has no money or no allowance left: another try cannot help.
bool is_quota_code(std::string_view code_or_type);

} // namespace patchcord::openai
