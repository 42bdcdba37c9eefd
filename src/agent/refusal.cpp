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
  return is_one_of(word, {"is", "are", "am", "does", "do", "will", "would",
                          "can", "could", "may", "might", "have", "has", "im",
                          "were", "its", "thats"});
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

// "Friday", "the third", "May 3", "3 May" that end with the word at `i`; not
// the "may" of "I may not".
bool ends_day(const Words &words, std::size_t i) {
  if (names_month(words[i])) {
    const std::size_t day = i > 1 && words[i - 1] == "of" ? i - 2 : i - 1;
    return i > 0 && (ordinal_at(words, day) || is_digits(words[day]));
  }
  return names_day(words[i]) || ordinal_at(words, i) ||
         (i > 0 && names_month(words[i - 1]) && cardinal_at(words, i));
}

// "At five", "five thirty", "5:30", "half past five" that end with the word at
// `i`; not the "two" of "we two".
bool ends_time(const Words &words, std::size_t i) {
  const auto is_clock = [&](std::size_t k) {
    return words[k].find(':') != std::string::npos;
  };
  if (is_clock(i) || is_one_of(words[i], {"pm", "oclock", "noon"}))
    return true;
  if (i == 0)
    return false;
  const auto before = cardinal_at(words, i - 1);
  if (words[i] == "am") // not of "I am"
    return before || is_clock(i - 1);
  return cardinal_at(words, i) &&
         (is_one_of(words[i - 1], {"at", "past", "to"}) ||
          (before && before->end == i));
}

// Whether what is said at `i` is said of a day or a time before it, "Friday I
// am" of "Friday I am not free", and not of the value that begins at `value`:
// "at five I can't come on Friday".
bool is_of_value(const Words &words, std::size_t i, std::size_t value) {
  for (; i > 0; --i) {
    if (ends_day(words, i - 1))
      return true;
    if (ends_time(words, i - 1))
      return !names_day(word_at(words, value)) && !ordinal_at(words, value);
    if (!is_between(words[i - 1], Of::kDay))
      return false;
  }
  return false;
}

// "Is better", "works", "would be fine" at `i`: what is before it is meant.
bool is_praised(const Words &words, std::size_t i) {
  if (is_one_of(word_at(words, i), {"works", "suits"}))
    return true;
  const std::size_t begin = i;
  while (is_one_of(word_at(words, i),
                   {"is", "will", "would", "could", "should", "might", "be"}))
    ++i;
  return i > begin && is_one_of(word_at(words, i),
                                {"better", "best", "fine", "good", "great",
                                 "okay", "ok", "perfect", "work", "suit"});
}

// "Isn't too late", "would not hurt", "I don't mind"; not "isn't early enough".
bool is_harmless(const Words &words, std::size_t i) {
  while (is_one_of(word_at(words, i),
                   {"so", "too", "really", "quite", "very", "that", "be", "a",
                    "an", "the", "any", "all", "much", "such"}))
    ++i;
  return word_at(words, i + 1) != "enough" &&
         is_one_of(
             word_at(words, i),
             {"late",         "soon",         "early", "far",     "long",
              "bad",          "worst",        "wrong", "hard",    "difficult",
              "problem",      "problems",     "issue", "trouble", "hurt",
              "matter",       "mind",         "minds", "doubt",   "care",
              "wait",         "busy",         "need",  "urgent",  "impossible",
              "inconvenient", "unreasonable", "picky", "fussy",   "choosy"});
}

// "Is a problem", "would be too late" at `i`.
bool is_harmless_behind(const Words &words, std::size_t i) {
  while (is_verb(word_at(words, i)) ||
         is_one_of(word_at(words, i), {"going", "to"}))
    ++i;
  return is_harmless(words, i);
}

// "Not", "not so", "not a hundred percent" at the end of [0, end): where it
// says "not".
std::optional<std::size_t> not_before(const Words &words, std::size_t end) {
  while (end > 0 &&
         is_one_of(words[end - 1], {"so", "too", "really", "quite", "entirely",
                                    "all", "that", "a", "hundred", "percent"}))
    --end;
  const bool negated =
      end > 0 && is_one_of(words[end - 1], {"dont", "didnt", "doesnt", "not",
                                            "wouldnt", "cant", "cannot"});
  return negated ? std::optional(end - 1) : std::nullopt;
}

