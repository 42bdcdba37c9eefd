// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server/call_desk.hpp"

namespace patchcord::server {
namespace {

class RegistryDesk final : public CallDesk {
public:
  explicit RegistryDesk(call::CallRegistry &registry) : registry_(registry) {}

  Result<std::string> offer(const call::Offer &offer) override {
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
  std::size_t active() const override { return registry_.active(); }
  bool draining() const override { return registry_.draining(); }
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
