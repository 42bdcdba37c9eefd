// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "script.hpp"
#include "stats.hpp"

#include "base/handles.hpp"
#include "worker/worker.hpp"

#include <libsoup/soup.h>

#include <functional>
#include <memory>
#include <string>

// Stand-ins for the providers, on libsoup alone: nothing here shares framing,
// HTTP or protocol code with what it tests.
namespace patchcord::fakes {

// A one-shot timer of the fakes; destroying it cancels it.
class FakeTimer {
public:
  FakeTimer() = default;
  FakeTimer(FakeTimer &&other) noexcept;
  FakeTimer &operator=(FakeTimer &&other) noexcept;
  ~FakeTimer() { cancel(); }
  void cancel();

private:
  friend class FakeHost;
  GSource *source_ = nullptr;
  Timer timer_;
};

// What a provider's fake is given: the server to put its handlers on, the
// script, the time and the counters. All of it is used on the server's thread.
class FakeHost {
public:
  SoupServer *server() const { return server_; }
  // As it is now; a connection that must not change its mind holds on to it.
  const Script &script() const { return *script_; }
  std::shared_ptr<const Script> hold_script() const { return script_; }
  Stats &stats() { return stats_; }
  // CLOCK_MONOTONIC, or the virtual worker's clock.
  std::int64_t now_ns() const;
  [[nodiscard]] FakeTimer after(int milliseconds, std::function<void()> fire);

private:
  friend class FakeServer;
  SoupServer *server_ = nullptr;
  std::shared_ptr<const Script> script_;
  Stats stats_;
  GMainContext *context_ = nullptr;
  Worker *worker_ = nullptr; // virtual time, or null
};

// Each puts its provider's paths on the server. `host` outlives the server.
void add_openai(FakeHost &host);     // /v1/...
void add_elevenlabs(FakeHost &host); // /v1/text-to-speech/... and its kin
void add_twilio(FakeHost &host);     // /2010-04-01/...

// All providers on one port, in a thread of their own:
//
//   FakeServer server(script);
//   realtimestt base-url = server.url() + "/v1"
class FakeServer {
public:
  explicit FakeServer(Script script, std::uint16_t port = 0);
  // In virtual time, on the caller's virtual worker: the fake's delays pass as
  // the test's own timers do.
  FakeServer(Script script, Worker &worker);
  ~FakeServer();
  FakeServer(const FakeServer &) = delete;
  FakeServer &operator=(const FakeServer &) = delete;

  std::uint16_t port() const;
  std::string url() const;   // "http://127.0.0.1:PORT"
  std::string stats() const; // JSON, as GET /fake/stats gives it
  // Runs on the server's thread and waits.
  void run(const std::function<void(FakeHost &)> &work) const;
  // For the connections and requests from now on.
  void set_script(Script script);

private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace patchcord::fakes
