// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "fake_server.hpp"

#include <string>
#include <string_view>

namespace patchcord::fakes {

// A provider's side of a WebSocket, with its line in the statistics.
class FakeSocket {
public:
  struct Handlers {
    std::function<void(std::string_view)> text;
    std::function<void()> binary; // may be unset
    std::function<void()> over;   // it has closed; may destroy the socket
  };
  FakeSocket(FakeHost &host, const char *kind, SoupWebsocketConnection *socket,
             Handlers handlers);
  ~FakeSocket();
  FakeSocket(const FakeSocket &) = delete;
  FakeSocket &operator=(const FakeSocket &) = delete;

  const std::shared_ptr<Stats::Connection> &log() const { return log_; }
  SoupWebsocketConnection *get() const { return socket_.get(); }
  bool open() const;
  // Ignored once it is closing, like send_text().
  void close(int code, const char *reason);
  void send_text(const std::string &text);
  void drop(); // without a close frame

private:
  FakeHost &host_;
  const Ref<SoupWebsocketConnection> socket_;
  const Handlers handlers_;
  const std::shared_ptr<Stats::Connection> log_;
};

} // namespace patchcord::fakes
