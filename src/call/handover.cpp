// SPDX-License-Identifier: LGPL-2.1-or-later
#include "call/handover.hpp"

#include "twilio/twiml.hpp"

#include <algorithm>

namespace patchcord::call {
namespace {

// "1 4 1 5 5 5 5 0 1 0 0"; callers may withhold theirs, or be no number at all.
std::string spelled(const std::string &number) {
  const bool is_number =
      number.size() > 2 && number[0] == '+' &&
      std::all_of(number.begin() + 1, number.end(),
                  [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number)
    return "a withheld number";
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
  if (const std::size_t at = text.find(kPlace); at != std::string::npos)
    text.replace(at, kPlace.size(), spelled(placed ? record.to : record.from));
  return text;
}

std::string say_language(const std::string &language) {
  if (language.find('-') != std::string::npos)
    return language;
  return language == "en" ? "en-US" : "";
}

std::string dial_twiml(const std::string &origin, const std::string &ticket,
                       const messages::Transfer &transfer) {
  twilio::Twiml::Dial dial;
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
