// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/replay.hpp"
#include "base/log.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/setup.hpp"
#include "config/config.hpp"
#include "recording/event.hpp"
#include "scenario/stage.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace patchcord::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kHelp[] =
    "usage: patchcord replay CALL [OPTIONS]\n"
    "\n"
    "Plays a recorded call again in virtual time - its caller, recogniser, "
    "voice and\nmodel as they were, all else real - and says whether the same "
    "is decided. CALL is\na call SID, or the folder of a recording. "
    "docs/recordings.md has the format.\n"
    "\n"
    "  --recordings DIR  where recordings are (default: call.recordings)\n"
    "  --config FILE     of the daemon, for call.recordings\n"
    "  --agent NAME      another agent, by name or file, than the one "
    "recorded\n"
    "  --verbose         show all that was decided, not only what differs\n"
    "\n"
    "examples:\n"
    "  patchcord replay CA0123456789abcdef0123456789abcdef\n"
    "  patchcord replay /var/lib/patchcord/recordings/CA0123 --verbose\n"
    "  patchcord replay CA0123 --recordings /tmp/calls --agent ./mine.toml\n"
    "\n"
    "Exit codes: 0 the same is decided, 1 it differs, 2 wrong usage or no "
    "recording.\n";

struct Arguments {
  std::vector<std::string> calls;
  std::string recordings, config_file, agent;
  bool verbose = false;
};

int refuse(const std::string &problem) {
  std::fprintf(stderr, "patchcord replay: %s\n", problem.c_str());
  return kUsage;
}

std::optional<int> parse(int argc, char **argv, Arguments &arguments) {
  const Options options = Options("replay", kHelp)
                              .text("--recordings", arguments.recordings)
                              .text("--config", arguments.config_file)
                              .text("--agent", arguments.agent)
                              .flag("--verbose", arguments.verbose)
                              .rest(arguments.calls);
  if (const auto code = options.parse(argc, argv))
    return code;
  if (arguments.calls.size() != 1)
    return refuse("which call? Name one: its SID, or the folder of its "
                  "recording\nTry: patchcord replay --help");
  return std::nullopt;
}

// A folder, or a call SID in the folder of recordings.
Result<std::string> find_folder(const Arguments &arguments) {
  const std::string &call = arguments.calls.front();
  std::error_code none;
  if (fs::is_directory(call, none))
    return call;
  std::string recordings = arguments.recordings;
  if (recordings.empty()) {
    const auto config = load_config(arguments.config_file);
    if (!config)
      return config.error();
    recordings = config->call.recordings;
  }
  if (recordings.empty())
    return make_error("usage", call + ": no such folder, and neither "
                                      "--recordings nor call.recordings says "
                                      "where recordings are");
  const std::string folder = (fs::path(recordings) / call).string();
  if (!fs::is_directory(folder, none))
    return make_error("usage", folder + ": no such recording");
  return folder;
}

std::string seconds(std::int64_t ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", static_cast<double>(ms) / 1000);
  return text;
}

void show(const scenario::Replayed &replayed,
          const recording::Recording &recording, bool verbose) {
  const auto decisions = static_cast<std::size_t>(
      std::count_if(replayed.recorded.begin(), replayed.recorded.end(),
                    [](const auto &told) { return told.what == "decision"; }));
  std::printf("%s, %s, %zu decisions, played again in %.0f ms\n",
              recording.header.call_sid.c_str(),
              seconds(replayed.length / 1ms).c_str(), decisions,
              replayed.wall_ms);
  if (!recording.complete)
    std::puts("the recording breaks off before the end of the call");
  if (verbose)
    for (const auto &told : replayed.now)
      std::printf("  %9s  %-8s  %s\n", seconds(told.t_ms).c_str(),
                  told.what.c_str(), told.text.c_str());
  if (replayed.differences.empty())
    std::puts("the same was decided and heard");
  for (const auto &difference : replayed.differences)
    std::printf("differs at %s: %s\n  recorded: %s\n  now:      %s\n",
                seconds(difference.t_ms).c_str(), difference.what.c_str(),
                difference.recorded.empty() ? "nothing"
                                            : difference.recorded.c_str(),
                difference.now.empty() ? "nothing" : difference.now.c_str());
}

} // namespace

int run_replay(int argc, char **argv) {
  Arguments arguments;
  if (const auto code = parse(argc, argv, arguments))
    return *code;
  log::set_threshold(log::Level::kError);
  const auto folder = find_folder(arguments);
  if (!folder)
    return refuse(folder.error().message);
  const auto recording = recording::read_recording(*folder);
  if (!recording)
    return refuse(recording.error().message);
  const auto agent = config::find_agent(
      arguments.agent.empty() ? *folder + "/" + recording::kDefinitionFile
                              : arguments.agent);
  if (!agent)
    return refuse(agent.error().message);
  if (const auto started = init_gstreamer(); !started)
    return refuse(started.error().message);
  scenario::register_elements();
  const auto replayed = scenario::replay(*recording, *agent);
  if (!replayed)
    return refuse(replayed.error().message);
  show(*replayed, *recording, arguments.verbose);
  return replayed->differences.empty() ? kDone : kFailed;
}

} // namespace patchcord::cli
