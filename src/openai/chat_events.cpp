// SPDX-License-Identifier: LGPL-2.1-or-later
#include "openai/chat.hpp"

#include "openai/api_error.hpp"

#include "base/handles.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

#include <glib.h>

#include <algorithm>
#include <array>

namespace patchcord::openai {
namespace {

constexpr JsonLimits kLimits{std::size_t{4} << 20, 64};

std::string string_of(JsonView value) { return value.string().value_or(""); }

// The text a person may read: one line of a sane length, and no key in it
// (some servers repeat the one they refuse).
std::string clean_message(std::string_view text) {
  constexpr std::size_t kMax = 300;
  std::string out(trim(text).substr(0, kMax));
  for (std::size_t at = 0; (at = out.find("sk-", at)) != std::string::npos;
       ++at)
    if (at == 0 || !g_ascii_isalnum(out[at - 1])) // not "task-force"
      out.replace(at, std::min(out.find(' ', at), out.size()) - at, "[key]");
  std::replace_if(
      out.begin(), out.end(), [](char c) { return g_ascii_iscntrl(c); }, ' ');
  return to_valid_utf8(std::move(out));
}

} // namespace

std::string to_valid_utf8(std::string text) {
  if (valid_utf8(text))
    return text;
  const GCharPtr valid(
      g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())));
  return valid.get();
}

bool is_quota_code(std::string_view code) {
  static constexpr std::array<std::string_view, 7> kCodes = {
      "insufficient_quota",
      "credit_balance_exhausted",
      "organization_spend_limit_exceeded",
      "project_spend_limit_exceeded",
      "organization_usage_limit_exceeded",
      "billing_hard_limit_reached",
      "billing_not_active"};
  return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

ErrorFields read_error(JsonView error) {
  ErrorFields fields;
  if (const auto text = error.text()) { // whisper.cpp and others: a string
    fields.message = clean_message(*text);
    return fields;
  }
  fields.code = string_of(error["code"]);
  fields.type = string_of(error["type"]);
  fields.message = clean_message(string_of(error["message"]));
  fields.param = string_of(error["param"]);
  fields.event_id = string_of(error["event_id"]);
  return fields;
}

Result<ChatDelta> parse_chat_event(std::string_view data) {
  ChatDelta delta;
  if (data.starts_with("[DONE]")) {
    delta.done = true;
    return delta;
  }
  const auto document = JsonDocument::parse(data, kLimits);
  if (!document.ok())
    return document.error();
  const JsonView root = document->root();
  if (!root["error"].is_null()) {
    const ErrorFields fields = read_error(root["error"]);
    delta.error = Error{fields.name("server_error"), fields.message};
    return delta;
  }
  const JsonView choice = root["choices"].at(0);
  delta.content = string_of(choice["delta"]["content"]);
  delta.refusal = string_of(choice["delta"]["refusal"]);
  delta.tool_calls = read_tool_calls(choice["delta"]["tool_calls"]);
  delta.finish_reason = string_of(choice["finish_reason"]);
  return delta;
}

Result<ChatDelta> parse_chat_completion(std::string_view body) {
  const auto document = JsonDocument::parse(body, kLimits);
  if (!document.ok())
    return document.error();
  const JsonView root = document->root();
  ChatDelta delta;
  delta.done = true;
  if (!root["error"].is_null()) {
    const ErrorFields fields = read_error(root["error"]);
    delta.error = Error{fields.name("server_error"), fields.message};
    return delta;
  }
  const JsonView choice = root["choices"].at(0);
  if (!choice["message"].is_object())
    return make_error("bad_response", "the completion holds no message");
  delta.content = string_of(choice["message"]["content"]);
  delta.refusal = string_of(choice["message"]["refusal"]);
  delta.tool_calls = read_tool_calls(choice["message"]["tool_calls"]);
  delta.finish_reason = string_of(choice["finish_reason"]);
  return delta;
}

ApiError parse_api_error(int status, std::string_view body) {
  ErrorFields fields;
  if (const auto document = JsonDocument::parse(body, kLimits); document.ok()) {
    JsonView root = document->root();
    if (root.is_array()) // Gemini's compatible endpoint
      root = root.at(0);
    if (!root["error"].is_null())
      fields = read_error(root["error"]);
    else if (!root["detail"].is_null()) // FastAPI: vLLM, speaches
      fields =
          read_error(root["detail"].is_array() ? root["detail"].at(0)["msg"]
                                               : root["detail"]);
    else
      fields = read_error(root);
  }
  ApiError api;
  api.error.code = fields.name("http_" + std::to_string(status));
  api.error.message = fields.message.empty()
                          ? "HTTP status " + std::to_string(status)
                          : fields.message;
  api.param = fields.param;
  api.is_key = status == 401 || fields.code == "invalid_api_key";
  api.is_quota =
      status == 402 || is_quota_code(fields.code) || is_quota_code(fields.type);
  api.retryable =
      !api.is_key && !api.is_quota &&
      (status == 408 || status == 409 || status == 429 || status >= 500);
  return api;
}

} // namespace patchcord::openai
