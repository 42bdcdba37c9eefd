// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace patchcord::twilio {

// What `patchcord dial` tells the server through Twilio, in the query of a
// webhook's URL: which agent is to talk to whom. Only who knows the account's
// auth token can have made one; whoever reads it learns nothing that Twilio's
// own fields do not tell.
struct DialTicket {
  std::string agent;        // a name
  std::string to;           // the number that is called
  std::int64_t expires = 0; // Unix time, seconds: for the call's first webhook
  std::string nonce;        // makes it good for one call
};

// Letters and digits only: safe in a URL, a path, a log.
std::string seal(const DialTicket &ticket, std::string_view auth_token);
// Accepts what any of the tokens has sealed (two while one is replaced), in
// constant time. Whether it has expired is for the caller to look at. Codes:
// "bad_ticket".
Result<DialTicket> open_ticket(std::string_view sealed,
                               const std::vector<std::string> &auth_tokens);

} // namespace patchcord::twilio
