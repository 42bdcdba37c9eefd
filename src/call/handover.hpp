// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "graph/messages.hpp"
#include "store/record.hpp"
#include "worker/time.hpp"

#include <string>

// A caller who is put through to somebody: what Twilio is told, and asks.
namespace patchcord::call {

// The server's paths for it.
inline constexpr char kAfterStreamPath[] = "/twilio/webhooks/after-stream";
inline constexpr char kDialResultPath[] = "/twilio/webhooks/dial-result";
inline constexpr char kWhisperPath[] = "/twilio/webhooks/whisper";

// What a call gives away when its agent has said its last words.
struct Handover {
  messages::Transfer transfer;
  store::CallRecord record; // as it is now; it is not the call's any more
  TimePoint started{};      // of the call, on its worker's clock
};

// What the one who takes the call hears first: the agent's summary, with the
// caller's number in it, spelled, or the agent's words for one that is withheld
// (also where carriers spell "anonymous" on a keypad: +266696687). Of a call
// that we placed that is the number we called.
std::string whispered(const messages::Transfer &transfer,
                      const store::CallRecord &record);

// The whole document. `ticket` makes the questions that come of it this call's;
// `origin`: the server's, as Twilio reaches it.
std::string dial_twiml(const std::string &origin, const std::string &ticket,
                       const Handover &handover);

// What <Dial action> is told, as outcome of a transfer: "answered", or why not:
// "busy", "no-answer", "failed", "canceled". `status`: DialCallStatus;
// `bridged`: DialBridged, "" when it is missing.
std::string transfer_outcome(const std::string &status,
                             const std::string &bridged);

} // namespace patchcord::call
