// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/ticket.hpp"

#include "base/handles.hpp"
#include "base/text.hpp"
#include "twilio/form.hpp"

#include <glib.h>

#include <charconv>

namespace patchcord::twilio {
namespace {

// What else the token may sign is never mistaken for a ticket.
constexpr std::string_view kPurpose = "patchcord-dial-1\n";
constexpr std::size_t kSealLength = 64; // SHA-256 in hexadecimal digits
constexpr std::size_t kLongest = 2048;

std::string seal_of(std::string_view payload, std::string_view key) {
  GHmac *hmac =
      g_hmac_new(G_CHECKSUM_SHA256,
                 reinterpret_cast<const guchar *>(key.data()), key.size());
  for (const std::string_view part : {kPurpose, payload})
    g_hmac_update(hmac, reinterpret_cast<const guchar *>(part.data()),
                  static_cast<gssize>(part.size()));
  std::string seal = g_hmac_get_string(hmac);
  g_hmac_unref(hmac);
  return seal;
}

std::string to_hex(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const unsigned char byte : text) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string of_hex(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    out += static_cast<char>(g_ascii_xdigit_value(digits[i]) * 16 +
                             g_ascii_xdigit_value(digits[i + 1]));
  return out;
}

} // namespace

std::string seal(const DialTicket &ticket, std::string_view auth_token) {
  const std::string payload =
      to_hex(encode_form({{"agent", ticket.agent},
                          {"to", ticket.to},
                          {"expires", std::to_string(ticket.expires)},
                          {"nonce", ticket.nonce}}));
  return payload + seal_of(payload, auth_token);
}

Result<DialTicket> open_ticket(std::string_view sealed,
                               const std::vector<std::string> &auth_tokens) {
  const auto bad = [] {
    return make_error("bad_ticket", "the ticket was not made with the "
                                    "account's auth token");
  };
  if (sealed.size() <= kSealLength || sealed.size() > kLongest)
    return bad();
  const std::string_view payload =
      sealed.substr(0, sealed.size() - kSealLength);
  const std::string_view given = sealed.substr(payload.size());
  bool good = false;
  for (const std::string &token : auth_tokens)
    good |=
        !token.empty() && constant_time_equal(given, seal_of(payload, token));
  if (!good)
    return bad();
  const auto form = parse_form(of_hex(payload));
  if (!form)
    return bad();
  DialTicket ticket;
  ticket.agent = form_value(*form, "agent");
  ticket.to = form_value(*form, "to");
  ticket.nonce = form_value(*form, "nonce");
  const std::string_view expires = form_value(*form, "expires");
  const auto [end, error] = std::from_chars(
      expires.data(), expires.data() + expires.size(), ticket.expires);
  if (error != std::errc() || end != expires.data() + expires.size())
    return bad();
  return ticket;
}

} // namespace patchcord::twilio
