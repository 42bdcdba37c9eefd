// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent_setup.hpp"

#include "agent/definition_file.hpp"
#include "agent/llm_mind.hpp"
#include "agent/scripted_mind.hpp"
#include "config/config.hpp"
#include "graph/handles.hpp"

#include <glib.h>

#include <algorithm>
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

Result<std::shared_ptr<const agent::Definition>>
load_definition(const AgentSettings &settings) {
  if (settings.definition.empty())
    return make_error("bad_definition", "the property 'definition' is not set");
  const auto file = config::find_agent(settings.definition);
  if (!file)
    return file.error();
  auto definition = agent::load_definition(*file);
  const Duration limit = std::chrono::seconds(settings.max_duration);
  if (!definition || limit == 0s || limit >= (*definition)->limits.max_duration)
    return definition;
  auto limited = std::make_shared<agent::Definition>(**definition);
  limited->limits.max_duration = limit;
  return std::shared_ptr<const agent::Definition>(std::move(limited));
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
