// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server/http_server.hpp"

#include "base/log.hpp"
#include "server/endpoint.hpp"
#include "server/listen.hpp"
#include "server/surface.hpp"

#include <glib.h>

#include <algorithm>

namespace patchcord::server {
namespace {

// Whether `path` is `prefix` and one piece of letters and digits, which becomes
// `piece`, and then `suffix`.
bool matches(std::string_view path, std::string_view prefix,
             std::string_view suffix, std::string &piece) {
  if (!path.starts_with(prefix) || !path.ends_with(suffix) ||
      path.size() <= prefix.size() + suffix.size())
    return false;
  path.remove_prefix(prefix.size());
  path.remove_suffix(suffix.size());
  if (!std::all_of(path.begin(), path.end(),
                   [](char c) { return g_ascii_isalnum(c); }))
    return false;
  piece = path;
  return true;
}

// Whether the method is one of `allowed`; has answered 405 when not.
bool admit_method(Exchange &exchange,
                  std::initializer_list<std::string_view> allowed) {
  if (std::find(allowed.begin(), allowed.end(), exchange.method()) !=
      allowed.end())
    return true;
  std::string names;
  for (const auto name : allowed)
    names.append(names.empty() ? "" : ", ").append(name);
  exchange.set_header("Allow", names);
  exchange.respond_error(405, "method_not_allowed", "allowed: " + names);
  return false;
}

void route_api(const Context &context, const ExchangePtr &exchange,
               const std::string &path) {
  if (!admit_operator(context, *exchange))
    return;
  std::string sid;
  if (path == "/api/calls") {
    if (admit_method(*exchange, {"GET", "HEAD"}))
      serve_calls(context, exchange);
  } else if (matches(path, "/api/calls/", "/events", sid)) {
    if (admit_method(*exchange, {"GET"}))
      serve_events(context, exchange, sid);
  } else if (matches(path, "/api/calls/", "", sid)) {
    if (admit_method(*exchange, {"GET", "HEAD"}))
      serve_call(context, exchange, sid);
  } else {
    exchange->respond_error(404, "not_found", "there is nothing here");
  }
}

struct Webhook {
  const char *path;
  void (*serve)(const Context &context, const ExchangePtr &exchange);
};
constexpr Webhook kWebhooks[] = {{kVoicePath, serve_voice},
                                 {kStatusPath, serve_stream_status},
                                 {call::kAfterStreamPath, serve_after_stream},
                                 {call::kWhisperPath, serve_whisper},
                                 {call::kDialResultPath, serve_dial_result},
                                 {kAnsweredByPath, serve_answered_by},
                                 {kCallStatusPath, serve_call_status}};

void route(const Context &context, const ExchangePtr &exchange) {
  const std::string path = exchange->path();
  for (const Webhook &webhook : kWebhooks)
    if (path == webhook.path) {
      if (admit_method(*exchange, {"POST", "GET"}))
        webhook.serve(context, exchange);
      return;
    }
  std::string token;
  if (matches(path, kStreamPath, path.ends_with('/') ? "/" : "", token)) {
    if (admit_method(*exchange, {"GET"}))
      serve_stream(context, exchange, token);
  } else if (path == "/healthz") {
    if (admit_method(*exchange, {"GET", "HEAD"}))
      serve_health(context, exchange);
  } else if (path == "/readyz") {
    if (admit_method(*exchange, {"GET", "HEAD"}))
      serve_readiness(context, exchange);
  } else if (path.starts_with("/api/")) {
    route_api(context, exchange, path);
  } else {
    if (path.starts_with(std::string_view(kStreamPath)))
      log::warning("refused: a media stream without a token from " +
                   exchange->peer());
    exchange->respond_error(404, "not_found", "there is nothing here");
  }
}

class Server final : public HttpServer {
public:
  Server(const Options &options, CallDesk &desk, store::RecordStore &store,
         int port)
      : surface_{options.config,
                 {options.config.twilio.validate_signatures,
                  config::auth_tokens(options.config),
                  config::public_url(options.config)},
                 desk,
                 store,
                 options.ready},
        port_(port) {}

  ~Server() override {
    for (auto &[worker, endpoint] : endpoints_)
      worker->call([&endpoint = endpoint] { endpoint.reset(); });
  }

  Result<Unit> start(const std::vector<std::shared_ptr<Worker>> &workers,
                     const Listening &listening) {
    for (std::size_t i = 0; i < workers.size(); ++i) {
      const auto &worker = workers[i];
      Result<Unit> result = ok();
      worker->call([&] {
        auto endpoint =
            Endpoint::start(*worker, listening.sockets[i].get(),
                            [this, worker](const ExchangePtr &exchange) {
                              route({surface_, worker}, exchange);
                            });
        if (endpoint)
          endpoints_.emplace_back(worker, std::move(*endpoint));
        else
          result = endpoint.error();
      });
      if (!result)
        return result;
    }
    return ok();
  }

  int port() const override { return port_; }
  std::string voice_webhook_url() const override {
    return surface_.gate.public_url + kVoicePath;
  }

private:
  const Surface surface_;
  const int port_;
  std::vector<std::pair<std::shared_ptr<Worker>, std::unique_ptr<Endpoint>>>
      endpoints_;
};

} // namespace

Result<std::unique_ptr<HttpServer>>
HttpServer::start(const Options &options,
                  const std::vector<std::shared_ptr<Worker>> &workers,
                  CallDesk &desk, store::RecordStore &store) {
  const auto address = config::parse_listen(options.config.server.listen);
  if (!address)
    return address.error();
  auto listening = listen_on(*address, workers.size());
  if (!listening)
    return std::move(listening).error();
  // Without a public URL it is made from the address, whose port is known now.
  Options bound = options;
  auto &listen = bound.config.server.listen;
  listen =
      listen.substr(0, listen.rfind(':') + 1) + std::to_string(listening->port);
  auto server = std::make_unique<Server>(bound, desk, store, listening->port);
  if (const auto started = server->start(workers, *listening); !started)
    return started.error();
  return std::unique_ptr<HttpServer>(std::move(server));
}

} // namespace patchcord::server
