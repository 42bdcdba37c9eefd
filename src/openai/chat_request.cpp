// SPDX-License-Identifier: LGPL-2.1-or-later
#include "openai/chat.hpp"

#include "base/json.hpp"

namespace patchcord::openai {

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
    json.begin_object()
        .member("role", message.role)
        .member("content", message.content)
        .end_object();
  json.end_array();
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
