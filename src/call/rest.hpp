// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "net/http_client.hpp"
#include "twilio/rest.hpp"

namespace patchcord::call {

// What is asked of Twilio's REST API, as the HTTP client wants it.
net::HttpRequest http_request(const twilio::RestRequest &asked,
                              Duration timeout);

} // namespace patchcord::call
