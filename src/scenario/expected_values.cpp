// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/expected_values.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace patchcord::scenario {
namespace {

using Values = std::span<const std::string_view>;

// As docs/api.md has them, but for what becomes of calls that nobody answers.
constexpr std::string_view kEnds[] = {
    "goal",        "end_rule",       "caller_goodbye",
    "agent_ended", "caller_hung_up", "no_answer",
    "max_turns",   "max_duration",   "provider_failed",
    "stream_lost", "stream_error",   "server_stopped",
    "replaced",    "error",          "transferred",
    "voicemail",   "machine",        "fax"};
constexpr std::string_view kCallerEnds[] = {"agent_closed", "caller_hung_up",
                                            "stream_lost"};
constexpr std::string_view kActions[] = {
    "ask", "say", "confirm", "end_call", "transfer", "prompt", "unanswered"};

std::string any_of(Values values) {
  return join({values.begin(), values.end()}, ", ");
}

bool has(Values values, const std::string &value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

} // namespace

void judge_values(agent::TomlReader &reader, const Expectations &expect) {
  const auto one = [&](const char *key, const std::optional<std::string> &value,
                       Values values) {
    if (value && !has(values, *value))
      reader.fail(key, "one of " + any_of(values));
  };
  one("end", expect.end, kEnds);
  one("caller_end", expect.caller_end, kCallerEnds);
  one("action", expect.action, kActions);
  if (expect.actions)
    for (const std::string &action : *expect.actions)
      if (!has(kActions, action))
        return reader.fail("actions", "each one of " + any_of(kActions) +
                                          " (not " + action + ")");
}

} // namespace patchcord::scenario
