// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

namespace patchcord::log {

// Structured logging of the daemon (elements use their GStreamer debug
// categories). A line a call phase at Info; nothing per frame. No payload,
// secret, transcript or whole phone number belongs in a message.
enum class Level { kDebug, kInfo, kWarning, kError };

// What the line is about; empty fields are left out.
struct Context {
  std::string_view call_sid = {};
  std::string_view stream_sid = {};
};

void write(Level level, std::string_view message, const Context &context = {});

inline void debug(std::string_view message, const Context &context = {}) {
  write(Level::kDebug, message, context);
}
inline void info(std::string_view message, const Context &context = {}) {
  write(Level::kInfo, message, context);
}
inline void warning(std::string_view message, const Context &context = {}) {
  write(Level::kWarning, message, context);
}
inline void error(std::string_view message, const Context &context = {}) {
  write(Level::kError, message, context);
}

// Lines below this level are dropped. Default: Info.
void set_threshold(Level level);

// "+14155550100" -> "+1415*****00": enough to find a call, not to dial it.
std::string mask_number(std::string_view number);

} // namespace patchcord::log
