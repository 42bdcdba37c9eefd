// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "phone/phone_event.hpp"
#include "phone/script.hpp"
#include "phone/turn_meter.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace patchcord::phone {

// What Twilio's debugger would show, and what this phone adds: the code, how
// often it came, and the first one in words.
struct Warning {
  std::uint64_t count = 0;
  std::string first;
};

// How late the phone's own ticks were, against their absolute deadlines: a
// measurement by a phone that was late is worth nothing.
class Lateness {
public:
  void add(Duration late);
  void merge(const Lateness &other);
  std::uint64_t count() const { return count_; }
  // Milliseconds, to 0.1 ms, of a fraction of all ticks.
  double quantile_ms(double fraction) const;
  double max_ms() const { return to_ms(max_); }

private:
  static constexpr std::size_t kBuckets = 1000; // 0.1 ms each; the last: more
  std::vector<std::uint32_t> buckets_;
  std::uint64_t count_ = 0;
  Duration max_{};
};

// A <Dial>: whom it called, and what came of it.
struct DialledCall {
  std::string number, caller_id;
  std::string outcome;                // as DialCallStatus tells it
  std::vector<std::string> whispered; // by <Say>, to who was called
};

// A call that is over.
struct CallReport {
  std::string call_sid, stream_sid;
  // How it ended: agent_closed, caller_hung_up, rejected, hung_up (by TwiML),
  // webhook_failed, stream_failed, stream_lost, max_duration, dropped (a fault
  // that was asked for), interrupted (Ctrl-C), completed_by_rest; of a call
  // that nobody answered: busy, no-answer, failed, canceled.
  std::string end;
  // Went through and ended as it should; else `trouble` says why not.
  bool in_order = false;
  std::string trouble;

  Duration started{};         // on the worker's clock: the webhook was sent
  Duration duration{};        // until the end
  Duration webhook_latency{}; // request to reply
  std::optional<Duration> stream_started; // since `started`: line time 0
  std::optional<Samples> first_media, first_heard; // the agent's greeting
  std::vector<CallerTurn> turns;
  std::size_t lines = 0, lines_begun = 0;
  std::map<std::string, Warning> warnings;
  std::vector<std::string> said; // by <Say>
  std::vector<DialledCall> dialled;
  Samples agent_speech = 0; // heard of the agent's
  Samples unheard = 0;      // audible audio that the end of the stream cut
  std::uint64_t underruns = 0, marks = 0, clears = 0, media_messages = 0;
  Samples media_samples = 0;
  Lateness lateness;

  // Only when asked for.
  Bytes caller_audio, heard_audio; // mu-law
  std::vector<PhoneEvent> events;
  std::string record; // JSON of GET /api/calls/{sid}
};

// Of one or many calls.
struct Latencies {
  std::vector<double> arrival_ms, heard_ms, greeting_ms, leftover_ms;
  void add(const CallReport &report);
};

// Indented, with a newline at its end; empty when it is not JSON.
std::string pretty_json(std::string_view json);

std::string timeline_json(const CallReport &report,
                          const std::vector<Line> &lines);
// One object: of the call when there was one, else of all together.
std::string summary_json(const std::vector<CallReport> &reports,
                         const std::vector<Line> &lines);
// The same for people; ends with a newline.
std::string summary_text(const std::vector<CallReport> &reports,
                         const std::vector<Line> &lines);

} // namespace patchcord::phone
