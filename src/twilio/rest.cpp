// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/rest.hpp"

#include "base/json.hpp"
#include "twilio/form.hpp"

namespace patchcord::twilio {
namespace {

// Error codes of Twilio's dictionary.
constexpr std::int64_t kNotInProgress = 21220;
constexpr std::int64_t kNotFound = 20404;

// Of a new call when there is no SID.
RestRequest call_request(const RestAccount &account, std::string_view call_sid,
                         const Form &fields) {
  RestRequest request;
  std::string_view base = account.api_url;
  while (base.ends_with('/'))
    base.remove_suffix(1);
  request.url = std::string(base) + "/2010-04-01/Accounts/" +
                percent_encode(account.account_sid) + "/Calls";
  if (!call_sid.empty())
    request.url += "/" + percent_encode(call_sid);
  request.url += ".json";
  request.body = encode_form(fields);
  request.username = account.account_sid;
  request.password = account.auth_token;
  return request;
}

struct Advice {
  std::int64_t code;
  const char *text;
};
// Twilio's error dictionary, of calls that are placed.
constexpr Advice kAdvice[] = {
    {20003, "check twilio.account_sid and twilio.auth_token, and that the "
            "account is active"},
    {21201, "there is no number to call"},
    {21205, "the webhook's URL is not one: check server.public_url"},
    {21210, "the caller's number is not one of the account's: use a number "
            "that you bought, or verified, at Twilio"},
    {21211, "the number to call is not one: write it as +14155550100"},
    {21212, "the caller's number is not one: write it as +14155550100"},
    {21214, "the number to call cannot be reached"},
    {21215, "the account may not call that country: allow it in Twilio's "
            "console, Voice, Geo permissions"},
    {21216, "Twilio blocks calls to that number"},
    {21217, "the number to call is not valid: write it as +14155550100"},
    {21219, "a trial account calls only numbers that were verified in "
            "Twilio's console"},
    {20429, "too many requests at once: try again"},
};

} // namespace

RestRequest hang_up_request(const RestAccount &account,
                            std::string_view call_sid) {
  return call_request(account, call_sid, {{"Status", "completed"}});
}

RestRequest update_request(const RestAccount &account,
                           std::string_view call_sid, std::string_view twiml) {
  return call_request(account, call_sid, {{"Twiml", std::string(twiml)}});
}

RestRequest place_request(const RestAccount &account, const PlacedCall &call) {
  Form form = {{"To", call.to},
               {"From", call.from},
               {"Url", call.url},
               {"Method", "POST"},
               {"Timeout", std::to_string(call.ring_timeout_s)}};
  if (!call.status_callback.empty()) {
    form.emplace_back("StatusCallback", call.status_callback);
    form.emplace_back("StatusCallbackMethod", "POST");
    // Repeated: a list with spaces between is TwiML's way.
    for (const char *event : {"initiated", "ringing", "answered", "completed"})
      form.emplace_back("StatusCallbackEvent", event);
  }
  if (!call.amd_callback.empty()) {
    form.emplace_back("MachineDetection", "DetectMessageEnd");
    form.emplace_back("MachineDetectionTimeout",
                      std::to_string(kMachineDetectionTimeoutS));
    form.emplace_back("AsyncAmd", "true");
    form.emplace_back("AsyncAmdStatusCallback", call.amd_callback);
    form.emplace_back("AsyncAmdStatusCallbackMethod", "POST");
  }
  return call_request(account, {}, form);
}

std::string placed_call_sid(std::string_view body) {
  const auto document = JsonDocument::parse(body);
  return document ? document->root()["sid"].string().value_or("") : "";
}

RestAnswer classify_placing(int http_status, std::string_view body) {
  RestAnswer answer = classify_answer(http_status, body);
  const bool placed = http_status >= 200 && http_status < 300;
  if (!placed && answer.outcome == RestOutcome::kDone) {
    // "Over already" makes no sense of a call that was to begin.
    answer.outcome = RestOutcome::kRefused;
    answer.message = "Twilio answered HTTP " + std::to_string(http_status) +
                     ", error " + std::to_string(answer.code) +
                     ": there is no such account there (check "
                     "twilio.account_sid and twilio.api_url)";
  }
  if (answer.outcome == RestOutcome::kRetry && http_status != 429) {
    answer.outcome = RestOutcome::kRefused;
    answer.message += "; the call may have been placed all the same";
  }
  if (http_status != 401)
    for (const Advice &advice : kAdvice)
      if (advice.code == answer.code)
        answer.message += std::string(" (") + advice.text + ")";
  return answer;
}

RestAnswer classify_answer(int http_status, std::string_view body) {
  RestAnswer answer;
  if (http_status >= 200 && http_status < 300) {
    answer.outcome = RestOutcome::kDone;
    return answer;
  }
  std::string said;
  if (const auto document = JsonDocument::parse(body); document.ok()) {
    answer.code = document->root()["code"].lenient_integer().value_or(0);
    said = document->root()["message"].string().value_or("");
  }
  if (answer.code == kNotInProgress || answer.code == kNotFound) {
    answer.outcome = RestOutcome::kDone;
    return answer;
  }
  answer.outcome = http_status == 429 || http_status >= 500
                       ? RestOutcome::kRetry
                       : RestOutcome::kRefused;
  answer.message = "Twilio answered HTTP " + std::to_string(http_status);
  if (answer.code != 0)
    answer.message += ", error " + std::to_string(answer.code);
  if (!said.empty())
    answer.message += ": " + said;
  if (http_status == 401)
    answer.message +=
        " (check twilio.account_sid and twilio.auth_token; a call of another "
        "region needs that region's twilio.api_url)";
  return answer;
}

} // namespace patchcord::twilio
