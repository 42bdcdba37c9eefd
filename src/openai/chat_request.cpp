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

} // namespace patchcord::openai
