// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "elevenlabs/failure.hpp"
#include "elevenlabs/session.hpp"
#include "graph/espeak_engine.hpp"
#include "graph/voice_pads.hpp"
#include "net/websocket.hpp"

#include <memory>
#include <optional>
#include <string>

// ElevenLabs behind a voice element's pads: one WebSocket, opened in advance
// and opened again when it is lost. What fails for good, or does not come in
// time, is spoken by the offline voice from there on. The server is asked for
// the pads' format; when that changes, it is converted here until nothing is
// said any more, and then asked for on a new connection.
class SocketEngine final : public patchcord::graph::VoiceEngine,
                           public std::enable_shared_from_this<SocketEngine>,
                           private patchcord::elevenlabs::Session::Listener {
public:
  struct Settings {
    std::string api_key;
    std::string fallback_voice; // of espeak-ng; empty: none
    patchcord::elevenlabs::StreamSettings stream;
    patchcord::elevenlabs::VoiceSettings voice;
    patchcord::Duration timeout{}; // without audio that is owed
  };
  using Segment = patchcord::graph::VoiceQueue::Segment;

  SocketEngine(patchcord::graph::VoicePads &pads, const Settings &settings);
  void open(); // once it is shared

  void speak(Segment segment, const std::string &text) override;
  void end_utterance() override;
  void format_changed() override;
  void cancel() override;
  void stop() override;

private:
  using Failure = patchcord::elevenlabs::Failure;
  using Unsaid = patchcord::elevenlabs::Session::Unsaid;

  // Session::Listener
  void send(const std::string &message) override;
  void spoken(
      Segment segment, const std::string &words,
      const std::vector<patchcord::elevenlabs::WordTiming> &timings) override;
  void audio(Segment segment, patchcord::Bytes audio) override;
  void finished(Segment segment) override;

  // Calls `work` if the engine is still there, and keeps it and its element
  // until it has run.
  template <typename... A>
  std::function<void(A...)> bind(void (SocketEngine::*work)(A...)) {
    return [weak = weak_from_this(), work](A... arguments) {
      const auto self = weak.lock();
      if (!self)
        return;
      const auto element = self->pads_.hold();
      ((*self).*work)(arguments...);
    };
  }

  std::unique_ptr<patchcord::elevenlabs::Session> make_session();
  void connect();
  void renew();
  void on_open();
  void keep_alive();
  void on_text(std::string_view json);
  void on_closed(const patchcord::net::WebSocket::Closed &closed);
  Failure why(const patchcord::net::WebSocket::Closed &closed) const;
  void watch_deadline(bool progress);
  void on_deadline();
  void let_go();
  void fail(const Failure &failure);
  void fall_back(const Failure &failure, const std::vector<Unsaid> &unsaid);
  void speak_offline(Segment segment, const std::string &words);

  patchcord::graph::VoicePads &pads_;
  const Settings settings_;
  patchcord::graph::VoiceFormat made_; // what the server is asked for
  std::unique_ptr<patchcord::elevenlabs::Session> session_;
  std::unique_ptr<patchcord::net::WebSocket>
      socket_;                  // null: lost, to be opened
  bool was_open_ = false;       // of this socket
  std::optional<Failure> told_; // by the server before it closes
  int losses_ = 0;              // of connections, since there was audio
  patchcord::Timer deadline_, reopen_, alive_;
  enum class State { kRunning, kFailed, kStopped } state_ = State::kRunning;
  std::shared_ptr<patchcord::graph::EspeakEngine> fallback_;
};
