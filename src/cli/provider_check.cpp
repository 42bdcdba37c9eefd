// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/provider_check.hpp"

#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/fetch.hpp"
#include "net/http_client.hpp"

#include <algorithm>
#include <ctime>

namespace patchcord::cli {
namespace {

constexpr int kWarnDays = 90; // before a model's end

// What the provider says is wrong, as far as it can be read.
std::string said(const std::string &body) {
  const auto document = JsonDocument::parse(body);
  if (!document)
    return {};
  for (const char *outer : {"error", "detail"}) {
    const JsonView view = document->root()[outer];
    if (const auto text = view["message"].string())
      return ": " + text->substr(0, 200);
    if (const auto text = view.string())
      return ": " + text->substr(0, 200);
  }
  return {};
}

// Days from the year 0 (proleptic Gregorian, civil calendar); empty: no date.
std::optional<int> day_number(std::string_view iso) {
  int year = 0, month = 0, day = 0;
  if (std::sscanf(std::string(iso).c_str(), "%4d-%2d-%2d", &year, &month,
                  &day) != 3 ||
      month < 1 || month > 12 || day < 1 || day > 31)
    return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
      std::chrono::day(static_cast<unsigned>(day))};
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[16];
  const auto size = std::strftime(text, sizeof text, "%Y-%m-%d", &utc);
  return {text, size};
}

// True when the answer is 200; has reported when not.
bool accepted(Report &report, const std::string &item, const std::string &url,
              const std::string &key_name, bool has_key,
              const Result<net::HttpResponse> &response) {
  if (!response) {
    const Error &error = response.error();
    report.fail(item,
                error.code == "tls"
                    ? url + " is not trusted: " + error.message +
                          " (is the URL right, and is its authority among "
                          "this system's? update-ca-certificates(8) adds one)"
                    : url + " does not answer: " + error.message);
    return false;
  }
  if (response->status == 401 || response->status == 403)
    report.fail(item, (has_key ? "the key (" + key_name + ") is refused"
                               : url + " wants a key (" + key_name + ")") +
                          said(response->body));
  else if (response->status != 200)
    report.fail(item, url + " answers HTTP " +
                          std::to_string(response->status) +
                          said(response->body));
  return response->status == 200;
}

} // namespace

void judge_models(Report &report, std::string_view body,
                  const std::vector<std::string> &models,
                  const std::string &today) {
  JsonLimits limits;
  limits.bytes = std::size_t{8} << 20;
  const auto document = JsonDocument::parse(body, limits);
  if (!document || !document->root()["data"].is_array()) {
    report.warn("openai", "the list of models cannot be read");
    return;
  }
  const JsonView data = document->root()["data"];
  for (const auto &model : models) {
    JsonView found;
    for (std::size_t i = 0; i < data.size(); ++i)
      if (data.at(i)["id"].string() == model)
        found = data.at(i);
    const std::string end = found["shutdown_date"].string().value_or("");
    const auto last = day_number(end), now = day_number(today);
    if (!found)
      report.fail("openai", "there is no model " + model +
                                " for this key (openai.stt_model, "
                                "openai.chat_model)");
    else if (last && now && *last <= *now)
      report.fail("openai", "the model " + model + " ended on " + end);
    else if (last && now && *last - *now <= kWarnDays)
      report.warn("openai", "the model " + model + " ends on " + end + ", in " +
                                std::to_string(*last - *now) + " days");
    else
      report.ok("openai",
                "model " + model + (end.empty() ? "" : " (until " + end + ")"));
  }
}

void check_openai(Report &report, const config::Config &config,
                  const std::vector<std::string> &models) {
  net::HttpRequest request;
  request.url = config.openai.base_url + "/models";
  const bool has_key = !config.openai.api_key.empty();
  if (has_key)
    request.headers = {{"Authorization", "Bearer " + config.openai.api_key}};
  const auto response = fetch(request);
  if (!accepted(report, "openai", request.url, "OPENAI_API_KEY, openai.api_key",
                has_key, response))
    return;
  report.ok("openai",
            config.openai.base_url +
                (has_key ? " accepts the key" : " answers without a key"));
  judge_models(report, response->body, models, today());
}

void check_elevenlabs(Report &report, const config::Config &config) {
  net::HttpRequest request;
  request.headers = {{"xi-api-key", config.elevenlabs.api_key}};
  request.url = config.elevenlabs.base_url + "/v1/user/subscription";
  auto response = fetch(request);
  const bool told = response && response->status == 200;
  if (!told) {
    // A key may be good for speech only, and not see its account.
    request.url = config.elevenlabs.base_url + "/v1/models";
    response = fetch(request);
    if (!accepted(report, "elevenlabs", request.url,
                  "ELEVENLABS_API_KEY, elevenlabs.api_key", true, response))
      return;
  }
  report.ok("elevenlabs", config.elevenlabs.base_url + " accepts the key");
  if (!told)
    return;
  const auto document = JsonDocument::parse(response->body);
  if (!document)
    return;
  const auto used = document->root()["character_count"].lenient_integer();
  const auto limit = document->root()["character_limit"].lenient_integer();
  if (!used || !limit)
    return;
  // Credits: a call's minute of speech takes some hundreds.
  const std::string left = std::to_string(*limit - *used) + " of " +
                           std::to_string(*limit) + " credits are left";
  const auto more = document->root()["max_credit_limit_extension"];
  const bool may_exceed =
      more.string() == "unlimited" || more.lenient_integer().value_or(0) > 0;
  if (*limit - *used < *limit / 20 && !may_exceed)
    report.warn("elevenlabs", "only " + left);
  else
    report.ok("elevenlabs", left);
}

} // namespace patchcord::cli
