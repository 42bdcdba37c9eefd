// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "fake_openai.hpp"
#include "fake_socket.hpp"
#include "fake_vad.hpp"
#include "realtime_config.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace patchcord::fakes {

// One connection to the Realtime fake. `over` is called when it has closed and
// destroys it.
class RealtimeConnection {
public:
  struct Opening {
    std::string key, model, intent, fault;
    bool beta_header = false;
  };
  RealtimeConnection(FakeHost &host, std::size_t &shared_turns,
                     SoupWebsocketConnection *socket, Opening opening,
                     std::function<void()> over);

  void start();

private:
  struct Turn {
    std::string id;
    Script::Transcript transcript;
    bool scripted = false; // it uses up one of the script's transcripts
    bool has_deltas = false;
    FakeTimer timer;
  };

  void on_text(std::string_view text);
  void on_update(JsonView root, bool beta);
  void updated(bool beta);
  void on_append(std::string_view base64);
  void on_audio(ByteSpan bytes);
  void on_frame(FakeVad::Event event, bool voiced);
  void on_commit(const std::string &event_id);
  void commit();
  void announce(const std::string &id);
  void transcribed(const std::string &id);
  void complete(const Turn &turn);
  void send_completed(const std::string &id, std::string_view text);
  void send_delta(const std::string &id, std::string_view text);
  void play_fault();

  std::int64_t appended_ms() const {
    return appended_bytes_ / vad_.bytes_per_ms();
  }
  Script::Transcript next_transcript() const;
  const std::string &current_item();
  void error(const std::string &code, const std::string &message,
             const std::string &param, const std::string &event_id);
  JsonWriter event(std::string_view type);
  void send(JsonWriter &event);
  void send_fragmented(const std::string &text);

  FakeHost &host_;
  const std::shared_ptr<const Script> script_;
  std::size_t &shared_turns_;
  const Opening opening_;
  FakeSocket socket_;
  const std::shared_ptr<Stats::Connection> log_;

  RealtimeConfig config_;
  bool configured_ = false, is_transcription_ = true, fault_played_ = false;
  FakeVad vad_;
  std::int64_t appended_bytes_ = 0;  // in this session
  std::int64_t buffer_start_ms_ = 0; // where the next item begins
  bool buffer_voiced_ = false;
  std::string item_; // of the audio being gathered; "" when not named yet
  std::string last_item_;
  int next_item_ = 1, next_event_ = 1;
  std::size_t turns_ = 0; // that used a transcript
  std::map<std::string, Turn> open_turns_;
  std::string held_turn_;        // "late_first"
  bool live_delta_sent_ = false; // for the item being gathered
  FakeTimer timer_;
};

} // namespace patchcord::fakes
