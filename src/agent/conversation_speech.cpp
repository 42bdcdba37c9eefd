// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/conversation.hpp"

#include "agent/conversation_times.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <utility>

// What the agent says, what of it the caller hears, and interruptions.
namespace patchcord::agent {

// --- speech ------------------------------------------------------------------

// `waits`: for the caller, who may have begun to speak.
Utterance &Conversation::utterance(TimePoint now, bool interruptible,
                                   bool waits) {
  Utterance *current = dialogue_.current();
  if (current != nullptr && !current->whole)
    return *current;
  Utterance &opened = dialogue_.open(turn_.index, interruptible, now);
  emit(action::StartUtterance{opened.id, interruptible});
  if (waits)
    hold_for_words(now);
  return opened;
}

void Conversation::say(TimePoint now, const std::string &clause) {
  Utterance &to = utterance(now, true);
  to.clauses.push_back(clause);
  emit(action::Say{to.id, clause});
  said_until_ = std::max(said_until_, now) + speech_length(clause);
}

// Until the reply is there, which follows it in the same breath.
void Conversation::say_filler(TimePoint now, const std::string &phrase) {
  ++turn_.fillers;
  Utterance &to = utterance(now, true, false);
  to.fillers.push_back(to.clauses.size());
  say(now, phrase);
}

void Conversation::speak(TimePoint now, Reply reply) {
  const bool last = reply.action == "end_call" || reply.action == "transfer";
  if (trim(reply.message).empty())
    reply.message =
        last ? definition_->end.farewell : definition_->end.not_understood;
  (void)utterance(now, !last, !reply.imposed && reply.action != "prompt");
  for (const std::string &clause : split_sentences(reply.message))
    say(now, clause);
  finish_reply(now, reply);
}

void Conversation::finish_reply(TimePoint now, const Reply &reply) {
  Utterance *current = dialogue_.current();
  std::size_t begin = 0;
  bool told = false;
  // Gone when the line was cut while the model wrote on.
  if (current != nullptr) {
    current->whole = true;
    emit(action::EndUtterance{current->id});
    if (current->turn == turn_.index) {
      begin = current->begin_of(turn_.told);
      told = begin > 0 && current->reply() != current->reply(turn_.told);
    }
  }
  decided(reply);
  if (reply.action != "end_call" && reply.action != "transfer") {
    emit(action::Expect{reply.expect});
    return;
  }
  // Where no sink reports playout, nobody tells when it is too late.
  if (current == nullptr || reply.imposed || reports_ != Reports::kYes)
    return close_call(reply);
  closing_ = {current->id, begin, told, reply};
  close_if_heard();
  hold_for_words(now);
  // Keys that he has pressed by now are an answer that is to come.
  if (const Utterance *next = unheard();
      closing_ && next != nullptr && !digits_.empty())
    hold(*next);
}

// They are a decision of their own: it is their first sound from which on the
// end stands.
void Conversation::say_last_words(TimePoint now, Reply &reply) {
  Reply before;
  before.message = std::exchange(reply.message, std::move(reply.last_words));
  before.action = "say";
  decided(before);
  for (const std::string &clause : split_sentences(reply.message))
    say(now, clause);
}

void Conversation::decided(const Reply &reply) {
  turn_.decided = true;
  findings_.update(mind_->values(), mind_->rejected(), turn_.index);
  const Utterance *current = dialogue_.current();
  if (current != nullptr)
    turn_.told = current->clauses.size();
  emit(action::Decided{turn_.index, current == nullptr ? 0 : current->id,
                       turn_.caller, reply.action, reply.message,
                       findings_.of_turn(turn_.index), findings_.all()});
}

// What was said since the turn's last decision.
std::string Conversation::untold() {
  const Utterance *current = dialogue_.current();
  if (current == nullptr || current->turn != turn_.index)
    return {};
  return current->reply(turn_.told);
}

void Conversation::say_and_end(TimePoint now, const std::string &text,
                               const std::string &reason) {
  cancel_request(now);
  if (turn_.decided) {
    Turn next;
    next.index = turn_.index + 1;
    turn_ = next;
  }
  decision_is_known(now);
  Reply reply;
  reply.message = text;
  reply.action = "end_call";
  reply.end_reason = reason;
  reply.imposed = true;
  reply.expect.kind = Expectation::Kind::kNothing;
  speak(now, std::move(reply));
}

// From the first sound of its closing words on the end stands. Words of an
// utterance that is over without one were not kept from him by his own.
void Conversation::close_if_heard() {
  if (!closing_)
    return;
  const Utterance &last = *dialogue_.find(closing_->utterance);
  const bool begun = last.started && (closing_->begin == 0 ||
                                      last.heard.size() > closing_->begin);
  if (begun || last.over)
    close_call(closing_->reply);
}

// The recogniser listens for what was asked for until then.
void Conversation::close_call(const Reply &last) {
  const Reply reply = last; // closing_ may hold it
  closing_.reset();
  emit(action::Expect{reply.expect});
  if (reply.action == "transfer")
    hand_over(reply);
  else
    end_call(reply.end_reason);
}

void Conversation::end_call(const std::string &reason) {
  go_on(); // Closing words are not interrupted.
  closing_.reset();
  ending_ = true;
  emit(action::Ended{reason, mind_->goal_reached(), findings_.all()});
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

// The utterance of which the caller hears a part while he speaks.
Utterance *Conversation::talked_over() {
  Utterance *current = dialogue_.current();
  return current != nullptr && has_voice_ && is_heard(*current) ? current
                                                                : nullptr;
}

// What the caller is to hear next, and has heard nothing of: a reply, or the
// closing words behind what filled the wait for them.
const Utterance *Conversation::unheard() {
  const Utterance *current = dialogue_.current();
  const bool told = reports_ == Reports::kYes && screen_ == Screen::kOff;
  return current != nullptr && told &&
                 (closing_ || (has_voice_ && !current->started))
             ? current
             : nullptr;
}

// Whether the caller has heard the agent's question but for its last word or
// two: then "okay" answers it.
bool Conversation::was_asked(TimePoint now, const Utterance &current) const {
  const std::string text = current.text();
  // Nor does anything follow it while tools run.
  const bool is_all = current.whole || (request_ && !request_->runs.empty());
  if (!is_all || !trim(text).ends_with('?'))
    return false;
  std::size_t heard = reports_ == Reports::kYes
                          ? current.heard.size()
                          : current.spoken_after(now - current.sent).size();
  // Talked over, it has gone on since he spoke.
  if (on_hold_ == 0 && definition_->interruptions.hold_after > 0ms)
    heard = std::min(heard,
                     current.spoken_after(speech_began_ - current.sent).size());
  return heard + kLastWords >= text.size();
}

Verdict Conversation::judge(TimePoint now, const std::string &text, bool final,
                            bool speaking) {
  const Utterance *current = talked_over();
  Interjection said;
  said.text = text;
  said.final = final;
  said.speaking = speaking;
  said.served = served_ || is_served();
  said.speech = speech_over_ - speech_began_;
  said.expected = mind_->expectation();
  // What comes of the question after he spoke was not what he spoke to.
  said.asked = current != nullptr &&
               (excused_ ? asked_ == current->id : was_asked(now, *current));
  return policy_.judge(said);
}

// Speech into the agent's words that has lasted as long as it takes, unless it
// is known to be but "mm-hm" so far. Words that have not begun to sound do not
// begin; closing words would be said to their end.
void Conversation::hold_if_long_enough(TimePoint now) {
  hold_due_.reset();
  const Utterance *next = unheard();
  const Utterance *current = next != nullptr ? next : talked_over();
  if (!speaking_ || current == nullptr)
    return;
  TimePoint due = speech_began_;
  if (next == nullptr || !closing_)
    due += definition_->interruptions.hold_after;
  if (due <= now &&
      (next != nullptr || interjected_.empty() || !is_no_interruption(now)))
    hold(*current);
  else if (due > now)
    hold_due_ = due;
}

// The same for speech that is over, and of which the words are not known yet:
// they may make another answer of it.
void Conversation::hold_for_words(TimePoint now) {
  hold_if_long_enough(now);
  const Utterance *next = unheard();
  const Duration spoken = speech_over_ - speech_began_;
  const bool long_enough =
      closing_ || spoken >= definition_->interruptions.hold_after;
  if (next == nullptr || on_hold_ != 0 || !words_are_due(now) || !long_enough)
    return;
  hold(*next);
  words_due_ = words_until_;
}

// Words that came late, or go on behind "mm-hm".
void Conversation::hold_for_partial(TimePoint now, const std::string &text) {
  const Utterance *next = unheard();
  if (next == nullptr || on_hold_ != 0 ||
      judge(now, text, false, speaking_) != Verdict::kInterrupts)
    return;
  hold(*next);
  if (!speaking_)
    words_due_ = now + kWordsDue;
}

// Silent at once; the words decide what becomes of it. Where no sink tells what
// is heard none would hold either, and the agent talks on until there are
// words.
void Conversation::hold(const Utterance &current) {
  if (reports_ != Reports::kYes || on_hold_ != 0)
    return;
  on_hold_ = current.id;
  emit(action::Hold{});
}

void Conversation::go_on() {
  if (std::exchange(on_hold_, 0) != 0)
    emit(action::Resume{});
}

// Of speech that is over.
bool Conversation::words_are_due(TimePoint now) const {
  return words_until_ && *words_until_ > now;
}

// As far as the words so far tell, of speech that is over.
bool Conversation::is_no_interruption(TimePoint now) {
  const Verdict verdict = judge(now, interjected_, false, false);
  return verdict == Verdict::kNoise || verdict == Verdict::kBackchannel;
}

// "Mm-hm", and nothing behind it: the end of speech is known later than that,
// and so is the recogniser's last word.
void Conversation::wait_for_more(TimePoint now, const std::string &text) {
  const bool same = to_words(text) == to_words(interjected_);
  interjected_ = text;
  if (on_hold_ == 0 || !held_.empty() || !is_no_interruption(now))
    listens_due_.reset();
  else if (!speaking_)
    false_interruption(now);
  else if (!closing_ && (!same || !listens_due_)) // an end is for good
    listens_due_ = now + kListens;
}

void Conversation::false_interruption(TimePoint now) {
  Utterance *current = talked_over();
  if (!std::exchange(excused_, true)) // his word may come yet
    asked_ = current != nullptr && held_.empty() && interjected_.empty() &&
                     was_asked(now, *current)
                 ? current->id
                 : 0;
  listens_due_.reset();
  words_due_.reset();
  words_until_.reset();
  speech_ended_.reset();
  quiet_since_ = now;
  if (on_hold_ == 0)
    return; // it was not even silenced
  if (closing_ && !digits_.empty())
    return; // The keys that silence it are an answer.
  go_on();
  if (current == nullptr) { // it had not begun
    if (Utterance *next = dialogue_.current())
      next->last_report = now;
    return;
  }
  current->last_report = now;
  emit(action::Heard{current->turn, current->id, "false-interruption",
                     current->heard, current->heard_ms});
}

// What he wants is being done: tools run, or the end is on its way.
bool Conversation::is_served() const {
  return closing_ || (request_ && !request_->runs.empty());
}

// What he said into the agent's words, or while he is served, is none of it
// said to take the turn; it is forgotten then.
bool Conversation::lets_go_on(TimePoint now) {
  if ((talked_over() == nullptr && !served_ && !is_served()) ||
      judge(now, held_, true, speaking_) == Verdict::kInterrupts)
    return false;
  if (on_hold_ != 0 || (!held_.empty() && !excused_))
    false_interruption(now);
  held_.clear();
  excused_ = false;
  return true;
}

void Conversation::silence_voice(Utterance &current) {
  emit(action::Flush{});
  on_hold_ = 0;
  closing_.reset();
  current.over = true;
}

void Conversation::interrupt(TimePoint now) {
  Utterance &current = *dialogue_.current();
  if (std::string words = untold(); !turn_.decided || !words.empty()) {
    // It was still being written; this much of it there is.
    Reply reply;
    reply.message = std::move(words);
    decided(reply);
  }
  cancel_request(now);
  if (closing_ && closing_->told) {
    mind_->take_back_end();
  } else if (closing_) { // Only what filled the wait was heard.
    mind_->take_back();
    findings_.take_back();
  }
  silence_voice(current);
  cut_ = current.id;
  cut_due_ = now + kCutDue;
  if (reports_ == Reports::kNo) {
    current.heard = current.spoken_after(now - current.sent);
    current.heard_ms = static_cast<std::uint64_t>(to_ms(now - current.sent));
    close(current, "interrupted");
  }
}

// Nothing of it was heard: it was never said.
void Conversation::drop_reply(TimePoint now) {
  cancel_request(now);
  if (Utterance *current = dialogue_.current())
    silence_voice(*current);
}

void Conversation::words_did_not_come(TimePoint now) {
  words_due_.reset();
  quiet_since_ = now;
  if (screening() && !held_.empty())
    return hold_words(now);
  if (!held_.empty() && lets_go_on(now))
    return forget_partial();
  if (!held_.empty())
    return take_words(now, std::exchange(held_, {}),
                      std::exchange(speech_ended_, std::nullopt));
  forget_partial();
  if (on_hold_ != 0)
    false_interruption(now);
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
  if (report.what == What::kProgress || report.what == What::kHeld)
    return finish();
  if (report.what == What::kEnded && report.heard_text.empty())
    which->heard = which->text();
  which->over = true;
  quiet_since_ = std::max(quiet_since_, report.time.value_or(now));
  eventless_since_ = std::max(eventless_since_, quiet_since_);
  close(*which, report.what == What::kEnded ? "complete" : "interrupted");
  if (which->id == on_hold_) {
    // The line went while he was saying something: the end was not heard.
    if (closing_ && report.what == What::kCut)
      closing_.reset();
    go_on(); // It was over before it could be held.
  }
  return finish();
}

void Conversation::playout_started(TimePoint now, Utterance &which,
                                   const PlayoutReport &report) {
  if (which.started)
    return;
  which.started = true;
  emit(action::Heard{which.turn, which.id, "started", {}, 0});
  if (which.turn == turn_.index && !turn_.heard) {
    turn_.heard = true;
    turn_.first_audio = report.first_audio;
    turn_.first_sent = report.first_sent;
    turn_.filler_first = which.is_filler(0);
    tell_latency();
  }
  // The caller talks already; it does not matter who was first.
  if (&which == talked_over())
    hold_if_long_enough(now);
}

void Conversation::decision_is_known(TimePoint now) {
  if (!turn_.decision)
    turn_.decision = now;
  tell_latency();
}

// Of a turn's first words; they may have been heard before they were decided,
// when they only filled the wait.
void Conversation::tell_latency() {
  if (!turn_.heard || !turn_.decision ||
      std::exchange(turn_.latency_told, true))
    return;
  emit(action::Latency{turn_.index, turn_.speech_end, turn_.transcript,
                       turn_.decision, turn_.first_audio, turn_.first_sent,
                       turn_.filler_first, turn_.preemptive,
                       std::exchange(discarded_, 0)});
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
