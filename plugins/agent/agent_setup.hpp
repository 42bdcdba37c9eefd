// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "tool_runner.hpp"

#include "agent/definition.hpp"
#include "agent/mind.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>

// What an agent is made of, from the element's properties.
namespace patchcord {

struct AgentSettings {
  std::string definition;
  std::string mind = "scripted";
  std::string api_key;
  std::string base_url; // empty: the environment's, or OpenAI's
  std::string model = "gpt-6-luna";
  std::string today;
  std::string tool_origin;       // empty: the tools' own
  std::string resume;            // agent::Resumption as JSON; empty: anew
  bool screen = false;           // who answered is told later
  bool plain_http = false;       // the key may go in the clear
  unsigned int max_duration = 0; // seconds
};

Result<std::shared_ptr<const agent::Definition>>
load_definition(const AgentSettings &settings);
Result<std::unique_ptr<agent::Mind>>
make_mind(const AgentSettings &settings,
          const std::shared_ptr<const agent::Definition> &definition);
std::string resolve_base_url(std::string url);
Result<ToolEndpoint> tool_endpoint(const AgentSettings &settings,
                                   const agent::Definition &definition);

} // namespace patchcord
