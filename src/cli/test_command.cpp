// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/log.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/setup.hpp"
#include "config/config.hpp"
#include "openai/realtime_endpoint.hpp"
#include "phone/wav.hpp"
#include "scenario/report.hpp"
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
    "usage: patchcord test [OPTIONS] FILE-OR-FOLDER...\n"
    "\n"
    "Plays whole conversations in virtual time and checks what is expected of\n"
    "them: the caller, the recogniser, the voice and the model are scripted, "
    "all\nelse of a call is real. Files are TOML, or YAML (*.yaml, *.yml). A "
    "folder stands\nfor all *.toml, *.yaml and *.yml below it. "
    "docs/scenarios.md has the format.\n"
    "\n"
    "  --list          only name the scenarios\n"
    "  --only NAME     those whose name or file contains NAME\n"
    "  --verbose       show every conversation, not only of those that fail\n"
    "  --json FILE     timelines as JSON (\"-\": to standard output)\n"
    "  --wav-dir DIR   a stereo recording of each, in folders as they are: "
    "left "
    "the\n"
    "                  caller, right what the caller hears\n"
    "  --junit FILE    results for a CI server\n"
    "  --live-model    where mind = \"openai\": the configured model answers, "
    "not the\n"
    "                  file's answers. It costs its time, and its price\n"
    "  --config FILE   of the daemon, for the model\n"
    "\n"
    "examples:\n"
    "  patchcord test data/scenarios\n"
    "  patchcord test --only booking --verbose data/scenarios\n"
    "  patchcord test --json - --wav-dir /tmp/calls my-scenario.toml\n"
    "  OPENAI_API_KEY=sk-... patchcord test --live-model my-scenario.toml\n"
    "\n"
    "Exit codes: 0 all passed, 1 some failed, 2 wrong usage or a bad file "
    "(the\n"
    "others are played all the same).\n";

struct Arguments {
  std::vector<std::string> paths;
  std::string only, json, wav_dir, junit, config_file;
  bool list = false, verbose = false, live_model = false;
};

int refuse(const std::string &problem) {
  std::fprintf(stderr, "patchcord test: %s\n", problem.c_str());
  return kUsage;
}

std::optional<int> parse(int argc, char **argv, Arguments &arguments) {
  const Options options = Options("test", kHelp)
                              .flag("--list", arguments.list)
                              .flag("--verbose", arguments.verbose)
                              .text("--only", arguments.only)
                              .text("--json", arguments.json)
                              .text("--wav-dir", arguments.wav_dir)
                              .text("--junit", arguments.junit)
                              .text("--config", arguments.config_file)
                              .flag("--live-model", arguments.live_model)
                              .rest(arguments.paths);
  if (const auto code = options.parse(argc, argv))
    return code;
  if (arguments.paths.empty())
    return refuse("which scenarios? Name files or folders\n"
                  "Try: patchcord test --help");
  return std::nullopt;
}

bool wanted(const scenario::Scenario &scenario, const std::string &only) {
  return scenario.name.find(only) != std::string::npos ||
         scenario.file.find(only) != std::string::npos;
}

// All of them are read before the first is played. One that is not right has an
// error, and does not keep the others from being played.
Result<std::vector<scenario::Played>> read_all(const Arguments &arguments) {
  const auto files = scenario::find_scenarios(arguments.paths);
  if (!files)
    return files.error();
  std::vector<scenario::Played> scenarios;
  for (const std::string &file : *files) {
    auto scenario = scenario::read_scenario(file);
    if (!scenario) {
      scenario::Played bad;
      bad.scenario.name = bad.scenario.file = file;
      bad.error = scenario.error().message;
      scenarios.push_back(std::move(bad));
    } else if (wanted(*scenario, arguments.only)) {
      scenarios.push_back({*std::move(scenario), {}, {}});
    }
  }
  if (scenarios.empty())
    return make_error("usage", "no scenario's name or file contains \"" +
                                   arguments.only + "\"");
  return scenarios;
}

// A server of one's own may want no key.
Result<config::Config>
read_live_model(const Arguments &arguments,
                const std::vector<scenario::Played> &scenarios) {
  auto config = load_config(arguments.config_file);
  const bool asked =
      std::any_of(scenarios.begin(), scenarios.end(), [](const auto &played) {
        return played.error.empty() && played.scenario.mind == "openai";
      });
  if (config && asked && config->openai.api_key.empty() &&
      openai::is_openai_url(config->openai.base_url))
    return make_error("usage", "--live-model needs a key: set OPENAI_API_KEY "
                               "(openai.api_key)");
  return config;
}

