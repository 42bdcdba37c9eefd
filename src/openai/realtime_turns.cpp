// SPDX-License-Identifier: LGPL-2.1-or-later
// The half of RealtimeTranscription that is about audio, turns and results.
#include "openai/realtime.hpp"

#include "base/base64.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <utility>

namespace patchcord::openai {
namespace {

constexpr std::int64_t kPaddingMs = 300; // before the first voiced sample
// What is sent before it when it is sent again: more, so that the server's
// padding does not end at the first sample of the session.
constexpr std::int64_t kReplayPaddingMs = 500;
constexpr std::int64_t kMorePaddingMs = kReplayPaddingMs - kPaddingMs;
constexpr std::int64_t kMaxTurnMs = 20'000;
// How much audio is kept: while there is no connection, to be sent when there
// is one; between turns, for what a lost connection may not have told (a start
// of speech is told within 0.7 s, and the padding is wanted too); and
// at most, for turns that are not finished.
constexpr std::int64_t kUnsentMs = 5000, kIdleMs = 1200, kReplayMs = 21'000;
constexpr std::int64_t kMessageMs = 1000; // of a backlog, at a time
constexpr std::size_t kMaxPartial = std::size_t{16} * 1024;
constexpr std::string_view kAppendStart =
    R"({"type":"input_audio_buffer.append","audio":")";

} // namespace

void RealtimeTranscription::set_format(Format format, TimePoint now) {
  if (format_ == format)
    return;
  if (format_) {
    flush(now);
    format_start_ = position();
    audio_ = {};
    sent_ = last_end_ = commit_from_ = 0;
    if (link_ == Link::kConfiguring || link_ == Link::kReady) {
      act({Action::Kind::kDisconnect});
      connect(now);
    }
  }
  format_ = format;
  if (link_ == Link::kCreated)
    configure(now);
}

void RealtimeTranscription::push_audio(ByteSpan bytes, TimePoint) {
  if (!format_ || finishing_ || link_ == Link::kDead)
    return;
  if (format_ == Format::kPcm24k)
    bytes = bytes.first(bytes.size() & ~std::size_t{1}); // whole samples
  audio_.append(bytes);
  // A detector that never hears an end must not make a turn of minutes.
  if (turn_ && audio_.end() - turn_->from >= kMaxTurnMs * bytes_per_ms())
    commit_turn(audio_.end(), true);
  forget_old_audio();
}

// Forgets the audio that nothing can need any more.
void RealtimeTranscription::forget_old_audio() {
  const std::int64_t end = audio_.end(), ms = bytes_per_ms();
  std::int64_t keep = end - (ready() ? kIdleMs : kUnsentMs) * ms;
  const auto need = [&](std::int64_t from) { keep = std::min(keep, from); };
  if (replay_start_ >= 0)
    need(replay_start_);
  if (ready() && model_.server_vad)
    need(sent_);
  for (const auto &item : items_.items())
    if (item.start >= 0)
      need(item.start - kReplayPaddingMs * ms);
  for (const Commit &commit : commits_)
    need(commit.from - kMorePaddingMs * ms);
  if (turn_)
    need(turn_->from - kMorePaddingMs * ms);
  audio_.drop_before(std::max(keep, end - kReplayMs * ms));
  pack_sent_audio();
  std::erase_if(commits_, [&](const Commit &commit) {
    return !commit.sent && commit.at <= audio_.begin();
  });
  if (sent_ < audio_.begin())
    skip_to(audio_.begin());
}

// The audio up to there is not sent on this connection.
void RealtimeTranscription::skip_to(std::int64_t position) {
  session_start_ += position - sent_;
  sent_ = position;
}

// What of the audio held goes to the new session first.
void RealtimeTranscription::begin_session() {
  if (!model_.server_vad)
    sent_ = audio_.begin(); // turns say themselves where they begin
  else if (replay_start_ >= 0)
    sent_ = std::max(replay_start_, audio_.begin());
  else
    sent_ = std::max(std::min(last_end_, audio_.end()), audio_.begin());
  session_start_ = sent_;
}

// The connection is lost: what it did not finish is said again to the next.
void RealtimeTranscription::requeue_turns() {
  const std::int64_t padding = kReplayPaddingMs * bytes_per_ms();
  for (Commit &commit : commits_)
    commit.sent = false;
  const auto &items = items_.items();
  for (auto item = items.rbegin(); item != items.rend(); ++item) {
    if (model_.server_vad) {
      const std::int64_t from = item->start >= 0
                                    ? std::max(item->start - padding, last_end_)
                                    : last_end_;
      replay_start_ = replay_start_ >= 0 ? std::min(replay_start_, from) : from;
    } else if (item->commit_at >= 0) {
      commits_.push_front({"commit_" + std::to_string(++commits_made_),
                           std::max(item->start - padding, last_end_),
                           item->commit_at, item->start, item->end});
    }
  }
  if (model_.server_vad)
    stop_speaking(audio_.end()); // the next session will say it anew
  told_partial_.clear();         // and its words too; these still stand
}

