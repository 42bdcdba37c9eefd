// SPDX-License-Identifier: LGPL-2.1-or-later
// GET /v1/text-to-speech/VOICE/multi-stream-input (WebSocket) and
// GET /v1/user/subscription.
#include "fake_elevenlabs.hpp"

#include "elevenlabs_connection.hpp"

#include <cstdlib>
#include <map>

namespace patchcord::fakes {
namespace {

constexpr char kPrefix[] = "/v1/text-to-speech";
constexpr std::string_view kSuffix = "/multi-stream-input";

std::map<std::string, std::string> query_of(SoupServerMessage *message) {
  std::map<std::string, std::string> values;
  const char *query = g_uri_get_query(soup_server_message_get_uri(message));
  if (query == nullptr)
    return values;
  GHashTable *form = soup_form_decode(query);
  GHashTableIter each;
  gpointer name = nullptr, value = nullptr;
  g_hash_table_iter_init(&each, form);
  while (g_hash_table_iter_next(&each, &name, &value))
    values[static_cast<const char *>(name)] = static_cast<const char *>(value);
  g_hash_table_unref(form);
  return values;
}

// The voice in the path, or "" when it is no path of ours.
std::string voice_of(SoupServerMessage *message) {
  const std::string_view path =
      g_uri_get_path(soup_server_message_get_uri(message));
  const std::string_view prefix = kPrefix;
  if (!path.starts_with(prefix) || !path.ends_with(kSuffix) ||
      path.size() < prefix.size() + kSuffix.size() + 2)
    return "";
  return std::string(path.substr(
      prefix.size() + 1, path.size() - prefix.size() - kSuffix.size() - 1));
}

void refuse(SoupServerMessage *message, int status, const char *code,
            const char *text) {
  JsonWriter json;
  json.begin_object().key("detail").begin_object();
  json.member("status", code).member("message", text);
  json.end_object().end_object();
  reply_json(message, status, json.text());
}

class ElevenLabsFake {
public:
  explicit ElevenLabsFake(FakeHost &host) : host_(host) {}

  // Before the upgrade: a status set here refuses it.
  void before_upgrade(SoupServerMessage *message) {
    const std::string fault = fault_for(message, false);
    host_.stats().count("tts.upgrades");
    if (!check_key(message))
      return;
    if (voice_of(message).empty())
      refuse(message, 404, "not_found", "No such endpoint.");
    else if (fault == "http_500")
      refuse_faulty(message, 500, "internal_error", "Something went wrong.");
    else if (fault == "busy")
      refuse_faulty(message, 429, "system_busy", "Try again.");
    else if (g_ascii_strcasecmp(request_header(message, "Upgrade").c_str(),
                                "websocket") != 0)
      refuse(message, 400, "invalid_request", "Expected a WebSocket upgrade.");
  }

  bool check_key(SoupServerMessage *message) {
    const std::string key = request_header(message, "xi-api-key");
    if (!key.empty() && key != "bad")
      return true;
    refuse(message, 401, key.empty() ? "missing_api_key" : "invalid_api_key",
           "Invalid API key");
    return false;
  }

  void accept(SoupServerMessage *message, SoupWebsocketConnection *socket) {
    const auto query = query_of(message);
    const auto value = [&](const char *name) {
      const auto found = query.find(name);
      return found == query.end() ? std::string() : found->second;
    };
    ElevenLabsConnection::Opening opening;
    opening.voice = voice_of(message);
    opening.model = value("model_id");
    opening.output_format = value("output_format");
    opening.fault = fault_for(message, true);
    if (const std::string timeout = value("inactivity_timeout");
        !timeout.empty())
      opening.inactivity_timeout_s = std::atoi(timeout.c_str());
    const std::uint64_t id = next_id_++;
    connections_[id] = std::make_unique<ElevenLabsConnection>(
        host_, script(), socket, std::move(opening),
        [this, id] { connections_.erase(id); });
    connections_[id]->start();
  }

private:
  ElevenLabsScript script() const {
    const std::string &json = host_.script().elevenlabs;
    if (json.empty())
      return {};
    auto script = parse_elevenlabs_script(json);
    if (!script.ok())
      g_error("fakes: elevenlabs: %s", script.error().message.c_str());
    return *script;
  }

  // The fault this connection plays; `take` counts it.
  std::string fault_for(SoupServerMessage *message, bool take) {
    if (std::string fault = fault_of_key(request_header(message, "xi-api-key"));
        !fault.empty())
      return fault;
    const ElevenLabsScript now = script();
    if (now.fault_times > 0 && faulty_ >= now.fault_times)
      return "";
    if (take && !now.fault.empty())
      ++faulty_;
    return now.fault;
  }

  void refuse_faulty(SoupServerMessage *message, int status, const char *code,
                     const char *text) {
    (void)fault_for(message, true);
    refuse(message, status, code, text);
  }

  FakeHost &host_;
  int faulty_ = 0;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, std::unique_ptr<ElevenLabsConnection>> connections_;
};

} // namespace

Result<ElevenLabsScript> parse_elevenlabs_script(std::string_view json) {
  const auto document = JsonDocument::parse(json);
  if (!document.ok())
    return document.error();
  ElevenLabsScript script;
  std::string problem;
  document->root().for_each_member([&](std::string_view name, JsonView value) {
    const auto number = [&](int &into) {
      into = static_cast<int>(value.integer().value_or(-1));
      if (into < 0)
        problem = std::string(name) + ": expected a whole number";
    };
    const auto text = [&](std::string &into) {
      if (const auto string = value.string())
        into = *string;
      else
        problem = std::string(name) + ": expected a string";
    };
    if (name == "tts_first_byte_ms")
      number(script.tts_first_byte_ms);
    else if (name == "char_ms")
      number(script.char_ms);
    else if (name == "tts_speed")
      script.tts_speed = value.number().value_or(0);
    else if (name == "chunk_ms")
      number(script.chunk_ms);
    else if (name == "alignment")
      text(script.alignment);
    else if (name == "spelling")
      text(script.spelling);
    else if (name == "fault")
      text(script.fault);
    else if (name == "fault_after_chars")
      number(script.fault_after_chars);
    else if (name == "fault_times")
      number(script.fault_times);
    else
      problem = "unknown member \"" + std::string(name) + "\"";
  });
  if (!problem.empty())
    return make_error("bad_script", problem);
  return script;
}

void add_elevenlabs(FakeHost &host) {
  auto *fake = new ElevenLabsFake(host);
  soup_server_add_handler(
      host.server(), kPrefix,
      [](SoupServer *, SoupServerMessage *message, const char *, GHashTable *,
         gpointer data) {
        static_cast<ElevenLabsFake *>(data)->before_upgrade(message);
      },
      fake, [](gpointer data) { delete static_cast<ElevenLabsFake *>(data); });
  soup_server_add_websocket_handler(
      host.server(), kPrefix, nullptr, nullptr,
      [](SoupServer *, SoupServerMessage *message, const char *,
         SoupWebsocketConnection *socket, gpointer data) {
        static_cast<ElevenLabsFake *>(data)->accept(message, socket);
      },
      fake, nullptr);
  soup_server_add_handler(
      host.server(), "/v1/user/subscription",
      [](SoupServer *, SoupServerMessage *message, const char *, GHashTable *,
         gpointer data) {
        if (static_cast<ElevenLabsFake *>(data)->check_key(message))
          reply_json(message, 200,
                     R"({"tier":"creator","status":"active",)"
                     R"("character_count":1000,"character_limit":121000})");
      },
      fake, nullptr);
}

} // namespace patchcord::fakes
