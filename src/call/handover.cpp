// SPDX-License-Identifier: LGPL-2.1-or-later
#include "call/handover.hpp"

#include "base/phone_number.hpp"
#include "twilio/twiml.hpp"

#include <algorithm>
#include <array>

namespace patchcord::call {
namespace {

// Carriers write words on a keypad where a number is withheld: ANONYMOUS,
// RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE, PRIVATE.
constexpr std::array kKeypadWords = {"+266696687", "+7378742833",  "+2562533",
                                     "+8656696",   "+86282452253", "+7748283"};

// Callers may withhold theirs, or be no number at all (SIP, a client).
bool is_telling(const std::string &number) {
  return is_e164(number) && std::find(kKeypadWords.begin(), kKeypadWords.end(),
                                      number) == kKeypadWords.end();
}

// "1 4 1 5 5 5 5 0 1 0 0"
std::string spelled(const std::string &number) {
  std::string out;
  for (const char digit : number.substr(1)) {
    if (!out.empty())
      out += ' ';
    out += digit;
  }
  return out;
}

} // namespace

std::string whispered(const messages::Transfer &transfer,
                      const store::CallRecord &record) {
  constexpr std::string_view kPlace = "{caller}";
  std::string text = transfer.summary;
  const bool placed = record.direction.starts_with("outbound");
  const std::string &number = placed ? record.to : record.from;
  if (const std::size_t at = text.find(kPlace); at != std::string::npos)
    text.replace(at, kPlace.size(),
                 is_telling(number) ? spelled(number) : transfer.withheld);
  return text;
}

std::string dial_twiml(const std::string &origin, const std::string &ticket,
                       const Handover &handover) {
  const messages::Transfer &transfer = handover.transfer;
  const store::CallRecord &record = handover.record;
  twilio::Twiml::Dial dial;
  // Twilio shows who is called the caller's number, and fails where that is
  // none (13214). The number that he called is always allowed.
  if (!is_telling(record.from) && is_telling(record.to))
    dial.caller_id = record.to;
  dial.number = transfer.number;
  dial.timeout_s = static_cast<int>(transfer.timeout);
  dial.action = origin + kDialResultPath + "?ticket=" + ticket;
  if (transfer.warm)
    dial.whisper = origin + kWhisperPath + "?ticket=" + ticket;
  return twilio::Twiml().dial(dial).hangup().text();
}

std::string transfer_outcome(const std::string &status,
                             const std::string &bridged) {
  if (status == "completed" || status == "answered")
    // The other may have hung up before the two were joined.
    return bridged == "false" ? "failed" : "answered";
  for (const char *known : {"busy", "no-answer", "canceled"})
    if (status == known)
      return known;
  return "failed";
}

} // namespace patchcord::call
