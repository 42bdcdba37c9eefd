// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/log.hpp"
#include "call/stall_watch.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/preflight.hpp"
#include "cli/supervisor.hpp"
#include "server/http_server.hpp"
#include "worker/worker_pool.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <gio/gio.h>
#include <mutex>
#include <sys/resource.h>
#include <tuple>

namespace patchcord::cli {
namespace {

constexpr char kHelp[] =
    "usage: patchcord serve [OPTIONS]\n"
    "\n"
    "Answers calls: voice webhook, media streams, API. With --local it works "
    "with\nno configuration at all; docs/configuration.md and "
    "data/patchcord.toml list the\nkeys. SIGTERM (or Ctrl-C) takes no new "
    "calls and waits for those alive, at most\nserver.drain_timeout_s; a "
    "second one ends them at once.\n"
    "\n"
    "  --config FILE      default: $PATCHCORD_CONFIG, ./patchcord.toml,\n"
    "                     /etc/patchcord/patchcord.toml\n"
    "  --listen ADDR:PORT server.listen\n"
    "  --agent NAME       call.agent: a name or the path of a .toml file\n"
    "  --pipeline NAME    call.pipeline: a name or the path of a .launch file\n"
    "  --local            for tests on this machine: calls need no signature,\n"
    "                     and only this machine can connect\n"
    "\n"
    "examples:\n"
    "  patchcord serve --local\n"
    "  PATCHCORD_SERVER_PUBLIC_URL=https://voice.example.com \\\n"
    "    TWILIO_AUTH_TOKEN=... patchcord serve --agent room-booking\n";

// How long calls that were told to end may take for it.
constexpr Duration kLastWords = 10s;
constexpr Duration kLastQuestions = 2s; // of Twilio, a round trip or two
constexpr Duration kSweep = 2s;
// A graph is not made anew for each health check.
constexpr Duration kReadyFor = 10s;

struct Arguments {
  std::string config_file, listen, agent, pipeline;
  bool local = false;
};

// Options are the strongest variables.
Result<config::Config> load(const Arguments &arguments) {
  // Not named as a variable.
  if (const auto listen = config::parse_listen(arguments.listen);
      !listen && !arguments.listen.empty())
    return make_error("usage", "--listen: " + listen.error().message);
  config::Environment environment = config::process_environment();
  const auto set = [&](const char *name, const std::string &value) {
    if (!value.empty())
      environment[name] = value;
  };
  set("PATCHCORD_SERVER_LISTEN", arguments.listen);
  set("PATCHCORD_CALL_AGENT", arguments.agent);
  set("PATCHCORD_CALL_PIPELINE", arguments.pipeline);
  if (arguments.local)
    set("PATCHCORD_TWILIO_VALIDATE_SIGNATURES", "false");
  auto config = config::load(arguments.config_file.empty()
                                 ? config::default_path(environment)
                                 : arguments.config_file,
                             environment);
  if (!config)
    return config;
  // As they were given.
  for (const auto &[key, option, value] :
       {std::tuple("server.listen", "--listen", &arguments.listen),
        std::tuple("call.agent", "--agent", &arguments.agent),
        std::tuple("call.pipeline", "--pipeline", &arguments.pipeline)})
    if (!value->empty())
      config->set_at[key] = option;
  if (arguments.local) {
    const auto address = config::parse_listen(config->server.listen);
    if (address && address->host != "127.0.0.1" && address->host != "::1" &&
        address->host != "localhost")
      return make_error("usage",
                        "--local takes unsigned calls and must not listen on " +
                            address->host + ": use 127.0.0.1");
  }
  return config;
}

void set_log_level(const std::string &level) {
  log::set_threshold(level == "debug"     ? log::Level::kDebug
                     : level == "warning" ? log::Level::kWarning
                     : level == "error"   ? log::Level::kError
                                          : log::Level::kInfo);
}

// A call has some descriptors of its own, and the soft limit is 1024 by default
// only for the sake of select(2).
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The graph's state for /readyz, asked at most every kReadyFor; from any
// thread.
std::function<Result<Unit>()> readiness(const config::Config &config) {
  struct State {
    std::mutex mutex;
    TimePoint good_until{};
    Result<Unit> result = ok();
  };
  return [config, state = std::make_shared<State>()]() -> Result<Unit> {
    const TimePoint now = RealClock().now();
    const std::lock_guard lock(state->mutex);
    if (now < state->good_until)
      return state->result;
    const auto files = find_call_files(config);
    state->result = files ? check_graph(config, *files, Trial::kNo)
                          : Result<Unit>(files.error());
    state->good_until = now + kReadyFor;
    return state->result;
  };
}

void print_banner(const config::Config &config, const CallFiles &files,
                  const server::HttpServer &server, std::size_t workers) {
  std::printf("Patchcord " PATCHCORD_VERSION "\n"
              "listening on   port %d (%s), %zu worker%s\n"
              "pipeline       %s\n"
              "agent          %s\n"
              "voice webhook  %s\n",
              server.port(), config.server.listen.c_str(), workers,
              workers == 1 ? "" : "s", files.pipeline.c_str(),
              files.agent.c_str(), server.voice_webhook_url().c_str());
  if (config.server.public_url.empty())
    std::puts("               for this machine only: Twilio needs a public "
              "https URL in\n               server.public_url");
  else
    std::puts("               Twilio's console, \"A call comes in\": Webhook, "
              "this URL, HTTP POST");
  if (!config.twilio.validate_signatures)
    std::puts("signatures     NOT checked: anybody who can connect can call");
  std::fflush(stdout);
}

// What Twilio asks when a stream has ended comes behind the call's end, and an
// answer that it does not get is told to the caller as an error.
void answer_last_questions(
    Supervisor &supervisor,
    const std::vector<std::shared_ptr<Worker>> &workers) {
  const RealClock clock;
  const TimePoint until = clock.now() + kLastQuestions;
  for (TimePoint now = clock.now(); now < until; now = clock.now())
    if (supervisor.wait(until - now, workers) == Supervisor::Woken::kSignal)
      return;
}

// First no new calls, then no calls, then no daemon. The exit code.
int wind_down(Supervisor &supervisor, call::CallRegistry &registry,
              const config::Config &config,
              const std::vector<std::shared_ptr<Worker>> &workers) {
  Supervisor::notify("STOPPING=1");
  log::info("stopping: " + std::to_string(registry.active()) +
            " calls alive, " + std::to_string(registry.awaited()) +
            " that may come back from a transfer; no new ones are taken");
  const bool had_calls = registry.active() + registry.awaited() > 0;
  registry.drain(supervisor.waker());
  const RealClock clock;
  const TimePoint patience =
      clock.now() + std::chrono::seconds(config.server.drain_timeout_s);
  for (TimePoint now = clock.now(); now < patience; now = clock.now()) {
    const auto woken =
        supervisor.wait(std::min<Duration>(patience - now, kSweep), workers);
    if (woken == Supervisor::Woken::kAsked) {
      if (had_calls)
        answer_last_questions(supervisor, workers);
      log::info("stopped: all calls had ended");
      return kDone;
    }
    if (woken == Supervisor::Woken::kSignal)
      break; // asked twice: at once
    registry.sweep();
  }
  log::warning("ending " + std::to_string(registry.active()) +
               " calls that are still alive");
  registry.stop_all();
  const TimePoint deadline = clock.now() + kLastWords;
  while (clock.now() < deadline)
    if (supervisor.wait(deadline - clock.now(), workers) ==
        Supervisor::Woken::kAsked) {
      log::info("stopped");
      return kDone;
    }
  log::error("stopped with " + std::to_string(registry.active()) +
             " calls that did not end");
  return kFailed;
}

int serve(const config::Config &config, const CallNeeds &needs,
          Supervisor &supervisor) {
  // In the order in which they need each other.
  call::CallRegistry registry(config, *needs.records, needs.recordings.get());
  registry.load();
  const auto desk = server::make_call_desk(registry);
  const WorkerPool pool(static_cast<unsigned>(config.server.workers));
  const auto server = server::HttpServer::start(
      {config, readiness(config)}, pool.workers(), *desk, *needs.records);
  if (!server) {
    log::error(server.error().message);
    return kFailed;
  }
  print_banner(config, needs.files, **server, pool.size());
  Supervisor::notify("READY=1\nSTATUS=answering calls");
  call::StallWatch stalls(registry, pool.workers());
  while (supervisor.wait(kSweep, pool.workers()) !=
         Supervisor::Woken::kSignal) {
    registry.sweep();
    registry.load();
    stalls.look();
  }
  return wind_down(supervisor, registry, config, pool.workers());
}

// What is well is not told, and what does not stop the daemon goes to its log.
class StartReport : public Report {
public:
  enum class Failures { kErrors, kWarnings };
  explicit StartReport(Failures told_as) : told_as_(told_as) {}

private:
  void tell(Verdict verdict, const std::string &,
            const std::string &text) override {
    const bool failed = verdict == Verdict::kFail;
    if (failed && told_as_ == Failures::kErrors)
      std::fprintf(stderr, "%s\n", text.c_str());
    else if (failed ||
             (verdict == Verdict::kWarn && told_as_ == Failures::kErrors))
      log::warning(text);
  }

  const Failures told_as_;
};

int refuse(const Error &error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  return error.code == "usage" ? kUsage : kFailed;
}

} // namespace

int run_serve(int argc, char **argv) {
  Arguments arguments;
  const Options options = Options("serve", kHelp)
                              .text("--config", arguments.config_file)
                              .text("--listen", arguments.listen)
                              .text("--agent", arguments.agent)
                              .text("--pipeline", arguments.pipeline)
                              .flag("--local", arguments.local);
  if (const auto code = options.parse(argc, argv))
    return *code;
  const auto config = load(arguments);
  if (!config)
    return refuse(config.error());
  set_log_level(config->log.level);
  raise_descriptor_limit();
  std::signal(SIGPIPE, SIG_IGN);
  Supervisor supervisor; // before any thread

  // What would turn every caller away is an error now.
  StartReport report(StartReport::Failures::kErrors);
  CallNeeds needs = look_at_needs(report, *config);
  if (report.failures() != 0) {
    give_up(std::move(needs));
    return kFailed;
  }
  StartReport advice(StartReport::Failures::kWarnings);
  look_at_reach(advice, *config, needs.providers);
  return serve(*config, needs, supervisor);
}

} // namespace patchcord::cli
