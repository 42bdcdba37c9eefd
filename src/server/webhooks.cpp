// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server/surface.hpp"

#include "base/log.hpp"
#include "base/text.hpp"
#include "twilio/ticket.hpp"

#include <glib.h>

#include <algorithm>
#include <ctime>

namespace patchcord::server {
namespace {

constexpr std::size_t kMaxSid = 64;
constexpr std::size_t kMaxParameters = 20;
constexpr char kTrouble[] =
    "We are sorry, we cannot take your call right now. Please try again later.";

std::string call_status(const call::Offer &offer) {
  return log::mask_number(offer.from) + " -> " + log::mask_number(offer.to);
}

call::Offer offer_of(const twilio::Form &fields, const twilio::Form &query) {
  const auto text = [](const twilio::Form &form, std::string_view name) {
    return std::string(twilio::form_value(form, name));
  };
  call::Offer offer;
  offer.call_sid = text(fields, "CallSid");
  offer.account_sid = text(fields, "AccountSid");
  offer.from = text(fields, "From");
  offer.to = text(fields, "To");
  offer.direction = text(fields, "Direction");
  // Twilio's names are CamelCase; the ones in lower case are the operator's, in
  // the webhook's URL.
  for (const auto &[name, value] : query)
    if (name == "agent")
      offer.agent = value;
    else if (name == "pipeline")
      offer.pipeline = value;
    else if (!name.empty() && g_ascii_islower(name[0]) &&
             name != "bodySHA256" && name != "ticket" &&
             offer.parameters.size() < kMaxParameters)
      offer.parameters[name] = value;
  return offer;
}

// No call for this caller: said in words, since a caller hears no status code.
void turn_away(const Context &context, Exchange &exchange,
               const call::Offer &offer, const Error &why) {
  const bool busy = why.code == "full" || why.code == "draining";
  const std::string line = "turned away (" + why.code +
                           "): " + call_status(offer) + ": " + why.message;
  if (busy)
    log::info(line, {offer.call_sid, {}});
  else
    log::error(line, {offer.call_sid, {}});
  respond_twiml(
      exchange,
      twilio::Twiml()
          .say(busy ? context.surface.config.server.busy_message : kTrouble)
          .hangup());
}

// A call that `patchcord dial` placed: whose agent it is says the ticket.
Result<> take_ticket(const Context &context, const std::string &sealed,
                     call::Offer &offer) {
  const auto ticket =
      twilio::open_ticket(sealed, context.surface.gate.auth_tokens);
  if (!ticket)
    return ticket.error();
  if (ticket->expires < std::time(nullptr))
    return make_error("bad_ticket", "the ticket has expired");
  if (ticket->to != offer.to)
    return make_error("bad_ticket", "the ticket is for another number");
  if (!context.surface.desk.use_ticket(ticket->nonce, offer.call_sid))
    return make_error("bad_ticket", "the ticket is another call's");
  offer.agent = ticket->agent;
  offer.screened = true;
  return ok();
}

} // namespace

// SIDs are two letters and 32 hexadecimal digits today, and opaque by contract.
bool good_sid(std::string_view sid) {
  return !sid.empty() && sid.size() <= kMaxSid &&
         std::all_of(sid.begin(), sid.end(),
                     [](char c) { return g_ascii_isalnum(c); });
}

bool admit_sid(Exchange &exchange, std::string_view call_sid) {
  if (good_sid(call_sid))
    return true;
  const std::string why =
      call_sid.empty() ? "CallSid is missing"
                       : "CallSid is not of letters and digits, at most " +
                             std::to_string(kMaxSid);
  log::warning("refused: " + exchange.path() + ": " + why + ", from " +
               exchange.peer());
  exchange.respond_error(400, call_sid.empty() ? "no_call_sid" : "bad_call_sid",
                         why);
  return false;
}

// Of an agent or a pipeline: no path may come from a URL.
bool good_name(std::string_view name) {
  return name.size() <= kMaxSid &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return g_ascii_isalnum(c) || c == '-' || c == '_';
         });
}

void respond_twiml(Exchange &exchange, const twilio::Twiml &twiml) {
  exchange.respond(200, twilio::kTwimlContentType, twiml.text());
}

std::optional<WebhookFields> read_webhook(Exchange &exchange) {
  WebhookFields fields;
  if (exchange.method() != "POST") {
    auto query = twilio::parse_form(exchange.query());
    if (query)
      fields.all = std::move(*query);
    return fields;
  }
  const std::string type = to_lower(exchange.header("Content-Type"));
  if (!type.empty() &&
      trim(split(type, ';').front()) != "application/x-www-form-urlencoded") {
    log::warning("refused: " + exchange.path() + " with a body of type " +
                 loggable(type) + " from " + exchange.peer());
    exchange.respond_error(415, "not_a_form",
                           "expected application/x-www-form-urlencoded");
    return std::nullopt;
  }
  auto body = twilio::parse_form(exchange.body());
  if (!body) {
    log::warning("refused: " + exchange.path() + ": " + body.error().message +
                 " from " + exchange.peer());
    exchange.respond_error(413, body.error().code, body.error().message);
    return std::nullopt;
  }
  fields.in_body = *body;
  fields.all = std::move(*body);
  return fields;
}

