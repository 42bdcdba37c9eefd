// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "config/config.hpp"
#include "graph/handles.hpp"

#include <string>
#include <vector>

namespace patchcord::call {

// A graph from its text (gst-launch syntax), with what the configuration has to
// say to its elements: keys, models, voices, the agent's file. The text wins
// where it sets a property itself, but for secrets, which it cannot hold.
// Errors: "bad_pipeline", naming `name`.
Result<Ref<GstElement>> build_graph(const std::string &name,
                                    const std::string &text,
                                    const config::Config &config,
                                    const std::string &agent_file);

// The names of the element factories in a graph's text that are not installed.
std::vector<std::string> missing_elements(const std::string &text);

// The text of a pipeline file without its comments (lines that begin with #).
Result<std::string> read_pipeline(const std::string &path);

} // namespace patchcord::call