int list(const std::vector<scenario::Played> &scenarios) {
  int code = kDone;
  for (const auto &[scenario, outcome, error] : scenarios)
    if (error.empty())
      std::printf("%-58s %s\n", scenario.name.c_str(), scenario.file.c_str());
    else
      code = refuse(error);
  return code;
}

// What all of them are below.
fs::path common_folder(const std::vector<scenario::Played> &scenarios) {
  fs::path common;
  for (const auto &each : scenarios) {
    const fs::path folder =
        fs::absolute(each.scenario.file).lexically_normal().parent_path();
    if (common.empty())
      common = folder;
    fs::path both;
    for (auto a = common.begin(), b = folder.begin();
         a != common.end() && b != folder.end() && *a == *b; ++a, ++b)
      both /= *a;
    common = both;
  }
  return common;
}

// In folders as the scenarios are: names may be the same.
Result<Unit> write_wav(const fs::path &folder, const fs::path &common,
                       const scenario::Played &played) {
  fs::path path = folder / fs::absolute(played.scenario.file)
                               .lexically_normal()
                               .lexically_relative(common);
  // a.toml and a.yaml have two.
  if (path.extension() == ".toml")
    path.replace_extension();
  path += ".wav";
  return phone::write_file(path.string(),
                           phone::stereo_wav(played.outcome.caller_audio,
                                             played.outcome.heard_audio));
}

Result<Unit> write_text(const std::string &path, const std::string &text) {
  if (path != "-")
    return phone::write_file(path, as_bytes(text));
  std::fputs(text.c_str(), stdout);
  return ok();
}

// To standard error where standard output is the timelines'.
void show(const scenario::Played &played, const Arguments &arguments) {
  std::FILE *out = arguments.json == "-" ? stderr : stdout;
  std::fputs(line_of(played).c_str(), out);
  if (!played.passed())
    std::fputs(failures_text(played).c_str(), out);
  if (arguments.verbose || !played.passed())
    std::fputs(talk_text(played).c_str(), out);
}

// Nothing is kept of the audio: a thousand scenarios fit into memory.
Result<Unit> play(scenario::Played &played, const Arguments &arguments,
                  const fs::path &common, const config::Config *live_model) {
  if (!played.error.empty()) {
    show(played, arguments);
    return ok();
  }
  if (auto outcome = scenario::run(
          played.scenario, {!arguments.wav_dir.empty(), nullptr, live_model}))
    played.outcome = *std::move(outcome);
  else
    played.error = outcome.error().message;
  show(played, arguments);
  if (played.error.empty() && !arguments.wav_dir.empty())
    if (auto written = write_wav(arguments.wav_dir, common, played); !written)
      return written;
  played.outcome.caller_audio = played.outcome.heard_audio = {};
  return ok();
}

// What could not be played is worse than what failed.
int exit_code(const std::vector<scenario::Played> &all) {
  int code = kDone;
  for (const auto &played : all)
    if (!played.error.empty())
      return kUsage;
    else if (!played.passed())
      code = kFailed;
  return code;
}

Result<Unit> write_results(const std::vector<scenario::Played> &all,
                           const Arguments &arguments) {
  if (!arguments.json.empty())
    if (auto written =
            write_text(arguments.json, scenario::timelines_json(all));
        !written)
      return written;
  if (!arguments.junit.empty())
    return write_text(arguments.junit, scenario::junit_xml(all));
  return ok();
}

} // namespace

int run_test(int argc, char **argv) {
  Arguments arguments;
  if (const auto code = parse(argc, argv, arguments))
    return *code;
  log::set_threshold(log::Level::kError);
  auto scenarios = read_all(arguments);
  if (!scenarios)
    return refuse(scenarios.error().message);
  if (arguments.list)
    return list(*scenarios);
  std::optional<config::Config> live_model;
  if (arguments.live_model) {
    auto config = read_live_model(arguments, *scenarios);
    if (!config)
      return refuse(config.error().message);
    live_model = *std::move(config);
  }
  if (const auto started = init_gstreamer(); !started)
    return refuse(started.error().message);
  scenario::register_elements();

  const fs::path common = common_folder(*scenarios);
  for (auto &each : *scenarios)
    if (const auto written =
            play(each, arguments, common, live_model ? &*live_model : nullptr);
        !written)
      return refuse(written.error().message);
  if (const auto written = write_results(*scenarios, arguments); !written)
    return refuse(written.error().message);
  return exit_code(*scenarios);
}

} // namespace patchcord::cli
