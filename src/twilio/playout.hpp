// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/block_queue.hpp"
#include "base/fifo.hpp"
#include "twilio/cleared_peer.hpp"
#include "twilio/peer_clock.hpp"
#include "twilio/spoken_script.hpp"
#include "worker/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace patchcord::twilio {

// What the caller hears of an utterance. Exactly one of kEnded and kCut closes
// each; the events of one utterance come before those of the next. kHeld: the
// caller hears no more of it for now; told at once by the clock, and once more
// if the peer's answer to the clear says otherwise.
struct PlayoutEvent {
  enum class What { kStarted, kProgress, kEnded, kCut, kHeld };
  What what = What::kStarted;
  std::uint32_t utterance = 0;
  TimePoint time{}; // when it happened
  std::optional<TimePoint> first_audio, first_sent;
  std::uint64_t heard_samples = 0; // of this utterance
  std::uint64_t total_samples = 0; // received of it so far
  std::string heard_text;          // cut at the word
  bool estimated = false;          // not known to a message of audio
};

// The outbound half of a media stream: paces audio to the peer, sends marks and
// clears, and keeps the ledger of what was sent and what was heard. Pure: every
// call carries the time; media, marks and clears go out through Peer at once,
// events are fetched with next_event(), and tick() is due at next_deadline().
//
// Pacing: the peer (Twilio) queues audio and plays it in real time. It is kept
// `send_ahead` ahead of the clock, along an absolute schedule, so that late
// timers never add up and a clear has little to throw away.
//
// Heard: a mark that came back says that all before it was heard; between marks
// the clock says (peer_clock.hpp). After a clear all marks come back at once
// and say nothing (Twilio docs, "Media Streams - WebSocket messages"). A mark
// that came back before its audio can have been played counts when it is due;
// one that does not come back counts some time after.
//
// Cleared: a mark goes with each clear and comes back at once, behind those
// that were played and with those that were not. With it is known what was
// heard (cleared_peer.hpp); kCut is told then, and what is held sent again. It
// is not waited for for more than a round trip and a second, and not at all at
// a peer that does not return it: what was heard is by the clock then.
//
// Held: the caller may have interrupted. The peer is cleared, and what it has
// not played is put before what waits, so that after resume() the caller hears
// the sample behind the last one that he heard: rather one twice than none,
// where that is not known. For that, audio is kept until a mark says that it
// was heard.
//
// A mark goes out every `mark_interval`, and with each message once the line
// has shown to be uneven: where it stood still is known to the mark.
class Playout {
public:
  struct Settings {
    Duration send_ahead = 400ms;
    Duration message = 100ms;       // of audio in a media message
    Duration mark_interval = 500ms; // of audio between marks
  };
  // Must not call back into the Playout.
  class Peer {
  public:
    virtual ~Peer() = default;
    virtual void send_media(ByteSpan mulaw) = 0;
    virtual void send_mark(std::string_view name) = 0;
    virtual void send_clear() = 0;
  };

  // Audio waiting to be sent beyond this (10 min, what Twilio itself would
  // hold) is dropped.
  static constexpr std::size_t kMaxWaiting = std::size_t{10} * 60 * 8000;

  Playout(const Settings &settings, Peer &peer);

  // The peer can be sent to; until then audio waits.
  void open(TimePoint now);
  // The stream is over: what is not finished is cut, what comes is not heard.
  void close(TimePoint now);

  void utterance_start(std::uint32_t id, TimePoint now);
  // The audio from here on says this.
  void spoken_text(std::uint32_t id, std::string text,
                   std::vector<WordTiming> timings, TimePoint now);
  // Without an utterance_start it is of utterance 0, which ends with eos().
  void audio(ByteSpan mulaw, TimePoint now);
  // The next audio is the utterance's last.
  void utterance_end(std::uint32_t id, TimePoint now);
  // Be silent now: drops what waits, clears what may be queued at the peer, and
  // cuts all utterances.
  void flush(TimePoint now);
  // Be silent until resume() or flush(); what comes meanwhile waits as well.
  void hold(TimePoint now);
  void resume(TimePoint now);
  // The peer returned a mark.
  void mark_echo(std::string_view name, TimePoint now);
  // No more will come: finished() once all that came was heard.
  void eos(TimePoint now);
  void tick(TimePoint now);

  std::optional<TimePoint> next_deadline() const;
  // When the next mark may come back: no sooner than any before did after its
  // time. It may be late, or never come.
  std::optional<TimePoint> mark_due() const;
  std::optional<PlayoutEvent> next_event();
  bool finished() const {
    return eos_ && utterances_.empty() && clears_.empty();
  }

  std::size_t waiting() const { // samples
    return static_cast<std::size_t>(queue_.end() - clock_.sent());
  }
  std::uint64_t dropped() const { return dropped_; } // samples
  // Whether marks have shown that not all that is sent takes the same time:
  // they are sent with each message then.
  bool line_is_uneven() const { return clock_.uneven(); }

private:
  static constexpr std::uint8_t kSilence = 0xff;
  static constexpr std::size_t kFrame = 160; // 20 ms; partial frames click
  // A mark that is overdue by this much (Twilio docs give no figure) will not
  // come back.
  static constexpr Duration kEchoGrace = 2s;

