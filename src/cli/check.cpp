// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/log.hpp"
#include "base/text.hpp"
#include "call/graph_builder.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/provider_check.hpp"
#include "cli/setup.hpp"
#include "recording/writer.hpp"
#include "server/listen.hpp"
#include "store/record_store.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <future>
#include <sstream>
#include <sys/stat.h>

namespace patchcord::cli {
namespace {

constexpr char kHelp[] =
    "usage: patchcord check [OPTIONS]\n"
    "\n"
    "Looks at everything that a call needs, as `patchcord serve` would, and "
    "says what\nis missing or wrong: one line an item, with ok, warn or FAIL. "
    "Asks the providers\nwhether they take the keys (free requests).\n"
    "\n"
    "  --config FILE  as for serve\n"
    "  --no-network   ask nobody\n"
    "\n"
    "exit code: 0 when nothing FAILs, 1 otherwise\n"
    "\n"
    "examples:\n"
    "  patchcord check\n"
    "  PATCHCORD_CALL_PIPELINE=cloud patchcord check --config my.toml\n";

bool is_hex(std::string_view text, std::size_t size) {
  return text.size() == size &&
         text.find_first_not_of("0123456789abcdefABCDEF") ==
             std::string_view::npos;
}

std::string read_all(const std::string &path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void check_file_mode(Report &report, const std::string &path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || (status.st_mode & 0044) == 0)
    return;
  for (const auto &line : split(read_all(path), '\n')) {
    const auto key = std::string(trim(line.substr(0, line.find('='))));
    const bool secret =
        key == "auth_token" || key == "api_key" || key == "api_token";
    if (secret) {
      report.warn("configuration",
                  path + " holds a secret (" + key +
                      ") and others may read it: chmod 600, or use the "
                      "environment");
      return;
    }
  }
}

bool check_agent(Report &report, const config::Config &config) {
  const auto path = config::find_agent(config.call.agent);
  if (!path) {
    report.fail("agent", "call.agent: " + path.error().message);
    return false;
  }
  const auto definition = call::read_agent(*path);
  if (!definition) {
    report.fail("agent", definition.error().message);
    return false;
  }
  report.ok("agent", *path + ": " + definition->name + ", " +
                         std::to_string(definition->fields.size()) + " fields");
  return true;
}

// What works offline works in English.
void check_language(Report &report, const std::string &agent_file,
                    const std::string &pipeline) {
  const auto definition = call::read_agent(agent_file);
  if (!definition || definition->language.starts_with("en"))
    return;
  const std::string language = definition->language;
  if (pipeline.find("sphinxstt") != std::string::npos)
    report.warn("agent", agent_file +
                             ": language: the recogniser sphinxstt "
                             "understands English only, not " +
                             language);
  if (pipeline.find("mind=openai") == std::string::npos)
    report.warn("agent", agent_file +
                             ": language: the scripted mind "
                             "understands English only, not " +
                             language);
}

// The pipeline's text, empty when it is of no use.
std::string check_pipeline(Report &report, const config::Config &config,
                           bool agent_is_good) {
  const auto path = config::find_pipeline(config.call.pipeline);
  if (!path) {
    report.fail("pipeline", "call.pipeline: " + path.error().message);
    return {};
  }
  const auto text = call::read_pipeline(*path);
  if (!text) {
    report.fail("pipeline", text.error().message);
    return {};
  }
  const auto agent = config::find_agent(config.call.agent);
  const auto graph =
      check_graph(config, {agent_is_good ? *agent : std::string(), *path});
  if (agent_is_good)
    check_language(report, *agent, *text);
  if (!graph)
    report.fail("pipeline", graph.error().message);
  else if (agent_is_good)
    report.ok("pipeline", *path);
  return *text;
}

bool mentions(const std::string &pipeline, const char *word) {
  return pipeline.find(word) != std::string::npos;
}

void check_providers(Report &report, const config::Config &config,
                     const std::string &pipeline, bool network) {
  std::vector<std::string> models;
  if (mentions(pipeline, "realtimestt") || mentions(pipeline, "whisperstt"))
    models.push_back(config.openai.stt_model);
  if (mentions(pipeline, "mind=openai"))
    models.push_back(config.openai.chat_model);
  if (config.openai.api_key.empty() && !models.empty())
    report.fail("openai", "the pipeline needs a key: set OPENAI_API_KEY "
                          "(openai.api_key)");
  else if (models.empty())
    report.ok("openai", "not needed by this pipeline");
  else if (network)
    check_openai(report, config, models);
  else
    report.ok("openai", "a key is set; not asked");

  const bool speaks = mentions(pipeline, "elevenlabssrc");
  if (config.elevenlabs.api_key.empty() && speaks)
    report.fail("elevenlabs", "the pipeline needs a key: set "
                              "ELEVENLABS_API_KEY (elevenlabs.api_key)");
  else if (!speaks)
    report.ok("elevenlabs", "not needed by this pipeline");
  else if (network)
    check_elevenlabs(report, config);
  else
    report.ok("elevenlabs", "a key is set; not asked");
}

void check_public_url(Report &report, const config::Config &config) {
  const std::string &url = config.server.public_url;
  const auto starts = [&](const char *start) { return url.starts_with(start); };
  if (url.empty())
    report.warn("public url",
                "server.public_url is not set: only this machine can call " +
                    config::public_url(config));
  else if (starts("http://"))
    report.warn("public url",
                url + ": Twilio takes media streams over TLS only; with http "
                      "this is for local tests");
  else if (starts("https://localhost") || starts("https://127.") ||
           starts("https://10.") || starts("https://192.168."))
    report.fail("public url", url + ": Twilio cannot reach this address");
  else
    report.ok("public url", url + "/twilio/webhooks/voice is the webhook for "
                                  "Twilio's console");
}

void check_twilio(Report &report, const config::Config &config) {
  const auto &twilio = config.twilio;
  const auto tokens = config::auth_tokens(config);
  if (!twilio.validate_signatures)
    report.warn("twilio", "twilio.validate_signatures is off: anybody who "
                          "reaches the server can start calls");
  else if (tokens.empty())
    report.fail("twilio", "there is no auth token to check signatures with: "
                          "set TWILIO_AUTH_TOKEN (twilio.auth_token)");
  else if (!std::all_of(tokens.begin(), tokens.end(),
                        [](const auto &token) { return is_hex(token, 32); }))
    report.warn("twilio", "the auth token does not look like one (32 "
                          "hexadecimal digits); an API key's secret does not "
                          "sign webhooks");
  else
    report.ok("twilio", "an auth token is set");

  const bool good_sid =
      twilio.account_sid.starts_with("AC") &&
      is_hex(std::string_view(twilio.account_sid).substr(2), 32);
  const bool rest = twilio.hangup == "rest";
  if (twilio.account_sid.empty() && rest)
    report.fail("twilio", "twilio.hangup = \"rest\" needs an account: set "
                          "TWILIO_ACCOUNT_SID (twilio.account_sid)");
  else if (rest && tokens.empty())
    report.fail("twilio", "twilio.hangup = \"rest\" needs an auth token: set "
                          "TWILIO_AUTH_TOKEN (twilio.auth_token)");
  else if (!twilio.account_sid.empty() && !good_sid)
    report.warn("twilio", "the account SID does not look like one (AC and 32 "
                          "hexadecimal digits): " +
                              twilio.account_sid);
}

void check_listen(Report &report, const config::Config &config) {
  const auto address = config::parse_listen(config.server.listen);
  const auto listening = address ? server::listen_on(*address, 1)
                                 : Result<server::Listening>(address.error());
  if (listening)
    report.ok("listen", config.server.listen);
  else
    report.warn("listen",
                listening.error().message + "; is patchcord running already?");
}

void check_recordings(Report &report, const config::Config &config) {
  if (config.call.recordings.empty())
    return;
  const auto writer = recording::Writer::open(config.call.recordings);
  if (writer)
    report.ok("recordings", config.call.recordings + " can be written");
  else
    report.fail("recordings", "call.recordings: " + writer.error().message);
}

void check_records(Report &report, const config::Config &config) {
  const auto store = store::RecordStore::open(config.store.records);
  if (!store) {
    report.fail("records", "store.records: " + store.error().message);
    return;
  }
  std::promise<Result<Unit>> promise;
  (*store)->check(
      [&](Result<Unit> result) { promise.set_value(std::move(result)); });
  const auto result = promise.get_future().get();
  if (result)
    report.ok("records", config.store.records + " can be written");
  else
    report.fail("records", "store.records: " + result.error().message);
}

} // namespace

int run_check(int argc, char **argv) {
  std::string config_file;
  bool no_network = false;
  const Options options = Options("check", kHelp)
                              .text("--config", config_file)
                              .flag("--no-network", no_network);
  if (const auto code = options.parse(argc, argv))
    return *code;
  log::set_threshold(log::Level::kError);

  Report report;
  const auto environment = config::process_environment();
  if (config_file.empty())
    config_file = config::default_path(environment);
  const auto config = config::load(config_file, environment);
  if (!config) {
    report.fail("configuration", config.error().message);
    return kFailed;
  }
  report.ok("configuration", config_file.empty()
                                 ? "no file; defaults and environment"
                                 : config_file);
  check_file_mode(report, config_file);
  const auto gstreamer = init_gstreamer();
  if (!gstreamer)
    report.fail("gstreamer", gstreamer.error().message);
  const bool agent_is_good = check_agent(report, *config);
  const std::string pipeline =
      gstreamer ? check_pipeline(report, *config, agent_is_good) : "";
  check_providers(report, *config, pipeline, !no_network);
  check_public_url(report, *config);
  check_twilio(report, *config);
  check_listen(report, *config);
  check_records(report, *config);
  check_recordings(report, *config);

  if (report.failures() != 0)
    std::printf("%d of these must be mended before calls work.\n",
                report.failures());
  else
    std::puts(report.warnings() != 0 ? "Calls can be answered; mind the "
                                       "warnings."
                                     : "All is well.");
  return report.failures() != 0 ? kFailed : kDone;
}

} // namespace patchcord::cli
