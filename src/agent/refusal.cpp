// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/refusal.hpp"

#include "agent/dates.hpp"

// What is named and not meant. Commas are no help: recognisers leave them out.
namespace patchcord::agent {
namespace {

bool is_cannot(std::string_view word) {
  return is_one_of(word, {"cant", "cannot", "couldnt", "wont"});
}

bool is_verb(std::string_view word) {
  return is_one_of(word,
                   {"is", "are", "am", "does", "do", "will", "would", "can",
                    "could", "have", "has", "im", "were", "its", "thats"});
}

bool is_subject(std::string_view word) {
  return is_one_of(word, {"i", "we", "he", "she", "they", "it", "that", "this",
                          "im", "were", "its", "thats"});
}

bool is_part_of_day(std::string_view word) {
  return is_one_of(word, {"morning", "mornings", "afternoon", "afternoons",
                          "evening", "evenings", "night", "nights"});
}

// What may stand between a day or a time and what is said of it.
bool is_between(std::string_view word, Of of) {
  return is_verb(word) || is_subject(word) || is_part_of_day(word) ||
         (of == Of::kTime && names_day(word)) ||
         is_one_of(word,
                   {"of", "in", "the", "on", "next", "week", "afraid",
                    "unfortunately", "sadly", "sorry", "really", "just", "also",
                    "still", "probably", "definitely", "simply", "rather"});
}

// Whether what is said at `i` is said of a day or a time before it: "Friday I
// am" of "Friday I am not free".
bool is_of_value(const Words &words, std::size_t i) {
  while (i > 0 && is_between(words[i - 1], Of::kDay))
    --i;
  return i > 0 && (names_day(words[i - 1]) || ordinal_at(words, i - 1) ||
                   cardinal_at(words, i - 1) ||
                   is_one_of(words[i - 1], {"pm", "oclock", "noon"}));
}

// "I can't do", "I won't be able to make it on", "I don't want" at the end of
// [0, end), of what follows: where the words begin that say so.
std::optional<std::size_t> inability_before(const Words &words,
                                            std::size_t end) {
  std::size_t i = end;
  // It is of what follows, whatever stands before; "make it" has its object.
  bool has_object = false, wants = false;
  for (; i > 0; --i)
    if (is_one_of(words[i - 1], {"do", "make", "manage", "take"}))
      has_object = word_at(words, i) != "it";
    else if (is_one_of(words[i - 1], {"want", "like"}))
      has_object = wants = true;
    else if (!is_one_of(words[i - 1],
                        {"come", "be", "able", "to", "going", "there", "here",
                         "available", "free", "in", "town", "it"}))
      break;
  if (i == end || i == 0)
    return std::nullopt;
  const bool negated =
      is_cannot(words[i - 1]) ||
      is_one_of(words[i - 1], {"unable", "isnt", "arent"}) ||
      (wants && is_one_of(words[i - 1], {"dont", "wouldnt"})) ||
      (words[i - 1] == "not" && (i < 2 || words[i - 2] != "why"));
  return negated && (has_object || !is_of_value(words, i - 1))
             ? std::optional(i - 1)
             : std::nullopt;
}

bool begins_value(const Words &words, std::size_t i) {
  while (is_one_of(word_at(words, i), {"on", "at", "the", "next", "this"}))
    ++i;
  return names_day(word_at(words, i)) || ordinal_at(words, i) ||
         cardinal_at(words, i) || word_at(words, i) == "noon";
}

// Whether the word at `i` says no; `from`: where what is said of it begins.
bool negates(const Words &words, std::size_t i, std::size_t from, bool verb) {
  const std::string &word = words[i];
  if (is_cannot(word) ||
      is_one_of(word, {"isnt", "arent", "doesnt", "wouldnt", "havent", "hasnt",
                       "never", "unable", "impossible", "unavailable"}))
    return true;
  if (word == "dont") // not "Friday, don't forget ..."
    return i > from && is_subject(words[i - 1]);
  if (word == "busy")
    return verb;
  if (word != "not" && word != "no")
    return false;
  // "Friday, not Monday", "at five it is, not at six".
  if (verb)
    return !begins_value(words, i + 1);
  return is_one_of(word_at(words, i + 1),
                   {"possible", "good", "great", "okay", "ok", "available",
                    "free", "convenient", "suitable", "going", "way"});
}

// "Isn't too late", "would not hurt", "I don't mind"; not "isn't early enough".
bool is_harmless(const Words &words, std::size_t i) {
  while (is_one_of(word_at(words, i),
                   {"so", "too", "really", "quite", "very", "that", "be", "a",
                    "an", "the", "any", "all", "much", "such"}))
    ++i;
  return word_at(words, i + 1) != "enough" &&
         is_one_of(word_at(words, i),
                   {"late",         "soon",      "early",      "far",
                    "long",         "bad",       "worst",      "wrong",
                    "hard",         "difficult", "problem",    "problems",
                    "issue",        "trouble",   "hurt",       "matter",
                    "mind",         "care",      "wait",       "busy",
                    "need",         "urgent",    "impossible", "inconvenient",
                    "unreasonable", "picky",     "fussy",      "choosy"});
}

// "I can't do Monday", "I can't make it on Monday": that day is refused, and
// not the time before. "I can't make it, Monday" leaves open what is.
bool is_of_a_day(const Words &words, std::size_t begin) {
  if (!is_one_of(word_at(words, begin),
                 {"do", "make", "manage", "take", "come"}))
    return false;
  std::size_t i = begin + 1;
  const bool has_object = word_at(words, i) == "it";
  i += has_object ? 1 : 0;
  if (word_at(words, i) == "on")
    ++i;
  else if (has_object)
    return false;
  while (is_one_of(word_at(words, i), {"the", "next", "this"}))
    ++i;
  return names_day(word_at(words, i));
}

// "Not before three", "no later than Friday", "I can't come until noon": what
// begins at `begin` is but the end of what may be. Where the words begin that
// say so.
std::optional<std::size_t> bound_before(const Words &words, std::size_t begin) {
  std::size_t i = begin;
  const bool than = i > 1 && words[i - 1] == "than" &&
                    is_one_of(words[i - 2], {"earlier", "later"});
  if (than)
    i -= 2;
  else if (i > 0 &&
           is_one_of(words[i - 1], {"before", "after", "until", "till"}))
    --i;
  else
    return std::nullopt;
  while (i > 0 && is_one_of(words[i - 1], {"come", "be", "make", "do", "it",
                                           "there", "here", "able", "to"}))
    --i;
  if (i == 0)
    return std::nullopt;
  const std::string &word = words[i - 1];
  const bool negated = is_cannot(word) ||
                       is_one_of(word, {"unable", "dont", "isnt"}) ||
                       (word == "no" && than) ||
                       (word == "not" && (i < 2 || words[i - 2] != "why"));
  return negated ? std::optional(i - 1) : std::nullopt;
}

// "I can't come before three", "doesn't work in the morning", "I can't do
// five": some of the day is refused. Who names another day behind it gives it
// up.
bool is_of_an_hour(const Words &words, std::size_t begin) {
  bool hour = is_one_of(word_at(words, begin), {"do", "make"}) &&
              (cardinal_at(words, begin + 1) ||
               is_one_of(word_at(words, begin + 1), {"half", "noon"}));
  bool other = false;
  for (std::size_t i = begin; i < words.size(); ++i) {
    const std::string_view next = word_at(words, i + 1);
    if (is_one_of(words[i], {"because", "since"}))
      break;
    if (names_day(words[i]) || (words[i] == "this" && is_part_of_day(next)))
      return false;
    other = other || is_one_of(words[i], {"but", "so", "and", "or"});
    hour = hour || (!other && (is_part_of_day(words[i]) ||
                               (words[i] == "after" && next != "all") ||
                               is_one_of(words[i], {"before", "until", "till",
                                                    "earlier", "later"})));
  }
  return hour;
}

} // namespace

std::optional<std::size_t> denial_of(const Words &words, std::size_t begin) {
  constexpr int kMostAlternatives = 4;
  for (int i = 0; i < kMostAlternatives; ++i) {
    while (begin > 0 && is_one_of(words[begin - 1], {"a", "an", "the", "this",
                                                     "on", "at", "in", "for"}))
      --begin;
    const std::string_view last = begin > 0 ? word_at(words, begin - 1) : "";
    const std::string_view before = begin > 1 ? word_at(words, begin - 2) : "";
    if ((last == "not" && before != "why") || last == "isnt")
      return begin - 1;
    if ((last == "of" && before == "instead") ||
        (last == "than" && before == "rather") ||
        (last == "but" && before == "anything"))
      return begin - 2;
    if (const auto bound = bound_before(words, begin))
      return bound;
    // "Not on Friday or Monday."
    if (!is_one_of(last, {"or", "nor"}) || begin < 2)
      return inability_before(words, begin);
    begin -= 2;
  }
  return std::nullopt;
}

bool is_refused(const Words &words, Span span, Of of) {
  constexpr std::size_t kMostBetween = 6;
  if (is_denied(words, span.begin))
    return true;
  bool verb = false;
  for (std::size_t i = span.end;
       i < words.size() && i <= span.end + kMostBetween; ++i) {
    if (negates(words, i, span.end, verb))
      return !is_harmless(words, i + 1) &&
             !(of == Of::kDay && is_of_an_hour(words, i + 1)) &&
             !(of == Of::kTime && is_of_a_day(words, i + 1));
    // "Friday my wife can't."
    if (is_one_of(words[i], {"my", "our"}))
      ++i;
    else if (const auto day = ordinal_at(words, i); day && of == Of::kDay)
      i = day->end - 1; // "Friday the third"
    else if (!is_between(words[i], of))
      return false;
    else
      verb = verb || is_verb(words[i]);
  }
  return false;
}

} // namespace patchcord::agent
