// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace patchcord::fakes {

// What the fakes play. Every member may be set in the JSON file of
// `patchcord-fakes --script FILE` under the same name; unknown names are
// errors, so that a misspelt fault is not taken for a passed test.
//
// An API key "bad" is refused as the provider refuses it; a key "fault-NAME"
// plays the fault NAME on that connection or request whatever the script says.
struct Script {
  // --- OpenAI Realtime transcription ---
  struct Transcript {
    std::string text;
    // "", "empty", "failed", "never", "late_first" (its result comes after the
    // next turn's), "several" (one commit makes two items).
    std::string fault;
  };
  // The n-th committed turn of a connection gets the n-th; then none are left,
  // and further turns come out empty. JSON: strings, or objects as above.
  std::vector<Transcript> transcripts;
  // One row of transcripts for all connections together, used up only by
  // turns that were completed: what a reconnecting client should see.
  bool shared_transcripts = false;
  int stt_delay_ms = 100; // from commit to `completed`
  bool stt_deltas = true;
  // "", "slow_update" (`session.updated` after 3 s), "error_on_update",
  // "no_update", "disconnect" (TCP reset after realtime_fault_after_ms of
  // audio), "expire" (the 60-minute error and close 1001, likewise), "quota",
  // "unknown_events", "beta" (old event names), "fragments" (messages in
  // continuation frames cut inside characters), "http_500".
  std::string realtime_fault;
  int realtime_fault_after_ms = 1000;
  // How many connections play it, then it is over; 0: all.
  int realtime_fault_times = 0;
  // Behave as a gateway, which routes by `model=` in the URL; else as OpenAI,
  // where it makes a session that refuses transcription.
  bool gateway = false;

  // --- OpenAI chat completions ---
  struct Answer {
    std::string text; // as the model writes it: JSON text
    // "", "refusal", "length", "content_filter", "stall" (after three chunks),
    // "error_in_stream", "disconnect", "no_done", "crlf", "comments",
    // "no_space", "bom", "bytes" (chunks of one byte), "azure", "fence",
    // "think", "not_streamed", "plain_text", "rate_limit" (429), "quota"
    // (429), "no_temperature" (400 until the field is left out),
    // "no_reasoning_effort" (likewise), "overloaded" (503), "http_500",
    // "model_not_found" (404). Of calls: "calls_index_0" (each has that index),
    // "calls_whole" (in one piece), "calls_stop" (finish_reason "stop").
    std::string fault;
    int fault_times = 0; // how many requests get it; 0: all
    // Tools that it calls first: the request without their results gets the
    // calls, the one with them the text.
    struct Call {
      std::string name, arguments; // JSON: "arguments" as text or object
    };
    std::vector<Call> calls = {};
  };
  // Chosen by the number of user messages in the request: the first for one
  // (or none), then on; the last serves all further ones. JSON: a string is
  // the text itself; an object with "answer" (an object, written as it stands,
  // or a string) and the members above; any other object is the answer.
  std::vector<Answer> answers;
  int llm_first_token_ms = 100;
  int llm_token_ms = 10;  // between tokens
  std::string chat_fault; // of every request; as Answer::fault
  // Refuse requests without the strict schema that the agent must send.
  bool require_schema = true;

  // What GET /v1/models lists.
  std::vector<std::string> models = {"gpt-4o-transcribe", "gpt-live-transcribe",
                                     "gpt-6-luna"};

  // --- ElevenLabs: the member `elevenlabs` of the script, read by
  // fake_elevenlabs.cpp, as JSON text ("" when absent) ---
  std::string elevenlabs;
};

Result<Script> parse_script(std::string_view json);
Result<Script> load_script(const std::string &file);

} // namespace patchcord::fakes
