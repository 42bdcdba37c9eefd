// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "net/http_client.hpp"

namespace patchcord::cli {

// Makes one request and waits for its end: for commands that have nothing else
// to do meanwhile.
Result<net::HttpResponse> fetch(const net::HttpRequest &request);

} // namespace patchcord::cli