// "I don't think", "I'm not sure if", "I doubt we'll" at the end of [0, end):
// the words of doubt.
std::optional<Span> doubt_before(const Words &words, std::size_t end) {
  std::size_t i = end;
  while (i > 0 && (is_subject(words[i - 1]) || is_verb(words[i - 1]) ||
                   is_one_of(words[i - 1], {"id", "ill", "wed", "well"})))
    --i;
  const std::size_t behind = i;
  const bool linked =
      i > 0 && is_one_of(words[i - 1], {"if", "whether", "about"});
  i -= linked ? 1 : 0;
  if (i == 0)
    return std::nullopt;
  const std::string &word = words[i - 1];
  if (word == "doubt") {
    const bool no = i > 1 && is_one_of(words[i - 2], {"no", "without", "dont"});
    return no ? std::nullopt : std::optional(Span{i - 1, behind});
  }
  // "I don't know, Friday" is Friday, "I don't know about Friday" is not.
  if (!is_one_of(word, {"think", "believe", "say", "sure", "certain"}) &&
      !(linked && word == "know"))
    return std::nullopt;
  const auto begin = not_before(words, i - 1);
  return begin ? std::optional(Span{*begin, behind}) : std::nullopt;
}

// "Nobody", "neither of us", "not everyone" at the end of [0, i).
std::optional<std::size_t> nobody_before(const Words &words, std::size_t i) {
  if (i > 2 && words[i - 2] == "of" &&
      is_one_of(words[i - 1], {"us", "them", "you"}))
    i -= 2;
  const std::string_view last = i > 0 ? word_at(words, i - 1) : "";
  const std::string_view before = i > 1 ? word_at(words, i - 2) : "";
  if (is_one_of(last, {"nobody", "neither", "none", "noone"}))
    return i - 1;
  const bool two =
      (last == "one" && before == "no") ||
      (before == "not" && is_one_of(last, {"everyone", "everybody", "all"}));
  return two ? std::optional(i - 2) : std::nullopt;
}

// "I'm busy", "we'll be out of town", "I have to work" at the end of [0, end).
std::optional<std::size_t> absence_before(const Words &words, std::size_t end) {
  const auto is_said = [&](std::size_t back, std::string_view word) {
    return end >= back && words[end - back] == word;
  };
  std::size_t i = end;
  if (end > 0 &&
      is_one_of(words[end - 1], {"busy", "away", "working", "traveling",
                                 "travelling", "booked", "sick", "closed"}))
    i = end - 1;
  else if (is_said(3, "out") && is_said(2, "of"))
    i = end - 3;
  else if (is_said(2, "to") && is_said(1, "work"))
    i = end - 2;
  const bool is =
      i > 0 && i < end && (is_verb(words[i - 1]) || words[i - 1] == "be");
  return is ? std::optional(i - 1) : std::nullopt;
}

bool takes_object(std::string_view word) {
  return is_one_of(
      word, {"do", "make", "manage", "take", "want", "like", "need", "have"});
}

bool fits(std::string_view word) {
  return is_one_of(word, {"work", "works", "suit", "suits", "happen",
                          "possible", "good", "convenient", "time"});
}

// What may stand between "can't" and what begins at `end`. "It" only as in
// "make it": "that's not it" says nothing of what follows; nor does "really" in
// "not really, Friday".
bool is_of_inability(const Words &words, std::size_t i, std::size_t end) {
  if (words[i] == "it")
    return i > 0 && takes_object(words[i - 1]);
  if (words[i] == "really")
    return i + 1 < end;
  return takes_object(words[i]) || fits(words[i]) ||
         is_one_of(words[i],
                   {"come",  "coming", "go",   "be",        "able", "to",
                    "going", "there",  "here", "available", "free", "in",
                    "town",  "both",   "all",  "either",    "even", "possibly",
                    "any",   "me",     "us"});
}

// What is said no to.
struct Verb {
  bool has_object = false; // "make it"; "do" has what follows
  bool wants = false, fits = false;
};

