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

// A country code and ten digits: more than that are two telephone numbers,
// unless it says by itself that it goes abroad.
constexpr int kMostOfTelephone = 12;

// How long speech behind the last key, and the pause that would end it, is
// waited for: of a recogniser that tells words while they are spoken, and of
// one that tells them behind a whole number.
constexpr Duration kWordsWithDigits = 4s, kLongestDictation = 8s;

// Keys that follow each other sooner are pressed in one go.
constexpr Duration kSameRun = 2s;

// None: digits are not what the caller is asked for, as far as anybody knows.
std::optional<DigitRules> digits_wanted(const Expectation &expected) {
  auto rules = expected.digits;
  if (expected.phone && rules) { // which of them, nobody tells
    rules->fewest = std::min(rules->fewest, kFewestOfPhone);
    rules->most = std::max(rules->most, kMostOfPhone);
  } else if (expected.phone) {
    rules = DigitRules();
    rules->fewest = kFewestOfPhone;
    rules->most = kMostOfPhone;
  }
  return rules;
}

} // namespace

// What he says or keys in behind it, with what he has said. Only a mind that
// tells what it asks for knows that these are digits, and may be said anew: to
// a model they may be a sentence about something else.
std::string Conversation::continued(const std::string &before,
                                    const std::string &text) const {
  const Expectation expected = mind_->expectation();
  auto rules = digits_wanted(expected);
  if (!rules || expected.kind != Expectation::Kind::kDigits)
    return joined(before, text);
  if (expected.phone && !is_international(before) && !is_international(text))
    rules->most = kMostOfTelephone;
  return joined_digits(before, text, *rules, expected.phone);
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
  // One too many in the same run is no answer to what he has not been asked.
  const bool asked = reports_ != Reports::kYes ||
                     (current != nullptr ? current->started : !request_);
  if (!asked && now < digits_full_until_) {
    digits_full_until_ = now + kSameRun;
    return finish();
  }
  if (current != nullptr && is_heard(*current))
    interrupt(now);
  quiet_since_ = eventless_since_ = now;
  if (ends) {
    end_digits(now);
  } else if (digit == "*") {
    forget_digits(now);
  } else if (digit != "#") {
    if (digits_.empty())
      digits_began_ = now;
    if (const Utterance *next = unheard(); next != nullptr && closing_)
      hold(*next);
    digits_ += digit;
    if (more)
      words_due_.reset(); // keys tell when they are over
    if (has_all_digits(rules)) {
      digits_full_until_ = now + kSameRun;
      end_digits(now);
    } else {
      digits_due_ = now + rules.timeout;
    }
    digits_until_ = now + rules.timeout +
                    (tells_words_early_ ? kWordsWithDigits : kLongestDictation);
  }
  due(now);
  return finish();
}

// With the words that they belong to, if it is known that they do.
void Conversation::forget_digits(TimePoint now) {
  digits_.clear();
  digits_due_.reset();
  if (closing_ && !speaking_ && !words_due_)
    go_on();
  if (!awaits_digits())
    return;
  const Expectation expected = mind_->expectation();
  if (expected.kind == Expectation::Kind::kDigits) {
    held_.clear();
    words_due_.reset();
  } else if (!words_due_ && !speaking_) {
    words_due_ = turn_ends({held_, expected, now, now});
  }
}

// While he speaks there may be more of them; not for ever, for it may be noise.
void Conversation::digits_are_due(TimePoint now) {
  if (speaking_ && now < digits_until_)
    digits_due_ = std::min(now + kWordsDue, digits_until_);
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
