// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/conversation.hpp"

#include "agent/conversation_times.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <utility>

// Preemptive thinking: the model answers what the caller seems to have said
// while the recogniser makes sure of it. What it says is kept back until the
// words are known, and dropped when they are others.
namespace patchcord::agent {
namespace {

// Longer than most words take: while the caller is heard to speak, there may be
// another for so long.
constexpr Duration kNextWord = 450ms;

} // namespace

// The words so far; `now`: when they changed.
void Conversation::note_partial(TimePoint now, const std::string &text) {
  if (!definition_->thinking.preemptive)
    return;
  if (to_words(text) == to_words(partial_))
    return;
  partial_ = text;
  discard_guess();
  guess_due_ =
      now + (speaking_ ? std::max(definition_->thinking.stable, kNextWord)
                       : definition_->thinking.stable);
}

// Whether a request may be spent on what he has said. The last is kept for what
// ends his turn, and while he speaks there is one at most: word by word, a
// sentence has many beginnings that could be all of it.
bool Conversation::may_guess(const std::string &text) const {
  const int left = definition_->thinking.max_tries - guesses_;
  const bool may_be_all = is_complete(text, mind_->expectation());
  if (speaking_)
    return may_be_all && guesses_ == 0 && left > 1;
  return left > 1 || (left == 1 && may_be_all);
}

void Conversation::guess() {
  guess_due_.reset();
  // While the agent talks, or it is not known how far it was heard, the answer
  // would not be one to what was heard.
  if (partial_.empty() || request_ || guess_ || cut_ != 0 ||
      dialogue_.current() != nullptr)
    return;
  const std::string text =
      held_ + (held_.empty() ? "" : " ") + std::string(trim(partial_));
  if (!may_guess(text))
    return;
  auto body = guessed_body(text);
  if (!body)
    return;
  ++guesses_;
  guess_ = Guess();
  guess_->id = ++last_request_;
  guess_->text = text;
  guess_->body = *std::move(body);
  emit(action::StartRequest{guess_->id, guess_->body});
}

std::optional<std::string>
Conversation::guessed_body(const std::string &text) const {
  History history = dialogue_.history();
  history.push_back({Said::Who::kCaller, text});
  return mind_->preview(text, history);
}

// The words do not come after all.
void Conversation::forget_partial() {
  partial_.clear();
  guess_due_.reset();
  discard_guess();
}

void Conversation::discard_guess() {
  if (!guess_)
    return;
  if (!guess_->end)
    emit(action::CancelRequest{});
  guess_.reset();
  ++discarded_;
}

// The turn's words are known, and not yet in the history. Keeps the guess if it
// answers them, and nothing has changed since but their spelling.
void Conversation::check_guess(const std::string &text) {
  partial_.clear();
  guess_due_.reset();
  guesses_ = 0;
  if (guess_ && (to_words(guess_->text) != to_words(text) ||
                 guessed_body(guess_->text) != guess_->body))
    discard_guess();
}

// `thought`: what the mind makes of the turn's words. Whether the guess stands
// for it.
bool Conversation::use_guess(TimePoint now, Thought &thought) {
  if (!guess_)
    return false;
  auto *wanted = std::get_if<ModelRequest>(&thought);
  if (wanted == nullptr) {
    discard_guess();
    return false;
  }
  const Guess used = *std::exchange(guess_, std::nullopt);
  turn_.preemptive = true;
  begin_request(std::move(*wanted));
  begin_answer(now);
  request_->id = used.id;
  if (!used.deltas.empty())
    request_->deadline.reset();
  for (const std::string &delta : used.deltas)
    take_text(now, delta);
  if (used.end)
    take_end(now, *used.end);
  return true;
}

bool Conversation::guess_text(std::uint32_t request, const std::string &delta) {
  if (!guess_ || guess_->id != request)
    return false;
  guess_->size += delta.size();
  guess_->deltas.push_back(delta);
  if (guess_->size > kLongestGuess)
    discard_guess();
  return true;
}

} // namespace patchcord::agent