// "I can't", "it doesn't", "nobody can" at the end of [0, i), before such a
// verb: where the words begin that say so.
std::optional<std::size_t> negation_before(const Words &words, std::size_t i,
                                           std::size_t end, Verb verb) {
  if (i > 0 && (i < end || is_cannot(words[i - 1]))) {
    const std::string &word = words[i - 1];
    const bool cannot =
        is_cannot(word) ||
        is_one_of(word, {"unable", "isnt", "arent", "never"}) ||
        ((verb.wants || verb.fits) &&
         is_one_of(word, {"dont", "didnt", "doesnt", "wouldnt"})) ||
        (word == "not" && (i < 2 || words[i - 2] != "why")) ||
        (word == "no" && is_one_of(word_at(words, i), {"time", "need"}));
    if (cannot)
      return i - 1;
  }
  std::size_t subject = i;
  while (subject > 0 && is_verb(words[subject - 1]))
    --subject;
  return subject < end ? nobody_before(words, subject) : std::nullopt;
}

// "I can't do", "I won't be able to make it on", "I don't want", "I don't think
// I can do", "I'm busy on" at the end of [0, end), of the value that follows:
// where the words begin that say so.
std::optional<std::size_t> inability_before(const Words &words, std::size_t end,
                                            Span value) {
  std::size_t i = end;
  Verb verb;
  for (; i > 0 && is_of_inability(words, i - 1, end); --i) {
    verb.fits = verb.fits || fits(words[i - 1]);
    if (takes_object(words[i - 1])) {
      verb.has_object = word_at(words, i) != "it";
      verb.wants = verb.wants ||
                   is_one_of(words[i - 1], {"want", "like", "need", "have"});
    }
  }
  std::optional<std::size_t> begin;
  if (const auto doubt = doubt_before(words, i)) {
    // "I don't think that Friday works", of Friday itself.
    const bool that = end > 0 && words[end - 1] == "that";
    if (doubt->end == (that ? end - 1 : end))
      return is_harmless_behind(words, value.end) ? std::nullopt
                                                  : std::optional(doubt->begin);
    begin = doubt->begin;
  }
  if (!begin)
    begin = negation_before(words, i, end, verb);
  if (!begin)
    begin = absence_before(words, end);
  if (!begin)
    return std::nullopt;
  // "I can't make it, Friday is better", "Monday I don't want, Friday please".
  const bool please = word_at(words, value.end) == "please";
  const bool is_other =
      is_praised(words, value.end) || (verb.fits && please) ||
      (is_of_value(words, *begin, value.begin) && (!verb.has_object || please));
  return is_other ? std::nullopt : begin;
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
  if (is_one_of(word, {"nobody", "noone", "neither", "none", "doubt"}) ||
      (word == "no" && word_at(words, i + 1) == "one"))
    return true;
  if (word != "not" && word != "no")
    return false;
  // "Friday, not Monday", "at five it is, not at six".
  if (verb)
    return !begins_value(words, i + 1);
  return is_one_of(word_at(words, i + 1),
                   {"possible", "good", "great", "okay", "ok", "available",
                    "free", "convenient", "suitable", "going", "way"});
}

// "Friday is bad", "would be too early", "I have to work": at `i`, behind the
// verb.
bool is_bad(const Words &words, std::size_t i) {
  bool too = false;
  const bool has = is_one_of(words[i - 1], {"have", "has", "got"});
  for (; is_one_of(word_at(words, i),
                   {"be", "a", "an", "to", "very", "so", "really", "pretty",
                    "quite", "rather", "bit", "too", "another", "already"});
       ++i)
    too = too || words[i] == "too";
  const std::string_view word = word_at(words, i);
  return (too && !word.empty()) ||
         (has && is_one_of(word, {"work", "plans", "appointment", "meeting",
                                  "class", "school", "something"})) ||
         is_one_of(word,
                   {"bad",      "hard",  "difficult", "tough",      "tricky",
                    "terrible", "worse", "worst",     "full",       "booked",
                    "taken",    "out",   "off",       "busy",       "away",
                    "working",  "sick",  "traveling", "travelling", "closed"});
}

// "At the latest", "or later", "or the day after" at `i`: what is before it is
// but one end of what may be.
bool is_bound(const Words &words, std::size_t i) {
  const std::string_view sign = word_at(words, i++);
  while (is_one_of(word_at(words, i), {"the", "any", "day", "week"}))
    ++i;
  const std::string_view word = word_at(words, i);
  return (sign == "at" && is_one_of(word, {"latest", "earliest"})) ||
         (sign == "or" && word_at(words, i + 1) != "tomorrow" &&
          is_one_of(word, {"later", "earlier", "sooner", "before", "after"}));
}

