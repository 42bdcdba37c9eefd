// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace patchcord::config {

// The whole configuration with its defaults; docs/configuration.md lists the
// keys. Secrets come from the environment, a systemd credential, or `*_file`
// keys, never need to stand in the file, and are never printed.
struct Config {
  struct Server {
    std::string listen = "127.0.0.1:8080";
    std::string public_url; // "https://voice.example.com"; empty: from listen
    int workers = 0;        // 0: as many as cores
    int max_calls = 0;      // 0: no limit
    std::string api_token; // "Authorization: Bearer" of /api; empty: local only
    int drain_timeout_s = 300; // live calls may go on so long after SIGTERM
    // What a caller hears when max_calls are alive or the daemon is stopping.
    std::string busy_message =
        "All our lines are busy right now. Please call again in a few minutes.";
  } server;
  struct Twilio {
    std::string account_sid;
    std::string auth_token; // more than one, comma separated, while rotating
    bool validate_signatures = true;
    std::string api_url = "https://api.twilio.com";
    std::string hangup = "close"; // or "rest"
    std::string from; // the number that calls are placed from; E.164
  } twilio;
  struct OpenAi {
    std::string api_key;
    std::string base_url = "https://api.openai.com/v1";
    std::string realtime_url; // empty: from base_url
    bool plain_http = false;  // the key may go in the clear
    std::string stt_model = "gpt-transcribe";
    std::string chat_model = "gpt-6-luna";
    std::string language; // empty: the agent's
  } openai;
  struct ElevenLabs {
    std::string api_key;
    std::string base_url = "https://api.elevenlabs.io";
    std::string voice_id = "21m00Tcm4TlvDq8ikWAM";
    std::string model_id = "eleven_flash_v2_5";
    std::string output_format; // of the API; empty: by caps
    bool plain_http = false;   // the key may go in the clear
  } elevenlabs;
  struct Call {
    std::string pipeline = "offline"; // a name in pipelines/, or a path
    std::string agent = "intake";     // a name in data/agents/, or a path
    int max_duration_s = 1800;
    std::string recordings; // a folder; empty: none are kept
  } call;
  struct Store {
    std::string records = "sqlite:calls.db";
    std::string state = "memory:";
  } store;
  struct Log {
    std::string level = "info"; // "debug", "info", "warning" or "error"
  } log;

  // Where texts were set last: "call.agent" at "patchcord.toml:12", at
  // "PATCHCORD_CALL_AGENT"; not those that have their default.
  std::map<std::string, std::string> set_at;
};

// For errors about the text that stands in `key`: "patchcord.toml:12:
// call.agent", or the key alone when it has its default.
std::string source_of(const Config &config, const std::string &key);

using Environment = std::map<std::string, std::string>;
Environment process_environment();

// Defaults, then the file (when `path` is not empty), then systemd's
// credentials, then the environment. Errors (one a line) name the file with its
// line or the variable, the key, and what was expected:
// "patchcord.toml:12: call.max_duration_s: expected a whole number of seconds
// from 1 to 86400, got \"soon\"".
Result<Config> load(const std::string &path, const Environment &environment);
// The same with the file's text; `path` is for errors and for `*_file` keys.
Result<Config> load_text(const std::string &path, const std::string &text,
                         const Environment &environment);

// The file to load when none is named: PATCHCORD_CONFIG, ./patchcord.toml, or
// /etc/patchcord/patchcord.toml; empty when there is none of them.
std::string default_path(const Environment &environment);

// All keys that there are, as "section.name".
struct KeyInfo {
  std::string key;
  bool secret = false; // also as key_file and as systemd credential
};
std::vector<KeyInfo> known_keys();

// "https://host" for the webhook and "wss://host" for the stream.
std::string public_url(const Config &config);
std::string stream_url_base(const Config &config);

// The auth tokens that may sign: twilio.auth_token at its commas.
std::vector<std::string> auth_tokens(const Config &config);

// server.listen in its parts; an IPv6 address stands in brackets.
struct ListenAddress {
  std::string host;
  int port = 0;
};
Result<ListenAddress> parse_listen(std::string_view listen);

// The file of an agent or a pipeline: `name` as a path when it holds a slash or
// ends in its suffix; else NAME.toml / NAME.launch in PATCHCORD_DATA_DIR, the
// checkout, or the installed data folder. The error lists where it looked.
Result<std::string> find_agent(const std::string &name);
Result<std::string> find_pipeline(const std::string &name);
// The agents that can be found by name.
std::vector<std::string> agent_names();

// The folder that holds this library (or the program it is linked into).
std::string library_folder();

} // namespace patchcord::config
