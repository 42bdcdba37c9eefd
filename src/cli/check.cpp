// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/log.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/preflight.hpp"
#include "cli/provider_check.hpp"
#include "server/listen.hpp"

#include <cstdio>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

namespace patchcord::cli {
namespace {

constexpr char kHelp[] =
    "usage: patchcord check [OPTIONS]\n"
    "\n"
    "Looks at everything that a call needs, as `patchcord serve` would, and "
    "says what\nis missing or wrong: one line an item, with ok, warn or FAIL. "
    "Asks the providers\nwhether they take the keys (free requests).\n"
    "\n"
    "  --config FILE  as for serve\n"
    "  --no-network   ask nobody\n"
    "\n"
    "exit code: 0 when nothing FAILs, 1 otherwise\n"
    "\n"
    "examples:\n"
    "  patchcord check\n"
    "  PATCHCORD_CALL_PIPELINE=cloud patchcord check --config my.toml\n";

std::string read_all(const std::string &path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void check_file_mode(Report &report, const std::string &path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || (status.st_mode & 0044) == 0)
    return;
  for (const auto &line : split(read_all(path), '\n')) {
    const auto key = std::string(trim(line.substr(0, line.find('='))));
    const bool secret =
        key == "auth_token" || key == "api_key" || key == "api_token";
    if (secret) {
      report.warn("configuration",
                  path + " holds a secret (" + key +
                      ") and others may read it: chmod 600, or use the "
                      "environment");
      return;
    }
  }
}

// One line each at least; of a key that is missing it stands elsewhere.
void check_providers(Report &report, const config::Config &config,
                     const Providers &providers, bool network) {
  const auto &openai = config.openai;
  const auto &elevenlabs = config.elevenlabs;
  if (!providers.known) {
    for (const char *item : {"openai", "elevenlabs"})
      report.warn(item, "not asked: without a pipeline nobody knows whether it "
                        "is needed");
    return;
  }
  if (!providers.openai)
    report.ok("openai", "not needed by this pipeline");
  else if (providers.openai_needs_key)
    ;
  else if (providers.models.empty())
    report.ok("openai", "not asked: the pipeline has a server or a key of its "
                        "own, or openai.realtime_url names one");
  else if (network)
    check_openai(report, config, providers.models);
  else
    report.ok("openai", openai.api_key.empty()
                            ? "no key is set for " + openai.base_url +
                                  ", which may want none; not asked"
                            : "a key is set; not asked");

  if (!providers.elevenlabs)
    report.ok("elevenlabs", "not needed by this pipeline");
  else if (providers.elevenlabs_needs_key)
    ;
  else if (elevenlabs.api_key.empty())
    report.ok("elevenlabs", "not asked: the pipeline has its own key");
  else if (network)
    check_elevenlabs(report, config);
  else
    report.ok("elevenlabs", "a key is set; not asked");
}

void check_listen(Report &report, const config::Config &config) {
  const auto address = config::parse_listen(config.server.listen);
  const auto listening = address ? server::listen_on(*address, 1)
                                 : Result<server::Listening>(address.error());
  if (listening)
    report.ok("listen", config.server.listen);
  else
    report.warn("listen",
                listening.error().message + "; is patchcord running already?");
}

} // namespace

int run_check(int argc, char **argv) {
  std::string config_file;
  bool no_network = false;
  const Options options = Options("check", kHelp)
                              .text("--config", config_file)
                              .flag("--no-network", no_network);
  if (const auto code = options.parse(argc, argv))
    return *code;
  log::set_threshold(log::Level::kError);

  Report report;
  const auto environment = config::process_environment();
  if (config_file.empty())
    config_file = config::default_path(environment);
  const auto config = config::load(config_file, environment);
  if (!config) {
    report.fail("configuration", config.error().message);
    return kFailed;
  }
  report.ok("configuration", config_file.empty()
                                 ? "no file; defaults and environment"
                                 : config_file);
  check_file_mode(report, config_file);
  CallNeeds needs = look_at_needs(report, *config);
  check_providers(report, *config, needs.providers, !no_network);
  look_at_reach(report, *config, needs.providers);
  check_listen(report, *config);
  give_up(std::move(needs));

  if (report.failures() != 0)
    std::printf("%d of these must be mended before calls work.\n",
                report.failures());
  else
    std::puts(report.warnings() != 0 ? "Calls can be answered; mind the "
                                       "warnings."
                                     : "All is well.");
  return report.failures() != 0 ? kFailed : kDone;
}

} // namespace patchcord::cli
