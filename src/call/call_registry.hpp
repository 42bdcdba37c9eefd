// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/guarded.hpp"
#include "base/result.hpp"
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
#include <vector>

namespace patchcord::call {

class Call;

// A call that the webhook has announced and whose media stream is awaited.
struct Offer {
  std::string call_sid, account_sid, from, to, direction;
  std::string agent;    // a name; empty: the configured one
  std::string pipeline; // a name; empty: the configured one
  std::map<std::string, std::string> parameters;
};

// All calls of the process: those announced by the webhook and not yet
// connected, and those alive. The webhook and the WebSocket may reach different
// workers: everything here may be called from any thread.
class CallRegistry {
public:
  // `recordings`, when not null, keeps one of each call, and outlives this.
  CallRegistry(const config::Config &config, store::RecordStore &store,
               recording::Writer *recordings = nullptr);
  ~CallRegistry();
  CallRegistry(const CallRegistry &) = delete;
  CallRegistry &operator=(const CallRegistry &) = delete;

  // Admits a call and mints its single-use token (good for 60 s). The same call
  // SID again (Twilio retries webhooks) gives the same token while it is
  // unused. Codes: "full", "draining", "bad_agent", "bad_pipeline".
  Result<std::string> offer(const Offer &offer);
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

  std::size_t active() const;  // alive
  std::size_t offered() const; // announced and not yet connected
  bool draining() const;
  // Refuse new calls; `done` runs (on any thread) when the last one is over.
  void drain(std::function<void()> done);
  // Ends all calls at once: records say "server_stopped".
  void stop_all();

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
  void finished(const std::string &call_sid, std::uint64_t serial);

  const config::Config config_;
  store::RecordStore &store_;
  recording::Writer *const recordings_;
  std::shared_ptr<State> state_;
};

} // namespace patchcord::call
