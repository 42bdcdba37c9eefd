// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"

#include <map>
#include <string>
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
  } server;
  struct Twilio {
    std::string account_sid;
    std::string auth_token; // more than one, comma separated, while rotating
    bool validate_signatures = true;
    std::string api_url = "https://api.twilio.com";
    std::string hangup = "close"; // or "rest"
  } twilio;
  struct OpenAi {
    std::string api_key;
    std::string base_url = "https://api.openai.com/v1";
    std::string realtime_url; // empty: from base_url
    std::string stt_model = "gpt-transcribe";
    std::string chat_model = "gpt-6-luna";
    std::string language = "en";
  } openai;
  struct ElevenLabs {
    std::string api_key;
    std::string base_url = "https://api.elevenlabs.io";
    std::string voice_id = "21m00Tcm4TlvDq8ikWAM";
    std::string model_id = "eleven_flash_v2_5";
    std::string output_format; // empty: by caps
  } elevenlabs;
  struct Call {
    std::string pipeline = "offline"; // a name in pipelines/, or a path
    std::string agent = "intake";     // a name in data/agents/, or a path
    int max_duration_s = 1800;
    std::string recordings; // a folder; empty: none
  } call;
  struct Store {
    std::string records = "sqlite:calls.db";
    std::string state = "memory:";
  } store;
};

using Environment = std::map<std::string, std::string>;
Environment process_environment();

// Defaults, then the file (when `path` is not empty), then the environment.
// Errors name the file with its line or the variable, the key, and what was
// expected: "patchcord.toml:12: call.max_duration_s: expected a whole number of
// seconds from 1 to 86400, got \"soon\"".
Result<Config> load(const std::string &path, const Environment &environment);

// "https://host" for the webhook and "wss://host" for the stream.
std::string public_url(const Config &config);
std::string stream_url_base(const Config &config);

// The file of an agent or a pipeline: `name` as a path when it holds a slash or
// ends in its suffix; else NAME.toml / NAME.launch in PATCHCORD_DATA_DIR, the
// checkout, or the installed data folder. The error lists where it looked.
Result<std::string> find_agent(const std::string &name);
Result<std::string> find_pipeline(const std::string &name);

} // namespace patchcord::config
