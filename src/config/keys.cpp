// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config/keys.hpp"

#include "elevenlabs/output_format.hpp"

#include <glib.h>

#include <algorithm>
#include <array>

namespace patchcord::config {
namespace {

template <auto kSection, auto kMember> auto &field(Config &config) {
  return (config.*kSection).*kMember;
}

bool has_scheme(std::string_view text,
                std::initializer_list<std::string_view> schemes,
                bool may_have_query = false) {
  const std::string url(text);
  GUri *uri = g_uri_parse(url.c_str(), G_URI_FLAGS_NONE, nullptr);
  if (uri == nullptr)
    return false;
  const char *host = g_uri_get_host(uri);
  const bool good = std::find(schemes.begin(), schemes.end(),
                              g_uri_get_scheme(uri)) != schemes.end() &&
                    host != nullptr && *host != '\0' &&
                    (may_have_query || g_uri_get_query(uri) == nullptr) &&
                    g_uri_get_fragment(uri) == nullptr;
  g_uri_unref(uri);
  return good;
}

bool not_empty(std::string_view text) { return !text.empty(); }
bool output_format_or_empty(std::string_view text) {
  return text.empty() || elevenlabs::find_output_format(text) != nullptr;
}
bool http_url(std::string_view text) {
  return has_scheme(text, {"http", "https"});
}
bool http_url_or_empty(std::string_view text) {
  return text.empty() || http_url(text);
}
// Used as it is, and nothing is added to it: Azure's has `?api-version=`.
bool stream_url_or_empty(std::string_view text) {
  return text.empty() || has_scheme(text, {"ws", "wss"}, true);
}
bool listen_address(std::string_view text) { return parse_listen(text).ok(); }
bool number_or_empty(std::string_view text) {
  return text.empty() || (text.size() > 2 && text[0] == '+' &&
                          std::all_of(text.begin() + 1, text.end(), [](char c) {
                            return c >= '0' && c <= '9';
                          }));
}
bool hangup_way(std::string_view text) {
  return text == "close" || text == "rest";
}
bool records_url(std::string_view text) {
  return text.starts_with("sqlite:") && text.size() > 7;
}
bool state_url(std::string_view text) { return text == "memory:"; }
bool log_level(std::string_view text) {
  return text == "debug" || text == "info" || text == "warning" ||
         text == "error";
}

constexpr char kText[] = "text in quotes";
constexpr char kName[] = "text in quotes that is not empty";
constexpr char kHttpUrl[] = "a URL such as \"https://api.example.com\"";
constexpr char kTruth[] = "true or false";

using C = Config;
const auto kKeys = std::to_array<Key>({
    {"server", "listen", &field<&C::server, &C::Server::listen>,
     "an address and a port such as \"127.0.0.1:8080\" or \"[::1]:8080\"",
     listen_address},
    {"server", "public_url", &field<&C::server, &C::Server::public_url>,
     "the URL under which Twilio reaches this server, such as "
     "\"https://voice.example.com\", without a query",
     http_url_or_empty},
    {"server", "workers", &field<&C::server, &C::Server::workers>,
     "a whole number of threads from 0 (as many as cores) to 1024", nullptr, 0,
     1024},
    {"server", "max_calls", &field<&C::server, &C::Server::max_calls>,
     "a whole number of calls from 0 (no limit) to 1000000", nullptr, 0,
     1000000},
    {"server", "api_token", &field<&C::server, &C::Server::api_token>, kText,
     nullptr, 0, 0, true},
    {"server", "drain_timeout_s",
     &field<&C::server, &C::Server::drain_timeout_s>,
     "a whole number of seconds from 0 to 86400", nullptr, 0, 86400},
    {"server", "busy_message", &field<&C::server, &C::Server::busy_message>,
     kName, not_empty},

    {"twilio", "account_sid", &field<&C::twilio, &C::Twilio::account_sid>,
     kText},
    {"twilio", "auth_token", &field<&C::twilio, &C::Twilio::auth_token>, kText,
     nullptr, 0, 0, true},
    {"twilio", "validate_signatures",
     &field<&C::twilio, &C::Twilio::validate_signatures>, kTruth},
    {"twilio", "api_url", &field<&C::twilio, &C::Twilio::api_url>, kHttpUrl,
     http_url},
    {"twilio", "hangup", &field<&C::twilio, &C::Twilio::hangup>,
     "\"close\" or \"rest\"", hangup_way},
    {"twilio", "from", &field<&C::twilio, &C::Twilio::from>,
     "a number of the account such as \"+14155550199\", or \"\"",
     number_or_empty},

    {"openai", "api_key", &field<&C::openai, &C::OpenAi::api_key>, kText,
     nullptr, 0, 0, true},
    {"openai", "base_url", &field<&C::openai, &C::OpenAi::base_url>, kHttpUrl,
     http_url},
    {"openai", "realtime_url", &field<&C::openai, &C::OpenAi::realtime_url>,
     "a URL such as \"wss://api.example.com/v1/realtime\", or \"\"",
     stream_url_or_empty},
    {"openai", "plain_http", &field<&C::openai, &C::OpenAi::plain_http>,
     kTruth},
    {"openai", "stt_model", &field<&C::openai, &C::OpenAi::stt_model>, kName,
     not_empty},
    {"openai", "chat_model", &field<&C::openai, &C::OpenAi::chat_model>, kName,
     not_empty},
    {"openai", "language", &field<&C::openai, &C::OpenAi::language>, kText},

    {"elevenlabs", "api_key", &field<&C::elevenlabs, &C::ElevenLabs::api_key>,
     kText, nullptr, 0, 0, true},
    {"elevenlabs", "base_url", &field<&C::elevenlabs, &C::ElevenLabs::base_url>,
     kHttpUrl, http_url},
    {"elevenlabs", "plain_http",
     &field<&C::elevenlabs, &C::ElevenLabs::plain_http>, kTruth},
    {"elevenlabs", "voice_id", &field<&C::elevenlabs, &C::ElevenLabs::voice_id>,
     kName, not_empty},
    {"elevenlabs", "model_id", &field<&C::elevenlabs, &C::ElevenLabs::model_id>,
     kName, not_empty},
    {"elevenlabs", "output_format",
     &field<&C::elevenlabs, &C::ElevenLabs::output_format>,
     elevenlabs::kOutputFormatsExpected, output_format_or_empty},

    {"call", "pipeline", &field<&C::call, &C::Call::pipeline>,
     "the name of a pipeline or the path of a .launch file", not_empty},
    {"call", "agent", &field<&C::call, &C::Call::agent>,
     "the name of an agent or the path of a .toml file", not_empty},
    {"call", "max_duration_s", &field<&C::call, &C::Call::max_duration_s>,
     "a whole number of seconds from 1 to 86400", nullptr, 1, 86400},
    {"call", "recordings", &field<&C::call, &C::Call::recordings>,
     "a folder for recordings, or \"\""},

    {"store", "records", &field<&C::store, &C::Store::records>,
     "\"sqlite:FILE\" or \"sqlite::memory:\"", records_url},
    {"store", "state", &field<&C::store, &C::Store::state>, "\"memory:\"",
     state_url},

    {"log", "level", &field<&C::log, &C::Log::level>,
     "\"debug\", \"info\", \"warning\" or \"error\"", log_level},
});

} // namespace

std::span<const Key> keys() { return kKeys; }

const Key *find_key(std::string_view section, std::string_view name) {
  const auto it = std::find_if(kKeys.begin(), kKeys.end(), [&](const Key &key) {
    return section == key.section && name == key.name;
  });
  return it == kKeys.end() ? nullptr : &*it;
}

} // namespace patchcord::config
