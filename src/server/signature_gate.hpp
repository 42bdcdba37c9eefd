// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "server/exchange.hpp"
#include "twilio/form.hpp"

#include <string>
#include <vector>

namespace patchcord::server {

// Whether a request comes from Twilio. The URL that was signed is `public_url`
// with the request's target behind it, never one from the request's own Host:
// that would be for the sender to choose.
struct SignatureGate {
  bool validate = true;
  std::vector<std::string> auth_tokens;
  std::string public_url; // "https://voice.example.com"

  // A webhook: `fields` are the body's, none for a GET. Answers what must be
  // answered (403, or 500 when no token is there to check with), logs why, and
  // returns false when the request is not to be served.
  bool admit_webhook(Exchange &exchange, const twilio::Form &fields) const;
  // The WebSocket handshake of a media stream.
  bool admit_handshake(Exchange &exchange) const;

  // The webhook's URL with ws for http and wss for https.
  std::string stream_url_base() const;
};

// What came from outside, fit for a log line: cut, and without controls.
std::string loggable(std::string_view text);

} // namespace patchcord::server
