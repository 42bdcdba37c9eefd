// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/transfer.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace patchcord::agent {
namespace {

// Nobody says these words of anything but who may take the call.
bool is_role(std::string_view word) {
  return is_one_of(
      word, {"operator", "human", "representative", "receptionist", "agent"});
}
// These may be anybody: "a room for one person". "People" are never asked for.
bool is_person(std::string_view word) {
  return is_role(word) ||
         is_one_of(word, {"person", "someone", "somebody", "colleague"});
}

bool is_courtesy(std::string_view word) {
  return is_one_of(word, {"please", "now", "thanks", "then"});
}

bool starts_with(const Words &words, std::size_t at, const Words &phrase) {
  if (phrase.empty() || at + phrase.size() > words.size())
    return false;
  return std::equal(phrase.begin(), phrase.end(),
                    words.begin() + static_cast<std::ptrdiff_t>(at));
}

// "a real", "the", "another": what may stand before who is meant.
std::size_t behind_articles(const Words &words, std::size_t at) {
  while (is_one_of(word_at(words, at),
                   {"a", "an", "the", "your", "some", "another", "any", "real",
                    "live", "actual", "human", "other"}) &&
         // "a human", at the end, is who is meant.
         !(word_at(words, at) == "human" && !is_person(word_at(words, at + 1))))
    ++at;
  return at;
}

struct Named {
  const TransferTarget *target = nullptr;
  std::size_t end = 0; // the word behind
};

// Who is named right here, by one of the targets' own words.
Named target_at(const Words &words, std::size_t at,
                const std::vector<TransferTarget> &targets) {
  Named best;
  for (const TransferTarget &target : targets) {
    std::vector<std::string> phrases = target.phrases;
    phrases.push_back(target.name);
    for (std::string &phrase : phrases) {
      std::replace(phrase.begin(), phrase.end(), '_', ' ');
      const Words said = to_words(phrase);
      if (starts_with(words, at, said) && at + said.size() > best.end)
        best = {&target, at + said.size()};
    }
  }
  return best;
}

// Who is meant behind "speak to", "put me through to": articles may stand
// before.
const TransferTarget *meant_at(const Words &words, std::size_t at,
                               const std::vector<TransferTarget> &targets) {
  const std::size_t behind = behind_articles(words, at);
  for (const std::size_t place : {at, behind})
    if (const Named named = target_at(words, place, targets);
        named.target != nullptr)
      return named.target;
  return is_person(word_at(words, behind)) ? &targets.front() : nullptr;
}

bool is_refused(const Words &words, std::size_t verb) {
  const std::size_t from = verb > 6 ? verb - 6 : 0;
  for (std::size_t i = from; i < verb; ++i)
    if (is_one_of(words[i], {"not", "don't", "dont", "never", "without",
                             "cannot", "can't", "won't"}))
      return true;
  return false;
}

// "I want to speak to ...", "may I talk with ...": who asks wants it himself.
const TransferTarget *speak_to(const Words &words, std::size_t at,
                               const std::vector<TransferTarget> &targets) {
  if (!is_one_of(words[at], {"speak", "talk"}) ||
      !is_one_of(word_at(words, at + 1), {"to", "with"}))
    return nullptr;
  const bool asks =
      at == 0 || is_one_of(words[at - 1], {"to", "i", "me", "please", "just",
                                           "gotta", "wanna", "and", "rather"});
  return asks ? meant_at(words, at + 2, targets) : nullptr;
}

// "Put me through", "connect me with ...", "transfer my call to ...".
const TransferTarget *put_through(const Words &words, std::size_t at,
                                  const std::vector<TransferTarget> &targets) {
  std::size_t next = at + 1;
  const bool mine = word_at(words, next) == "me" ||
                    (is_one_of(word_at(words, next), {"my", "this", "the"}) &&
                     word_at(words, next + 1) == "call");
  if (!mine)
    return nullptr;
  next += word_at(words, next) == "me" ? 1 : 2;
  const std::string_view verb = words[at];
  const bool through =
      is_one_of(word_at(words, next), {"through", "over", "on"});
  if (is_one_of(verb, {"put", "patch"})
          ? !through
          : !is_one_of(verb, {"connect", "transfer"}))
    return nullptr;
  next += through ? 1 : 0;
  if (is_one_of(word_at(words, next), {"to", "with"}))
    return meant_at(words, next + 1, targets);
  // "Put me on hold", "connect me for ten" are about something else.
  const std::string_view behind = word_at(words, next);
  const bool over = behind.empty() || is_courtesy(behind);
  return over && !(through && word_at(words, next - 1) == "on")
             ? &targets.front()
             : nullptr;
}

// "Give me an operator": nothing but who is meant may stand behind, for one can
// be given, and need, a great many things.
const TransferTarget *give_me(const Words &words, std::size_t at,
                              const std::vector<TransferTarget> &targets) {
  std::size_t next = at;
  if (is_one_of(words[at], {"give", "get"})) {
    if (word_at(words, at + 1) != "me")
      return nullptr;
    next = at + 2;
  } else if (is_one_of(words[at], {"want", "need"}) ||
             (at > 0 && words[at] == "have" && words[at - 1] == "i") ||
             (at > 0 && words[at] == "like" && words[at - 1] == "would")) {
    next = at + 1; // "can I have", "I would like"
  } else {
    return nullptr;
  }
  const std::size_t behind = behind_articles(words, next);
  const auto over = [&](std::size_t end) {
    return end == words.size() || is_courtesy(words[end]);
  };
  for (const std::size_t place : {next, behind})
    if (const Named named = target_at(words, place, targets);
        named.target != nullptr && over(named.end))
      return named.target;
  const std::string_view who = word_at(words, behind);
  return is_person(who) && over(behind + 1) ? &targets.front() : nullptr;
}

// "Operator!", "a human, please", "reservations".
const TransferTarget *only(const Words &words,
                           const std::vector<TransferTarget> &targets) {
  Words rest = words;
  while (!rest.empty() && is_courtesy(rest.back()))
    rest.pop_back();
  std::size_t at = 0;
  while (is_one_of(word_at(rest, at), {"please", "hello", "hi", "um", "uh"}))
    ++at;
  const std::size_t behind = behind_articles(rest, at);
  for (const std::size_t place : {at, behind})
    if (const Named named = target_at(rest, place, targets);
        named.target != nullptr && named.end == rest.size())
      return named.target;
  return is_role(word_at(rest, behind)) && behind + 1 == rest.size()
             ? &targets.front()
             : nullptr;
}

} // namespace

const TransferTarget *asked_for(const Words &words,
                                const std::vector<TransferTarget> &targets) {
  if (targets.empty() || words.empty())
    return nullptr;
  if (const TransferTarget *target = only(words, targets))
    return target;
  for (std::size_t at = 0; at < words.size(); ++at) {
    const TransferTarget *target = speak_to(words, at, targets);
    if (target == nullptr)
      target = put_through(words, at, targets);
    if (target == nullptr)
      target = give_me(words, at, targets);
    if (target != nullptr && !is_refused(words, at))
      return target;
  }
  return nullptr;
}

std::vector<std::string>
transfer_phrases(const std::vector<TransferTarget> &targets) {
  std::vector<std::string> phrases;
  if (!targets.empty())
    phrases = {"operator", "i want to speak to a person"};
  for (const TransferTarget &target : targets)
    for (const std::string &phrase : target.phrases)
      phrases.push_back("put me through to " + phrase);
  return phrases;
}

} // namespace patchcord::agent
