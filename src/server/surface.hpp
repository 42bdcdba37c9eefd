// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "config/config.hpp"
#include "server/call_desk.hpp"
#include "server/exchange.hpp"
#include "server/signature_gate.hpp"
#include "store/record_store.hpp"
#include "twilio/twiml.hpp"

#include <functional>
#include <memory>
#include <string>

namespace patchcord::server {

// What all workers' request handlers share; read-only.
struct Surface {
  const config::Config config;
  const SignatureGate gate;
  CallDesk &desk;
  store::RecordStore &store;
  const std::function<Result<Unit>()> ready; // of what a call needs; or null
};

// The request handlers. `worker` is the one that serves the request.
struct Context {
  const Surface &surface;
  const std::shared_ptr<Worker> &worker;
};
using ExchangePtr = std::shared_ptr<Exchange>;

inline constexpr char kVoicePath[] = "/twilio/webhooks/voice";
inline constexpr char kStatusPath[] = "/twilio/webhooks/stream-status";
inline constexpr char kAnsweredByPath[] = "/twilio/webhooks/answered-by";
inline constexpr char kCallStatusPath[] = "/twilio/webhooks/call-status";
inline constexpr char kStreamPath[] = "/ws/voice/"; // and a token

void serve_voice(const Context &context, const ExchangePtr &exchange);
// What follows a media stream, and transfers.
void serve_after_stream(const Context &context, const ExchangePtr &exchange);
void serve_whisper(const Context &context, const ExchangePtr &exchange);
void serve_dial_result(const Context &context, const ExchangePtr &exchange);
// Of calls that we placed.
void serve_answered_by(const Context &context, const ExchangePtr &exchange);
void serve_call_status(const Context &context, const ExchangePtr &exchange);
void serve_stream_status(const Context &context, const ExchangePtr &exchange);
void serve_stream(const Context &context, const ExchangePtr &exchange,
                  const std::string &token);

void serve_health(const Context &context, const ExchangePtr &exchange);
void serve_readiness(const Context &context, const ExchangePtr &exchange);

// Whether the client may use /api; has answered when not.
bool admit_operator(const Context &context, Exchange &exchange);
void serve_calls(const Context &context, const ExchangePtr &exchange);
void serve_call(const Context &context, const ExchangePtr &exchange,
                const std::string &call_sid);
void serve_events(const Context &context, const ExchangePtr &exchange,
                  const std::string &call_sid);

// The fields of a form-encoded POST, or of a GET's query. Has answered 4xx when
// there are none to be had.
struct WebhookFields {
  twilio::Form all;     // body's or query's
  twilio::Form in_body; // as the signature counts them
};
std::optional<WebhookFields> read_webhook(Exchange &exchange);

// SIDs are two letters and 32 hexadecimal digits today, and opaque by contract.
bool good_sid(std::string_view sid);
// A webhook's CallSid; has logged and answered 400 when it is none.
bool admit_sid(Exchange &exchange, std::string_view call_sid);
// Of an agent or a pipeline: no path may come from a URL.
bool good_name(std::string_view name);
void respond_twiml(Exchange &exchange, const twilio::Twiml &twiml);
// <Connect><Stream> for a call that was taken.
twilio::Twiml stream_twiml(const Context &context, const call::Offer &offer,
                           const call::Admission &taken);

} // namespace patchcord::server
