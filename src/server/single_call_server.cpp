// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server/single_call_server.hpp"

#include "base/log.hpp"
#include "base/text.hpp"
#include "server/endpoint.hpp"
#include "server/listen.hpp"
#include "server/surface.hpp"
#include "twilio/twiml.hpp"

namespace patchcord::server {
namespace {

// How long the line is kept for a caller whose webhook was answered.
constexpr Duration kReserved = 15s;

std::string first_of_list(const std::string &header) {
  return std::string(trim(split(header, ',').front()));
}

// As the client addressed it, through a tunnel or not. Whoever can sign for one
// host cannot for another, so what is at stake is small: a tool's convenience.
std::string url_from_request(const Exchange &exchange) {
  std::string scheme = first_of_list(exchange.header("X-Forwarded-Proto"));
  std::string host = first_of_list(exchange.header("X-Forwarded-Host"));
  if (scheme != "https")
    scheme = "http";
  if (host.empty())
    host = exchange.header("Host");
  return scheme + "://" + host;
}

class Server final : public SingleCallServer {
public:
  Server(Worker &worker, const Options &options,
         std::function<void(std::shared_ptr<twilio::MediaStream>)> on_stream)
      : worker_(worker), options_(options), on_stream_(std::move(on_stream)) {
    for (const auto &part : split(options.auth_token, ','))
      if (const auto token = trim(part); !token.empty())
        tokens_.emplace_back(token);
    while (options_.path.ends_with('/'))
      options_.path.pop_back();
    while (options_.public_url.ends_with('/'))
      options_.public_url.pop_back();
  }

  Result<Unit> start() {
    // Unchecked requests come from this machine only, or through its tunnel.
    const auto listening = listen_on(
        {tokens_.empty() ? "127.0.0.1" : "0.0.0.0", options_.port}, 1);
    if (!listening)
      return listening.error();
    port_ = listening->port;
    auto endpoint = Endpoint::start(
        worker_, listening->sockets.front().get(),
        [this](const ExchangePtr &exchange) { route(exchange); });
    if (!endpoint)
      return std::move(endpoint).error();
    endpoint_ = std::move(*endpoint);
    log::info("port " + std::to_string(port_) + ": the voice webhook is at " +
              base_url() + webhook_path());
    if (tokens_.empty())
      log::warning("port " + std::to_string(port_) +
                   ": without an auth token (TWILIO_AUTH_TOKEN) signatures are "
                   "not checked; only this machine may connect");
    return ok();
  }

  int port() const override { return port_; }

private:
  SignatureGate gate(const Exchange &exchange) const {
    return {!tokens_.empty(), tokens_,
            options_.public_url.empty() ? url_from_request(exchange)
                                        : options_.public_url};
  }

  bool busy() const {
    const auto stream = stream_.lock();
    return stream && !stream->ended();
  }

  std::string webhook_path() const {
    return options_.path.empty() ? "/" : options_.path;
  }

  // What is known of it before anybody asks.
  std::string base_url() const {
    return options_.public_url.empty()
               ? "http://127.0.0.1:" + std::to_string(port_)
               : options_.public_url;
  }

  void route(const ExchangePtr &exchange) {
    const std::string path = exchange->path();
    const std::string webhook = webhook_path();
    const bool known_method =
        exchange->method() == "GET" || exchange->method() == "POST";
    if (path == webhook && known_method)
      serve_webhook(*exchange);
    else if (path == options_.path + "/stream" && exchange->method() == "GET")
      serve_stream(exchange);
    else
      exchange->respond_error(404, "not_found",
                              "the voice webhook is at " + webhook);
  }

  void serve_webhook(Exchange &exchange) {
    const auto fields = read_webhook(exchange);
    const SignatureGate gate = this->gate(exchange);
    if (!fields || !gate.admit_webhook(exchange, fields->in_body))
      return;
    const std::string sid(twilio::form_value(fields->all, "CallSid"));
    const bool reserved = sid != reserved_for_ && worker_.now() < reserved_to_;
    twilio::Twiml twiml;
    if (busy() || reserved) {
      twiml.reject("busy");
    } else {
      reserved_for_ = sid;
      reserved_to_ = worker_.now() + kReserved;
      twilio::Twiml::Stream stream;
      stream.url = gate.stream_url_base() + options_.path + "/stream";
      stream.parameters["from"] = twilio::form_value(fields->all, "From");
      stream.parameters["to"] = twilio::form_value(fields->all, "To");
      twiml.connect_stream(stream).hangup();
    }
    exchange.respond(200, twilio::kTwimlContentType, twiml.text());
  }

  void serve_stream(const ExchangePtr &exchange) {
    if (const auto handshake = exchange->check_handshake(); !handshake) {
      exchange->respond_error(400, handshake.error().code,
                              handshake.error().message);
      return;
    }
    if (!gate(*exchange).admit_handshake(*exchange))
      return;
    if (busy() || taking_) {
      exchange->respond_error(503, "busy", "there is a call already");
      return;
    }
    const std::weak_ptr<bool> alive = alive_;
    taking_ = true;
    // Also when the client goes before it has its 101.
    const std::shared_ptr<void> taken(nullptr, [this, alive](void *) {
      if (!alive.expired())
        taking_ = false;
    });
    exchange->keep(taken);
    // Not from within libsoup, nor the accept that led there: who gets the
    // stream may end the server.
    exchange->upgrade([this, alive, taken](const Exchange::Attach &attach) {
      if (!alive.expired())
        worker_.post([this, alive, taken, attach] {
          if (!alive.expired())
            take(attach);
        });
    });
  }

  void take(const Exchange::Attach &attach) {
    reserved_to_ = {};
    const auto stream =
        call::WebSocketMediaStream::create(worker_, attach, "", nullptr);
    stream_ = stream;
    const auto on_stream = on_stream_; // may destroy this
    on_stream(stream);
  }

  Worker &worker_;
  Options options_;
  const std::function<void(std::shared_ptr<twilio::MediaStream>)> on_stream_;
  std::vector<std::string> tokens_;
  int port_ = 0;
  std::weak_ptr<twilio::MediaStream> stream_;
  bool taking_ = false;
  std::string reserved_for_;
  TimePoint reserved_to_{};
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<Endpoint> endpoint_; // first to go
};

} // namespace

Result<std::unique_ptr<SingleCallServer>> SingleCallServer::start(
    Worker &worker, const Options &options,
    std::function<void(std::shared_ptr<twilio::MediaStream>)> on_stream) {
  auto server = std::make_unique<Server>(worker, options, std::move(on_stream));
  if (const auto started = server->start(); !started)
    return started.error();
  return std::unique_ptr<SingleCallServer>(std::move(server));
}

} // namespace patchcord::server