  struct Utterance {
    std::uint32_t id = 0;
    std::uint64_t begin = 0;       // position of its first sample
    std::uint64_t total = 0;       // samples received
    std::uint64_t end = 0;         // position behind its last one, with padding
    std::uint64_t frames_from = 0; // where its whole frames are counted from
    SpokenScript script;
    std::optional<TimePoint> first_audio, first_sent;
    std::optional<TimePoint> ending; // since when its last audio is awaited
    bool complete = false;           // all its audio is here
    std::uint64_t end_mark = 0;      // sequence of it; 0: not sent
    bool told_started = false;
  };
  struct Mark {
    std::uint64_t sequence = 0;
    std::uint32_t utterance = 0;
    std::uint64_t position = 0;
    TimePoint due{};
    bool early = false; // came back before it was due
  };
  // A clear that the peer has not answered yet.
  struct Clear {
    std::uint64_t mark = 0; // was sent with it and comes back at once
    bool held = false;      // what was cleared is to be sent again
    ClearedPeer peer;
    std::vector<Mark> marks;  // that were out
    std::uint64_t heard = 0;  // by the clock: as it was told at once
    std::uint64_t surely = 0; // by the clock, too: what was told may be farther
    std::uint64_t told = 0;   // to be heard before
    bool told_estimated = false;
    Fifo<Utterance> cut; // that are told when it is answered
  };
  struct Told {
    PlayoutEvent event;
    std::uint64_t clear = 0; // whose answer it waits for
  };

  Utterance *open_utterance();
  Utterance &begin_utterance(std::uint32_t id);
  Utterance *sending();
  const Utterance *sending() const;
  bool may_be_queued(TimePoint now) const;
  std::size_t next_message(const Utterance &utterance) const;
  std::optional<TimePoint> send_time() const;
  TimePoint send_deadline(TimePoint time) const;
  void pump(TimePoint now);
  void send(Utterance &utterance, TimePoint now);
  void send_mark(const Utterance &utterance);
  void complete(Utterance &utterance);
  void pad(Utterance &utterance);
  void rewind(std::uint64_t position, TimePoint now);
  void distrust_marks();
  TimePoint expiry(const Mark &mark) const;
  void expire(TimePoint now);
  void played(const Mark &mark, TimePoint time, bool estimated);
  bool front_is_overdue(TimePoint now) const;
  std::uint64_t surely_heard(TimePoint now) const;
  bool clock_may_be_wrong(TimePoint now) const;
  std::uint64_t heard(TimePoint now) const;
  bool heard_all(const Utterance &utterance, std::uint64_t position) const;
  void cut_all(TimePoint now);
  void drop_all(TimePoint now);
  void forget_sent(std::uint64_t position, TimePoint now);
  void hold_at(const ClearedPeer::Heard &heard,
               std::optional<std::uint64_t> told, TimePoint now);
  bool clear(TimePoint now);
  bool awaits_answer() const { return !clears_.empty() && clears_.back().held; }
  void cut_when_answered(TimePoint now);
  void cleared_mark(std::uint64_t sequence, std::string_view name,
                    TimePoint now);
  TimePoint answer_due(const Clear &clear) const;
  void answer(std::optional<TimePoint> answered, TimePoint now);
  void tell_started(Utterance &utterance);
  PlayoutEvent event(PlayoutEvent::What what, const Utterance &utterance,
                     TimePoint time, std::uint64_t heard_position,
                     bool estimated) const;
  void tell(PlayoutEvent::What what, const Utterance &utterance, TimePoint time,
            std::uint64_t heard_position, bool estimated);

  const Settings settings_;
  const std::size_t message_size_, mark_size_; // samples
  Peer &peer_;
  PeerClock clock_;
  bool opened_ = false, closed_ = false, eos_ = false, held_ = false;

  // What a mark has not confirmed yet: from clock_.sent() on it waits.
  BlockQueue queue_;
  TimePoint waiting_since_{}; // the first one that waits
  std::uint64_t dropped_ = 0;
  Fifo<Utterance> utterances_; // not yet closed
  bool explicit_ = false;      // utterance_start was ever called
  bool between_ = false;       // flushed, and the next utterance has not begun

  Fifo<Mark> marks_; // out
  std::uint64_t next_mark_ = 1;
  std::uint64_t first_valid_ = 1; // marks before it were cleared
  std::uint64_t marked_ = 0;      // position of the last mark
  std::uint64_t confirmed_ = 0;   // position up to which marks came back
  std::uint64_t told_ = 0;        // up to here it was said to be heard
  bool told_estimated_ = false;
  bool guessed_ = false; // confirmed_ is, in truth, by the clock
  bool echoes_ = true;   // the peer returns marks, as far as is known
  bool hasty_ = false;   // and does so before it has played
  // Marks behind a clear that did not come back, in a row. Of a peer of which
  // none was seen yet one is enough to say that it returns none.
  int missed_ = 1;
  std::uint64_t asked_ = 0; // the last one that was not waited for
  TimePoint asked_due_{};
  Fifo<Clear> clears_;
  Fifo<Told> events_;
};

} // namespace patchcord::twilio
