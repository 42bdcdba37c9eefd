// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server/call_desk.hpp"

namespace patchcord::server {
namespace {

class RegistryDesk final : public CallDesk {
public:
  explicit RegistryDesk(call::CallRegistry &registry) : registry_(registry) {}

  Result<call::Admission> offer(const call::Offer &offer) override {
    return registry_.offer(offer);
  }
  std::optional<call::Offer> claim(const std::string &token) override {
    return registry_.claim(token);
  }
  void release(const std::string &token) override { registry_.release(token); }
  void start(const std::shared_ptr<Worker> &worker, const call::Offer &offer,
             const call::WebSocketMediaStream::Attach &attach) override {
    registry_.start(worker, offer, attach);
  }
  void stream_status(const std::string &call_sid, const std::string &event,
                     const std::string &error) override {
    registry_.stream_status(call_sid, event, error);
  }
  std::optional<std::string>
  after_stream(const std::string &call_sid) override {
    return registry_.after_stream(call_sid);
  }
  std::optional<std::pair<std::string, std::string>>
  whisper(const std::string &ticket, const std::string &parent_sid) override {
    return registry_.whisper(ticket, parent_sid);
  }
  call::DialAnswer dial_result(const call::DialResult &result) override {
    return registry_.dial_result(result);
  }
  void answered_by(const std::string &call_sid,
                   const std::string &who) override {
    registry_.answered_by(call_sid, who);
  }
  void call_status(const call::CallStatus &status) override {
    registry_.call_status(status);
  }
  bool use_ticket(const std::string &nonce,
                  const std::string &call_sid) override {
    return registry_.use_ticket(nonce, call_sid);
  }
  std::size_t active() const override { return registry_.active(); }
  Result<Unit> takes_calls() const override { return registry_.takes_calls(); }
  std::optional<std::function<void()>>
  subscribe(const std::string &call_sid,
            call::CallRegistry::EventHandler event) override {
    return registry_.subscribe(call_sid, std::move(event));
  }

private:
  call::CallRegistry &registry_;
};

} // namespace

std::unique_ptr<CallDesk> make_call_desk(call::CallRegistry &registry) {
  return std::make_unique<RegistryDesk>(registry);
}

} // namespace patchcord::server
