// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/rest.hpp"

#include "base/json.hpp"
#include "twilio/form.hpp"

namespace patchcord::twilio {
namespace {

// Error codes of Twilio's dictionary.
constexpr std::int64_t kNotInProgress = 21220;
constexpr std::int64_t kNotFound = 20404;

RestRequest call_request(const RestAccount &account, std::string_view call_sid,
                         const Form &fields) {
  RestRequest request;
  std::string_view base = account.api_url;
  while (base.ends_with('/'))
    base.remove_suffix(1);
  request.url = std::string(base) + "/2010-04-01/Accounts/" +
                percent_encode(account.account_sid) + "/Calls/" +
                percent_encode(call_sid) + ".json";
  request.body = encode_form(fields);
  request.username = account.account_sid;
  request.password = account.auth_token;
  return request;
}

} // namespace

RestRequest hang_up_request(const RestAccount &account,
                            std::string_view call_sid) {
  return call_request(account, call_sid, {{"Status", "completed"}});
}

RestRequest update_request(const RestAccount &account,
                           std::string_view call_sid, std::string_view twiml) {
  return call_request(account, call_sid, {{"Twiml", std::string(twiml)}});
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
