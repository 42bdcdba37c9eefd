// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/preflight.hpp"

#include "base/url.hpp"
#include "call/graph_builder.hpp"

#include <algorithm>
#include <filesystem>
#include <future>

namespace patchcord::cli {
namespace {

bool is_hex(std::string_view text, std::size_t size) {
  return text.size() == size &&
         text.find_first_not_of("0123456789abcdefABCDEF") ==
             std::string_view::npos;
}

// "patchcord.toml:3: call.agent: what is wrong".
std::string about(const config::Config &config, const char *key,
                  const std::string &text) {
  return config::source_of(config, key) + ": " + text;
}

// What works offline works in English.
void look_at_language(Report &report, const std::string &agent_file,
                      const agent::Definition &definition, GstElement *graph) {
  const std::string &language = definition.language;
  if (language.starts_with("en"))
    return;
  if (call::find_element(graph, "sphinxstt"))
    report.warn("agent", agent_file +
                             ": language: the recogniser sphinxstt "
                             "understands English only, not " +
                             language);
  if (!asks_model(graph))
    report.warn("agent", agent_file +
                             ": language: the scripted mind "
                             "understands English only, not " +
                             language);
}

// What stands in an agent's file is read by more people than a secret is meant
// for. Headers whose names are those of secrets are refused.
void look_at_tools(Report &report, const std::string &agent_file,
                   const agent::Definition &definition) {
  constexpr char kInstead[] =
      "; a header can take it from elsewhere, as "
      "Authorization = { prefix = \"Bearer\", env = \"VARIABLE\" }";
  const auto told = [&](int line, const agent::Tool &tool,
                        const std::string &what) {
    report.warn("agent", agent_file + ":" + std::to_string(line) +
                             ": the tool " + tool.name + " has " + what +
                             kInstead);
  };
  for (const agent::Tool &tool : definition.tools) {
    if (const std::string shown = redacted_url(tool.url); shown != tool.url)
      told(tool.url_line, tool,
           "what looks like a secret in its URL, " + shown);
    for (const agent::ToolHeader &header : tool.headers)
      if (is_like_a_key(header.text))
        told(header.line, tool,
             "what looks like a secret in its header " + header.name);
  }
}

// Empty when it is of no use.
std::string look_at_agent(Report &report, const config::Config &config) {
  const auto path = config::find_agent(config.call.agent);
  if (!path) {
    report.fail("agent", about(config, "call.agent", path.error().message));
    return {};
  }
  const auto definition = call::read_agent(*path);
  if (!definition) {
    report.fail("agent", definition.error().message);
    return {};
  }
  report.ok("agent", *path + ": " + definition->name + ", " +
                         std::to_string(definition->fields.size()) + " fields");
  look_at_tools(report, *path, *definition);
  return *path;
}

// Without a good agent (`files.agent` is empty) the graph is looked at alone.
Providers look_at_pipeline(Report &report, const config::Config &config,
                           CallFiles &files) {
  const auto path = config::find_pipeline(config.call.pipeline);
  if (!path) {
    report.fail("pipeline",
                about(config, "call.pipeline", path.error().message));
    return {};
  }
  files.pipeline = *path;
  const auto text = call::read_pipeline(*path);
  if (!text) {
    report.fail("pipeline", text.error().message);
    return {};
  }
  const auto graph = check_graph(config, files);
  if (!graph)
    report.fail("pipeline", graph.error().message);
  else if (!files.agent.empty())
    report.ok("pipeline", *path);
  // A format that is refused above keeps nothing else from being told.
  config::Config other = config;
  other.elevenlabs.output_format.clear();
  const auto built = call::build_graph(*path, *text, other, files.agent);
  if (!built)
    return {};
  if (const auto definition = call::read_agent(files.agent); definition)
    look_at_language(report, files.agent, *definition, built->get());
  return providers_of(config, built->get(), *text);
}

void look_at_model_key(Report &report, const Providers &providers) {
  if (providers.openai_needs_key)
    report.fail("openai", "the pipeline needs a key: set OPENAI_API_KEY "
                          "(openai.api_key)");
}

void look_at_twilio(Report &report, const config::Config &config) {
  const bool rest = config.twilio.hangup == "rest";
  if (rest && config.twilio.account_sid.empty())
    report.fail("twilio", about(config, "twilio.hangup",
                                "\"rest\" needs an account: set "
                                "TWILIO_ACCOUNT_SID (twilio.account_sid)"));
  if (!config::auth_tokens(config).empty())
    return;
  if (rest)
    report.fail("twilio", about(config, "twilio.hangup",
                                "\"rest\" needs an auth token: set "
                                "TWILIO_AUTH_TOKEN (twilio.auth_token)"));
  else if (config.twilio.validate_signatures)
    report.fail("twilio", "there is no auth token to check signatures with: "
                          "set TWILIO_AUTH_TOKEN (twilio.auth_token); for "
                          "tests on this machine there is patchcord serve "
                          "--local");
}

// The file that opening the records would make; empty: it is there, or none.
std::string missing_file(const config::Config &config) {
  constexpr std::string_view kScheme = "sqlite:";
  const std::string_view url = config.store.records;
  if (!url.starts_with(kScheme) || url.substr(kScheme.size()) == ":memory:")
    return {};
  std::string file(url.substr(kScheme.size()));
  std::error_code error;
  return std::filesystem::exists(file, error) ? std::string() : file;
}

std::unique_ptr<store::RecordStore>
look_at_records(Report &report, const config::Config &config) {
  auto store = store::RecordStore::open(config.store.records);
  if (!store) {
    report.fail("records",
                about(config, "store.records", store.error().message));
    return nullptr;
  }
  std::promise<Result<Unit>> promise;
  (*store)->check(
      [&](Result<Unit> result) { promise.set_value(std::move(result)); });
  const auto result = promise.get_future().get();
  if (!result) {
    report.fail("records",
                about(config, "store.records", result.error().message));
    return nullptr;
  }
  report.ok("records", config.store.records + " can be written");
  return *std::move(store);
}

std::unique_ptr<recording::Writer>
look_at_recordings(Report &report, const config::Config &config) {
  if (config.call.recordings.empty())
    return nullptr;
  auto writer = recording::Writer::open(config.call.recordings);
  if (!writer) {
    report.fail("recordings",
                about(config, "call.recordings", writer.error().message));
    return nullptr;
  }
  report.ok("recordings", config.call.recordings + " can be written");
  return *std::move(writer);
}

void look_at_public_url(Report &report, const config::Config &config) {
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
    report.fail("public url",
                about(config, "server.public_url",
                      "Twilio cannot reach this address: " + url));
  else
    report.ok("public url", url + "/twilio/webhooks/voice is the webhook for "
                                  "Twilio's console");
}

void look_at_signing(Report &report, const config::Config &config) {
  const auto tokens = config::auth_tokens(config);
  if (!config.twilio.validate_signatures)
    report.warn("twilio", "twilio.validate_signatures is off: anybody who "
                          "reaches the server can start calls");
  else if (tokens.empty())
    ; // told as a need
  else if (!std::all_of(tokens.begin(), tokens.end(),
                        [](const auto &token) { return is_hex(token, 32); }))
    report.warn("twilio", "the auth token does not look like one (32 "
                          "hexadecimal digits); an API key's secret does not "
                          "sign webhooks");
  else
    report.ok("twilio", "an auth token is set");

  const std::string &sid = config.twilio.account_sid;
  if (!sid.empty() &&
      !(sid.starts_with("AC") && is_hex(std::string_view(sid).substr(2), 32)))
    report.warn("twilio", about(config, "twilio.account_sid",
                                "does not look like one (AC and 32 "
                                "hexadecimal digits): " +
                                    sid));
}

} // namespace

CallNeeds look_at_needs(Report &report, const config::Config &config) {
  CallNeeds needs;
  const auto gstreamer = init_gstreamer();
  if (!gstreamer)
    report.fail("gstreamer", gstreamer.error().message);
  needs.files.agent = look_at_agent(report, config);
  if (gstreamer)
    needs.providers = look_at_pipeline(report, config, needs.files);
  look_at_model_key(report, needs.providers);
  look_at_twilio(report, config);
  needs.made = missing_file(config);
  needs.records = look_at_records(report, config);
  needs.recordings = look_at_recordings(report, config);
  return needs;
}

void give_up(CallNeeds needs) {
  needs.records.reset();
  if (needs.made.empty())
    return;
  std::error_code error;
  for (const char *suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(needs.made + suffix, error);
}

void look_at_reach(Report &report, const config::Config &config,
                   const Providers &providers) {
  if (providers.elevenlabs_needs_key)
    report.fail("elevenlabs", "the pipeline needs a key: set "
                              "ELEVENLABS_API_KEY (elevenlabs.api_key)");
  look_at_public_url(report, config);
  look_at_signing(report, config);
}

} // namespace patchcord::cli
