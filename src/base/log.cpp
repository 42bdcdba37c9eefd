// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/log.hpp"

#include <glib.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <unistd.h>

namespace patchcord::log {
namespace {

std::atomic<Level> threshold{Level::kInfo};

GLogLevelFlags glib_level(Level level) {
  switch (level) {
  case Level::kDebug:
    return G_LOG_LEVEL_DEBUG;
  case Level::kInfo:
    return G_LOG_LEVEL_INFO;
  case Level::kWarning:
    return G_LOG_LEVEL_WARNING;
  case Level::kError:
    // Not G_LOG_LEVEL_ERROR, which aborts the process.
    return G_LOG_LEVEL_CRITICAL;
  }
  return G_LOG_LEVEL_INFO;
}

const char *journal_priority(Level level) {
  switch (level) {
  case Level::kDebug:
    return "7";
  case Level::kInfo:
    return "6";
  case Level::kWarning:
    return "4";
  case Level::kError:
    return "3";
  }
  return "6";
}

const char *word(Level level) {
  switch (level) {
  case Level::kDebug:
    return "debug";
  case Level::kInfo:
    return "info";
  case Level::kWarning:
    return "warning";
  case Level::kError:
    return "error";
  }
  return "info";
}

bool journal_listens() {
  static const bool listens = g_log_writer_is_journald(STDERR_FILENO) != FALSE;
  return listens;
}

} // namespace

void set_threshold(Level level) { threshold = level; }

void write(Level level, std::string_view message, const Context &context) {
  if (level < threshold.load(std::memory_order_relaxed))
    return;
  if (journal_listens()) {
    std::array<GLogField, 5> fields{};
    std::size_t used = 0;
    const auto add = [&](const char *key, std::string_view value) {
      fields[used++] = {key, value.data(), static_cast<gssize>(value.size())};
    };
    add("MESSAGE", message);
    add("PRIORITY", journal_priority(level));
    add("GLIB_DOMAIN", "patchcord");
    if (!context.call_sid.empty())
      add("CALL_SID", context.call_sid);
    if (!context.stream_sid.empty())
      add("STREAM_SID", context.stream_sid);
    g_log_writer_journald(glib_level(level), fields.data(), used, nullptr);
    return;
  }
  std::timespec now{};
  std::timespec_get(&now, TIME_UTC);
  std::tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  std::array<char, 40> stamp{};
  const auto length =
      std::strftime(stamp.data(), stamp.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::string line(stamp.data(), length);
  std::array<char, 8> millis{};
  std::snprintf(millis.data(), millis.size(), ".%03dZ",
                static_cast<int>(now.tv_nsec / 1000000));
  line.append(millis.data()).append(" ").append(word(level));
  if (!context.call_sid.empty())
    line.append(" call=").append(context.call_sid);
  if (!context.stream_sid.empty())
    line.append(" stream=").append(context.stream_sid);
  line.append(" ").append(message);
  // One write a line, and never two lines out of one message.
  for (char &c : line)
    if (c == '\n' || c == '\r')
      c = ' ';
  line += '\n';
  if (::write(STDERR_FILENO, line.data(), line.size()) < 0) {
    // Nowhere left to say so.
  }
}

std::string mask_number(std::string_view number) {
  if (number.size() < 8)
    return std::string(number.size(), '*');
  std::string masked(number);
  for (std::size_t i = 5; i + 2 < masked.size(); ++i)
    masked[i] = '*';
  return masked;
}

} // namespace patchcord::log