void RealtimeTranscription::stop_speaking(std::int64_t end) {
  if (std::exchange(speaking_, false))
    act({Action::Kind::kSpeechStopped, "", {}, duration_of(end)});
}

void RealtimeTranscription::speech_started(Duration start, TimePoint) {
  if (link_ == Link::kDead || finishing_ || turn_)
    return;
  const std::int64_t at = bytes_of(start - format_start_);
  turn_ =
      OpenTurn{std::max(at - kPaddingMs * bytes_per_ms(), commit_from_), at};
  speaking_ = true;
  act({Action::Kind::kSpeechStarted, "", start});
}

void RealtimeTranscription::speech_stopped(Duration end, TimePoint) {
  if (!turn_)
    return;
  const std::int64_t at = bytes_of(end - format_start_);
  commit_turn(at, false);
  stop_speaking(at);
}

// All audio so far belongs to the turn; its speech ended at `end`.
void RealtimeTranscription::commit_turn(std::int64_t end, bool goes_on) {
  const std::int64_t at = audio_.end();
  commits_.push_back({"commit_" + std::to_string(++commits_made_), turn_->from,
                      at, turn_->start, end});
  commit_from_ = at;
  turn_.reset();
  if (goes_on)
    turn_ = OpenTurn{at, at};
}

// The commit of this name, or the oldest that is under way, came to nothing.
void RealtimeTranscription::drop_commit(const std::string &event_id) {
  const auto commit =
      std::find_if(commits_.begin(), commits_.end(), [&](const Commit &c) {
        return c.sent && (event_id.empty() || c.event_id == event_id);
      });
  if (commit != commits_.end())
    commits_.erase(commit);
}

bool RealtimeTranscription::between_turns() const {
  return items_.empty() && commits_.empty() && !turn_ && !speaking_;
}

Bytes RealtimeTranscription::uncommitted() const {
  return audio_.range(commit_from_, audio_.end());
}

std::optional<std::string> RealtimeTranscription::next_message(TimePoint now) {
  if (link_ != Link::kConfiguring && link_ != Link::kReady)
    return std::nullopt;
  if (!outbox_.empty()) {
    std::string message = std::move(outbox_.front());
    outbox_.pop_front();
    return message;
  }
  if (link_ != Link::kReady)
    return std::nullopt;
  for (Commit &commit : commits_) {
    if (commit.sent)
      continue;
    // Between turns nothing is sent to a session without a VAD: silence there
    // would become part of the next item.
    if (!model_.server_vad && sent_ < commit.from)
      skip_to(commit.from);
    if (sent_ < commit.at)
      return audio_message(commit.at, true);
    commit.sent = true;
    commit.deadline = now + result_deadline_;
    return R"({"type":"input_audio_buffer.commit","event_id":")" +
           commit.event_id + "\"}";
  }
  if (model_.server_vad)
    return audio_message(audio_.end(), finishing_);
  if (!turn_)
    return std::nullopt;
  if (sent_ < turn_->from)
    skip_to(turn_->from);
  return audio_message(audio_.end(), false);
}

std::optional<std::string> RealtimeTranscription::audio_message(std::int64_t to,
                                                                bool all) {
  const std::int64_t unsent = to - sent_;
  if (unsent <= 0 || (!all && unsent < settings_.append_ms * bytes_per_ms()))
    return std::nullopt;
  const std::int64_t from = sent_;
  sent_ += std::min(unsent, kMessageMs * bytes_per_ms());
  std::string message(kAppendStart);
  base64::append(message, audio_.range(from, sent_));
  message += "\"}";
  pack_sent_audio(); // 400 ms of PCM, kept until the next came, are 19 kB
  return message;
}

void RealtimeTranscription::pack_sent_audio() {
  if (format_ == Format::kPcm24k)
    audio_.pack_before(sent_);
}

void RealtimeTranscription::take_item_event(const RealtimeEvent &event,
                                            TimePoint now) {
  using Type = RealtimeEvent::Type;
  extend_finish(now);
  ItemLedger::Item *item = items_.find_or_add(event.item_id);
  if (item == nullptr) {
    if (event.type == Type::kCompleted && late_ && late_->id == event.item_id) {
      late_->text = event.text;
      give(ItemLedger::Item(*late_)); // a copy: giving it forgets it
    }
    return;
  }
  switch (event.type) {
  case Type::kSpeechStarted:
  case Type::kSpeechStopped:
    take_speech_event(*item, event);
    break;
  case Type::kDelta:
    if (!item->done && item->partial.size() < kMaxPartial)
      item->partial += event.text;
    tell_partial();
    break;
  case Type::kCommitted:
    item_committed(*item, event, now);
    break;
  case Type::kCompleted:
  case Type::kFailed:
    item->done = true;
    item->failed = event.type == Type::kFailed;
    item->text = item->failed ? item->partial : event.text;
    if (item->failed)
      act({Action::Kind::kNotice,
           "an item failed: " + event.error.name("unknown")});
    item_committed(*item, event, now); // some servers do not tell it
    break;
  default:
    break;
  }
  deliver();
}

