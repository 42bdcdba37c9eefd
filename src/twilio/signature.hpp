// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "twilio/form.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace patchcord::twilio {

// X-Twilio-Signature (Twilio docs, "Security - Validating signatures from
// Twilio"): base64 of the HMAC-SHA1 of the URL and the sorted form fields,
// keyed with the account's auth token.
std::string sign(std::string_view auth_token, std::string_view url,
                 const Form &fields = {});

// The checks take the URL as the server believes that Twilio requested it, and
// accept a signature over any of its usual spellings: with and without
// credentials, port and default port, and with the two spellings of a quote in
// the query. `auth_tokens` are those that may sign (two while one is replaced);
// with none of them, nothing is valid. Comparisons take constant time.

// A form-encoded POST, or (without fields) a GET, whose query is in the URL.
bool valid_form_signature(const std::vector<std::string> &auth_tokens,
                          std::string_view signature, std::string_view url,
                          const Form &fields);
// A body of another kind: the URL is signed alone, and its query parameter
// bodySHA256 is the hash of the body as received.
bool valid_body_signature(const std::vector<std::string> &auth_tokens,
                          std::string_view signature, std::string_view url,
                          std::string_view body);
// The WebSocket upgrade request of a media stream: the wss:// URL of <Stream>,
// with or without a slash at its end (Twilio docs, "Media Streams - firewall").
bool valid_handshake_signature(const std::vector<std::string> &auth_tokens,
                               std::string_view signature,
                               std::string_view stream_url);

} // namespace patchcord::twilio
