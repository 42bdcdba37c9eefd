// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/fifo.hpp"
#include "openai/audio_backlog.hpp"
#include "openai/item_ledger.hpp"
#include "openai/realtime_endpoint.hpp"
#include "openai/realtime_event.hpp"

#include "base/bytes.hpp"
#include "worker/time.hpp"

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace patchcord::openai {

// Speech to text over OpenAI's Realtime WebSocket, across reconnections. Pure:
// what happens goes in with the time at which it does; what to do comes out.
// (Guide "Realtime transcription"; the protocol as generally available, not the
// beta, though a server that speaks the beta's names is understood.)
//
// After every call: send what next_message() gives, perform what next_action()
// gives, and call on_time() at deadline().
//
// Audio positions are durations since the first byte that was pushed.
class RealtimeTranscription {
public:
  enum class Format { kMulaw8k, kPcm24k }; // mono; PCM is S16LE
  struct Settings {
    std::string base_url = "https://api.openai.com/v1";
    std::string realtime_url; // used as it is; empty: from base_url
    std::string model = "gpt-transcribe";
    // ISO 639-1; several with commas for the models that take a list.
    std::string language;
    int vad_silence_ms = 500;
    double vad_threshold = 0.5;
    int append_ms = 20;             // audio a message, at least
    Duration result_deadline = 0s;  // from commit; 0: by the model
    Duration recycle_after = 3000s; // the server ends a session at 3600 s
    std::uint32_t seed = 1;         // of the jitter
  };

  struct Action {
    enum class Kind {
      kConnect,       // open a WebSocket to `text`
      kDisconnect,    // close it; nothing it says matters any more
      kSpeechStarted, // at `start`
      kSpeechStopped, // at `end`
      kPartial,       // `text` replaces the partial before it
      kResult,        // `text` is what was said from `start` to `end`
      kNoWords,       // what was heard from `start` to `end` had none
      kFailed,        // for good: `code`, `text`, `retryable`
      kNotice,        // for the log: `text`
      kFinished,      // after finish(): nothing more comes
    };
    Kind kind;
    std::string text = {};
    Duration start{}, end{};
    std::string code = {};
    bool retryable = false;
  };

  explicit RealtimeTranscription(Settings settings);

  // Asks for the connection: before the first word, so that it is warm.
  void start(TimePoint now);
  // Before the first audio, and again when it changes: from the next byte on.
  void set_format(Format format, TimePoint now);
  void push_audio(ByteSpan bytes, TimePoint now);

  void on_open(TimePoint now);
  void on_message(std::string_view json, TimePoint now);
  // `http_status`: of a refused upgrade, or 0.
  void on_closed(std::uint16_t code, std::string_view reason, int http_status,
                 TimePoint now);

  // What a local voice activity detector found: for models that have no server
  // VAD (needs_local_vad()). The turn is committed when it stops.
  void speech_started(Duration start, TimePoint now);
  void speech_stopped(Duration end, TimePoint now);

  // Forget what was said and not yet given out.
  void flush(TimePoint now);
  // The audio is over. `speech_left`: uncommitted() holds speech that a server
  // VAD may not have seen the end of. kFinished follows, in bounded time.
  void finish(bool speech_left, TimePoint now);

  bool next_action(Action &action);
  // Borrowed: valid until the next call.
  std::optional<std::string> next_message(TimePoint now);
  std::optional<TimePoint> deadline() const;
  void on_time(TimePoint now);

  bool needs_local_vad() const { return !model_.server_vad; }
  bool ready() const { return link_ == Link::kReady; }
  Duration position() const { return duration_of(audio_.end()); }
  // The audio that no item of the server's holds yet, as far as it is kept.
  Bytes uncommitted() const;

private:
  enum class Link {
    kIdle,
    kConnecting,
    kOpen,        // session.created is awaited
    kCreated,     // the audio format is awaited
    kConfiguring, // session.updated is awaited
    kReady,
    kWaiting, // until the next try
    kDead,
  };
  // A turn that the client commits.
  struct Commit {
    std::string event_id;
    std::int64_t from = 0, at = 0;   // bytes to send, then the commit
    std::int64_t start = 0, end = 0; // of the speech
    bool sent = false;
    TimePoint deadline{};
  };
  struct OpenTurn {
    std::int64_t from = 0, start = 0;
  };

  // realtime.cpp: the link
  void connect(TimePoint now);
  void configure(TimePoint now);
  void unheard(TimePoint now); // from now on, if it was not so before
  void become_ready(TimePoint now);
  void lose(std::string why, bool at_once, TimePoint now);
  void fail(std::string code, std::string message, bool retryable);
  void on_error(const ErrorFields &error, TimePoint now);
  bool try_with_model_in_url(TimePoint now);
  std::string session_update();
  std::string beta_session_update() const;
  void extend_finish(TimePoint now);
  void check_finished();

  // realtime_turns.cpp: audio, turns and results
  void forget_old_audio();
  void pack_sent_audio();
  void begin_session();
  void take_item_event(const RealtimeEvent &event, TimePoint now);
  void take_speech_event(ItemLedger::Item &item, const RealtimeEvent &event);
  void item_committed(ItemLedger::Item &item, const RealtimeEvent &event,
                      TimePoint now);
  void requeue_turns();
  void skip_to(std::int64_t position);
  void commit_turn(std::int64_t end, bool goes_on);
  void drop_commit(const std::string &event_id);
  void stop_speaking(std::int64_t end);
  void expire(TimePoint now);
  void deliver();
  void give(const ItemLedger::Item &item);
  void tell_partial();
  std::optional<std::string> audio_message(std::int64_t to, bool all);
  bool between_turns() const;

  std::int64_t bytes_per_ms() const {
    return format_ == Format::kPcm24k ? 48 : 8;
  }
  std::int64_t bytes_of(Duration duration) const {
    return duration.count() / 1'000'000 * bytes_per_ms();
  }
  Duration duration_of(std::int64_t bytes) const {
    return Duration(bytes * 1'000'000 / bytes_per_ms()) + format_start_;
  }
  void act(Action action) {
    action.text = to_valid_utf8(std::move(action.text));
    actions_.push_back(std::move(action));
  }

  const Settings settings_;
  const RealtimeModel model_;
  const Duration result_deadline_;
  std::minstd_rand random_;
  Fifo<Action> actions_;

  Link link_ = Link::kIdle;
  TimePoint link_deadline_{};
  TimePoint ready_since_{}, recycle_at_{};
  std::optional<TimePoint> give_up_at_; // unless there is a session by then
  std::string lost_by_;                 // the last try
  int attempts_ = 0;
  bool model_in_url_ = false, was_created_ = false, beta_ = false;
  int updates_made_ = 0, commits_made_ = 0;
  Fifo<std::string> outbox_; // control messages, before any audio

  std::optional<Format> format_;
  Duration format_start_{}; // position of the first byte in this format
  AudioBacklog audio_;
  std::int64_t sent_ = 0;          // up to here, on this connection
  std::int64_t session_start_ = 0; // the server's time 0
  std::int64_t replay_start_ = -1; // what a lost connection did not finish
  bool finishing_ = false, finished_ = false;
  TimePoint finish_deadline_{}, finish_limit_{};

  ItemLedger items_;
  Fifo<Commit> commits_; // made by the client, not yet confirmed
  std::optional<OpenTurn> turn_;
  bool speaking_ = false;        // what was last told
  std::int64_t last_end_ = 0;    // of the last result: before it, no replay
  std::int64_t commit_from_ = 0; // behind the last item
  std::string told_partial_;
  // Given up without a word: should its text still come, late is better than
  // never, as long as nothing was said since.
  std::optional<ItemLedger::Item> late_;
};

} // namespace patchcord::openai
