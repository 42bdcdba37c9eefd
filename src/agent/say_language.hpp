// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

namespace patchcord::agent {

// What <Say language> calls an agent's language (Twilio docs, "TwiML Voice:
// Say", languages): itself if Twilio speaks it ("de-AT"), else the commonest of
// its kin ("de", "de-LI": "de-DE"). Empty: Twilio speaks none of them.
std::string say_language(std::string_view language);

} // namespace patchcord::agent
