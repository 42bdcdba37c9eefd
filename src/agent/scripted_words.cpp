// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/scripted_words.hpp"

#include "agent/values.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace patchcord::agent {
namespace {

constexpr std::array<const char *, 7> kThatIsAll = {
    "that's all",   "that is all", "that's it",   "that is it",
    "nothing else", "no more",     "no thank you"};

std::vector<std::string> spoken_words(const std::vector<std::string> &texts) {
  std::vector<std::string> out;
  out.reserve(texts.size());
  for (const std::string &text : texts)
    out.push_back(to_lower(text));
  return out;
}

std::vector<std::string> choice_words(const Field &field) {
  std::vector<std::string> out;
  for (const Choice &choice : field.choices)
    for (std::string &phrase : spoken_words(choice.spoken))
      out.push_back(std::move(phrase));
  return out;
}

} // namespace

bool says_goodbye(const Words &words) {
  return has_any(words, {"goodbye", "bye"}) ||
         find_phrase(words, {"good", "bye"}) ||
         find_phrase(words, {"hang", "up"});
}

std::string before_goodbye(std::string_view text) {
  const Words words = to_words(text);
  std::size_t count = words.size();
  for (const Words &phrase :
       {Words{"goodbye"}, {"bye"}, {"good", "bye"}, {"hang", "up"}})
    if (const auto found = find_phrase(words, phrase))
      count = std::min(count, found->begin);
  // Where no more than these have been written.
  std::size_t end = 0, behind = text.size() + 1;
  while (behind - end > 1) {
    const std::size_t middle = end + (behind - end) / 2;
    (to_words(text.substr(0, middle)).size() <= count ? end : behind) = middle;
  }
  return std::string(text.substr(0, end));
}

bool asks_to_repeat(const Words &words) {
  return has_any(words, {"repeat", "pardon"}) ||
         find_phrase(words, {"say", "again"}) ||
         find_phrase(words, {"say", "that", "again"}) ||
         find_phrase(words, {"come", "again"}) ||
         (words.size() == 1 && is_one_of(words[0], {"what", "sorry"}));
}

bool announces_correction(const Words &words) {
  for (std::size_t i = 0; i < words.size(); ++i)
    if (words[i] == "wait" && !is_of_waiting(words, i))
      return true;
  return has_any(words, {"sorry", "actually", "instead", "rather"}) ||
         find_phrase(words, {"i", "mean"}) ||
         find_phrase(words, {"i", "meant"});
}

bool merely_agrees(const Words &words) {
  const bool says_yes =
      yes_or_no(words) == true ||
      has_any(words, {"right", "fine", "good", "great", "perfect", "okay"});
  return says_yes &&
         std::all_of(words.begin(), words.end(), [](const std::string &word) {
           return is_one_of(
               word,
               {"yes",     "yeah",    "yep",   "yup",        "yea",
                "aye",     "uh",      "um",    "huh",        "mm",
                "hmm",     "well",    "sure",  "correct",    "right",
                "exactly", "ok",      "okay",  "fine",       "good",
                "great",   "perfect", "true",  "thats",      "that",
                "is",      "its",     "it",    "all",        "sounds",
                "please",  "thanks",  "thank", "you",        "of",
                "course",  "go",      "ahead", "absolutely", "definitely",
                "works",   "for",     "me",    "everything", "everythings",
                "looks",   "would",   "be",    "nice",       "lovely",
                "i",       "guess",   "so",    "suppose",    "think"});
         });
}

bool has_reservation(const Words &words) {
  return has_any(words, {"but", "except", "only", "however", "although"});
}

std::optional<Words> aside_of(const Words &words) {
  const auto but = std::find(words.begin(), words.end(), "but");
  if (but == words.end() ||
      has_any(words, {"except", "only", "however", "although"}))
    return std::nullopt;
  const Words aside(but + 1, words.end());
  const bool of_himself = is_one_of(
      word_at(aside, 0), {"i", "im", "ill", "ive", "we", "well", "weve", "my",
                          "our", "he", "she", "they", "please", "thanks",
                          "thank", "you", "there", "theres", "theyll"});
  const bool of_number =
      std::any_of(aside.begin(), aside.end(), [](const std::string &word) {
        return names_day(word) || small_number(word) ||
               is_digits(word.substr(0, 1));
      });
  const bool wants_else = has_any(
      aside,
      {"not",     "no",        "cant",    "cannot",  "couldnt", "wont",
       "dont",    "doesnt",    "isnt",    "never",   "unable",  "nobody",
       "need",    "want",      "wanted",  "like",    "prefer",  "rather",
       "better",  "instead",   "wish",    "could",   "can",     "would",
       "id",      "should",    "later",   "earlier", "sooner",  "longer",
       "shorter", "more",      "less",    "other",   "another", "different",
       "else",    "change",    "move",    "cancel",  "wrong",   "again",
       "then",    "time",      "day",     "date",    "hour",    "week",
       "morning", "afternoon", "evening", "noon",    "until",   "before",
       "after",   "actually",  "sorry",   "wait",    "mean",    "meant",
       "said",    "asked",     "thought", "too",     "also",    "add",
       "sick",    "away",      "busy",    "afraid",  "us",      "make"});
  return of_himself && !of_number && !wants_else ? std::optional(aside)
                                                 : std::nullopt;
}

