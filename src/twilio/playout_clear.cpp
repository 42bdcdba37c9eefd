// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/playout.hpp"

#include "twilio/mark_name.hpp"

#include <algorithm>
#include <utility>

// What the peer says to a clear: where it was when it was cleared.
namespace patchcord::twilio {
namespace {

// An answer that is so much later than the round trip will not come.
constexpr Duration kAnswerGrace = 1s;
// After as many in a row that did not come none is waited for.
constexpr int kMostMissed = 2;

} // namespace

// Whether the peer is to answer.
bool Playout::clear(TimePoint now) {
  peer_.send_clear();
  if (!echoes_)
    return false;
  if (missed_ >= kMostMissed) {
    asked_ = next_mark_++;
    asked_due_ = now + clock_.round_trip() + kAnswerGrace;
    peer_.send_mark(mark_name(0, asked_));
    return false;
  }
  Clear &clear = clears_.emplace_back();
  clear.heard = heard(now);
  clear.surely = surely_heard(now);
  clear.told = told_;
  clear.told_estimated = told_estimated_;
  clear.peer.clock = clock_;
  clear.peer.sent = now;
  clear.peer.confirmed = confirmed_;
  for (const Mark &mark : marks_)
    if (!mark.early) {
      clear.marks.push_back(mark);
      clear.peer.marks.push_back({mark.position, mark.due, {}});
    }
  clear.mark = next_mark_++;
  peer_.send_mark(mark_name(0, clear.mark));
  return true;
}

// What the caller has heard of the utterances is known when the peer answers.
void Playout::cut_when_answered(TimePoint now) {
  Clear &clear = clears_.back();
  clear.held = false;
  for (const Utterance &utterance : utterances_)
    events_.push_back(
        {event(PlayoutEvent::What::kCut, utterance, now, clear.heard, true),
         clear.mark});
  clear.cut = std::exchange(utterances_, {});
  drop_all(now);
}

TimePoint Playout::answer_due(const Clear &clear) const {
  return clear.peer.sent + clock_.round_trip() + kAnswerGrace;
}

// A mark came back that was out when the peer was cleared, or was sent with the
// clear.
void Playout::cleared_mark(std::uint64_t sequence, std::string_view name,
                           TimePoint now) {
  if (sequence == asked_ && name == mark_name(0, sequence)) {
    if (now < asked_due_)
      missed_ = 0;
    return;
  }
  const auto clear =
      std::find_if(clears_.begin(), clears_.end(),
                   [sequence](const Clear &c) { return sequence <= c.mark; });
  if (clear == clears_.end())
    return; // Later than it was waited for.
  if (sequence == clear->mark && name == mark_name(0, sequence)) {
    const std::uint64_t mark = clear->mark;
    while (!clears_.empty() && clears_.front().mark < mark)
      answer(std::nullopt, now);
    answer(now, now);
    return tick(now);
  }
  for (std::size_t i = 0; i < clear->marks.size(); ++i)
    if (clear->marks[i].sequence == sequence &&
        name == mark_name(clear->marks[i].utterance, sequence))
      clear->peer.marks[i].back = now;
}

// Of the first clear. `answered`: when; or it is not waited for any longer.
void Playout::answer(std::optional<TimePoint> answered, TimePoint now) {
  Clear clear = std::move(clears_.front());
  clears_.pop_front();
  const bool overdue = !answered && now >= answer_due(clear);
  if (answered)
    missed_ = 0;
  else if (!clock_.seen_echo())
    echoes_ = false;
  else if (overdue)
    ++missed_;
  ClearedPeer::Heard heard{clear.heard, clear.surely, echoes_, false, {}};
  if (echoes_ && (answered || overdue))
    heard =
        clear.peer.heard(answered, static_cast<std::uint64_t>(message_size_));
  if (heard.took)
    clock_.answered(*heard.took);
  if (heard.hasty) {
    distrust_marks();
    heard = {clear.heard, clear.surely, true, true, {}};
  }
  if (heard.position <= clear.told) {
    heard.position = clear.told;
    heard.certain &= !clear.told_estimated;
  }
  if (clear.held)
    return hold_at(heard, clear.heard, now);
  auto told =
      std::find_if(events_.begin(), events_.end(),
                   [&clear](const Told &t) { return t.clear == clear.mark; });
  for (const Utterance &utterance : clear.cut) {
    const bool all = heard_all(utterance, heard.position);
    *told = {event(all ? PlayoutEvent::What::kEnded : PlayoutEvent::What::kCut,
                   utterance, told->event.time, heard.position,
                   !heard.certain && heard.position > utterance.begin),
             0};
    ++told;
  }
}

} // namespace patchcord::twilio
