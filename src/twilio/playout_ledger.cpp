// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/playout.hpp"

#include <algorithm>
#include <utility>

// What was heard, and what becomes of the rest: cut, or held and sent again.
// Pacing and marks are in playout.cpp.
namespace patchcord::twilio {
namespace {

// A mark that is this much later than the round trip says that the peer has
// not played it.
constexpr Duration kStall = 150ms;

} // namespace

// Whether the next mark should have come back by now.
bool Playout::front_is_overdue(TimePoint now) const {
  return clock_.seen_echo() && !marks_.empty() &&
         now > marks_.front().due + clock_.round_trip() + kStall;
}

// Nothing before it was not heard: what was told may be farther.
std::uint64_t Playout::surely_heard(TimePoint now) const {
  const Duration spread = clock_.uneven() ? clock_.spread() : Duration{};
  return std::clamp(clock_.played(now - clock_.behind() - spread), confirmed_,
                    heard(now));
}

// Whether what the clock says may be wrong by more than a message.
bool Playout::clock_may_be_wrong(TimePoint now) const {
  return !echoes_ || front_is_overdue(now) || (missed_ > 1 && clock_.uneven());
}

// The position up to which the caller has heard, or will have when a clear that
// is sent now takes effect.
std::uint64_t Playout::heard(TimePoint now) const {
  std::uint64_t position = clock_.played(now - clock_.behind());
  if (echoes_ && front_is_overdue(now))
    position = std::min(position, marks_.front().position);
  return std::max({position, confirmed_, told_});
}

// An end mark that is under way: only the clock says that all was heard.
bool Playout::heard_all(const Utterance &utterance,
                        std::uint64_t position) const {
  return utterance.end_mark != 0 &&
         position >= utterance.begin + utterance.total;
}

void Playout::cut_all(TimePoint now) {
  const std::uint64_t position = heard(now);
  const bool estimated =
      clock_may_be_wrong(now) || (told_estimated_ && position == told_);
  for (const Utterance &utterance : utterances_)
    if (heard_all(utterance, position))
      tell(PlayoutEvent::What::kEnded, utterance, now, position, true);
    else
      tell(PlayoutEvent::What::kCut, utterance, now, position,
           estimated && position > utterance.begin);
  utterances_.clear();
  drop_all(now);
}

void Playout::drop_all(TimePoint now) {
  queue_.truncate(clock_.sent());
  told_ = 0;
  told_estimated_ = false;
  rewind(queue_.end(), now);
}

void Playout::hold(TimePoint now) {
  if (held_ || closed_)
    return;
  held_ = true;
  if (awaits_answer())
    return; // Nothing was sent since.
  const std::uint64_t position = heard(now);
  const bool estimated =
      clock_may_be_wrong(now) || (told_estimated_ && position == told_);
  if (!opened_ || !may_be_queued(now) || !clear(now))
    return hold_at({position, surely_heard(now), !estimated, false, {}},
                   std::nullopt, now);
  clears_.back().held = true;
  forget_sent(position, now);
  for (const Utterance &utterance : utterances_) {
    tell(PlayoutEvent::What::kHeld, utterance, now, position,
         estimated && position > utterance.begin);
    if (!heard_all(utterance, position))
      break;
  }
}

// What was sent is heard so far; what may not have been is sent again.
// `told`: what was told to be heard of it already.
void Playout::hold_at(const ClearedPeer::Heard &heard,
                      std::optional<std::uint64_t> told, TimePoint now) {
  std::uint64_t position = heard.position, from = heard.surely;
  while (!utterances_.empty() && heard_all(utterances_.front(), from)) {
    const Utterance &front = utterances_.front();
    tell(PlayoutEvent::What::kEnded, front, now, position, !heard.certain);
    position = std::max(position, front.end);
    from = std::max(from, front.end);
    told.reset();
    utterances_.pop_front();
  }
  rewind(from, now);
  told_ = position;
  told_estimated_ = !heard.certain;
  if (!utterances_.empty() && (told != position || !heard.certain))
    tell(PlayoutEvent::What::kHeld, utterances_.front(), now, position,
         !heard.certain && position > utterances_.front().begin);
}

void Playout::resume(TimePoint now) {
  held_ = false;
  tick(now);
}

// The peer was cleared: of what was sent it plays no more, and what its marks
// say is of that.
void Playout::forget_sent(std::uint64_t position, TimePoint now) {
  clock_.cleared(position, now);
  marks_.clear();
  first_valid_ = next_mark_;
  marked_ = confirmed_ = position;
  guessed_ = false;
}

// The peer was cleared, and has played up to `position`: what was sent behind
// it is to be sent again, and with new marks.
void Playout::rewind(std::uint64_t position, TimePoint now) {
  forget_sent(position, now);
  for (Utterance &utterance : utterances_) {
    utterance.end_mark = 0;
    if (!utterance.told_started)
      utterance.first_sent.reset();
  }
  queue_.drop_before(position);
  if (utterances_.empty())
    return;
  Utterance &front = utterances_.front();
  front.frames_from = position;
  if (front.complete)
    pad(front);
}

// Makes it end with a whole frame.
void Playout::pad(Utterance &utterance) {
  const std::uint64_t rest = (utterance.end - utterance.frames_from) % kFrame;
  if (rest == 0)
    return;
  const std::uint64_t more = kFrame - rest;
  queue_.insert(utterance.end, static_cast<std::size_t>(more), kSilence);
  utterance.end += more;
  for (auto later = utterances_.rbegin(); &*later != &utterance; ++later) {
    later->begin += more;
    later->end += more;
    later->frames_from += more;
  }
}

void Playout::tell_started(Utterance &utterance) {
  if (std::exchange(utterance.told_started, true))
    return;
  tell(PlayoutEvent::What::kStarted, utterance, *utterance.first_sent,
       utterance.begin, false);
}

void Playout::tell(PlayoutEvent::What what, const Utterance &utterance,
                   TimePoint time, std::uint64_t heard_position,
                   bool estimated) {
  events_.push_back(
      {event(what, utterance, time, heard_position, estimated), 0});
}

PlayoutEvent Playout::event(PlayoutEvent::What what, const Utterance &utterance,
                            TimePoint time, std::uint64_t heard_position,
                            bool estimated) const {
  PlayoutEvent event;
  event.what = what;
  event.utterance = utterance.id;
  event.time = time;
  event.first_audio = utterance.first_audio;
  event.first_sent = utterance.first_sent;
  event.total_samples = utterance.total;
  event.heard_samples =
      heard_position <= utterance.begin
          ? 0
          : std::min(heard_position - utterance.begin, utterance.total);
  event.heard_text = utterance.script.heard(
      event.heard_samples, utterance.total, utterance.complete);
  event.estimated = estimated;
  return event;
}

} // namespace patchcord::twilio
