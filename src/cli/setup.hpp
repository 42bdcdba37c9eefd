// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "config/config.hpp"

#include <string>
#include <vector>

namespace patchcord::cli {

// GStreamer with this project's plugins: from GST_PLUGIN_PATH, from the build
// tree that the program lies in, or from where they were installed.
Result<Unit> init_gstreamer();

// The daemon's configuration: of `file`, or where it is looked for when empty.
Result<config::Config> load_config(const std::string &file);

// What a call needs and the configuration names, found.
struct CallFiles {
  std::string agent, pipeline; // paths
};
Result<CallFiles> find_call_files(const config::Config &config);

// Whether a graph can be made of the pipeline's text now, and whether the
// agent's offline voice is there. The error names the elements that are not
// installed.
//
// A trial starts elements that are not ours for a moment, to see whether they
// have threads: not for a worker that has calls.
enum class Trial { kYes, kNo };
Result<Unit> check_graph(const config::Config &config, const CallFiles &files,
                         Trial trial = Trial::kYes);

} // namespace patchcord::cli
