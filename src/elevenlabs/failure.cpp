// SPDX-License-Identifier: LGPL-2.1-or-later
#include "elevenlabs/failure.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <array>

namespace patchcord::elevenlabs {
namespace {

enum class Kind { kKey, kQuota, kAccount, kVoice, kModel, kRequest, kPassing };

struct Known {
  std::string_view code;
  Kind kind;
};

constexpr std::array kKnown = {
    Known{"invalid_api_key", Kind::kKey},
    Known{"missing_api_key", Kind::kKey},
    Known{"unauthorized", Kind::kKey},
    Known{"needs_authorization", Kind::kKey},
    Known{"authentication_error", Kind::kKey},
    Known{"quota_exceeded", Kind::kQuota},
    Known{"insufficient_credits", Kind::kQuota},
    Known{"payment_required", Kind::kQuota},
    Known{"detected_unusual_activity", Kind::kAccount},
    Known{"missing_permissions", Kind::kAccount},
    Known{"insufficient_permissions", Kind::kAccount},
    Known{"subscription_required", Kind::kAccount},
    Known{"feature_not_available", Kind::kAccount},
    Known{"only_for_creator+", Kind::kAccount},
    Known{"voice_access_denied", Kind::kVoice},
    Known{"voice_not_found", Kind::kVoice},
    Known{"voice_id_does_not_exist", Kind::kVoice},
    Known{"invalid_voice_id", Kind::kVoice},
    Known{"model_access_denied", Kind::kModel},
    Known{"model_not_found", Kind::kModel},
    Known{"unsupported_model", Kind::kModel},
    Known{"invalid_input_message", Kind::kRequest},
    Known{"invalid_parameters", Kind::kRequest},
    Known{"invalid_voice_settings", Kind::kRequest},
    Known{"invalid_output_format", Kind::kRequest},
    Known{"invalid_text", Kind::kRequest},
    Known{"empty_text", Kind::kRequest},
    Known{"text_too_long", Kind::kRequest},
    Known{"max_character_limit_exceeded", Kind::kRequest},
    Known{"missing_required_field", Kind::kRequest},
    Known{"malformed_json", Kind::kRequest},
    Known{"input_timeout_exceeded", Kind::kPassing},
    Known{"max_active_conversations", Kind::kPassing},
    Known{"concurrent_limit_exceeded", Kind::kPassing},
    Known{"too_many_concurrent_requests", Kind::kPassing},
    Known{"rate_limit_exceeded", Kind::kPassing},
    Known{"system_busy", Kind::kPassing},
    Known{"internal_error", Kind::kPassing},
    Known{"service_unavailable", Kind::kPassing},
    Known{"maintenance", Kind::kPassing},
};

const Known *find_known(std::string_view code) {
  const auto *found =
      std::find_if(kKnown.begin(), kKnown.end(),
                   [&](const Known &known) { return known.code == code; });
  return found == kKnown.end() ? nullptr : found;
}

std::string advice(Kind kind) {
  switch (kind) {
  case Kind::kKey:
    return "ElevenLabs refuses the key: check the property api-key or the "
           "variable ELEVENLABS_API_KEY";
  case Kind::kQuota:
    return "The ElevenLabs account behind the key (property api-key or "
           "variable ELEVENLABS_API_KEY) has no credits left";
  case Kind::kAccount:
    return "The ElevenLabs account or its key (property api-key or variable "
           "ELEVENLABS_API_KEY) is not allowed to do this";
  case Kind::kVoice:
    return "ElevenLabs has no such voice for this account: check the property "
           "voice-id";
  case Kind::kModel:
    return "ElevenLabs has no such model for this account: check the property "
           "model-id";
  case Kind::kRequest:
    return "ElevenLabs refuses the request";
  case Kind::kPassing:
    break;
  }
  return "ElevenLabs has a problem";
}

Failure failure(Kind kind, std::string code, std::string_view detail) {
  Failure out;
  out.message = advice(kind) + " (" + code;
  if (!detail.empty())
    out.message += std::string(": ").append(detail.substr(0, 300));
  out.message += ")";
  out.code = std::move(code);
  out.retryable = kind == Kind::kPassing;
  return out;
}

Kind kind_of_status(int status) {
  switch (status) {
  case 401:
    return Kind::kKey;
  case 402:
    return Kind::kQuota;
  case 403:
    return Kind::kAccount;
  case 404:
    return Kind::kVoice;
  case 408:
  case 409:
  case 429:
    return Kind::kPassing;
  default:
    return status >= 400 && status < 500 ? Kind::kRequest : Kind::kPassing;
  }
}

} // namespace

Failure classify_error(std::string_view code, std::string_view message) {
  const Known *known = find_known(code);
  return failure(known != nullptr ? known->kind : Kind::kPassing,
                 std::string(code), message);
}

Failure classify_http(int status, std::string_view body) {
  std::string code, message;
  if (const auto document = JsonDocument::parse(body); document.ok()) {
    const JsonView detail = document->root()["detail"];
    // A string; an object, of which `code` is newer than `status`; or a list
    // of what is wrong with the request.
    const JsonView entry = detail.is_array() ? detail.at(0) : detail;
    code =
        entry["code"].string().value_or(entry["status"].string().value_or(""));
    message = entry["message"].string().value_or(
        entry["msg"].string().value_or(detail.string().value_or("")));
  }
  const Known *known = find_known(code);
  const Kind kind = known != nullptr ? known->kind : kind_of_status(status);
  const std::string http = "HTTP " + std::to_string(status);
  if (code.empty())
    return failure(kind, "http_" + std::to_string(status),
                   message.empty() ? http : http + ": " + message);
  return failure(kind, std::move(code), message.empty() ? http : message);
}

Failure classify_close(std::uint16_t close_code, std::string_view reason) {
  // Some closes name the error in their reason, with or without words around.
  for (const Known &known : kKnown)
    if (reason.find(known.code) != std::string_view::npos)
      return failure(known.kind, std::string(known.code), reason);
  const std::string code = "closed_" + std::to_string(close_code);
  // RFC 6455 section 7.4.1, 1008: policy violation. Here: keys, quotas and
  // requests that will not be liked any better the next time.
  return failure(close_code == 1008 ? Kind::kAccount : Kind::kPassing, code,
                 reason.empty() ? "the connection was closed" : reason);
}

} // namespace patchcord::elevenlabs
