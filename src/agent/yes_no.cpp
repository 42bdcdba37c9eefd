// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/values.hpp"

namespace patchcord::agent {
namespace {

// "Everyone is fine", "I'm good", "it's all okay" at `i`: how they are, and no
// answer.
bool tells_state(const Words &words, std::size_t i) {
  const bool right = words[i] == "right";
  bool all = false;
  while (i > 0 &&
         is_one_of(words[i - 1],
                   {"is", "are", "am", "be", "being", "feeling", "doing", "all",
                    "both", "just", "perfectly", "totally", "completely",
                    "really", "quite", "very", "so", "pretty", "still"})) {
    --i;
    all = all || words[i] == "all";
  }
  return i > 0 ? is_one_of(
                     words[i - 1],
                     {"i",          "im",         "we",          "were",
                      "he",         "hes",        "she",         "shes",
                      "they",       "theyre",     "it",          "its",
                      "all",        "everyone",   "everyones",   "everybody",
                      "everybodys", "everything", "everythings", "people"})
               : all && !right; // "all good", "all right"
}

// "Right", "that works" at `i`; not "right now", "good morning".
bool agrees(const Words &words, std::size_t i) {
  const std::string_view before = i > 0 ? word_at(words, i - 1) : "";
  const std::string_view next = word_at(words, i + 1);
  const std::string &word = words[i];
  if (is_one_of(word, {"exactly", "absolutely", "certainly", "true",
                       "definitely", "confirmed", "confirm", "affirmative"}))
    return true;
  if (word == "sure")
    return !is_one_of(before, {"make", "you"});
  if (word == "correct") // not "correct the day"
    return !is_one_of(next, {"the", "it", "my", "this"});
  if (word == "works")
    return is_one_of(before, {"that", "this"}) || next == "for";
  if (word == "right")
    return before != "the" && !tells_state(words, i) &&
           !is_one_of(next, {"now", "away", "there", "here", "after", "before",
                             "behind", "next", "side"});
  return is_one_of(word,
                   {"ok", "okay", "alright", "perfect", "fine", "good", "great",
                    "nice", "lovely", "wonderful", "excellent"}) &&
         !tells_state(words, i) &&
         !is_one_of(next, {"morning", "afternoon", "evening", "day", "night",
                           "question"});
}

// "Okay, hold on", "good, and when?": no answer yet.
bool puts_off(const Words &words) {
  return has_any(words, {"wait", "moment", "second", "minute", "what", "when",
                         "which", "who", "where", "how", "why"}) ||
         find_phrase(words, {"hold", "on"}) ||
         find_phrase(words, {"hang", "on"});
}

// "No worries", "don't mind": no "no".
Words without_idioms(Words words) {
  static const std::vector<Words> kIdioms = {
      {"no", "worries"},   {"dont", "worry"},  {"dont", "mind"},
      {"no", "doubt"},     {"no", "question"}, {"no", "matter"},
      {"nothing", "wrong"}};
  for (const Words &idiom : kIdioms)
    while (const auto span = find_phrase(words, idiom))
      words.erase(words.begin() + static_cast<std::ptrdiff_t>(span->begin),
                  words.begin() + static_cast<std::ptrdiff_t>(span->end));
  return words;
}

// "Yes, I mean no": what the last correction says.
std::optional<bool> corrected(const Words &words) {
  for (std::size_t i = words.size(); i > 1; --i) {
    const Words last(words.begin() + static_cast<std::ptrdiff_t>(i),
                     words.end());
    if (!last.empty() && (is_yes(last[0]) || is_no(last[0])) &&
        is_one_of(words[i - 1],
                  {"mean", "meant", "sorry", "wait", "actually", "rather"}))
      return yes_or_no(last);
  }
  return std::nullopt;
}

} // namespace

bool is_yes(std::string_view word) {
  return is_one_of(word, {"yes", "yeah", "yep", "yup", "yea", "aye"});
}

bool is_no(std::string_view word) {
  return is_one_of(word, {"no", "nope", "nah", "nay"});
}

bool does_not_know(const Words &words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "no" && is_one_of(word_at(words, i + 1), {"idea", "clue"}))
      return true;
    if (!is_one_of(words[i], {"not", "dont", "didnt", "cant", "couldnt",
                              "cannot", "havent"}))
      continue;
    std::size_t next = i + 1;
    while (is_one_of(word_at(words, next),
                     {"so", "too", "quite", "really", "entirely", "a",
                      "hundred", "percent", "all", "that", "even", "got"}))
      ++next;
    const bool of = word_at(words, next + 1) == "of"; // "I don't know of any"
    if (!of && is_one_of(word_at(words, next),
                         {"sure", "certain", "know", "understand", "remember",
                          "hear", "catch", "follow", "clue", "get"}))
      return true;
  }
  return false;
}

std::optional<bool> yes_or_no(const Words &all) {
  if (const auto last = corrected(all))
    return last;
  const Words words = without_idioms(all);
  // A plain word in front decides: "yes, that is not a problem".
  const Words said = without_lead(words);
  const bool both = said.size() > 2 && is_no(said[2]) &&
                    is_one_of(said[1], {"and", "or"}); // "yes and no"
  if (!said.empty() && is_yes(said[0]) && !both &&
      (said.size() < 2 || !is_no(said[1])))
    return true;
  if (does_not_know(words))
    return std::nullopt;
  if (find_phrase(words, {"no", "problem"}) ||
      find_phrase(words, {"not", "a", "problem"}) ||
      find_phrase(words, {"why", "not"}))
    return true;
  const bool no =
      has_any(words, {"no", "nope", "nah", "nay", "not", "wrong", "incorrect",
                      "never", "negative", "dont", "isnt", "cancel", "nobody",
                      "nobodys", "noone"});
  const bool yes =
      has_any(words, {"yes", "yeah", "yep", "yup", "yea", "aye"}) ||
      find_phrase(words, {"uh", "huh"}) || find_phrase(words, {"mm", "hmm"});
  if (no)
    return yes ? std::nullopt : std::optional(false);
  if (yes)
    return true;
  bool agreed = find_phrase(words, {"of", "course"}) ||
                find_phrase(words, {"go", "ahead"}) ||
                find_phrase(words, {"please", "do"});
  for (const char *verb : {"guess", "suppose", "think", "believe", "afraid"})
    agreed = agreed || find_phrase(words, {verb, "so"});
  for (std::size_t i = 0; i < words.size(); ++i)
    agreed = agreed || agrees(words, i);
  return agreed && !puts_off(words) ? std::optional(true) : std::nullopt;
}

} // namespace patchcord::agent
