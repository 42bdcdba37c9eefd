// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/fifo.hpp"
#include "elevenlabs/context_text.hpp"
#include "elevenlabs/messages.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace patchcord::elevenlabs {

// What is said on a call, over one socket after another: one context an
// utterance, texts sent as they come, audio laid to the texts. Texts, messages
// and what becomes of the socket go in; messages, words and audio come out.
// Pure but for its listener.
class Session {
public:
  using Segment = std::uint64_t; // the caller's name for a text

  // Any of its functions may call the session back; destroying it from there is
  // for whoever called the session to prevent.
  class Listener {
  public:
    virtual ~Listener() = default;
    virtual void send(const std::string &message) = 0;
    // What the segment's audio from here on says.
    virtual void spoken(Segment segment, const std::string &words,
                        const std::vector<WordTiming> &timings) = 0;
    virtual void audio(Segment segment, Bytes audio) = 0;
    virtual void finished(Segment segment) = 0;
  };

  Session(const VoiceSettings &settings, SpeechFormat format,
          Listener &listener)
      : settings_(settings), format_(format), listener_(listener) {}

  // A text of the utterance that is open, or the first of a new one.
  void speak(Segment segment, const std::string &text);
  void end_utterance();
  // Barge-in: all is dropped, the server is told, its late audio ignored.
  void cancel();

  // The socket is open: what was not said yet is sent.
  void connected();
  void disconnected();
  void receive(ServerMessage message);
  // For a context that stays open long without text: resets the server's
  // timers.
  void keep_alive();

  // The server owes us audio or a final marker.
  bool waiting() const;
  // A context ended without a sound, and so did the one that tried again.
  bool mute() const { return mute_; }
  // Whether there is nothing to say at all.
  bool idle() const { return utterances_.empty(); }

  struct Unsaid {
    Segment segment;
    std::string words;
    std::string text; // all of it
  };
  // Gives up: drops all and returns what was not said, in order.
  std::vector<Unsaid> take_unsaid();

  // Open and closing: the server counts both, and the sixth ends the socket
  // (1008, max_active_conversations).
  static constexpr std::size_t kMaxContexts = 5;
  std::size_t contexts() const;

private:
  struct Utterance {
    explicit Utterance(SpeechFormat format) : texts(format) {}
    std::string context; // empty: not open on this socket
    ContextText texts;
    std::vector<Segment> segments; // of `texts`
    std::size_t finished = 0;      // of them, reported
    std::size_t sent = 0;          // of them, on this socket
    bool ended = false;            // no more texts
    bool close_sent = false;
    bool tried_again = false; // a context came to nothing
    Bytes carry;              // a cut sample
  };

  void advance();
  void drop(const Utterance &utterance);
  bool take_audio(std::uint64_t generation, const ServerMessage &message);
  bool finish_before(const std::string &context, std::size_t end,
                     std::uint64_t generation);
  void finish(const std::string &context);
  Utterance *find(const std::string &context);
  void start_over(Utterance &utterance, std::vector<Segment> &done);
  void report(const std::vector<Segment> &done);
  void sweep();

  const VoiceSettings settings_;
  const SpeechFormat format_;
  Listener &listener_;
  bool connected_ = false, mute_ = false;
  bool relative_times_ = false;  // the server's way to count
  std::uint64_t generation_ = 0; // ends with cancel() and the like
  std::uint64_t last_context_ = 0;
  Fifo<Utterance> utterances_;
  std::set<std::string> closing_; // dropped, their final marker to come
};

} // namespace patchcord::elevenlabs
