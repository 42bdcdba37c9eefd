// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fake_openai.hpp"

#include "base/json.hpp"

namespace patchcord::fakes {
namespace {

void write_text_or_null(JsonWriter &json, std::string_view name,
                        std::string_view text) {
  json.key(name);
  if (text.empty())
    json.null();
  else
    json.value(text);
}

void serve_models(SoupServer *, SoupServerMessage *message, const char *,
                  GHashTable *, gpointer data) {
  auto &host = *static_cast<FakeHost *>(data);
  host.stats().count("models");
  const std::string key = bearer_key(message);
  if (key.empty() || key == "bad") {
    reply_openai_error(message, 401, "Incorrect API key provided.",
                       "invalid_request_error", "", "invalid_api_key");
    return;
  }
  JsonWriter json;
  json.begin_object().member("object", "list").key("data").begin_array();
  for (const auto &model : host.script().models)
    json.begin_object()
        .member("id", model)
        .member("object", "model")
        .member("created", 1'795'340'000)
        .member("owned_by", "openai")
        .end_object();
  reply_json(message, 200, json.end_array().end_object().take());
}

} // namespace

std::string openai_error(std::string_view message, std::string_view type,
                         std::string_view param, std::string_view code) {
  JsonWriter json;
  json.begin_object().key("error").begin_object();
  json.member("message", message).member("type", type);
  write_text_or_null(json, "param", param);
  write_text_or_null(json, "code", code);
  return json.end_object().end_object().take();
}

void reply_openai_error(SoupServerMessage *message, int status,
                        std::string_view text, std::string_view type,
                        std::string_view param, std::string_view code) {
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers(message);
  soup_message_headers_append(headers, "x-request-id", "req_fake");
  if (status == 429 && code == "rate_limit_exceeded") {
    soup_message_headers_append(headers, "retry-after", "1");
    soup_message_headers_append(headers, "x-ratelimit-reset-requests", "1.8s");
  }
  reply_json(message, status, openai_error(text, type, param, code));
}

void add_openai(FakeHost &host) {
  soup_server_add_handler(host.server(), "/v1/models", serve_models, &host,
                          nullptr);
  add_chat(host);
  add_realtime(host);
}

} // namespace patchcord::fakes
