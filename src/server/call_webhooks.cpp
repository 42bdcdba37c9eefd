// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/log.hpp"
#include "server/surface.hpp"
#include "twilio/ticket.hpp"

#include <algorithm>
#include <array>

// What Twilio asks and tells beside the voice webhook: what follows a media
// stream, how a transfer ended, who answered a call that we placed.
namespace patchcord::server {
namespace {

constexpr char kNobody[] =
    "We are sorry, nobody could be reached. Please call again later.";

// The verdicts of machine detection.
constexpr std::array kVerdicts = {"human",
                                  "machine_start",
                                  "machine_end_beep",
                                  "machine_end_silence",
                                  "machine_end_other",
                                  "fax",
                                  "unknown"};

struct Asked {
  twilio::Form fields, query;
  std::string text(std::string_view name) const {
    return std::string(twilio::form_value(fields, name));
  }
  std::string ticket() const {
    return std::string(twilio::form_value(query, "ticket"));
  }
};

// A webhook about a call, from Twilio. Has answered when it is none.
std::optional<Asked> read(const Context &context, Exchange &exchange) {
  auto fields = read_webhook(exchange);
  if (!fields || !context.surface.gate.admit_webhook(exchange, fields->in_body))
    return std::nullopt;
  Asked asked;
  asked.fields = std::move(fields->all);
  if (auto query = twilio::parse_form(exchange.query()))
    asked.query = *std::move(query);
  if (!admit_sid(exchange, twilio::form_value(asked.fields, "CallSid")))
    return std::nullopt;
  return asked;
}

} // namespace

void serve_after_stream(const Context &context, const ExchangePtr &exchange) {
  const auto asked = read(context, *exchange);
  if (!asked)
    return;
  // Who has hung up is put through to nobody.
  const std::string status = asked->text("CallStatus");
  std::optional<std::string> twiml;
  if (status.empty() || status == "in-progress")
    twiml = context.surface.desk.after_stream(asked->text("CallSid"));
  if (twiml)
    exchange->respond(200, twilio::kTwimlContentType, *twiml);
  else
    respond_twiml(*exchange, twilio::Twiml().hangup());
}

// The call that asks is the other one's.
void serve_whisper(const Context &context, const ExchangePtr &exchange) {
  const auto asked = read(context, *exchange);
  if (!asked)
    return;
  twilio::Twiml twiml; // Without words the two are joined all the same.
  if (const auto words = context.surface.desk.whisper(
          asked->ticket(), asked->text("ParentCallSid")))
    twiml.say(words->first, words->second);
  else
    log::warning("a summary was asked for with an unknown or expired ticket",
                 {asked->text("CallSid"), {}});
  respond_twiml(*exchange, twiml);
}

void serve_dial_result(const Context &context, const ExchangePtr &exchange) {
  const auto asked = read(context, *exchange);
  if (!asked)
    return;
  call::DialResult result;
  result.call_sid = asked->text("CallSid");
  result.ticket = asked->ticket();
  result.outcome = call::transfer_outcome(asked->text("DialCallStatus"),
                                          asked->text("DialBridged"));
  const std::string status = asked->text("CallStatus");
  result.caller_gone = !status.empty() && status != "in-progress";
  const auto answer = context.surface.desk.dial_result(result);
  if (answer.back) {
    respond_twiml(*exchange, stream_twiml(context, answer.back->first,
                                          answer.back->second));
    return;
  }
  if (!answer.known)
    log::warning("a transfer ended (" + result.outcome +
                     ") that this server does not know: its ticket is unknown, "
                     "used or expired",
                 {result.call_sid, {}});
  // Of a server before this one, maybe: its caller is not left in silence.
  twilio::Twiml twiml;
  if (!answer.known && result.outcome != "answered")
    twiml.say(kNobody);
  respond_twiml(*exchange, twiml.hangup());
}

void serve_answered_by(const Context &context, const ExchangePtr &exchange) {
  const auto asked = read(context, *exchange);
  if (!asked)
    return;
  const std::string sid = asked->text("CallSid");
  const std::string who = asked->text("AnsweredBy");
  if (std::find(kVerdicts.begin(), kVerdicts.end(), who) == kVerdicts.end())
    // A new one, which must not have a caller hung up on.
    log::warning("Twilio says that \"" + loggable(who) + "\" answered",
                 {sid, {}});
  else
    context.surface.desk.answered_by(sid, who);
  exchange->respond(204, nullptr, {});
}

void serve_call_status(const Context &context, const ExchangePtr &exchange) {
  const auto asked = read(context, *exchange);
  if (!asked)
    return;
  call::CallStatus status;
  status.call_sid = asked->text("CallSid");
  status.account_sid = asked->text("AccountSid");
  status.from = asked->text("From");
  status.to = asked->text("To");
  status.direction = asked->text("Direction");
  status.status = asked->text("CallStatus");
  // Long after it was good for a call it says whose agent it was.
  if (const auto ticket = twilio::open_ticket(asked->ticket(),
                                              context.surface.gate.auth_tokens))
    status.agent = ticket->agent;
  log::info("Twilio says " + loggable(status.status), {status.call_sid, {}});
  context.surface.desk.call_status(status);
  exchange->respond(204, nullptr, {});
}

} // namespace patchcord::server
