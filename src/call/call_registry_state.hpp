// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "call/call.hpp"
#include "call/call_registry.hpp"
#include "call/event_log.hpp"

#include <chrono>
#include <cstdint>
#include <utility>

namespace patchcord::call {

// Twilio opens the stream within a second or two of the TwiML.
inline constexpr auto kTokenLife = std::chrono::seconds(60);
// Twilio asks what comes next within a second or two of a stream's end, or
// never: the caller has hung up.
inline constexpr auto kUnasked = std::chrono::seconds(15);
// <Dial> joins two callers for four hours at most.
inline constexpr auto kLongestTransfer = std::chrono::hours(5);
// What <Dial> takes beside its ringing, until it says that nobody answered.
inline constexpr auto kDialOverhead = std::chrono::seconds(10);
// A ticket's own time is a matter of minutes; this long it cannot be used
// again.
inline constexpr auto kNonceLife = std::chrono::hours(24);

inline std::int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

struct Pending {
  Offer offer;
  store::CallRecord record;
  std::shared_ptr<EventLog> events;
  TimePoint expires;
  bool claimed = false; // between the handshake and the call's start
  bool transfers = false;
  std::string answered_by;  // told before the stream began
  std::string stream_error; // Twilio could not open it
  // Of a caller who comes back from a transfer.
  std::string resume, ticket;
  std::optional<TimePoint> started;
};

struct Live {
  std::uint64_t serial = 0;
  std::shared_ptr<Call> call;
  std::shared_ptr<EventLog> events;
};

// A caller who is being put through, or talks to somebody else by now.
struct Parked {
  Offer offer;
  Handover handover;
  std::shared_ptr<Call> call; // keeps the recording, and ends the record
  std::shared_ptr<EventLog> events;
  std::uint64_t serial = 0; // the call's
  std::string ticket;
  TimePoint expires;
  TimePoint back_until;  // he may come back; later somebody talks to him
  bool dialling = false; // Twilio has the TwiML
  bool gone = false;     // Twilio says that the call is over

  bool may_come_back(TimePoint now) const { return back_until > now; }
};

struct KnownAgent {
  std::string file;
  bool transfers = false; // it has people to put callers through to
};

struct UsedTicket {
  std::string call_sid;
  TimePoint expires;
};

// Runs on the call's worker and leaves the reference there: it may be the last
// one, and a call has one thread to its last moment.
template <typename F> void visit(std::shared_ptr<Call> call, F &&task) {
  if (!call)
    return;
  const auto worker = call->worker();
  worker->post(
      [call = std::move(call), task = std::forward<F>(task)] { task(*call); });
}
inline void let_go(std::shared_ptr<Call> call) {
  visit(std::move(call), [](Call &) {});
}

struct CallRegistry::State {
  struct Data {
    std::map<std::string, Pending> pending;     // by token
    std::map<std::string, std::string> by_call; // call SID -> token
    std::map<std::string, Live> live;           // by call SID
    std::map<std::string, Parked> parked;       // by call SID
    std::map<std::uint64_t, Live> replaced;     // by another of the same SID
    std::uint64_t last_serial = 0;
    std::map<std::string, std::string> graphs; // texts by name
    std::map<std::string, KnownAgent> agents;  // by name
    std::map<std::string, UsedTicket> tickets; // by nonce
    bool draining = false, stopping = false;   // stop_all() after drain()
    std::vector<std::function<void()>> drained;

    // Of `most` calls at once; 0: of any number.
    Result<Unit> takes_calls(TimePoint now, int most) const;
  };
  Guarded<Data> data;

  // Offers that nobody came for: their callers hung up while it rang.
  static std::vector<store::CallRecord> expire(Data &all, TimePoint now);
  // How many of those who were put through.
  static std::size_t may_come_back(const Data &all, TimePoint now);
  // Takes out the transfers whose end was never told.
  static std::vector<Parked> take_forgotten(Data &all, TimePoint now);
};

} // namespace patchcord::call
