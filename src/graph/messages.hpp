// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/findings.hpp"

#include <gst/gst.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

// What a call tells the world: element messages on the bus. The daemon keeps
// its record and metrics from these alone. docs/messages.md is the table. Times
// are running times in nanoseconds.
namespace patchcord::messages {

// From twiliosrc: the media stream began.
struct CallStarted {
  static constexpr char kName[] = "patchcord-call-started";
  std::string call_sid, stream_sid, account_sid;
  std::map<std::string, std::string> parameters;
};

// From a recogniser: what the caller said (final) or seems to say.
struct Transcript {
  static constexpr char kName[] = "patchcord-transcript";
  std::string text;
  bool final = false;
  GstClockTime start = GST_CLOCK_TIME_NONE, end = GST_CLOCK_TIME_NONE; // audio
};

// From the agent: what it decided to say and do in a turn.
struct Decision {
  static constexpr char kName[] = "patchcord-decision";
  std::uint32_t turn = 0;
  std::uint32_t utterance = 0;
  std::string caller;    // the words it answers; empty for the greeting
  std::string action;    // "ask", "say", "end_call" ...
  std::string message;   // the whole reply
  std::string extracted; // JSON object: of this turn
  agent::Found found;    // so far
};

// From the agent: an utterance's playout began, ended or was cut.
struct Heard {
  static constexpr char kName[] = "patchcord-heard";
  std::uint32_t turn = 0;
  std::uint32_t utterance = 0;
  std::string state; // "started", "complete", "interrupted"
  std::string text;  // what of it was heard, once it is known
  std::uint64_t heard_ms = 0;
};

// From the agent: the caller spoke while the agent was heard.
struct Interrupted {
  static constexpr char kName[] = "patchcord-interrupted";
  std::uint32_t turn = 0;
  std::uint32_t utterance = 0;
  std::string heard_text;     // utteranceUntilInterrupt
  std::uint64_t heard_ms = 0; // durationUntilInterruptMs
};

// From the agent, once a turn's reply begins to be heard: when each stage was
// done. `speech_end` is the end of the caller's last voiced frame.
struct TurnLatency {
  static constexpr char kName[] = "patchcord-turn-latency";
  std::uint32_t turn = 0;
  GstClockTime speech_end = GST_CLOCK_TIME_NONE;
  GstClockTime transcript = GST_CLOCK_TIME_NONE;  // final text arrived
  GstClockTime decision = GST_CLOCK_TIME_NONE;    // first words known
  GstClockTime first_audio = GST_CLOCK_TIME_NONE; // of the reply, at the sink
  GstClockTime first_sent = GST_CLOCK_TIME_NONE;  // to Twilio
  bool filler = false;     // these two are of words that only filled the wait
  bool preemptive = false; // thought of before the transcript was final
  std::uint32_t discarded = 0; // answers that were thought of for nothing
};

struct DtmfReceived {
  static constexpr char kName[] = "patchcord-dtmf-received";
  std::string digit;
};

// From the agent: a tool that the model called has ended.
struct Tool {
  static constexpr char kName[] = "patchcord-tool";
  std::uint32_t turn = 0;
  std::string name;
  std::string status; // "ok", or why not: "timeout", "http_404" ...
  std::uint64_t ms = 0;
};

// A provider failed; the agent has decided what becomes of the call.
struct ProviderTrouble {
  static constexpr char kName[] = "patchcord-provider-trouble";
  std::string provider, code, message;
  bool fatal = false; // the call ends because of it
};

// From the agent: the conversation is over; EOS is on its way behind the last
// words.
struct ConversationEnded {
  static constexpr char kName[] = "patchcord-conversation-ended";
  std::string reason; // "goal", "no_answer", "max_turns", "max_duration",
                      // "provider_failed", "caller_hung_up",
                      // "caller_goodbye", "agent_ended" (before the goal),
                      // "end_rule" (of [[end.rules]]),
                      // "transfer", "voicemail", "machine", "fax"
  bool goal_reached = false;
  agent::Found found;
};

// From the agent: the caller is to be handed over once all has been heard; EOS
// is on its way behind the last words.
struct Transfer {
  static constexpr char kName[] = "patchcord-transfer";
  std::uint32_t turn = 0;
  std::string target, number;
  std::uint32_t timeout = 30; // seconds of ringing
  bool warm = false;          // who takes the call is told, before all,
  std::string summary;        // this; "{caller}" in it is the caller's number
  std::string withheld;       // or this, where there is none to be known
  std::string language;       // of the agent: "en", "de-AT" ...
  std::string state; // JSON: the agent's `resume`, should nobody take the call
};

// From the agent: what the network says about who answered, and what comes of
// it.
struct AnsweredBy {
  static constexpr char kName[] = "patchcord-answered-by";
  std::string answered_by; // "human", "machine_end_beep" ...
  std::string outcome;     // "goes_on", "message", "hang_up", "waits", "late"
};

// From twiliosrc: the media stream is over.
struct StreamEnded {
  static constexpr char kName[] = "patchcord-stream-ended";
  std::string reason; // twilio::to_string(StreamEnd)
  std::string detail;
};

// From twiliosrc, when the stream ends: what came that should not have.
struct StreamAnomalies {
  static constexpr char kName[] = "patchcord-stream-anomalies";
  std::map<std::string, std::uint64_t> counts;
};

// Each posts an element message from `element`.
void post(GstElement *element, const CallStarted &message);
void post(GstElement *element, const Transcript &message);
void post(GstElement *element, const Decision &message);
void post(GstElement *element, const Heard &message);
void post(GstElement *element, const Interrupted &message);
void post(GstElement *element, const TurnLatency &message);
void post(GstElement *element, const DtmfReceived &message);
void post(GstElement *element, const Tool &message);
void post(GstElement *element, const ProviderTrouble &message);
void post(GstElement *element, const ConversationEnded &message);
void post(GstElement *element, const Transfer &message);
void post(GstElement *element, const AnsweredBy &message);
void post(GstElement *element, const StreamEnded &message);
void post(GstElement *element, const StreamAnomalies &message);

template <typename T> std::optional<T> parse(GstMessage *message);

} // namespace patchcord::messages
