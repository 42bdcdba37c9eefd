// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "phone/line_noise.hpp"
#include "phone/playout_buffer.hpp"
#include "phone/speech_detector.hpp"
#include "scenario/memory_socket.hpp"
#include "scenario/scenario.hpp"
#include "scenario/sound.hpp"
#include "scenario/stage.hpp"
#include "twilio/peer_messages.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace patchcord::scenario {

using phone::Samples;

// A line with its sound and what the recogniser is to hear of it.
struct PreparedLine {
  Line line;
  Bytes mulaw;
  Samples voiced_end = 0;
  std::vector<WordAt> heard;
};
Result<std::vector<PreparedLine>> prepare(const Scenario &scenario);

// A line that was said, in line time (samples since the stream began).
struct SaidLine {
  std::size_t line = 0;
  Samples from = 0, to = 0; // its last voiced sample
};

// What the caller heard of one utterance of the agent's: in one stretch, or in
// more when it was silenced and went on.
struct HeardReply {
  // A word that began. `from`: of one that was cut and goes on, as if it had
  // been heard in one piece.
  struct Begun {
    std::uint32_t word = 0;
    Samples from = 0;
  };
  struct Stretch {
    Samples from = 0, to = 0;
    std::vector<std::uint32_t> words = {}; // heard to their ends, by number
    std::optional<Begun> in_word = {};     // not to its end
    Samples cut_at = -1; // where a clear, or the call's end, ended it
    std::vector<Samples> word_ends = {}; // of `words`
  };
  int reply = 0; // from 1
  std::vector<Stretch> stretches;
  Samples from() const { return stretches.front().from; }
};

// The caller's phone, at Twilio's end of a media stream in memory: says the
// lines when their cues come, plays what it is sent in real time, echoes marks,
// obeys clears, and listens to the words. Speaks the real wire format.
class Phone {
public:
  struct Handlers {
    std::function<void(Samples at, const std::string &json)> event;
    std::function<void()> over;
  };
  Phone(Worker &worker, std::vector<PreparedLine> lines, Stage &stage,
        twilio::StreamStart start, const PhoneScript &script, bool record,
        Handlers handlers);

  ~Phone() { socket_->forget(); }
  Phone(const Phone &) = delete;
  Phone &operator=(const Phone &) = delete;

  const std::shared_ptr<MemorySocket> &socket() const { return socket_; }
  void start(); // the socket was accepted
  // The call goes on in another media stream, on a new socket: then start().
  // The lines, and the line's time, go on.
  void reconnect(const std::string &stream_sid);

  const std::vector<SaidLine> &said() const { return said_; }
  const std::vector<HeardReply> &heard() const { return heard_replies_; }
  std::size_t lines_begun() const { return index_ + (speaking_ ? 1 : 0); }
  // "agent_closed", "caller_hung_up" or "stream_lost"; empty while it lasts.
  const std::string &end() const { return end_; }
  Samples duration() const { return playout_.position(); }
  const Bytes &caller_audio() const { return caller_audio_; }
  const Bytes &heard_audio() const { return heard_audio_; }
  std::uint64_t refused() const { return refused_; }

private:
  void tick();
  bool may_wait() const;
  void send_frame(Samples at);
  void send_media();
  void deliver(bool media);
  void deliver_stalled();
  bool says_more() const;
  bool cue_has_come(const Cue &cue, Samples now) const;
  void begin_line(Samples at);
  void speak(Samples at);
  void press(Samples at);
  void end_line(Samples at);
  void hang_up(Samples at);

  void received(std::string_view text);
  void cleared();
  void cut();
  void play();
  void listen();
  void word_event(const Ear::Event &event);
  bool goes_on() const;
  void go_on();
  void agent_spoke(const phone::SpeechDetector::Event &event, bool cut);
  void echo();
  void finish(const std::string &end);
  Samples now() const { return phone::to_samples(worker_.now() - start_); }
  void emit(Samples at, std::string_view kind, std::string_view key = {},
            std::string_view value = {});

  Worker &worker_;
  const std::vector<PreparedLine> lines_;
  Stage &stage_;
  twilio::StreamStart stream_;
  const Handlers handlers_;
  std::shared_ptr<MemorySocket> make_socket();
  std::shared_ptr<MemorySocket> socket_;
  std::optional<twilio::peer::Parser> parser_; // of the stream
  phone::PlayoutBuffer playout_;
  phone::SpeechDetector detector_;
  Ear ear_;
  phone::LineNoise noise_;

  TimePoint start_{};
  Timer timer_;
  Samples frame_ = 0, first_frame_ = 0; // the next one; the stream's first
  std::int64_t sequence_ = 0;
  std::string end_;

  // The caller.
  std::size_t index_ = 0, keys_pressed_ = 0;
  Samples begun_ = 0, last_line_end_ = 0;
  Samples agent_until_ = 0;
  Samples word_at_ = -1;     // where the last word began,
  int words_into_reply_ = 0; // and which of its reply it is
  bool speaking_ = false, agent_speaking_ = false, agent_has_replied_ = false;
  std::optional<std::uint32_t> last_heard_; // to its end, by number
  bool cleared_ = false;                    // and no word has been heard since
  bool silenced_ = false;    // by a clear, and nothing is known to follow
  Samples sounds_from_ = -1; // what has been played since then,
  Samples unmarked_ = 0;     // and how much was
  struct Stall {
    Samples from = 0, to = 0;
    bool lost = false;
  };
  std::vector<Stall> stalls_;        // of the lines so far
  std::vector<std::string> stalled_; // messages that are late
  bool echo_due_ = false;
  const bool returns_marks_, record_;

  std::vector<SaidLine> said_;
  std::vector<HeardReply> heard_replies_;
  Bytes caller_audio_, heard_audio_;
  std::uint64_t refused_ = 0;

  // For what is in the mailbox when this goes.
  const std::shared_ptr<int> alive_ = std::make_shared<int>();

  // Kept to save their memory.
  std::string message_;
  Bytes frame_audio_, fresh_;
  std::vector<phone::PlayoutBuffer::Echo> echoes_;
  std::vector<phone::SpeechDetector::Event> speech_;
  std::vector<Ear::Event> words_;
};

} // namespace patchcord::scenario
