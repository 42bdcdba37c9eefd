// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/setup.hpp"

#include "base/text.hpp"
#include "call/graph_builder.hpp"
#include "call/threads.hpp"
#include "cli/providers.hpp"
#include "config/secret.hpp"
#include "graph/handles.hpp"
#include "offline/espeak_voice.hpp"

#include <filesystem>
#include <gst/gst.h>

namespace patchcord::cli {
namespace {

namespace fs = std::filesystem;

bool has_plugins() {
  const auto factory =
      Ref<GstElementFactory>::adopt(gst_element_factory_find("twiliosrc"));
  return static_cast<bool>(factory);
}

// BUILD/plugins, when this library is BUILD/src/libpatchcord-0.so.
fs::path build_plugins() {
  return fs::path(config::library_folder()).parent_path() / "plugins";
}

} // namespace

Result<config::Config> load_config(const std::string &file) {
  const auto environment = config::process_environment();
  return config::load(file.empty() ? config::default_path(environment) : file,
                      environment);
}

Result<Unit> init_gstreamer() {
  GErrorHolder error;
  if (!gst_init_check(nullptr, nullptr, error.out()))
    return make_error("gstreamer", std::string("GStreamer does not start: ") +
                                       error.message());
  for (const fs::path &folder :
       {build_plugins(), fs::path(PATCHCORD_PLUGINDIR)}) {
    std::error_code none;
    if (has_plugins())
      break;
    if (fs::is_directory(folder, none))
      gst_registry_scan_path(gst_registry_get(), folder.c_str());
  }
  if (!has_plugins())
    return make_error("gstreamer",
                      "Patchcord's GStreamer plugins are not found: set "
                      "GST_PLUGIN_PATH to their folder (usually " +
                          std::string(PATCHCORD_PLUGINDIR) + ")");
  return ok();
}

Result<CallFiles> find_call_files(const config::Config &config) {
  const auto agent = config::find_agent(config.call.agent);
  if (!agent)
    return make_error("bad_agent", config::source_of(config, "call.agent") +
                                       ": " + agent.error().message);
  const auto pipeline = config::find_pipeline(config.call.pipeline);
  if (!pipeline)
    return make_error("bad_pipeline",
                      config::source_of(config, "call.pipeline") + ": " +
                          pipeline.error().message);
  return CallFiles{*agent, *pipeline};
}

// A voice that is not there is found when the first word is to be spoken.
static Result<Unit> check_voice(const std::string &agent_file) {
  const auto definition = call::read_agent(agent_file);
  if (!definition)
    return definition.error();
  const std::string voice = call::espeak_voice_of(*definition);
  const auto found = offline::find_espeak_voice(voice);
  if (found)
    return ok();
  const bool named = definition->voice.contains("espeak");
  const int line = definition->voice_line;
  return make_error("bad_agent",
                    agent_file + (line != 0 ? ":" + std::to_string(line) : "") +
                        ": " + (named ? "voice.espeak" : "language") + ": " +
                        found.error().message +
                        (named ? "" : "; voice.espeak may name another"));
}

// Without them no call of a model would begin.
static Result<Unit> check_tool_secrets(const std::string &agent_file) {
  const auto definition = call::read_agent(agent_file);
  if (!definition)
    return ok(); // told elsewhere
  for (const agent::Tool &tool : definition->tools)
    for (const agent::ToolHeader &header : tool.headers) {
      if (!header.has_secret())
        continue;
      if (const auto secret = config::read_secret(header.env, header.file);
          !secret)
        return make_error("bad_agent", agent_file + ": the tool " + tool.name +
                                           " cannot be called: " + header.name +
                                           ": " + secret.error().message);
    }
  return ok();
}

// A caller would hear nothing, or not be heard, and nobody would know why.
static Result<Unit> check_parts(const std::string &name, GstElement *graph) {
  for (const char *part : {"twiliosrc", "agent", "twiliosink"})
    if (!call::find_element(graph, part))
      return make_error("bad_pipeline",
                        name + ": there is no " + part +
                            "; expected twiliosrc, agent and twiliosink");
  if (!call::leads_to_caller(call::find_element(graph, "agent").get()))
    return make_error("bad_pipeline",
                      name + ": what agent says does not come to twiliosink");
  return ok();
}

Result<Unit> check_graph(const config::Config &config, const CallFiles &files,
                         Trial trial) {
  const auto text = call::read_pipeline(files.pipeline);
  if (!text)
    return text.error();
  if (const auto missing = call::missing_elements(*text); !missing.empty())
    return make_error("bad_pipeline",
                      files.pipeline + ": elements that are not installed: " +
                          join(missing, ", "));
  const auto graph =
      call::build_graph(files.pipeline, *text, config, files.agent);
  if (!graph)
    return graph.error();
  if (auto parts = check_parts(files.pipeline, graph->get()); !parts)
    return parts;
  if (auto waiting = call::check_waiting(files.pipeline, graph->get());
      !waiting)
    return waiting;
  if (trial == Trial::kYes)
    if (auto threads = call::check_threads(files.pipeline, graph->get());
        !threads)
      return threads;
  if (asks_model(graph->get()) && !files.agent.empty())
    if (auto secrets = check_tool_secrets(files.agent); !secrets)
      return secrets;
  // ElevenLabs has it to fall back on.
  const bool speaks = call::find_element(graph->get(), "espeaksrc") ||
                      call::find_element(graph->get(), "elevenlabssrc");
  return speaks && !files.agent.empty() ? check_voice(files.agent) : ok();
}

} // namespace patchcord::cli
