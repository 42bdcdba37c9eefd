// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/conversation.hpp"

#include "agent/conversation_times.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <utility>

// What the agent says, what of it the caller hears, and interruptions.
namespace patchcord::agent {

// --- speech ------------------------------------------------------------------

Utterance &Conversation::utterance(TimePoint now, bool interruptible) {
  Utterance *current = dialogue_.current();
  if (current != nullptr && !current->whole)
    return *current;
  Utterance &opened = dialogue_.open(turn_.index, interruptible, now);
  emit(action::StartUtterance{opened.id, interruptible});
  return opened;
}

void Conversation::say(TimePoint now, const std::string &clause) {
  Utterance &to = utterance(now, true);
  to.clauses.push_back(clause);
  emit(action::Say{to.id, clause});
}

void Conversation::speak(TimePoint now, Reply reply) {
  const bool last = reply.action == "end_call";
  if (trim(reply.message).empty())
    reply.message =
        last ? definition_->end.farewell : definition_->end.not_understood;
  (void)utterance(now, !last);
  for (const std::string &clause : split_sentences(reply.message))
    say(now, clause);
  finish_reply(reply);
}

void Conversation::finish_reply(const Reply &reply) {
  // Gone when the line was cut while the model wrote on.
  if (Utterance *current = dialogue_.current()) {
    current->whole = true;
    emit(action::EndUtterance{current->id});
  }
  decided(reply);
  emit(action::Expect{reply.expect});
  if (reply.action == "end_call")
    end_call(reply.end_reason);
}

std::string Conversation::known_fields() const {
  return to_json(*definition_, applicable(*definition_, mind_->values()));
}

void Conversation::decided(const Reply &reply) {
  turn_.decided = true;
  const Utterance *current = dialogue_.current();
  emit(action::Decided{turn_.index, current == nullptr ? 0 : current->id,
                       turn_.caller, reply.action, reply.message,
                       to_json(*definition_, reply.extracted), known_fields()});
}

void Conversation::say_and_end(TimePoint now, const std::string &text,
                               const std::string &reason) {
  cancel_request();
  if (turn_.decided) {
    Turn next;
    next.index = turn_.index + 1;
    turn_ = next;
  }
  turn_.decision = now;
  Reply reply;
  reply.message = text;
  reply.action = "end_call";
  reply.end_reason = reason;
  reply.expect.kind = Expectation::Kind::kNothing;
  speak(now, std::move(reply));
}

void Conversation::end_call(const std::string &reason) {
  ending_ = true;
  emit(action::Ended{reason, mind_->goal_reached(), known_fields()});
  emit(action::EndCall{});
}

// --- interruptions -----------------------------------------------------------

bool Conversation::is_heard(const Utterance &current) const {
  if (ending_ || !current.interruptible)
    return false;
  switch (reports_) {
  case Reports::kYes:
    return current.started;
  case Reports::kNo:
    return has_voice_; // by the clock: until it is presumed over
  default:
    return false;
  }
}

void Conversation::silence_voice(Utterance &current) {
  emit(action::Flush{});
  current.over = true;
}

void Conversation::interrupt(TimePoint now) {
  Utterance &current = *dialogue_.current();
  if (!turn_.decided) {
    // It was still being written; this much of it there is.
    Reply reply;
    reply.message = current.text();
    decided(reply);
  }
  cancel_request();
  silence_voice(current);
  to_resume_ = current.id;
  cut_ = current.id;
  cut_due_ = now + kCutDue;
  if (reports_ == Reports::kNo) {
    current.heard = current.spoken_after(now - current.sent);
    current.heard_ms = static_cast<std::uint64_t>(to_ms(now - current.sent));
    close(current, "interrupted");
  }
}

// Nothing of it was heard: it was never said.
void Conversation::drop_reply() {
  cancel_request();
  if (Utterance *current = dialogue_.current())
    silence_voice(*current);
}

void Conversation::words_did_not_come(TimePoint now) {
  words_due_.reset();
  quiet_since_ = now;
  if (!held_.empty())
    return take_words(now, std::exchange(held_, {}),
                      std::exchange(speech_ended_, std::nullopt));
  Utterance *cut = dialogue_.find(std::exchange(to_resume_, 0));
  if (cut != nullptr && dialogue_.current() == nullptr)
    resume(now, *cut);
}

void Conversation::resume(TimePoint now, Utterance &cut) {
  if (!cut.whole) {
    // The model was still writing: once more, as if nothing had been said.
    cut.heard.clear();
    mind_->take_back();
    turn_.retried = false;
    return think(now, mind_->answer(turn_.caller, dialogue_.history()));
  }
  const auto clauses = cut.unheard();
  if (clauses.empty())
    return;
  for (const std::string &clause : clauses)
    say(now, clause);
  Utterance &again = *dialogue_.current();
  again.whole = true;
  emit(action::EndUtterance{again.id});
}

// --- playout -----------------------------------------------------------------

Actions Conversation::playout(TimePoint now, const PlayoutReport &report) {
  Utterance *which = dialogue_.find(report.utterance);
  if (which == nullptr || which->closed)
    return {};
  using What = PlayoutReport::What;
  reports_ = Reports::kYes;
  which->last_report = now;
  if (std::exchange(which->presumed_over, false))
    which->over = false; // the clock was wrong
  if (report.what == What::kStarted) {
    playout_started(now, *which, report);
    return finish();
  }
  which->heard_ms = report.heard_ms;
  if (!report.heard_text.empty() || report.what == What::kCut)
    which->heard = report.heard_text;
  if (report.what == What::kProgress)
    return finish();
  if (report.what == What::kEnded && which->heard.empty())
    which->heard = which->text();
  which->over = true;
  quiet_since_ = std::max(quiet_since_, report.time.value_or(now));
  close(*which, report.what == What::kEnded ? "complete" : "interrupted");
  return finish();
}

void Conversation::playout_started(TimePoint now, Utterance &which,
                                   const PlayoutReport &report) {
  if (which.started)
    return;
  which.started = true;
  emit(action::Heard{which.turn, which.id, "started", {}, 0});
  if (which.turn == turn_.index && !turn_.heard && turn_.decision) {
    turn_.heard = true;
    emit(action::Latency{turn_.index, turn_.speech_end, turn_.transcript,
                         turn_.decision, report.first_audio,
                         report.first_sent});
  }
  // The caller talks already; it does not matter who was first.
  if (speaking_ && &which == dialogue_.current() && is_heard(which))
    interrupt(now);
}

void Conversation::close(Utterance &which, const char *state) {
  which.closed = true;
  emit(action::Heard{which.turn, which.id, state, which.heard, which.heard_ms});
  if (cut_ != which.id)
    return;
  cut_ = 0;
  cut_due_.reset();
  emit(action::Interrupted{which.turn, which.id, which.heard, which.heard_ms});
}

} // namespace patchcord::agent