// The server's times count from the first audio of the session; the start
// includes the padding before the speech, the end the silence waited for.
void RealtimeTranscription::take_speech_event(ItemLedger::Item &item,
                                              const RealtimeEvent &event) {
  if (!model_.server_vad)
    return;
  const std::int64_t ms = std::clamp<std::int64_t>(event.ms, 0, 86'400'000);
  const auto position_of = [&](std::int64_t time) {
    return std::clamp(session_start_ + time * bytes_per_ms(),
                      std::min(last_end_, audio_.end()), audio_.end());
  };
  if (event.type == RealtimeEvent::Type::kSpeechStarted) {
    item.start = position_of(ms > 0 ? ms + kPaddingMs : 0);
    replay_start_ = -1; // this item holds on to its audio from here on
    if (!std::exchange(speaking_, true))
      act({Action::Kind::kSpeechStarted, "", duration_of(item.start)});
  } else {
    item.end = std::max(position_of(ms - settings_.vad_silence_ms), item.start);
    item.has_stop = true;
    stop_speaking(item.end);
  }
}

void RealtimeTranscription::item_committed(ItemLedger::Item &item,
                                           const RealtimeEvent &event,
                                           TimePoint now) {
  if (item.committed)
    return;
  TimePoint deadline = now + result_deadline_;
  // Ours, unless the server told of an end that it found itself.
  if (!commits_.empty() && commits_.front().sent && !item.has_stop) {
    const Commit commit = std::move(commits_.front());
    commits_.pop_front();
    item.start = item.start >= 0 ? item.start : commit.start;
    item.end = commit.end;
    item.commit_at = commit.at;
    deadline = std::min(deadline, commit.deadline);
    if (model_.server_vad)
      stop_speaking(item.end);
  }
  commit_from_ = std::max(commit_from_, item.end);
  items_.commit(item, event.previous_item_id, deadline);
}

void RealtimeTranscription::expire(TimePoint now) {
  while (!commits_.empty() && commits_.front().sent &&
         commits_.front().deadline <= now) {
    // Not even `committed` came. A live model's words are here all the same.
    const Commit commit = std::move(commits_.front());
    commits_.pop_front();
    if (ItemLedger::Item *item = items_.first_uncommitted()) {
      item->start = item->start >= 0 ? item->start : commit.start;
      item->end = commit.end;
      items_.commit(*item, "", now);
    }
  }
  items_.expire(now);
  deliver();
}

void RealtimeTranscription::deliver() {
  while (const auto item = items_.pop()) {
    last_end_ = std::max(last_end_, item->end);
    if (item->expired && trim(item->text).empty())
      late_ = *item;
    else
      give(*item);
  }
  tell_partial();
}

// To the world. Of noise it is told that it was no more than that: somebody may
// wait for its words.
void RealtimeTranscription::give(const ItemLedger::Item &item) {
  const std::string_view words = trim(item.text);
  const bool noise =
      words.empty() && item.start >= 0 && !item.expired && !item.failed;
  if (words.empty() && !noise)
    return;
  late_.reset();
  told_partial_.clear();
  const std::int64_t end = item.end >= 0 ? item.end : audio_.end();
  const std::int64_t start = item.start >= 0 ? item.start : end;
  act({noise ? Action::Kind::kNoWords : Action::Kind::kResult,
       std::string(words), duration_of(start),
       duration_of(std::max(start, end))});
}

void RealtimeTranscription::tell_partial() {
  std::string partial = items_.partial();
  if (partial == told_partial_)
    return;
  told_partial_ = partial;
  act({Action::Kind::kPartial, std::move(partial)});
}

void RealtimeTranscription::flush(TimePoint now) {
  items_.abandon();
  commits_.clear();
  turn_.reset();
  late_.reset();
  told_partial_.clear();
  speaking_ = false;
  replay_start_ = -1;
  last_end_ = commit_from_ = audio_.end();
  finishing_ = false;
  if (link_ == Link::kReady) {
    skip_to(audio_.end());
    outbox_.emplace_back(R"({"type":"input_audio_buffer.clear"})");
  }
  if (std::exchange(finished_, false))
    start(now);
}

} // namespace patchcord::openai