bool proposes(const Words &words) {
  // "I can call you on Friday", "Friday is bad": a day, and none to come.
  if (has_any(words,
              {"call", "calling", "ring", "phone", "mail", "email", "write",
               "tell", "know", "decide", "ask", "away", "bad", "busy"}))
    return false;
  for (const char *verb : {"could", "can"})
    for (const char *who : {"i", "we"})
      if (find_phrase(words, {verb, who}) || find_phrase(words, {who, verb}))
        return true;
  if (find_phrase(words, {"how", "about"}) ||
      find_phrase(words, {"what", "about"}) ||
      has_any(words, {"better", "prefer", "instead", "rather", "possible"}))
    return true;
  // "Yes, but on Friday at ten"; not "but I fly on Friday".
  constexpr std::size_t kMostWords = 6;
  const auto but = std::find(words.begin(), words.end(), "but");
  return but != words.end() &&
         static_cast<std::size_t>(words.end() - but) <= kMostWords + 1 &&
         !has_any({but, words.end()},
                  {"i", "im", "ill", "ive", "id", "we", "my", "he", "she"});
}

bool declines(const Words &words) {
  return yes_or_no(words) == false ||
         has_any(words, {"cant", "cannot", "wont", "couldnt"});
}

bool refuses_to_tell(const Words &words) {
  // More words are more than a refusal.
  constexpr std::size_t kMostWords = 8;
  const bool refuses = find_phrase(words, {"rather", "not"}) ||
                       find_phrase(words, {"prefer", "not"}) ||
                       find_phrase(words, {"dont", "want", "to"}) ||
                       find_phrase(words, {"not", "want", "to"}) ||
                       has_any(words, {"wont", "not"});
  return words.size() <= kMostWords && refuses &&
         has_any(words, {"say", "tell", "telling", "answer", "give"});
}

std::optional<Span> close_of_list(const Words &words) {
  std::optional<Span> first;
  for (const char *phrase : kThatIsAll) {
    // To the letter: "so that it is quiet" ends nothing.
    const Words close = to_words(phrase);
    const auto at =
        std::search(words.begin(), words.end(), close.begin(), close.end());
    const auto begin = static_cast<std::size_t>(at - words.begin());
    const Span span{begin, begin + close.size()};
    // "No more than two chairs."
    if (at != words.end() && word_at(words, span.end) != "than" &&
        (!first || begin < first->begin))
      first = span;
  }
  return first;
}

bool ends_list(const Words &words) { return close_of_list(words).has_value(); }

bool says_all(const Words &words) {
  const bool no = yes_or_no(words) == false || does_not_know(words);
  return (no && words.size() <= 4) || ends_list(words);
}

bool says_none(const Words &words) {
  // "I do not want any."
  const bool not_any = words.size() <= 6 && has_any(words, {"not", "dont"}) &&
                       has_any(words, {"any", "anything"});
  return not_any ||
         (words.size() <= 4 && (yes_or_no(words) == false ||
                                has_any(words, {"none", "nothing", "nobody"})));
}

bool is_free_text(const Field &field) {
  return field.type == FieldType::kString ||
         (field.type == FieldType::kList && field.choices.empty());
}

Expectation expectation_of(const Field &field) {
  using Kind = Expectation::Kind;
  Expectation expect;
  switch (field.type) {
  case FieldType::kBoolean:
    expect.kind = Kind::kYesNo;
    break;
  case FieldType::kChoice:
    expect.kind = Kind::kChoice;
    expect.phrases = choice_words(field);
    break;
  case FieldType::kList:
    expect.phrases = field.choices.empty() ? spoken_words(field.phrases)
                                           : choice_words(field);
    if (!expect.phrases.empty())
      expect.kind = Kind::kChoice;
    break;
  case FieldType::kInteger:
  case FieldType::kNumber:
    expect.kind = Kind::kNumber;
    expect.phrases = spoken_words(field.phrases);
    break;
  case FieldType::kPhone:
    expect.kind = Kind::kDigits;
    expect.phone = true;
    break;
  case FieldType::kDigits:
    expect.kind = Kind::kDigits;
    expect.digits = field.digits;
    break;
  case FieldType::kDate:
    expect.kind = Kind::kDate;
    break;
  case FieldType::kTime:
    expect.kind = Kind::kTime;
    break;
  case FieldType::kString:
    if (!field.phrases.empty()) {
      expect.kind = Kind::kName;
      expect.phrases = spoken_words(field.phrases);
    }
    break;
  case FieldType::kEmail:
    expect.email = true;
    break;
  }
  return expect;
}

Expectation expectation_of_more(const Field &field) {
  Expectation expect = expectation_of(field);
  for (const char *phrase : kThatIsAll)
    expect.phrases.emplace_back(phrase);
  return expect;
}

} // namespace patchcord::agent
