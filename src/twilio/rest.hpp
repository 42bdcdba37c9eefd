// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace patchcord::twilio {

// The little of Twilio's REST API that a live call needs (Twilio docs, "Call
// resource - Update a Call"). POST, form-encoded, HTTP Basic.
struct RestRequest {
  std::string url;
  std::string body;
  std::string username, password;
};
inline constexpr char kFormContentType[] = "application/x-www-form-urlencoded";

struct RestAccount {
  std::string api_url = "https://api.twilio.com";
  std::string account_sid;
  std::string auth_token;
};

// Ends a call in any live state.
RestRequest hang_up_request(const RestAccount &account,
                            std::string_view call_sid);
// Has the call go on with `twiml`, which ends its media stream.
RestRequest update_request(const RestAccount &account,
                           std::string_view call_sid, std::string_view twiml);

enum class RestOutcome {
  kDone,    // accepted, or the call was over already (21220, 20404)
  kRetry,   // too many requests (never processed), or Twilio's own trouble
  kRefused, // asking again gives the same answer
};
struct RestAnswer {
  RestOutcome outcome = RestOutcome::kRefused;
  std::int64_t code = 0; // Twilio's error code; 0: none
  std::string message;   // in words that can be logged; empty when done
};
// `body` may be anything: front ends answer in HTML.
RestAnswer classify_answer(int http_status, std::string_view body);

} // namespace patchcord::twilio
