// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/expectation.hpp"

#include <gst/gst.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What flows through a call's graph besides buffers: named once, here. Each is
// a custom GstEvent that any application may make or read; docs/events.md is
// the table. All times are running times of the pipeline, in nanoseconds,
// unless they say otherwise; GST_CLOCK_TIME_NONE is "unknown".
//
// make() gives a new event (transfer full); parse<T>() an empty optional when
// the event is another one.
namespace patchcord::events {

// --- downstream, serialized -------------------------------------------------

// The caller began to speak. From a recogniser or a voice-activity stage.
struct SpeechStarted {
  static constexpr char kName[] = "patchcord-speech-started";
  GstClockTime time = GST_CLOCK_TIME_NONE; // of the first voiced sample
};

// The caller ceased to speak.
struct SpeechStopped {
  static constexpr char kName[] = "patchcord-speech-stopped";
  GstClockTime time = GST_CLOCK_TIME_NONE; // end of the last voiced frame
};

// What the caller seems to be saying; replaces the partial before it.
struct PartialTranscript {
  static constexpr char kName[] = "patchcord-partial-transcript";
  std::string text;
};

// From the agent before the first text buffer of a reply; the voice passes it
// on before the reply's first audio. Utterances count from 1 within a call.
struct UtteranceStart {
  static constexpr char kName[] = "patchcord-utterance-start";
  std::uint32_t utterance = 0;
  bool interruptible = true;
};

// From the voice before the first audio of each text segment it speaks: the
// audio up to the next SpokenText or UtteranceEnd says this. `timings`, when
// the provider gave them, are pairs of (byte offset into text, ms from the
// start of this segment's audio), ascending.
struct SpokenText {
  static constexpr char kName[] = "patchcord-spoken-text";
  std::uint32_t utterance = 0;
  std::string text;
  struct Timing {
    std::uint32_t offset = 0;
    std::uint32_t ms = 0;
  };
  std::vector<Timing> timings;
};

// The reply is complete. From the agent behind its last text buffer: the voice
// finishes it. From the voice **before** the last audio buffer of the reply,
// which is at least 10 ms of silence: audio encoders hold a serialized event
// until their next frame, and a resampler keeps its last milliseconds, so an
// event behind the last buffer would be stuck. A voice that has nothing to say
// for an utterance still sends the event and the silence.
struct UtteranceEnd {
  static constexpr char kName[] = "patchcord-utterance-end";
  std::uint32_t utterance = 0;
};

// A provider upstream failed for good; the agent decides what becomes of the
// call. `code` as in Error; `retryable` when another try may help.
struct ProviderFailed {
  static constexpr char kName[] = "patchcord-provider-failed";
  std::string provider; // "openai-realtime", "elevenlabs" ...
  std::string code;
  std::string message;
  bool retryable = false;
};

// A key of the caller's phone; from twiliosrc.
struct Dtmf {
  static constexpr char kName[] = "patchcord-dtmf";
  std::string digit; // one of 0-9 * #
};

// --- downstream, out of band
// --------------------------------------------------

// From the agent to the sink: be silent now and keep the rest. Voices go on
// with their work. What follows is Resume - the caller hears the sample behind
// the last that he heard - or a FLUSH, which drops the rest.
struct Hold {
  static constexpr char kName[] = "patchcord-hold";
};
struct Resume {
  static constexpr char kName[] = "patchcord-resume";
};

// --- upstream ----------------------------------------------------------------

// From the sink: what the caller hears. Progress comes with each mark (at least
// every 500 ms of speech); exactly one of ended / cut closes an utterance, cut
// a round trip after the FLUSH. Held answers Hold at once, and again when more
// is known.
struct Playout {
  static constexpr char kName[] = "patchcord-playout";
  enum class What { kStarted, kProgress, kEnded, kCut, kHeld };
  What what = What::kStarted;
  std::uint32_t utterance = 0;
  GstClockTime time = GST_CLOCK_TIME_NONE;        // when it happened
  GstClockTime first_audio = GST_CLOCK_TIME_NONE; // reached the sink
  GstClockTime first_sent = GST_CLOCK_TIME_NONE;  // was sent to Twilio
  std::uint64_t heard_samples = 0;                // of this utterance, at 8 kHz
  std::uint64_t total_samples = 0;                // received for it so far
  std::string heard_text;                         // cut at the word
  bool estimated = false;                         // not known to a message
};

// From the agent to the recogniser: what it expects to hear next.
struct Expect {
  static constexpr char kName[] = "patchcord-expect";
  agent::Expectation expectation;
};

// From a voice to the agent, upstream: same fields as ProviderFailed.
struct VoiceFailed {
  static constexpr char kName[] = "patchcord-voice-failed";
  std::string provider;
  std::string code;
  std::string message;
  bool retryable = false;
};

GstEvent *make(const SpeechStarted &event);
GstEvent *make(const SpeechStopped &event);
GstEvent *make(const PartialTranscript &event);
GstEvent *make(const UtteranceStart &event);
GstEvent *make(const SpokenText &event);
GstEvent *make(const UtteranceEnd &event);
GstEvent *make(const ProviderFailed &event);
GstEvent *make(const Dtmf &event);
GstEvent *make(const Hold &event);
GstEvent *make(const Resume &event);
GstEvent *make(const Playout &event);
GstEvent *make(const Expect &event);
GstEvent *make(const VoiceFailed &event);

template <typename T> std::optional<T> parse(GstEvent *event);

} // namespace patchcord::events
