// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "call/call_registry.hpp"

namespace patchcord::server {

// What the HTTP surface wants of the calls, as CallRegistry has it (see there).
// From any thread.
class CallDesk {
public:
  virtual ~CallDesk() = default;
  virtual Result<call::Admission> offer(const call::Offer &offer) = 0;
  virtual std::optional<call::Offer> claim(const std::string &token) = 0;
  virtual void release(const std::string &token) = 0;
  virtual void start(const std::shared_ptr<Worker> &worker,
                     const call::Offer &offer,
                     const call::WebSocketMediaStream::Attach &attach) = 0;
  virtual void stream_status(const std::string &call_sid,
                             const std::string &event,
                             const std::string &error) = 0;
  virtual std::optional<std::string>
  after_stream(const std::string &call_sid) = 0;
  virtual std::optional<std::pair<std::string, std::string>>
  whisper(const std::string &ticket, const std::string &parent_sid) = 0;
  virtual call::DialAnswer dial_result(const call::DialResult &result) = 0;
  virtual void answered_by(const std::string &call_sid,
                           const std::string &who) = 0;
  virtual void call_status(const call::CallStatus &status) = 0;
  virtual bool use_ticket(const std::string &nonce,
                          const std::string &call_sid) = 0;
  virtual std::size_t active() const = 0;
  virtual Result<Unit> takes_calls() const = 0;
  virtual std::optional<std::function<void()>>
  subscribe(const std::string &call_sid,
            call::CallRegistry::EventHandler event) = 0;
};

// The registry outlives the desk.
std::unique_ptr<CallDesk> make_call_desk(call::CallRegistry &registry);

} // namespace patchcord::server
