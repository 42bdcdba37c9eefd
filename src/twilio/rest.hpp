// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace patchcord::twilio {

// The little of Twilio's REST API that calls need (Twilio docs, "Call
// resource", "Create" and "Update a Call"). POST, form-encoded, HTTP Basic.
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

// Twilio takes no longer document in a request; in characters.
inline constexpr std::size_t kMostInlineTwiml = 4000;

// A call that Twilio is to place. Who answers is told apart from a machine
// while the call goes on (Twilio docs, "Answering Machine Detection"): a
// machine by the end of its greeting, so that a message can be left behind it.
struct PlacedCall {
  std::string to, from;        // E.164; `from` is a number of the account
  std::string url;             // the voice webhook
  std::string status_callback; // told of ringing, answer and end
  std::string amd_callback;    // told who answered
  int ring_timeout_s = 60;
};
RestRequest place_request(const RestAccount &account, const PlacedCall &call);
// The SID in the answer to it; empty when there is none.
std::string placed_call_sid(std::string_view body);
// How long Twilio listens before it tells that it cannot tell.
inline constexpr int kMachineDetectionTimeoutS = 30;

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
// The same of a call that was to be placed, with what to do about it. Only what
// was never processed may be asked again: else a phone might ring twice.
RestAnswer classify_placing(int http_status, std::string_view body);

} // namespace patchcord::twilio
