// SPDX-License-Identifier: LGPL-2.1-or-later
#include "openai/chat.hpp"

#include "base/json.hpp"

namespace patchcord::openai {
namespace {

void write_message(JsonWriter &json, const ChatMessage &message) {
  json.begin_object().member("role", message.role).key("content");
  if (message.content.empty() && !message.tool_calls.empty())
    json.null();
  else
    json.value(message.content);
  if (!message.tool_call_id.empty())
    json.member("tool_call_id", message.tool_call_id);
  if (!message.tool_calls.empty()) {
    json.key("tool_calls").begin_array();
    for (const ToolCall &call : message.tool_calls)
      json.begin_object()
          .member("id", call.id)
          .member("type", "function")
          .key("function")
          .begin_object()
          .member("name", call.name)
          .member("arguments", call.arguments)
          .end_object()
          .end_object();
    json.end_array();
  }
  json.end_object();
}

void write_tools(JsonWriter &json, const ChatRequest &request) {
  json.key("tools").begin_array();
  for (const ChatTool &tool : request.tools)
    json.begin_object()
        .member("type", "function")
        .key("function")
        .begin_object()
        .member("name", tool.name)
        .member("description", tool.description)
        .key("parameters")
        .raw(tool.parameters)
        .member("strict", true)
        .end_object()
        .end_object();
  json.end_array();
  if (!request.may_call_tools)
    json.member("tool_choice", "none");
}

} // namespace

std::string chat_request_body(const ChatRequest &request) {
  JsonWriter json;
  json.begin_object().member("model", request.model).member("stream", true);
  if (request.send_stream_options)
    json.key("stream_options")
        .begin_object()
        .member("include_usage", true)
        // Random padding against traffic analysis, on by default: it is most
        // of each chunk's bytes.
        .member("include_obfuscation", false)
        .end_object();
  if (request.send_reasoning_effort)
    json.member("reasoning_effort", "none");
  json.member(request.use_max_tokens ? "max_tokens" : "max_completion_tokens",
              request.max_completion_tokens);
  json.key("messages").begin_array();
  for (const ChatMessage &message : request.messages)
    write_message(json, message);
  json.end_array();
  if (!request.tools.empty())
    write_tools(json, request);
  if (!request.schema.empty())
    json.key("response_format")
        .begin_object()
        .member("type", "json_schema")
        .key("json_schema")
        .begin_object()
        .member("name", request.schema_name)
        .member("strict", true)
        .key("schema")
        .raw(request.schema)
        .end_object()
        .end_object();
  return json.end_object().take();
}

std::optional<std::string> without_parameter(const std::string &body,
                                             std::string_view parameter) {
  constexpr std::string_view kOlder = "max_tokens";
  constexpr std::string_view kNewer = "max_completion_tokens";
  // All of these stand before the messages, whose text may hold anything.
  const std::size_t messages = body.find("\"messages\":");
  const std::string key = "\"" + std::string(parameter) + "\":";
  const std::size_t at = body.find(key);
  if (at == std::string::npos || at > messages)
    return std::nullopt;
  std::string changed = body;
  if (parameter == kOlder || parameter == kNewer) {
    changed.replace(at + 1, parameter.size(),
                    parameter == kOlder ? kNewer : kOlder);
    return changed;
  }
  if (parameter != "stream_options" && parameter != "reasoning_effort")
    return std::nullopt;
  const bool object = body[at + key.size()] == '{';
  const std::size_t comma =
      body.find(',', object ? body.find('}', at) : at + key.size());
  changed.erase(at, comma + 1 - at);
  return changed;
}

} // namespace patchcord::openai
