// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server/signature_gate.hpp"

#include "base/log.hpp"
#include "twilio/signature.hpp"

#include <glib.h>

namespace patchcord::server {
namespace {

constexpr char kHeader[] = "X-Twilio-Signature";

// Why most signatures fail: the URL in Twilio's console is not public_url.
std::string hint(const Exchange &exchange) {
  std::string host = exchange.header("X-Forwarded-Host");
  if (host.empty())
    host = exchange.header("Host");
  return "; the request was addressed to host \"" + loggable(host) +
         "\". server.public_url must be spelled as in Twilio's console, and "
         "twilio.auth_token be that of the call's account";
}

// A ticket is a key of its own, and no matter of a log.
std::string without_ticket(const std::string &url) {
  const std::size_t ticket = url.find("ticket=");
  return loggable(ticket == std::string::npos ? url
                                              : url.substr(0, ticket) + "...");
}

bool refuse(Exchange &exchange, const log::Context &context,
            const std::string &url, bool valid) {
  if (valid)
    return false;
  if (exchange.header(kHeader).empty()) {
    log::warning("refused: no X-Twilio-Signature on a request for " +
                     without_ticket(url) + " from " + exchange.peer(),
                 context);
    exchange.respond_error(403, "unsigned",
                           "X-Twilio-Signature is missing: only Twilio may "
                           "call this");
  } else {
    log::warning("refused: X-Twilio-Signature does not match the URL " +
                     without_ticket(url) + hint(exchange),
                 context);
    // No detail for whom it does not concern.
    exchange.respond_error(403, "wrong_signature",
                           "X-Twilio-Signature does not match");
  }
  return true;
}

bool refuse_without_token(Exchange &exchange,
                          const std::vector<std::string> &tokens,
                          const log::Context &context) {
  if (!tokens.empty())
    return false;
  log::error("refused: there is no auth token to check signatures with. Set "
             "TWILIO_AUTH_TOKEN (twilio.auth_token), or for tests on this "
             "machine twilio.validate_signatures = false",
             context);
  exchange.respond_error(500, "no_auth_token",
                         "the server has no auth token to check signatures "
                         "with");
  return true;
}

} // namespace

std::string loggable(std::string_view text) {
  constexpr std::size_t kShown = 200;
  std::string out;
  for (const char c : text.substr(0, kShown))
    out += g_ascii_isprint(c) ? c : '?';
  return text.size() > kShown ? out + "..." : out;
}

std::string SignatureGate::stream_url_base() const {
  return public_url.starts_with("http") ? "ws" + public_url.substr(4)
                                        : public_url;
}

bool SignatureGate::admit_webhook(Exchange &exchange,
                                  const twilio::Form &fields) const {
  if (!validate)
    return true;
  const std::string sid = loggable(twilio::form_value(fields, "CallSid"));
  const log::Context context = {sid, {}};
  if (refuse_without_token(exchange, auth_tokens, context))
    return false;
  const std::string url = public_url + exchange.target();
  return !refuse(exchange, context, url,
                 twilio::valid_form_signature(
                     auth_tokens, exchange.header(kHeader), url, fields));
}

bool SignatureGate::admit_handshake(Exchange &exchange) const {
  if (!validate)
    return true;
  if (refuse_without_token(exchange, auth_tokens, {}))
    return false;
  const std::string url = stream_url_base() + exchange.target();
  return !refuse(exchange, {}, url,
                 twilio::valid_handshake_signature(
                     auth_tokens, exchange.header(kHeader), url));
}

} // namespace patchcord::server