bool begins_day(const Words &words, std::size_t i) {
  while (is_one_of(word_at(words, i), {"the", "next", "this"}))
    ++i;
  return names_day(word_at(words, i)) || ordinal_at(words, i);
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
  return begins_day(words, i);
}

// "Before three", "no later than Friday", "I can't come until noon": what
// begins at `begin` is but the end of what may be. Where the words begin that
// say so.
std::optional<std::size_t> bound_before(const Words &words, std::size_t begin) {
  std::size_t i = begin;
  const bool than = i > 1 && words[i - 1] == "than" &&
                    is_one_of(words[i - 2], {"earlier", "later", "sooner"});
  if (than)
    i -= 2;
  else if (i > 0 &&
           (is_one_of(words[i - 1], {"before", "after", "until", "till"}) ||
            (words[i - 1] == "by" && begins_day(words, begin))))
    --i;
  else if (i > 1 && words[i - 1] == "of" && words[i - 2] == "week")
    i -= 2; // "the week of May fourth"
  else
    return std::nullopt;
  const std::size_t bound = i;
  while (i > 0 && is_one_of(words[i - 1], {"come", "be", "make", "do", "it",
                                           "there", "here", "able", "to"}))
    --i;
  if (i == 0)
    return bound;
  const std::string &word = words[i - 1];
  const bool negated = is_cannot(word) ||
                       is_one_of(word, {"unable", "dont", "isnt"}) ||
                       (word == "no" && than) || doubt_before(words, i) ||
                       (word == "not" && (i < 2 || words[i - 2] != "why"));
  return negated ? i - 1 : bound;
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

std::optional<std::size_t> denial_of(const Words &words, Span value) {
  constexpr int kMostAlternatives = 4;
  std::size_t begin = value.begin;
  // "Not really urgent"; not "not really, Friday".
  const bool is_plain = !begins_value(words, value.begin);
  for (int i = 0; i < kMostAlternatives; ++i) {
    while (begin > 0 &&
           (is_one_of(words[begin - 1],
                      {"a", "an", "the", "this", "on", "at", "in", "for"}) ||
            (is_plain && is_one_of(words[begin - 1],
                                   {"that", "so", "very", "really", "all"}))))
      --begin;
    const std::string_view last = begin > 0 ? word_at(words, begin - 1) : "";
    const std::string_view before = begin > 1 ? word_at(words, begin - 2) : "";
    if ((last == "not" && before != "why") ||
        is_one_of(last, {"isnt", "neither", "except", "dont", "never"}))
      return begin - 1;
    if ((last == "of" && before == "instead") ||
        (last == "than" && before == "rather") ||
        (last == "but" && before == "anything"))
      return begin - 2;
    if (last == "but" && is_one_of(before, {"day", "days", "time"}) &&
        begin > 2 &&
        is_one_of(words[begin - 3], {"any", "every", "other", "all"}))
      return begin - 3;
    if (const auto bound = bound_before(words, begin))
      return bound;
    // "Not on Friday or Monday", "I can't do Monday and Tuesday".
    const bool both = last == "and" && names_day(before) &&
                      names_day(word_at(words, value.begin)) &&
                      !is_praised(words, value.end);
    if (!(both || is_one_of(last, {"or", "nor"})) || begin < 2)
      return inability_before(words, begin, value);
    begin -= 2;
  }
  return std::nullopt;
}

bool is_refused(const Words &words, Span span, Of of) {
  constexpr std::size_t kMostBetween = 6;
  if (is_denied(words, span) || is_bound(words, span.end))
    return true;
  // "Tomorrow's too soon."
  const std::string_view last =
      span.size() > 0 ? word_at(words, span.end - 1) : "";
  bool verb = last.ends_with('s') && names_day(last.substr(0, last.size() - 1));
  for (std::size_t i = span.end;
       i < words.size() && i <= span.end + kMostBetween; ++i) {
    if (negates(words, i, span.end, verb))
      return !is_harmless(words, i + 1) &&
             !(of == Of::kDay && is_of_an_hour(words, i + 1)) &&
             !(of == Of::kTime && is_of_a_day(words, i + 1));
    if (verb && is_bad(words, i))
      return true;
    // "Today and tomorrow I can't."
    if (is_one_of(words[i], {"and", "or"}) && names_day(word_at(words, i + 1)))
      ++i;
    // "Friday my wife can't."
    else if (is_one_of(words[i], {"my", "our"}))
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
