// SPDX-License-Identifier: LGPL-2.1-or-later
// GET /v1/realtime: a transcription session that hears by level and
// understands by script.
#include "realtime_connection.hpp"

#include <map>

namespace patchcord::fakes {
namespace {

std::string query_value(SoupServerMessage *message, const char *name) {
  const char *query = g_uri_get_query(soup_server_message_get_uri(message));
  if (query == nullptr)
    return "";
  GHashTable *form = soup_form_decode(query);
  const auto *value =
      static_cast<const char *>(g_hash_table_lookup(form, name));
  std::string text = value != nullptr ? value : "";
  g_hash_table_unref(form);
  return text;
}

class RealtimeFake {
public:
  explicit RealtimeFake(FakeHost &host) : host_(host) {}

  // Before the upgrade: a status set here refuses it.
  void before_upgrade(SoupServerMessage *message) {
    if (fault_for(message, false) == "http_500") {
      (void)fault_for(message, true);
      reply_openai_error(message, 500, "The server had an error.",
                         "server_error", "", "");
    } else if (g_ascii_strcasecmp(request_header(message, "Upgrade").c_str(),
                                  "websocket") != 0) {
      reply_openai_error(message, 400, "Expected a WebSocket upgrade.",
                         "invalid_request_error", "", "");
    } else if (host_.script().gateway &&
               query_value(message, "model").empty()) {
      reply_openai_error(message, 400, "model is missing.",
                         "invalid_request_error", "model", "missing_model");
    }
  }

  void accept(SoupServerMessage *message, SoupWebsocketConnection *socket) {
    const std::uint64_t id = next_id_++;
    RealtimeConnection::Opening opening;
    opening.key = bearer_key(message);
    opening.model = query_value(message, "model");
    opening.intent = query_value(message, "intent");
    opening.beta_header = !request_header(message, "OpenAI-Beta").empty();
    opening.fault = fault_for(message, true);
    connections_[id] = std::make_unique<RealtimeConnection>(
        host_, shared_, socket, std::move(opening),
        [this, id] { connections_.erase(id); });
    connections_[id]->start();
  }

private:
  // The fault this connection plays; `take` counts it.
  std::string fault_for(SoupServerMessage *message, bool take) {
    if (std::string fault = fault_of_key(bearer_key(message)); !fault.empty())
      return fault;
    const Script &script = host_.script();
    if (script.realtime_fault_times > 0 &&
        faulty_ >= script.realtime_fault_times)
      return "";
    if (take && !script.realtime_fault.empty())
      ++faulty_;
    return script.realtime_fault;
  }

  FakeHost &host_;
  std::size_t shared_ = 0; // completed of Script::shared_transcripts
  int faulty_ = 0;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, std::unique_ptr<RealtimeConnection>> connections_;
};

} // namespace

void add_realtime(FakeHost &host) {
  auto *fake = new RealtimeFake(host);
  soup_server_add_handler(
      host.server(), "/v1/realtime",
      [](SoupServer *, SoupServerMessage *message, const char *, GHashTable *,
         gpointer data) {
        static_cast<RealtimeFake *>(data)->before_upgrade(message);
      },
      fake, [](gpointer data) { delete static_cast<RealtimeFake *>(data); });
  soup_server_add_websocket_handler(
      host.server(), "/v1/realtime", nullptr, nullptr,
      [](SoupServer *, SoupServerMessage *message, const char *,
         SoupWebsocketConnection *socket, gpointer data) {
        static_cast<RealtimeFake *>(data)->accept(message, socket);
      },
      fake, nullptr);
}

} // namespace patchcord::fakes
