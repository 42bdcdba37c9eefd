// SPDX-License-Identifier: LGPL-2.1-or-later
#include "chat_check.hpp"
#include "strict_schema.hpp"

#include <glib.h>

#include <algorithm>
#include <set>
#include <utility>

namespace patchcord::fakes {

Refusal bad_request(std::string text, std::string param, std::string code) {
  return {400, std::move(text), "invalid_request_error", std::move(param),
          std::move(code)};
}

namespace {

const std::set<std::string_view> kFields = {"model",
                                            "messages",
                                            "stream",
                                            "stream_options",
                                            "response_format",
                                            "max_completion_tokens",
                                            "max_tokens",
                                            "temperature",
                                            "top_p",
                                            "presence_penalty",
                                            "stop",
                                            "frequency_penalty",
                                            "logit_bias",
                                            "logprobs",
                                            "top_logprobs",
                                            "n",
                                            "seed",
                                            "reasoning_effort",
                                            "verbosity",
                                            "tools",
                                            "tool_choice",
                                            "parallel_tool_calls",
                                            "service_tier",
                                            "prompt_cache_key",
                                            "store",
                                            "prompt_cache_options",
                                            "metadata",
                                            "safety_identifier",
                                            "user"};

// A call without its result, or a result without its call, is refused.
Refusal check_results(JsonView messages) {
  std::set<std::string> open;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const JsonView message = messages.at(i);
    const bool is_result = message["role"].text() == "tool";
    if (is_result &&
        open.erase(message["tool_call_id"].string().value_or("")) == 0)
      return bad_request("messages with role 'tool' must be a response to a "
                         "preceding message with 'tool_calls'.",
                         "messages", "");
    if (!is_result && !open.empty())
      break;
    for (std::size_t k = 0; k < message["tool_calls"].size(); ++k)
      open.insert(message["tool_calls"].at(k)["id"].string().value_or(""));
  }
  return open.empty()
             ? Refusal{}
             : bad_request("An assistant message with 'tool_calls' must be "
                           "followed by tool messages responding to each "
                           "'tool_call_id'.",
                           "messages", "");
}

bool is_name(const std::string &name) {
  return !name.empty() && name.size() <= 64 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return g_ascii_isalnum(c) || c == '_' || c == '-';
         });
}

Refusal check_tools(JsonView root) {
  const JsonView tools = root["tools"];
  if (!root["tool_choice"].is_null() && tools.size() == 0)
    return bad_request("'tool_choice' is only allowed when 'tools' are "
                       "specified.",
                       "tool_choice", "");
  for (std::size_t i = 0; i < tools.size(); ++i) {
    const JsonView function = tools.at(i)["function"];
    if (tools.at(i)["type"].text() != "function" ||
        !is_name(function["name"].string().value_or("")))
      return bad_request("Invalid tool.", "tools", "invalid_value");
    if (function["strict"].boolean() != true)
      return bad_request("The fake wants strict to be true.", "tools", "");
    if (const std::string problem =
            strict_schema_problem(function["parameters"]);
        !problem.empty())
      return bad_request("Invalid schema for function: " + problem, "tools",
                         "invalid_function_parameters");
  }
  return {};
}

Refusal check_messages(JsonView messages) {
  static const std::set<std::string_view> kRoles = {
      "system", "developer", "user", "assistant", "tool"};
  if (messages.size() == 0)
    return bad_request("'messages' must hold at least one message.", "messages",
                       "invalid_value");
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const JsonView message = messages.at(i);
    const std::string where = "messages[" + std::to_string(i) + "]";
    if (!kRoles.contains(message["role"].text().value_or("")))
      return bad_request("Invalid role.", where + ".role", "invalid_value");
    if (!message["content"].text() && !message["content"].is_array() &&
        message["tool_calls"].size() == 0)
      return bad_request("Invalid content.", where + ".content",
                         "invalid_type");
  }
  return {};
}

Refusal check_format(JsonView format, bool required) {
  if (format.is_null())
    return required ? bad_request("The fake wants a strict json_schema.",
                                  "response_format", "")
                    : Refusal{};
  if (format["type"].text() != "json_schema")
    return required ? bad_request("The fake wants a strict json_schema.",
                                  "response_format", "")
                    : Refusal{};
  const JsonView schema = format["json_schema"];
  const std::string name = schema["name"].string().value_or("");
  if (!is_name(name))
    return bad_request("Invalid schema name.",
                       "response_format.json_schema.name", "invalid_value");
  if (required && schema["strict"].boolean() != true)
    return bad_request("The fake wants strict to be true.", "response_format",
                       "");
  if (const std::string problem = strict_schema_problem(schema["schema"]);
      !problem.empty())
    return bad_request("Invalid schema for response_format '" + name +
                           "': " + problem,
                       "response_format", "");
  return {};
}

} // namespace

Refusal check_request(JsonView root, bool require_schema) {
  if (!root.is_object())
    return bad_request("The body is not a JSON object.", "", "");
  Refusal refusal;
  root.for_each_member([&](std::string_view name, JsonView) {
    if (!kFields.contains(name))
      refusal = bad_request("Unrecognized request argument supplied: " +
                                std::string(name),
                            std::string(name), "unknown_parameter");
  });
  if (refusal.status != 0)
    return refusal;
  const std::string model = root["model"].string().value_or("");
  if (model.empty())
    return bad_request("You must provide a model parameter.", "model",
                       "missing_required_parameter");
  if (!root["max_tokens"].is_null() && model.starts_with("gpt-"))
    return bad_request("'max_tokens' is not supported with this model. Use "
                       "'max_completion_tokens' instead.",
                       "max_tokens", "unsupported_parameter");
  if (!root["stream_options"].is_null() && root["stream"].boolean() != true)
    return bad_request("stream_options needs stream.", "stream_options",
                       "invalid_value");
  for (const auto &check : {check_messages(root["messages"]),
                            check_results(root["messages"]), check_tools(root)})
    if (check.status != 0)
      return check;
  return check_format(root["response_format"], require_schema);
}

Refusal refusal_of_fault(const std::string &fault, JsonView root) {
  if (fault == "rate_limit")
    return {429, "Rate limit reached.", "rate_limit_error", "",
            "rate_limit_exceeded"};
  if (fault == "quota")
    return {429, "You exceeded your current quota.", "insufficient_quota", "",
            "insufficient_quota"};
  if (fault == "overloaded")
    return {503, "The server is overloaded.", "service_unavailable_error", "",
            "server_is_overloaded"};
  if (fault == "http_500")
    return {500, "The server had an error.", "server_error", "", ""};
  if (fault == "model_not_found")
    return {404, "The model does not exist.", "invalid_request_error", "",
            "model_not_found"};
  if (fault == "no_temperature" && !root["temperature"].is_null())
    return bad_request("'temperature' is not supported with this model.",
                       "temperature", "unsupported_value");
  if (fault == "no_reasoning_effort" && !root["reasoning_effort"].is_null())
    return bad_request("'reasoning_effort' is not supported with this model.",
                       "reasoning_effort", "unsupported_parameter");
  return {};
}

} // namespace patchcord::fakes
