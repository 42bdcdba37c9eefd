// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "config/config.hpp"

#include <gst/gst.h>

#include <string>
#include <vector>

namespace patchcord::cli {

// Whom a graph asks, by its elements: what its text sets on them counts before
// the configuration.
struct Providers {
  bool known = false;                      // false: there is no graph to tell
  bool openai = false, elevenlabs = false; // asked; OpenAI's may be compatible
  bool openai_needs_key = false, elevenlabs_needs_key = false; // there is none
  // Models that openai.base_url is asked for, with openai.api_key or none.
  std::vector<std::string> models;
};

// Whether its agent asks a chat model; else the scripted mind decides.
bool asks_model(GstElement *graph);

// `graph` as call::build_graph() makes it of `text` (without comments).
Providers providers_of(const config::Config &config, GstElement *graph,
                       const std::string &text);

} // namespace patchcord::cli
