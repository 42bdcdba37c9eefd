// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/conversation.hpp"

#include "agent/conversation_times.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <utility>

// What happens in a call, and the turns that come of it. Speech, interruptions
// and playout are in conversation_speech.cpp, what time does in
// conversation_time.cpp.
namespace patchcord::agent {
Conversation::Conversation(std::shared_ptr<const Definition> definition,
                           std::unique_ptr<Mind> mind)
    : definition_(std::move(definition)), mind_(std::move(mind)),
      policy_(definition_->interruptions), findings_(definition_) {}

Actions Conversation::finish() {
  close_if_heard();
  const auto deadline = next_deadline();
  if (deadline != timer_) {
    timer_ = deadline;
    emit(action::SetTimer{deadline});
  }
  return std::exchange(out_, {});
}

// --- the caller --------------------------------------------------------------

Actions Conversation::started(TimePoint now) {
  if (running_)
    return {};
  running_ = true;
  started_at_ = quiet_since_ = eventless_since_ = now;
  turn_.of_mind = true;
  turn_.decision = now;
  if (screening())
    screen_until_ = now + kScreening;
  if (resumption_)
    reopen(now);
  else
    speak(now, mind_->open());
  return finish();
}

Actions Conversation::speech_started(TimePoint now, TimePoint at) {
  if (!running_ || ending_)
    return {};
  screen_quiet_.reset();
  has_voice_ = true;
  speech_sign_ = now;
  // Known already, from who told first; or the late word of who heard it too.
  // What begins where speech ended is its rest, which came late.
  if (speaking_ || at < speech_over_)
    return finish();
  speaking_ = true;
  speech_began_ = at;
  excused_ = false;
  served_ = is_served();
  listens_due_.reset();
  words_due_.reset();
  if (!words_are_due(now)) {
    interjected_.clear();
    words_until_.reset();
  }
  hold_if_long_enough(now);
  return finish();
}

Actions Conversation::speech_stopped(TimePoint now, TimePoint at) {
  // The second word of an end, or one that the caller has spoken on since.
  if (!running_ || ending_ || !speaking_ || at < speech_began_)
    return {};
  speaking_ = false;
  speech_ended_ = speech_over_ = at;
  quiet_since_ = now;
  hold_due_.reset();
  const bool more = words_are_due(now); // of what he said before it
  if (on_hold_ != 0 && held_.empty() && !more && is_no_interruption(now))
    false_interruption(now);
  else if (screening() && !held_.empty())
    hold_words(now);
  else if (on_hold_ != 0 ||
           (!held_.empty() && (digits_.empty() || !awaits_digits())))
    words_due_ = turn_ends({held_, mind_->expectation(), at, std::nullopt});
  // Not a word so far: of noise there will be none.
  const bool seems_noise =
      held_.empty() && interjected_.empty() && !more && tells_words_early_;
  if (on_hold_ != 0 && seems_noise)
    words_due_ = now + kFirstWordDue;
  if (!is_no_interruption(now))
    words_until_ = seems_noise ? now + kFirstWordDue : at + kWordsDue;
  if (digits_due_)
    digits_due_ =
        std::max(*digits_due_, std::min(now + kWordsDue, digits_until_));
  if (!guess_)
    guess();
  return finish();
}

Actions Conversation::partial(TimePoint now, const std::string &text) {
  if (!running_ || ending_ || trim(text).empty())
    return {};
  speech_sign_ = eventless_since_ = now;
  // Of this speech, for words of one before it would have come by now.
  const bool of_this =
      speech_over_ < TimePoint{} || speech_began_ > speech_over_ + kWordsDue;
  if (speaking_ && of_this)
    tells_words_early_ = true;
  digits_until_ = std::max(digits_until_, now + 2 * kWordsDue);
  if (words_due_)
    words_due_ = turn_ends({text, mind_->expectation(), now, std::nullopt});
  if (words_until_)
    words_until_ = now + kWordsDue;
  if (screen_ != Screen::kOff)
    return finish();
  if (talked_over() != nullptr &&
      judge(now, text, false, speaking_) == Verdict::kInterrupts)
    interrupt(now);
  hold_for_partial(now, text);
  wait_for_more(now, text);
  note_partial(now, text);
  return finish();
}

Actions Conversation::final(TimePoint now, const std::string &text,
                            std::optional<TimePoint> end) {
  if (!running_ || ending_ || screen_ == Screen::kMachine)
    return {};
  const std::string words(trim(text));
  // Words of speech that is over, while the caller speaks on.
  const bool goes_on = speaking_ && end && *end <= speech_began_;
  const bool of_this_speech = !goes_on && speech_ended_;
  keep_words(words, of_this_speech ? speech_ended_ : end);
  // There were words, and the recogniser takes them back.
  const bool retracted = words.empty() && !to_words(interjected_).empty() &&
                         !is_no_interruption(now);
  partial_.clear();
  interjected_.clear();
  listens_due_.reset();
  guess_due_.reset();
  if (goes_on)
    return finish();
  speaking_ = false;
  if (!end || *end > speech_began_) // not of the speech before
    words_until_.reset();
  const bool goes_by = lets_go_on(now);
  served_ = false;
  if (goes_by)
    return finish();
  if (held_.empty()) {
    if (on_hold_ != 0)
      false_interruption(now);
    else if (retracted && screen_ == Screen::kOff)
      return not_understood(now, end);
    return finish();
  }
  words_came_ = now;
  if (screening())
    hold_words(now);
  else
    await_end_of_turn(now, end);
  return finish();
}

// What he has said so far is known; there may be more of it to come.
void Conversation::await_end_of_turn(TimePoint now,
                                     std::optional<TimePoint> end) {
  if (talked_over() != nullptr)
    interrupt(now);
  if (!speech_ended_)
    speech_ended_ = end;
  if (!digits_.empty() && awaits_digits()) {
    // Keys were pressed behind them.
    if (has_all_digits(mind_->expectation().digits.value_or(DigitRules())))
      end_digits(now);
    return;
  }
  // An answer to his first words on its way is answered again at once.
  const bool may_wait =
      has_voice_ && !request_ && dialogue_.current() == nullptr;
  words_due_ = now;
  if (may_wait)
    words_due_ = turn_ends(
        {held_, mind_->expectation(), speech_ended_.value_or(now), now});
  if (*words_due_ <= now)
    words_did_not_come(now);
}

Actions Conversation::not_understood(TimePoint now,
                                     std::optional<TimePoint> end) {
  if (!running_ || ending_)
    return {};
  if (screen_ != Screen::kOff && dialogue_.current() == nullptr) {
    speaking_ = false;
    return finish();
  }
  // A noise into the agent's words: it goes on where it was held. An answer to
  // its question: it asks again.
  if (dialogue_.current() != nullptr || request_ || !held_.empty() ||
      !digits_.empty())
    return final(now, "", end);
  speaking_ = false;
  words_came_ = now;
  const auto stopped = std::exchange(speech_ended_, std::nullopt);
  take_words(now, "", stopped ? stopped : end);
  return finish();
}

Actions Conversation::caller_gone(TimePoint now) {
  if (!running_ || ending_)
    return {};
  cancel_request(now);
  if (closing_ && on_hold_ == 0)
    close_call(closing_->reply);
  else
    end_call("caller_hung_up");
  return finish();
}

// --- providers ---------------------------------------------------------------

Actions Conversation::recogniser_failed(TimePoint now, const Failure &failure) {
  if (closing_) // no words will come to take it back
    close_call(closing_->reply);
  emit(action::Trouble{failure, !ending_});
  if (!running_ || ending_)
    return finish();
  // A question that has not begun to sound is not asked.
  const Utterance *current = dialogue_.current();
  if (current != nullptr && reports_ != Reports::kNo && !current->started)
    break_off(now, definition_->end.apology, "provider_failed");
  else
    say_and_end(now, definition_->end.apology, "provider_failed");
  return finish();
}

Actions Conversation::voice_failed(TimePoint, const Failure &failure) {
  // Another voice takes over; a graph without one fails as a whole.
  emit(action::Trouble{failure, false});
  return finish();
}

Actions Conversation::model_text(TimePoint now, std::uint32_t request,
                                 const std::string &delta) {
  if (request_ && request_->id == request)
    take_text(now, delta);
  else if (!guess_text(request, delta))
    return {};
  return finish();
}

void Conversation::take_text(TimePoint now, const std::string &delta) {
  request_->deadline.reset();
  const std::string text = mind_->model_text(delta);
  if (limit_reached(now) != nullptr)
    return; // it may be a question
  request_->streamed += text;
  for (const std::string &clause : mind_->model_message_complete()
                                       ? last_clauses(text)
                                       : splitter_.feed(text)) {
    decision_is_known(now);
    request_->spoken = joined(request_->spoken, clause);
    say(now, clause);
  }
}

Actions Conversation::model_done(TimePoint now, std::uint32_t request,
                                 const std::string &finish_reason,
                                 const std::string &refusal,
                                 const std::vector<openai::ToolCall> &calls) {
  if (request_ && request_->id == request)
    take_end(now, {finish_reason, refusal, calls});
  else if (guess_ && guess_->id == request)
    guess_->end = {finish_reason, refusal, calls};
  else
    return {};
  return finish();
}

void Conversation::take_end(TimePoint now, const ModelEnd &end) {
  const Request done = *std::exchange(request_, std::nullopt);
  answered(now, done,
           end.calls.empty()
               ? mind_->model_done(end.finish_reason, end.refusal, done.spoken)
               : mind_->model_called(end.calls, done.spoken));
}

Actions Conversation::model_failed(TimePoint now, std::uint32_t request,
                                   const Failure &failure) {
  if (request_ && request_->id == request)
    fail_request(now, failure);
  else if (guess_ && guess_->id == request)
    discard_guess();
  else
    return {};
  return finish();
}

// --- turns -------------------------------------------------------------------

void Conversation::take_words(TimePoint now, std::string text,
                              std::optional<TimePoint> speech_end) {
  Turn next;
  next.index = turn_.index + 1;
  bool merged = false;
  Utterance *current = dialogue_.current();
  if (current != nullptr && is_heard(*current)) {
    interrupt(now);
  } else if (request_ || closing_ ||
             (current != nullptr &&
              (has_voice_ || reports_ == Reports::kYes))) {
    // The sentence went on before a word of the answer was heard.
    merged = !turn_.decided || (turn_.of_mind && !turn_.heard);
    if (!turn_.decided)
      next.index = turn_.index;
    drop_reply(now);
    if (merged) {
      mind_->take_back();
      findings_.take_back();
      merged = !turn_.caller.empty();
      text = merged ? continued(turn_.caller, text) : text;
    }
  } else if (current != nullptr) {
    // Typed, and nobody listens: what was answered counts as heard.
    current->heard = current->text();
    current->over = true;
  }
  check_guess(text);
  words_due_.reset();
  words_until_.reset();
  silence_prompts_ = 0;
  quiet_since_ = eventless_since_ = said_until_ = now;
  if (merged)
    dialogue_.caller_corrected(text);
  else
    dialogue_.caller_said(text);
  next.caller = text;
  next.speech_end = speech_end;
  next.transcript = words_came_;
  next.of_mind = true;
  turn_ = next;
  if (!merged)
    ++caller_turns_;
  findings_.begin_turn();
  Thought thought = mind_->answer(text, dialogue_.history());
  if (!use_guess(now, thought))
    think(now, std::move(thought));
}

void Conversation::think(TimePoint now, Thought thought) {
  if (auto *reply = std::get_if<Reply>(&thought)) {
    decision_is_known(now);
    (void)keep_to_limits(now, *reply);
    return speak(now, std::move(*reply));
  }
  if (auto *tools = std::get_if<ToolRuns>(&thought))
    return run_tools(now, std::move(*tools));
  auto &wanted = std::get<ModelRequest>(thought);
  if (!wanted.fault.empty())
    bad_answer(wanted.fault);
  begin_request(std::move(wanted));
  start_request(now);
}

const char *Conversation::limit_reached(TimePoint now) const {
  if (now >= started_at_ + definition_->limits.max_duration)
    return "max_duration";
  return caller_turns_ >= definition_->limits.max_turns ? "max_turns" : nullptr;
}

// Nothing is asked of which the answer would not be taken. Whether it is said
// instead that time is up.
bool Conversation::keep_to_limits(TimePoint now, Reply &reply) const {
  const char *limit = limit_reached(now);
  const bool asks =
      reply.action != "end_call" && reply.action != "transfer" && !reply.next;
  if (limit == nullptr || !asks)
    return false;
  reply.message = definition_->phrases.time_up;
  reply.action = "end_call";
  reply.end_reason = limit;
  reply.imposed = true;
  reply.expect = Expectation();
  reply.expect.kind = Expectation::Kind::kNothing;
  return true;
}

void Conversation::begin_request(ModelRequest wanted) {
  request_ = Request();
  request_->repair = !wanted.fault.empty();
  request_->body = std::move(wanted.body);
  // Of the last answer nothing was said before it was known as a whole.
  if (caller_turns_ < definition_->limits.max_turns)
    request_->said = std::move(wanted.said);
}

// Whatever its request has said so far: it begins.
void Conversation::begin_answer(TimePoint now) {
  splitter_ = ClauseSplitter();
  mind_->model_begin();
  request_->deadline = now + kFirstToken;
  request_->streamed = request_->said;
  request_->spoken = trim(request_->said);
}

void Conversation::answered(TimePoint now, const Request &done,
                            Thought thought) {
  auto *reply = std::get_if<Reply>(&thought);
  if (reply == nullptr) {
    // Where the message stands, all of it is said; so is what the model says
    // before it calls tools.
    const auto *again = std::get_if<ModelRequest>(&thought);
    const std::string &said =
        again != nullptr ? again->said : std::get<ToolRuns>(thought).said;
    std::vector<std::string> clauses;
    if (said.starts_with(done.streamed))
      clauses = last_clauses(limit_reached(now) == nullptr
                                 ? said.substr(done.streamed.size())
                                 : "");
    for (const std::string &clause : clauses) {
      decision_is_known(now);
      say(now, clause);
    }
    return think(now, std::move(thought));
  }
  if (!reply->fault.empty())
    bad_answer(reply->fault);
  decision_is_known(now);
  // Time went by while it was being said.
  if (keep_to_limits(now, *reply) && !done.spoken.empty())
    return break_off(now, reply->message, reply->end_reason);
  say_rest(now, done, *reply);
  if (!reply->last_words.empty())
    say_last_words(now, *reply);
  if (!reply->next)
    return finish_reply(now, *reply);
  // What follows is said in the same breath.
  decided(*reply);
  think(now, *std::move(reply->next));
}

// Of what was streamed, and of `rest` behind it.
std::vector<std::string> Conversation::last_clauses(std::string_view rest) {
  auto clauses = splitter_.feed(rest);
  for (std::string &last : splitter_.finish())
    clauses.push_back(std::move(last));
  return clauses;
}

void Conversation::say_rest(TimePoint now, const Request &done,
                            const Reply &reply) {
  std::vector<std::string> clauses;
  if (reply.message.starts_with(done.streamed)) {
    clauses = last_clauses(reply.message.substr(done.streamed.size()));
  } else {
    splitter_ = ClauseSplitter();
    if (reply.message.starts_with(done.spoken))
      clauses = split_sentences(reply.message.substr(done.spoken.size()));
  }
  for (const std::string &clause : clauses)
    say(now, clause);
  if (done.spoken.empty() && clauses.empty())
    say(now, reply.action == "end_call" ? definition_->end.farewell
                                        : definition_->end.not_understood);
}

void Conversation::bad_answer(const std::string &fault) {
  emit(action::Trouble{{"openai", "bad_answer", fault, true}, false});
}

void Conversation::start_request(TimePoint now) {
  begin_answer(now);
  request_->id = ++last_request_;
  emit(action::StartRequest{request_->id, request_->body});
}

void Conversation::cancel_request(TimePoint now) {
  discard_guess();
  if (request_ && request_->id != 0)
    emit(action::CancelRequest{});
  cancel_tools(now);
  request_.reset();
  splitter_ = ClauseSplitter();
}

void Conversation::fail_request(TimePoint now, const Failure &failure) {
  if (request_->repair) { // as good as a second bad answer
    emit(action::Trouble{failure, false});
    const Request done = *std::exchange(request_, std::nullopt);
    return answered(now, done, mind_->model_done({}, {}, done.spoken));
  }
  const bool spoken = !request_->spoken.empty();
  if (!spoken && failure.retryable && !turn_.retried) {
    emit(action::Trouble{failure, false});
    turn_.retried = true;
    request_->id = 0;
    request_->deadline = now + kRetryDelay;
    if (turn_.fillers == 0)
      say_filler(now, definition_->phrases.hold);
    return;
  }
  request_.reset();
  splitter_ = ClauseSplitter();
  emit(action::Trouble{failure, !spoken});
  if (!spoken)
    return say_and_end(now, definition_->end.apology, "provider_failed");
  // It broke off after some words: they stand, and the caller has the turn.
  say(now, definition_->phrases.broken_off);
  Reply reply;
  reply.message = dialogue_.current()->reply();
  reply.expect = mind_->expectation();
  finish_reply(now, reply);
}

} // namespace patchcord::agent
