// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "fake_elevenlabs.hpp"
#include "fake_socket.hpp"
#include "http.hpp"

#include "base/bytes.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace patchcord::fakes {

// One connection to the `multi-stream-input` fake: each context's texts become
// a tone as long as the text, in messages with the characters' times. `over`
// is called when it has closed and destroys it.
class ElevenLabsConnection {
public:
  struct Opening {
    std::string voice, model, output_format, fault;
    int inactivity_timeout_s = 20;
  };
  ElevenLabsConnection(FakeHost &host, ElevenLabsScript script,
                       SoupWebsocketConnection *socket, Opening opening,
                       std::function<void()> over);

  void start();

private:
  struct Generation {
    std::vector<std::string> characters;
    std::size_t next = 0;
    std::int64_t received_ns = 0;
  };
  struct Context {
    int number = 0;     // its tone
    std::string buffer; // text that waits for a flush
    std::deque<Generation> generations;
    bool closing = false;
    std::int64_t samples = 0; // sent
    FakeTimer generate, idle;
  };

  void on_text(std::string_view text);
  void on_context_message(const std::string &id, JsonView root);
  Context *open(const std::string &id);
  void work(const std::string &id);
  void send_chunk(const std::string &id);
  void finish(const std::string &id);
  bool play_fault(std::size_t characters);
  Bytes tone(Context &context, std::int64_t ms) const;
  void add_alignment(JsonWriter &json,
                     const std::vector<std::string> &characters,
                     std::int64_t start_ms) const;
  void send_audio(const std::string &id, ByteSpan audio,
                  const std::string &alignment);
  void fail(const char *error, const std::string &message);
  void close(int code, const char *reason);
  void close_when_done();

  FakeHost &host_;
  const ElevenLabsScript script_;
  const Opening opening_;
  FakeSocket socket_;
  const std::shared_ptr<Stats::Connection> log_;
  int rate_ = 0;
  bool mulaw_ = false;

  std::map<std::string, Context> contexts_;
  int next_number_ = 0;
  std::size_t spoken_ = 0; // characters, of all contexts
  bool close_socket_ = false, stalled_ = false;
};

} // namespace patchcord::fakes
