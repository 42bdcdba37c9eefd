// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/conversation.hpp"

#include "agent/conversation_times.hpp"

#include <algorithm>
#include <utility>

// What the telephone network has to do with: handing the caller over to
// somebody, and who answers a call that we placed.
namespace patchcord::agent {

// --- transfer ----------------------------------------------------------------

void Conversation::hand_over(const Reply &reply) {
  const TransferTarget *target = definition_->transfer_target(reply.transfer);
  Resumption state;
  state.turn = turn_.index + 1;
  state.caller_turns = caller_turns_;
  state.utterances = dialogue_.utterances();
  state.elapsed = turn_.decision.value_or(words_came_) - started_at_;
  state.values = mind_->values();
  state.rejected = mind_->rejected();
  state.turns = findings_.turns();
  Utterance *current = dialogue_.current();
  std::string heard;
  if (current != nullptr) // It is handed over only once all of it is heard.
    heard = std::exchange(current->heard, current->text());
  state.history = dialogue_.history();
  if (current != nullptr)
    current->heard = std::move(heard);
  state.tools = mind_->tools();
  state.rules = mind_->rules();
  std::string summary;
  if (target->summary) {
    constexpr std::string_view kPlace = "{summary}";
    summary = definition_->phrases.summary;
    summary.replace(summary.find(kPlace), kPlace.size(), mind_->summary());
  }
  emit(action::Transfer{turn_.index, *target, std::move(summary),
                        definition_->phrases.withheld, definition_->language,
                        to_json(*definition_, state)});
  end_call("transfer");
}

void Conversation::reopen(TimePoint now) {
  Resumption state = *std::exchange(resumption_, std::nullopt);
  turn_.index = state.turn;
  caller_turns_ = state.caller_turns;
  started_at_ = now - state.elapsed;
  dialogue_.restore(state.history, state.utterances);
  findings_.restore(state.values, state.rejected, state.turns);
  mind_->recall(state.tools);
  mind_->recall_rules(state.rules);
  Reply reply = mind_->reopen(state.values, state.rejected, state.history);
  if (const char *limit = limit_reached(now)) // he tried it with his last words
    return say_and_end(now,
                       joined(definition_->phrases.transfer_failed,
                              definition_->phrases.time_up),
                       limit);
  if (!reply.next)
    return speak(now, std::move(reply));
  say(now, reply.message);
  decided(reply);
  think(now, *std::move(reply.next));
}

// --- who answered ------------------------------------------------------------

Actions Conversation::answered_by(TimePoint now, const std::string &who) {
  const auto tell = [&](const char *outcome) {
    emit(action::AnsweredBy{who, outcome});
  };
  const bool awaited =
      screening() || (screen_ == Screen::kMachine && who != "machine_start");
  if (!running_ || ending_ || !awaited) {
    tell("late");
    return finish();
  }
  if (who == "machine_start") {
    tell("waits");
    screen_ = Screen::kMachine;
    screen_until_ = now + kMachineGreeting;
    silence_all(now);
  } else if (who.starts_with("machine_end")) {
    tell(definition_->voicemail.message.empty() ? "hang_up" : "message");
    machine(now);
  } else if (who == "fax") {
    tell("hang_up");
    leave_nothing(now, "fax");
  } else { // "human"; "unknown": nobody is hung up on for that
    tell("goes_on");
    human(now);
  }
  return finish();
}

// What was said until now is answered.
void Conversation::human(TimePoint now) {
  screen_ = Screen::kOff;
  screen_until_.reset();
  screen_quiet_.reset();
  if (!held_.empty() && !speaking_)
    take_words(now, std::exchange(held_, {}),
               std::exchange(speech_ended_, std::nullopt));
}

// It has said its own, and records.
void Conversation::machine(TimePoint now) {
  const std::string message = definition_->voicemail.message;
  if (message.empty())
    return leave_nothing(now, "machine");
  silence_all(now);
  screen_ = Screen::kOff;
  say_and_end(now, message, "voicemail");
}

void Conversation::leave_nothing(TimePoint now, const std::string &reason) {
  silence_all(now);
  screen_ = Screen::kOff;
  end_call(reason);
}

// Nothing of what was being said concerns who answered; nor of what was heard.
void Conversation::silence_all(TimePoint now) {
  held_.clear();
  digits_.clear();
  digits_due_.reset();
  words_due_.reset();
  screen_quiet_.reset();
  speaking_ = false;
  forget_partial();
  const Utterance *current = dialogue_.current();
  if (current != nullptr && is_heard(*current))
    interrupt(now);
  else
    drop_reply(now);
}

void Conversation::hold_words(TimePoint now) {
  words_due_.reset();
  screen_quiet_ = now + kScreenQuiet;
}

std::optional<TimePoint> Conversation::screening_deadline() const {
  if (screen_ == Screen::kOff)
    return std::nullopt;
  return screen_quiet_ && (!screen_until_ || *screen_quiet_ < *screen_until_)
             ? screen_quiet_
             : screen_until_;
}

void Conversation::screening_due(TimePoint now) {
  if (screen_ == Screen::kMachine)
    return machine(now);
  human(now);
}

} // namespace patchcord::agent
