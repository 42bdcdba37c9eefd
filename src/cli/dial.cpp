// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/phone_number.hpp"
#include "base/text.hpp"
#include "call/graph_builder.hpp"
#include "call/rest.hpp"
#include "cli/commands.hpp"
#include "cli/dialling.hpp"
#include "cli/options.hpp"
#include "cli/setup.hpp"
#include "cli/supervisor.hpp"
#include "twilio/ticket.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>

namespace patchcord::cli {
namespace {

constexpr char kHelp[] =
    "usage: patchcord dial NUMBER [OPTIONS]\n"
    "\n"
    "Has Twilio call somebody, for an agent of the server that runs: places "
    "the\ncall by REST. Who answers is told apart from an answering machine, "
    "which\nhears the agent's voicemail message once, behind its beep.\n"
    "\n"
    "  --agent NAME       which agent (the server's own, call.agent)\n"
    "  --from NUMBER      one of the account's numbers (twilio.from)\n"
    "  --ring-timeout S   how long it rings, 5 to 600 seconds (60)\n"
    "  --wait             show the call until it is over\n"
    "  --config FILE      the server's configuration: the account, its public "
    "URL\n"
    "\n"
    "Ctrl-C ends the waiting, not the call. The waiting ends by itself when "
    "the\nserver is told nothing of a call for longer than that can ring.\n"
    "\n"
    "Exit code: 0 when the call was placed, with --wait when it was answered "
    "and\nended in order; 1 when not, or when that is not known; 2 for wrong "
    "usage.\n"
    "\n"
    "examples:\n"
    "  patchcord dial +14155550100 --agent appointment-reminder --from "
    "+14155550199\n"
    "  patchcord dial +14155550100 --wait\n";

// Until the call's first webhook: it may queue, and ring.
constexpr std::int64_t kTicketLife = 20 * std::int64_t{60}; // seconds
constexpr Duration kRequestTimeout = 15s;

struct Arguments {
  std::string number, agent, from, ring_timeout, config_file;
  bool wait = false;
  int ring_timeout_s = 60;
};

int refuse(int code, const std::string &problem) {
  std::fprintf(stderr, "patchcord dial: %s\n", problem.c_str());
  return code;
}

// No path: the server takes none from a URL.
bool is_agent_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
}

// What is wrong with how it was called; empty: nothing.
std::string usage_problem(Arguments &arguments,
                          const std::vector<std::string> &words) {
  if (words.size() != 1)
    return words.empty() ? "whom to call? Try: patchcord dial +14155550100"
                         : "one number is enough, got \"" + words[1] + "\" too";
  arguments.number = words.front();
  for (const std::string *number : {&arguments.number, &arguments.from})
    if (!number->empty() && !is_e164(*number))
      return "expected a number such as +14155550100, got \"" + *number + '"';
  if (!is_agent_name(arguments.agent))
    return "--agent: expected a name, not a path, got \"" + arguments.agent +
           '"';
  const std::string &ring = arguments.ring_timeout;
  if (ring.empty())
    return {};
  const auto [end, error] = std::from_chars(
      ring.data(), ring.data() + ring.size(), arguments.ring_timeout_s);
  if (error != std::errc() || end != ring.data() + ring.size() ||
      arguments.ring_timeout_s < 5 || arguments.ring_timeout_s > 600)
    return "--ring-timeout: expected 5 to 600 seconds, got \"" + ring + '"';
  return {};
}

// What the configuration lacks for it; empty: nothing.
std::string missing(const config::Config &config, const Arguments &arguments) {
  if (config.twilio.account_sid.empty())
    return "whose call is it? Set TWILIO_ACCOUNT_SID (twilio.account_sid)";
  if (config::auth_tokens(config).empty())
    return "there is no auth token: set TWILIO_AUTH_TOKEN (twilio.auth_token)";
  if (config.server.public_url.empty())
    return "Twilio has to find the server: set server.public_url";
  if (arguments.from.empty() && config.twilio.from.empty())
    return "which number does it come from? Say --from, or set twilio.from to "
           "one of the account's";
  return {};
}

// What Twilio is asked.
net::HttpRequest place_request(const config::Config &config,
                               const Arguments &arguments) {
  const std::string token = config::auth_tokens(config).front();
  twilio::DialTicket ticket;
  ticket.agent = arguments.agent;
  ticket.to = arguments.number;
  ticket.expires = std::time(nullptr) + kTicketLife;
  ticket.nonce = random_hex(8);
  const std::string query = "?ticket=" + twilio::seal(ticket, token);
  const std::string base = config::public_url(config) + "/twilio/webhooks/";
  twilio::PlacedCall call;
  call.to = arguments.number;
  call.from = arguments.from.empty() ? config.twilio.from : arguments.from;
  call.url = base + "voice" + query;
  call.status_callback = base + "call-status" + query;
  call.amd_callback = base + "answered-by" + query;
  call.ring_timeout_s = arguments.ring_timeout_s;
  return call::http_request(
      twilio::place_request(
          {config.twilio.api_url, config.twilio.account_sid, token}, call),
      kRequestTimeout);
}

// The server's API, from this machine, without a call's SID.
net::HttpRequest record_request(const config::Config &config) {
  net::HttpRequest request;
  const auto listen = config::parse_listen(config.server.listen);
  std::string host = listen ? listen->host : "127.0.0.1";
  if (host == "0.0.0.0" || host == "::" || host == "[::]")
    host = "127.0.0.1";
  else if (host.find(':') != std::string::npos && !host.starts_with('['))
    host = "[" + host + "]";
  request.url = "http://" + host + ":" +
                std::to_string(listen ? listen->port : 8080) + "/api/calls/";
  request.timeout = kRequestTimeout;
  if (!config.server.api_token.empty())
    request.headers = {{"Authorization", "Bearer " + config.server.api_token}};
  return request;
}

// The exit code. A signal ends it at once: the call goes on.
int run(const config::Config &config, const Arguments &arguments,
        const agent::Definition &agent) {
  Supervisor supervisor; // before any thread
  const auto worker = Worker::start("dial");
  Result<bool> result = false;
  const auto done = supervisor.waker();
  Dialling::Handlers handlers;
  handlers.placed = [&](const std::string &sid) {
    std::printf("%s: calling %s for \"%s\"\n", sid.c_str(),
                arguments.number.c_str(), agent.name.c_str());
    if (agent.voicemail.message.empty())
      std::puts("         (the agent has no voicemail message: a machine is "
                "hung up on)");
    std::fflush(stdout);
  };
  handlers.shown = [](Duration since, const std::string &state) {
    std::printf("%7.1f s  %s\n", to_seconds(since), state.c_str());
    std::fflush(stdout);
  };
  handlers.done = [&](const Result<bool> &how) {
    result = how;
    done();
  };
  std::unique_ptr<Dialling> dialling;
  worker->call([&] {
    dialling = std::make_unique<Dialling>(
        *worker,
        Dialling::Order{
            place_request(config, arguments), record_request(config),
            std::chrono::seconds(arguments.ring_timeout_s), arguments.wait},
        std::move(handlers));
  });
  const auto woken = supervisor.wait(Duration(-1), {});
  std::string fate;
  worker->call([&] {
    fate = dialling->fate();
    dialling.reset();
  });
  worker->stop();
  if (woken == Supervisor::Woken::kSignal)
    return refuse(kFailed, fate);
  if (!result)
    return refuse(kFailed, result.error().message);
  return *result ? kDone : kFailed;
}

} // namespace

int run_dial(int argc, char **argv) {
  Arguments arguments;
  std::vector<std::string> words;
  const Options options = Options("dial", kHelp)
                              .text("--agent", arguments.agent)
                              .text("--from", arguments.from)
                              .text("--ring-timeout", arguments.ring_timeout)
                              .text("--config", arguments.config_file)
                              .flag("--wait", arguments.wait)
                              .rest(words);
  if (const auto code = options.parse(argc, argv))
    return *code;
  if (const std::string problem = usage_problem(arguments, words);
      !problem.empty())
    return refuse(kUsage, problem);
  const auto config = load_config(arguments.config_file);
  if (!config)
    return refuse(kFailed, config.error().message);
  if (const std::string problem = missing(*config, arguments); !problem.empty())
    return refuse(kFailed, problem);
  // A mistake is told before a phone rings.
  const auto file = config::find_agent(
      arguments.agent.empty() ? config->call.agent : arguments.agent);
  if (!file)
    return refuse(kFailed, file.error().message);
  const auto agent = call::read_agent(*file);
  if (!agent)
    return refuse(kFailed, agent.error().message);
  return run(*config, arguments, *agent);
}

} // namespace patchcord::cli
