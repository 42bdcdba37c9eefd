// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/guarded.hpp"
#include "base/result.hpp"
#include "call/handover.hpp"
#include "call/web_socket_media_stream.hpp"
#include "config/config.hpp"
#include "recording/writer.hpp"
#include "store/record_store.hpp"
#include "worker/worker.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace patchcord::call {

class Call;
struct Parked;

// A call that the webhook has announced and whose media stream is awaited.
struct Offer {
  std::string call_sid, account_sid, from, to, direction;
  std::string agent;     // a name; empty: the configured one
  std::string pipeline;  // a name; empty: the configured one
  std::string origin;    // the server's, as Twilio reaches it
  bool screened = false; // we placed it: who answered is told later
  std::map<std::string, std::string> parameters;
};

// A call that was taken.
struct Admission {
  std::string token;      // of its media stream
  bool transfers = false; // what follows the stream is to be asked for
};

// <Dial> has ended (docs/api.md, "Transfers").
struct DialResult {
  std::string call_sid, ticket;
  std::string outcome;      // see transfer_outcome()
  bool caller_gone = false; // nobody is there to come back
};
struct DialAnswer {
  bool known = false; // it was a transfer of this process
  // The caller is back, in a new media stream.
  std::optional<std::pair<Offer, Admission>> back;
};

// What Twilio tells about a call that we placed.
struct CallStatus {
  std::string call_sid, account_sid, from, to, direction, agent;
  std::string status; // CallStatus
};

// All calls of the process: those announced by the webhook and not yet
// connected, and those alive. The webhook and the WebSocket may reach different
// workers: everything here may be called from any thread.
class CallRegistry {
public:
  // `recordings`, when not null, keeps one of each call, and outlives this, as
  // `clock` does (null: the real one), which says how long is waited for what.
  CallRegistry(const config::Config &config, store::RecordStore &store,
               recording::Writer *recordings = nullptr,
               const Clock *clock = nullptr);
  // Records of callers who are put through say that the end is not known.
  ~CallRegistry();
  CallRegistry(const CallRegistry &) = delete;
  CallRegistry &operator=(const CallRegistry &) = delete;

  // Reads the agents that there are by name, and what is configured, so that
  // no worker has to when the calls come; later again what of the agents has
  // changed, or is new. Blocks on the disk: not for workers. What cannot be
  // read is left for the calls.
  void load();

  // Admits a call and mints its single-use token (good for 60 s). The same call
  // SID again (Twilio retries webhooks) gives the same token while it is
  // unused. Codes: "full", "draining", "bad_agent", "bad_pipeline".
  Result<Admission> offer(const Offer &offer);
  // Uses up a token; empty when it is unknown, used or too old.
  std::optional<Offer> claim(const std::string &token);
  // The claim came to nothing: the offer stands until it expires. Harmless
  // once the call has started.
  void release(const std::string &token);
  // Starts the call of a claimed offer on `worker`, on whose thread this runs.
  void start(const std::shared_ptr<Worker> &worker, const Offer &offer,
             const WebSocketMediaStream::Attach &attach);
  // Twilio's stream status callback: "stream-error" ends the call's stream.
  void stream_status(const std::string &call_sid, const std::string &event,
                     const std::string &error);

  // What follows a call's media stream: TwiML that puts the caller through;
  // none: nothing does. As often as it is asked.
  std::optional<std::string> after_stream(const std::string &call_sid);
  // What the one who takes the call hears first: text and language. Empty: the
  // ticket is not one of that call (`parent_sid`; empty: not told).
  std::optional<std::pair<std::string, std::string>>
  whisper(const std::string &ticket, const std::string &parent_sid);
  // The same twice (Twilio retries webhooks) gives the same answer.
  DialAnswer dial_result(const DialResult &result);

  // Who answered a call that we placed, as the network tells it.
  void answered_by(const std::string &call_sid, const std::string &who);
  // Of calls that nobody answered there is nothing else to make a record of.
  void call_status(const CallStatus &status);
  // A ticket (twilio/ticket.hpp) is good for one call; true for that one again.
  bool use_ticket(const std::string &nonce, const std::string &call_sid);

  std::size_t active() const;  // alive
  std::size_t offered() const; // announced and not yet connected
  std::size_t awaited() const; // who may come back from a transfer
  // Whether an offer would be taken now. Codes: "full", "draining".
  Result<Unit> takes_calls() const;
  // Refuse new calls; `done` runs (on any thread) when the last one is over,
  // and no caller who is put through can come back: a <Dial> that has lasted
  // longer than it rings has joined him with somebody.
  void drain(std::function<void()> done);
  // Ends what is waited for in vain: offers that nobody came for, transfers
  // whose end nobody told. To be called every few seconds.
  void sweep();
  // Ends all calls at once: records say "server_stopped", and of callers who
  // are put through that the end is not known.
  void stop_all();

  // Of a worker that stands still: its calls that are in a push, by SID, and in
  // which elements (call/stall_watch.hpp).
  std::vector<std::pair<std::string, std::string>>
  pushes_on(const Worker &worker);

  // Live events of a call as JSON objects, one a line of the conversation:
  // {"t_ms":1234,"event":"transcript","text":...}; docs/api.md is the table.
  // What already happened comes first, within this call; nullopt, last, when
  // the call is over. `event` may run on any thread and must only hand the
  // event on. Empty: no such call is announced or alive. The returned function
  // ends the subscription.
  using EventHandler = std::function<void(std::optional<std::string>)>;
  std::optional<std::function<void()>> subscribe(const std::string &call_sid,
                                                 EventHandler event);

private:
  friend class Call;
  struct State;
  // Empty: the call with this serial is not the caller's any more.
  std::string park(const Offer &offer, std::uint64_t serial, Handover handover);
  // `serial`: of the call that handed over; 0: any.
  void handed_over(const std::string &call_sid, std::uint64_t serial,
                   bool dialling);
  void end_transfers(std::vector<Parked> forgotten);
  void leave_transfers();
  void settle();
  void finished(const std::string &call_sid, std::uint64_t serial);

  const config::Config config_;
  store::RecordStore &store_;
  recording::Writer *const recordings_;
  const Clock &clock_;
  std::shared_ptr<State> state_;
};

} // namespace patchcord::call
