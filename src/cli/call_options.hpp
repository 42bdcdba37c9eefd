// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "phone/expectation.hpp"
#include "phone/phone_call.hpp"
#include "phone/script.hpp"

#include <optional>
#include <string>

namespace patchcord::cli {

// What `patchcord call` was asked to do; docs/phone.md lists the options.
struct CallCommand {
  phone::CallSetup setup; // all but the plan
  phone::Script script;
  phone::Expected expected;
  int calls = 1;
  std::optional<Duration> ramp; // default: 10 ms a call
  std::string record_file, timeline_file;
  bool json = false, show_record = false;
  bool updates = false; // of the live call, from the standard input
  std::optional<Duration> ready_within; // wait for the server so long
  std::optional<bool> live; // default: when the output is a terminal
  bool help = false, version = false;
};

// Environment: TWILIO_AUTH_TOKEN, TWILIO_ACCOUNT_SID,
// PATCHCORD_SERVER_API_TOKEN. Code of an error: "usage".
Result<CallCommand> parse_call_options(int argc, char **argv);
std::string call_help();

} // namespace patchcord::cli
