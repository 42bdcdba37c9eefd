// SPDX-License-Identifier: LGPL-2.1-or-later
// Twilio's REST API, as far as a call is changed with it: POST
// /2010-04-01/Accounts/{AccountSid}/Calls/{CallSid}.json (Twilio docs, "Update
// a Call resource"). The requests are listed in /fake/stats.
#include "http.hpp"

#include "base/json.hpp"
#include "base/text.hpp"

namespace patchcord::fakes {
namespace {

void refuse(SoupServerMessage *message, int status, int code,
            std::string_view text) {
  JsonWriter json;
  json.begin_object()
      .member("code", code)
      .member("message", text)
      .member("more_info",
              "https://www.twilio.com/docs/errors/" + std::to_string(code))
      .member("status", status)
      .end_object();
  reply_json(message, status, json.text());
}

// "user:password" of HTTP Basic, decoded; "" when there is none.
std::string basic_credentials(SoupServerMessage *message) {
  constexpr std::string_view kPrefix = "Basic ";
  const std::string header = request_header(message, "Authorization");
  if (!header.starts_with(kPrefix))
    return "";
  gsize size = 0;
  guchar *decoded = g_base64_decode(header.c_str() + kPrefix.size(), &size);
  std::string text(reinterpret_cast<char *>(decoded), size);
  g_free(decoded);
  return text;
}

void serve(SoupServer *, SoupServerMessage *message, const char *path,
           GHashTable *, gpointer data) {
  auto &host = *static_cast<FakeHost *>(data);
  const std::string body = request_body(message);
  host.stats().count("twilio.requests");
  host.stats().request(path, body);
  // "", "2010-04-01", "Accounts", SID, "Calls", "SID.json"
  const auto parts = split(path, '/');
  if (parts.size() != 6 || parts[2] != "Accounts" || parts[4] != "Calls" ||
      !parts[5].ends_with(".json")) {
    refuse(message, 404, 20404, "The requested resource was not found");
    return;
  }
  const std::string credentials = basic_credentials(message);
  if (!credentials.starts_with(parts[3] + ":") ||
      credentials.ends_with(":bad")) {
    refuse(message, 401, 20003, "Authenticate");
    return;
  }
  if (std::string_view(soup_server_message_get_method(message)) != "POST") {
    refuse(message, 405, 20004, "Method not allowed");
    return;
  }
  GHashTable *form = soup_form_decode(body.c_str());
  const auto value = [&](const char *name) -> std::string {
    const auto *text =
        static_cast<const char *>(g_hash_table_lookup(form, name));
    return text != nullptr ? text : "";
  };
  const std::string status = value("Status");
  const bool useful = status == "completed" || status == "canceled" ||
                      !value("Twiml").empty() || !value("Url").empty();
  g_hash_table_unref(form);
  if (!useful) {
    refuse(message, 400, 20001, "Status, Url or Twiml is needed");
    return;
  }
  JsonWriter json;
  json.begin_object()
      .member("sid", parts[5].substr(0, parts[5].size() - 5))
      .member("account_sid", parts[3])
      .member("status", status.empty() ? "in-progress" : status)
      .end_object();
  reply_json(message, 200, json.text());
}

} // namespace

void add_twilio(FakeHost &host) {
  soup_server_add_handler(host.server(), "/2010-04-01", serve, &host, nullptr);
}

} // namespace patchcord::fakes
