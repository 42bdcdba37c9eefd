// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/definition.hpp"
#include "base/result.hpp"
#include "config/config.hpp"
#include "graph/handles.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace patchcord::call {

// How an agent begins, when it does not begin anew.
struct AgentStart {
  std::string resume;  // where another media stream ended (docs/messages.md)
  bool screen = false; // who answered is told later
};

// A graph from its text (gst-launch syntax), with what the configuration has to
// say to its elements: keys, models, voices, the agent's file; and what that
// file has to say to the others: language and voices. The text wins where it
// sets a property itself, but for secrets, which it cannot hold. Errors:
// "bad_pipeline", naming `name`; those of read_agent().
Result<Ref<GstElement>> build_graph(const std::string &name,
                                    const std::string &text,
                                    const config::Config &config,
                                    const std::string &agent_file,
                                    const AgentStart &start = {});

// The first element of this factory in a graph; null when there is none.
Ref<GstElement> find_element(GstElement *graph, std::string_view factory_name);

// The names of the element factories in a graph's text that are not installed.
std::vector<std::string> missing_elements(const std::string &text);

// An agent's file. Errors: "bad_agent", "bad_definition".
Result<agent::Definition> read_agent(const std::string &path);

// The voice of espeak-ng that speaks for an agent: the one it names, or one of
// its language.
std::string espeak_voice_of(const agent::Definition &definition);

// The text of a pipeline file without its comments (lines that begin with #).
Result<std::string> read_pipeline(const std::string &path);

} // namespace patchcord::call
