// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/conversation.hpp"

#include "agent/conversation_times.hpp"

#include <algorithm>
#include <utility>

// What becomes due by the passing of time alone.
namespace patchcord::agent {

Actions Conversation::timer(TimePoint now) {
  timer_.reset();
  due(now);
  return finish();
}

void Conversation::due(TimePoint now) {
  const auto is_due = [now](const std::optional<TimePoint> &deadline) {
    return deadline && *deadline <= now;
  };
  if (is_due(cut_due_))
    if (Utterance *cut = dialogue_.find(cut_))
      close(*cut, "interrupted");
  if (!running_ || ending_)
    return;
  if (now >= started_at_ + definition_->limits.max_duration)
    return time_is_up(now);
  if (request_ && is_due(request_->deadline)) {
    if (request_->id == 0) {
      start_request(now);
    } else {
      emit(action::CancelRequest{});
      fail_request(now, {"openai", "timeout", "no answer in time", true});
    }
    if (ending_)
      return; // nothing is due behind the last words
  }
  if (is_due(digits_due_))
    digits_are_due(now);
  if (speaking_ && now >= speech_sign_ + kLongestSpeech) {
    speaking_ = false;
    eventless_since_ = now;
    words_due_ = now;
  }
  if (is_due(screening_deadline()))
    screening_due(now);
  if (ending_)
    return;
  if (is_due(guess_due_))
    guess();
  if (is_due(hold_due_))
    hold_if_long_enough(now);
  if (is_due(listens_due_)) {
    listens_due_.reset();
    if (on_hold_ != 0)
      false_interruption(now);
  }
  if (is_due(words_due_))
    words_did_not_come(now);
  if (is_due(filler_deadline())) {
    const auto &phrases = definition_->fillers.phrases;
    say_filler(now, phrases[next_filler_++ % phrases.size()]);
  }
  if (is_due(playout_deadline()))
    presume_over(now, *dialogue_.current());
  if (is_due(silence_deadline()))
    caller_is_silent(now);
}

// What the caller has said by now is an answer still; one that a model would
// have to think about comes too late.
void Conversation::time_is_up(TimePoint now) {
  if (screen_ == Screen::kOff && has_whole_answer() &&
      !mind_->preview(held_, dialogue_.history()))
    take_words(now, std::exchange(held_, {}),
               std::exchange(speech_ended_, std::nullopt));
  if (closing_)
    close_call(closing_->reply);
  if (!ending_)
    break_off(now, definition_->phrases.time_up, "max_duration");
}

// Words, and nothing behind them of which nobody knows yet what it will be: of
// "yes, but to Oslo" the "yes" is no answer.
bool Conversation::has_whole_answer() const {
  const bool speaks_on =
      speaking_ || !interjected_.empty() || speech_over_ > words_came_;
  const bool keys_follow = !digits_.empty() && awaits_digits();
  return !held_.empty() && !speaks_on && !keys_follow;
}

// Instead of what is being said.
void Conversation::break_off(TimePoint now, const std::string &text,
                             const std::string &reason) {
  if (Utterance *current = dialogue_.current())
    silence_voice(*current);
  say_and_end(now, text, reason);
}

void Conversation::presume_over(TimePoint now, Utterance &current) {
  current.over = current.presumed_over = true;
  quiet_since_ = eventless_since_ = now;
  if (reports_ == Reports::kUnknown && !current.started)
    reports_ = Reports::kNo;
  if (current.started || reports_ == Reports::kNo)
    current.heard = current.text();
}

void Conversation::caller_is_silent(TimePoint now) {
  if (silence_prompts_ >= definition_->limits.max_silence_prompts)
    return say_and_end(now, definition_->end.farewell, "no_answer");
  ++silence_prompts_;
  forget_partial();
  Turn next;
  next.index = turn_.index + 1;
  next.decision = now;
  turn_ = next;
  Reply reply;
  reply.action = "prompt";
  const auto &phrases = definition_->phrases.silence;
  reply.message = phrases[std::min<std::size_t>(
      static_cast<std::size_t>(silence_prompts_) - 1, phrases.size() - 1)];
  if (const std::string reminder = mind_->reminder(); !reminder.empty())
    reply.message += " " + reminder;
  reply.expect = mind_->expectation();
  speak(now, std::move(reply));
}

std::optional<TimePoint> Conversation::playout_deadline() {
  const Utterance *current = dialogue_.current();
  if (current == nullptr || !current->whole || on_hold_ != 0)
    return std::nullopt;
  const Duration length = current->estimate();
  switch (reports_) {
  case Reports::kNo:
    return current->sent + length;
  case Reports::kYes:
    return std::max(current->sent, current->last_report) + 2 * length +
           kReportLate;
  default:
    return current->sent + length + kFirstReportLate;
  }
}

std::optional<TimePoint> Conversation::silence_deadline() {
  const bool screened =
      screen_ == Screen::kMachine || (screening() && !held_.empty());
  const bool waiting = !request_ && !speaking_ && !words_due_ && !digits_due_ &&
                       !screened && dialogue_.current() == nullptr;
  if (!waiting)
    return std::nullopt;
  // Noise without a word puts it off, but not for ever.
  const Duration prompt = definition_->limits.silence_prompt;
  return std::min(quiet_since_ + prompt, eventless_since_ + 2 * prompt);
}

// Nothing was said for too long, and nothing of the reply is there.
std::optional<TimePoint> Conversation::filler_deadline() {
  const Definition::Fillers &fillers = definition_->fillers;
  const bool waits = request_ && request_->spoken.empty() && !speaking_ &&
                     on_hold_ == 0 && !fillers.phrases.empty() &&
                     turn_.fillers < fillers.max_per_turn;
  return waits ? std::optional(std::max(said_until_, quiet_since_) +
                               fillers.after)
               : std::nullopt;
}

std::optional<TimePoint> Conversation::next_deadline() {
  std::optional<TimePoint> next = cut_due_;
  const auto consider = [&next](const std::optional<TimePoint> &deadline) {
    if (deadline && (!next || *deadline < *next))
      next = deadline;
  };
  if (!running_ || ending_)
    return next;
  consider(started_at_ + definition_->limits.max_duration);
  if (request_)
    consider(request_->deadline);
  consider(digits_due_);
  consider(words_due_);
  consider(hold_due_);
  consider(listens_due_);
  consider(guess_due_);
  consider(screening_deadline());
  if (speaking_)
    consider(speech_sign_ + kLongestSpeech);
  consider(playout_deadline());
  consider(silence_deadline());
  consider(filler_deadline());
  return next;
}

} // namespace patchcord::agent