void serve_voice(const Context &context, const ExchangePtr &exchange) {
  const auto fields = read_webhook(*exchange);
  if (!fields ||
      !context.surface.gate.admit_webhook(*exchange, fields->in_body))
    return;
  const auto query = twilio::parse_form(exchange->query());
  call::Offer offer = offer_of(fields->all, query ? *query : twilio::Form());
  if (!admit_sid(*exchange, offer.call_sid))
    return;
  offer.origin = context.surface.gate.public_url;
  if (query && twilio::has_field(*query, "ticket")) {
    const std::string sealed(twilio::form_value(*query, "ticket"));
    if (const auto taken = take_ticket(context, sealed, offer); !taken) {
      log::warning("refused: " + taken.error().message + ": " +
                       call_status(offer),
                   {offer.call_sid, {}});
      exchange->respond_error(403, taken.error().code, taken.error().message);
      return;
    }
  }
  if (!good_name(offer.agent) || !good_name(offer.pipeline)) {
    turn_away(context, *exchange, offer,
              make_error("bad_name", "agent and pipeline in the webhook's URL "
                                     "are names, not paths"));
    return;
  }
  const auto taken = context.surface.desk.offer(offer);
  if (!taken) {
    turn_away(context, *exchange, offer, taken.error());
    return;
  }
  log::info("call offered: " + call_status(offer), {offer.call_sid, {}});
  respond_twiml(*exchange, stream_twiml(context, offer, *taken));
}

twilio::Twiml stream_twiml(const Context &context, const call::Offer &offer,
                           const call::Admission &taken) {
  const auto &config = context.surface.config;
  const std::string &origin = context.surface.gate.public_url;
  twilio::Twiml::Stream stream;
  stream.url =
      context.surface.gate.stream_url_base() + kStreamPath + taken.token;
  stream.status_callback = origin + kStatusPath;
  stream.parameters = offer.parameters;
  stream.parameters["agent"] =
      offer.agent.empty() ? config.call.agent : offer.agent;
  stream.parameters["pipeline"] =
      offer.pipeline.empty() ? config.call.pipeline : offer.pipeline;
  stream.parameters["from"] = offer.from;
  stream.parameters["to"] = offer.to;
  // When the stream ends, or cannot begin, the document goes on: without
  // <Hangup/> the caller would stay in silence.
  return twilio::Twiml()
      .connect_stream(stream,
                      taken.transfers ? origin + call::kAfterStreamPath : "")
      .hangup();
}

void serve_stream_status(const Context &context, const ExchangePtr &exchange) {
  const auto fields = read_webhook(*exchange);
  if (!fields ||
      !context.surface.gate.admit_webhook(*exchange, fields->in_body))
    return;
  const auto text = [&](std::string_view name) {
    return std::string(twilio::form_value(fields->all, name));
  };
  const std::string sid = text("CallSid"), event = text("StreamEvent");
  const std::string error = text("StreamError");
  if (!admit_sid(*exchange, sid))
    return;
  const std::string stream_sid = loggable(text("StreamSid"));
  log::write(event == "stream-error" ? log::Level::kWarning : log::Level::kInfo,
             "Twilio says " + loggable(event) +
                 (error.empty() ? "" : ": " + loggable(error)),
             {sid, stream_sid});
  context.surface.desk.stream_status(sid, event, error);
  exchange->respond(204, nullptr, {});
}

void serve_stream(const Context &context, const ExchangePtr &exchange,
                  const std::string &token) {
  if (const auto handshake = exchange->check_handshake(); !handshake) {
    const bool plain = handshake.error().code == "not_websocket";
    if (plain) {
      exchange->set_header("Upgrade", "websocket");
      exchange->set_header("Connection", "Upgrade");
    }
    exchange->respond_error(plain ? 426 : 400, handshake.error().code,
                            handshake.error().message);
    return;
  }
  if (!context.surface.gate.admit_handshake(*exchange))
    return;
  const auto offer = context.surface.desk.claim(token);
  if (!offer) {
    log::warning("refused: a media stream with an unknown, used or expired "
                 "token from " +
                 exchange->peer());
    exchange->respond_error(403, "bad_token",
                            "the token is unknown, used or expired");
    return;
  }
  // When the client goes before it has its 101 nobody starts the call.
  exchange->keep(
      std::shared_ptr<void>(nullptr, [&desk = context.surface.desk,
                                      token](void *) { desk.release(token); }));
  exchange->upgrade([&desk = context.surface.desk, worker = context.worker,
                     offer = *offer](const Exchange::Attach &attach) {
    desk.start(worker, offer, attach);
  });
}

} // namespace patchcord::server
