// SPDX-License-Identifier: LGPL-2.1-or-later
#include "call/rest.hpp"

namespace patchcord::call {

net::HttpRequest http_request(const twilio::RestRequest &asked,
                              Duration timeout) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = asked.url;
  request.headers = {{"Content-Type", twilio::kFormContentType}};
  request.body = asked.body;
  request.username = asked.username;
  request.password = asked.password;
  request.timeout = timeout;
  return request;
}

} // namespace patchcord::call
