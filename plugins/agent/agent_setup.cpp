// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent_setup.hpp"

#include "agent/llm_mind.hpp"
#include "agent/scripted_mind.hpp"
#include "base/guarded.hpp"
#include "config/config.hpp"
#include "graph/handles.hpp"

#include <glib.h>

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace patchcord {

static agent::Date local_date() {
  GDateTime *now = g_date_time_new_now_local();
  const agent::Date date{
      std::chrono::year(g_date_time_get_year(now)),
      std::chrono::month(static_cast<unsigned>(g_date_time_get_month(now))),
      std::chrono::day(
          static_cast<unsigned>(g_date_time_get_day_of_month(now)))};
  g_date_time_unref(now);
  return date;
}

namespace {

// By which a changed file is known.
struct FileState {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const FileState &) const = default;
};

std::optional<FileState> state_of(const std::string &file) {
  struct stat found {};
  if (stat(file.c_str(), &found) != 0)
    return std::nullopt;
  return FileState{found.st_dev, found.st_ino, found.st_size,
                   std::int64_t{found.st_mtim.tv_sec} * 1'000'000'000 +
                       found.st_mtim.tv_nsec};
}

struct Loaded {
  FileState state;
  std::shared_ptr<const agent::Definition> definition;
};

// By file and limit. As many as there are agents.
Guarded<std::map<std::pair<std::string, unsigned>, Loaded>> &loaded() {
  static Guarded<std::map<std::pair<std::string, unsigned>, Loaded>> all;
  return all;
}

Result<agent::Definition> parse_file(const std::string &file) {
  char *text = nullptr;
  gsize size = 0;
  GErrorHolder error;
  if (!g_file_get_contents(file.c_str(), &text, &size, error.out()))
    return make_error("not_found", error.message());
  const GCharPtr owned(text);
  return agent::parse_definition({text, size}, file);
}

} // namespace

Result<std::shared_ptr<const agent::Definition>>
load_definition(const AgentSettings &settings) {
  if (settings.definition.empty())
    return make_error("bad_definition", "the property 'definition' is not set");
  const auto file = config::find_agent(settings.definition);
  if (!file)
    return file.error();
  const std::pair key(*file, settings.max_duration);
  const auto state = state_of(*file);
  auto known = loaded().with([&](const auto &all) {
    const auto it = all.find(key);
    return it != all.end() && it->second.state == state ? it->second.definition
                                                        : nullptr;
  });
  if (known)
    return known;
  auto definition = parse_file(*file);
  if (!definition)
    return definition.error();
  if (settings.max_duration > 0)
    definition->limits.max_duration =
        std::min(definition->limits.max_duration,
                 Duration(std::chrono::seconds(settings.max_duration)));
  known = std::make_shared<const agent::Definition>(*std::move(definition));
  // What was written meanwhile has another state by the next call.
  if (state)
    loaded().with([&](auto &all) { all[key] = {*state, known}; });
  return known;
}

// What the endpoint understands. Only OpenAI's own is known to take stream
// options, and of its models those that can answer without reasoning; others
// refuse the field, or know only the older name of the token limit.
static openai::ChatRequest chat_request(const AgentSettings &settings) {
  const std::string &model = settings.model;
  const bool is_openai =
      settings.base_url.find("api.openai.com") != std::string::npos;
  openai::ChatRequest request;
  request.model = model;
  request.send_stream_options = is_openai;
  request.send_reasoning_effort =
      is_openai &&
      (model.starts_with("gpt-5.") || model.starts_with("gpt-6")) &&
      model.find("astra") == std::string::npos;
  request.use_max_tokens = !is_openai;
  return request;
}

Result<std::unique_ptr<agent::Mind>>
make_mind(const AgentSettings &settings,
          const std::shared_ptr<const agent::Definition> &definition) {
  agent::Date today = local_date();
  if (!settings.today.empty()) {
    const auto given = agent::parse_iso_date(settings.today);
    if (!given)
      return make_error("bad_setting",
                        "today: expected a date such as 2026-05-03, got \"" +
                            settings.today + "\"");
    today = *given;
  }
  std::unique_ptr<agent::Mind> mind;
  if (settings.mind == "scripted")
    mind = std::make_unique<agent::ScriptedMind>(definition, today);
  else if (settings.mind == "openai")
    mind = std::make_unique<agent::LlmMind>(definition, today,
                                            chat_request(settings));
  else
    return make_error("bad_setting",
                      "mind: expected scripted or openai, got \"" +
                          settings.mind + "\"");
  return mind;
}

std::string resolve_base_url(std::string url) {
  const char *variable = g_getenv("OPENAI_BASE_URL");
  if (url.empty() && variable != nullptr)
    url = variable;
  if (url.empty())
    url = "https://api.openai.com/v1";
  while (url.ends_with('/'))
    url.pop_back();
  return url;
}

Result<ToolEndpoint> tool_endpoint(const AgentSettings &settings,
                                   const agent::Definition &definition) {
  ToolEndpoint endpoint;
  endpoint.origin = settings.tool_origin;
  if (!endpoint.origin.empty() || settings.mind == "scripted")
    return endpoint; // Their secrets are not needed.
  auto secrets = ToolSecrets::read(definition);
  if (!secrets)
    return secrets.error();
  endpoint.secrets = *std::move(secrets);
  return endpoint;
}

} // namespace patchcord
