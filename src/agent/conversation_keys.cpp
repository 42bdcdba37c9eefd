// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/conversation.hpp"

#include "agent/values.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <utility>

// The phone's keys, and words that go with them: one answer, in the order of
// time.
namespace patchcord::agent {
namespace {

// A country code and ten digits: more than that are two telephone numbers.
constexpr int kMostOfTelephone = 12;

// None: digits are not what the caller is asked for, as far as anybody knows.
std::optional<DigitRules> digits_wanted(const Expectation &expected) {
  auto rules = expected.digits;
  if (expected.phone && rules) { // which of them, nobody tells
    rules->fewest = std::min(rules->fewest, kFewestOfPhone);
    rules->most = std::max(rules->most, kMostOfTelephone);
  } else if (expected.phone) {
    rules = DigitRules();
    rules->fewest = kFewestOfPhone;
    rules->most = kMostOfTelephone;
  }
  return rules;
}

} // namespace

// What he says or keys in behind it, with what he has said.
std::string Conversation::continued(const std::string &before,
                                    const std::string &text) const {
  const auto rules = digits_wanted(mind_->expectation());
  return rules ? joined_digits(before, text, *rules) : joined(before, text);
}

// Of words that wait for more: the keys are what they waited for.
bool Conversation::awaits_digits() const {
  return !held_.empty() && digits_wanted(mind_->expectation());
}

// Words come when the recogniser has made them out, which may be behind keys
// that were pressed behind them.
void Conversation::keep_words(const std::string &words,
                              std::optional<TimePoint> spoken_until) {
  const bool digits = !digits_.empty() && digits_wanted(mind_->expectation()) &&
                      find_digits(to_words(words));
  const bool behind_keys =
      digits && (!spoken_until || *spoken_until > digits_began_);
  if (behind_keys) {
    held_ = continued(held_, std::exchange(digits_, {}));
    digits_due_.reset();
  }
  held_ = digits ? continued(held_, words) : joined(held_, words);
}

// Whether no more digits are to come. "Nine oh" and the keys 9 0 may be the
// same digits twice.
bool Conversation::has_all_digits(const DigitRules &rules) const {
  const auto most = static_cast<std::size_t>(rules.most);
  const auto said = find_digits(to_words(held_));
  if (!awaits_digits() || !said)
    return digits_.size() >= most;
  const std::size_t same = std::min(said->size(), digits_.size());
  const bool repeats = said->compare(0, same, digits_, 0, same) == 0;
  return digits_.size() + (repeats ? 0 : said->size()) >= most;
}

Actions Conversation::dtmf(TimePoint now, const std::string &digit) {
  if (!running_ || ending_ || digit.size() != 1)
    return {};
  const DigitRules rules = mind_->expectation().digits.value_or(DigitRules());
  const bool ends = digit == rules.terminator;
  if (screen_ != Screen::kOff)
    human(now);
  if (ending_) // by what was said before
    return finish();
  const bool more = awaits_digits();
  // The one behind digits that have ended already, say.
  if ((ends || digit == "#" || digit == "*") && digits_.empty() && !more)
    return finish();
  const Utterance *current = dialogue_.current();
  if (current != nullptr && is_heard(*current))
    interrupt(now);
  quiet_since_ = eventless_since_ = now;
  if (ends) {
    end_digits(now);
  } else if (digit == "*") {
    forget_digits();
  } else if (digit != "#") {
    if (digits_.empty())
      digits_began_ = now;
    digits_ += digit;
    if (more)
      words_due_.reset(); // keys tell when they are over
    if (has_all_digits(rules))
      end_digits(now);
    else
      digits_due_ = now + rules.timeout;
  }
  due(now);
  return finish();
}

// With the words that they belong to.
void Conversation::forget_digits() {
  if (awaits_digits()) {
    held_.clear();
    words_due_.reset();
  }
  digits_.clear();
  digits_due_.reset();
}

// While he speaks there may be more of them.
void Conversation::digits_are_due(TimePoint now) {
  if (speaking_)
    digits_due_ = now + kWordsDue;
  else
    end_digits(now);
}

void Conversation::end_digits(TimePoint now) {
  digits_due_.reset();
  words_came_ = now;
  std::string text = std::exchange(digits_, {});
  std::optional<TimePoint> spoken;
  if (awaits_digits()) {
    text = continued(std::exchange(held_, {}), text);
    spoken = std::exchange(speech_ended_, std::nullopt);
  }
  take_words(now, std::move(text), spoken);
}

} // namespace patchcord::agent
