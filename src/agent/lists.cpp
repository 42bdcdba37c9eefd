// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/lists.hpp"

#include "agent/scripted_words.hpp"
#include "agent/values.hpp"
#include "agent/words.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace patchcord::agent {
namespace {

bool contains(const List &list, const std::string &item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

void add(List &list, const std::string &item) {
  if (!contains(list, item))
    list.push_back(item);
}

// "Take it out", "leave it off".
bool takes(std::string_view word) {
  return is_one_of(word, {"take", "leave", "cut", "cross"});
}
bool away(std::string_view word) {
  return is_one_of(word, {"out", "off", "away"});
}
bool removes(std::string_view word) {
  return is_one_of(word, {"without", "remove", "drop", "delete", "scratch",
                          "forget", "cancel"});
}

// "Don't forget", "we can't do without", "I do not want to drop".
bool is_negated(const Words &words, std::size_t i) {
  const bool without = words[i] == "without";
  while (i > 0 && (without ? is_one_of(words[i - 1], {"do", "be", "go", "live"})
                           : is_one_of(words[i - 1], {"want", "to"})))
    --i;
  // "Why not drop it?"
  if (i > 1 && words[i - 2] == "why")
    return false;
  return i > 0 && is_one_of(words[i - 1], {"dont", "not", "never", "cant",
                                           "cannot", "couldnt", "wont"});
}

// "Scratch that, the desk", "forget it"; not "scratch that desk", and not
// "remove that, the desk".
bool takes_back(const Words &words, std::size_t i) {
  if (!is_one_of(words[i], {"scratch", "forget", "cancel"}) ||
      is_negated(words, i))
    return false;
  const std::string_view next = word_at(words, i + 1);
  const std::string_view behind = word_at(words, i + 2);
  return next == "it" ||
         (next == "that" &&
          (behind.empty() ||
           is_one_of(behind, {",", ".", "a", "an", "the", "please"})));
}

// Whether that takes back all before it; but "it", behind a part that is
// `refused`, is that part.
bool is_taken_back(const Words &words, std::size_t i, bool refused) {
  return takes_back(words, i) && !(refused && words[i + 1] == "it");
}

// "I need", "we'd like", "I'll have"; not "the beamer that I have".
bool is_wanted(const Words &words, std::size_t i) {
  if (i == 0)
    return false;
  const std::string_view before = words[i - 1];
  const bool will = is_one_of(before, {"id", "wed", "ill", "well", "would"});
  return words[i] == "have"
             ? will
             : is_one_of(words[i], {"need", "want", "take", "like"}) &&
                   (will || is_one_of(before, {"i", "we", "do"}));
}

// --- parts that are known by name --------------------------------------------

struct Named {
  Span span;
  std::string value;
};

// As to_words(), with a word "," wherever the sentence has a sign, and "."
// where it ends.
Words with_signs(std::string_view spoken) {
  Words all;
  std::string piece;
  const auto end_piece = [&] {
    for (std::string &word : to_words(std::exchange(piece, {})))
      all.push_back(std::move(word));
  };
  for (std::size_t i = 0; i < spoken.size(); ++i) {
    const bool sign =
        std::string_view(",;.!?").find(spoken[i]) != std::string_view::npos &&
        (i + 1 == spoken.size() || spoken[i + 1] == ' ');
    piece += spoken[i];
    if (sign) {
      end_piece();
      all.emplace_back(spoken[i] == ',' || spoken[i] == ';' ? "," : ".");
    }
  }
  end_piece();
  return all;
}

void find_all(const Words &words, const std::string &value,
              const std::string &phrase, std::vector<Named> &found) {
  const Words wanted = to_words(phrase);
  for (auto span = find_phrase(words, wanted); span;
       span = find_phrase(words, wanted, span->end))
    found.push_back({*span, value});
}

// In the order of the naming. Of two that share words the longer one counts.
std::vector<Named> all_named(const Field &field, const Words &words) {
  std::vector<Named> found, kept;
  for (const Choice &choice : field.choices)
    for (const std::string &phrase : choice.spoken)
      find_all(words, choice.value, phrase, found);
  for (const std::string &phrase : field.phrases)
    find_all(words, phrase, phrase, found);
  std::stable_sort(found.begin(), found.end(),
                   [](const Named &a, const Named &b) {
                     return a.span.size() > b.span.size();
                   });
  for (Named &one : found) {
    const bool shared =
        std::any_of(kept.begin(), kept.end(), [&](const Named &other) {
          return one.span.begin < other.span.end &&
                 other.span.begin < one.span.end;
        });
    if (!shared)
      kept.push_back(std::move(one));
  }
  std::sort(kept.begin(), kept.end(), [](const Named &a, const Named &b) {
    return a.span.begin < b.span.begin;
  });
  return kept;
}

// "The board, too", of the sentence that begins at `i`: it goes on with the one
// before. "A board, too" does not.
bool goes_on(const Words &words, std::size_t i) {
  const std::size_t first = i + (word_at(words, i) == "and" ? 1 : 0);
  if (is_one_of(word_at(words, first), {"a", "an"})) // not one that he has
    return false;
  if (is_one_of(word_at(words, i), {"and", "or"}))
    return true;
  for (; i < words.size() && words[i] != "."; ++i)
    if (words[i] == "too" || (words[i] == "well" && words[i - 1] == "as"))
      return true;
  return false;
}

// "Drop it, and a phone": the "and" behind all of what is dropped.
bool is_more(const Words &words, std::size_t i) {
  if (words[i] != "and" || !is_one_of(word_at(words, i + 1), {"a", "an"}))
    return false;
  i -= i > 0 && words[i - 1] == "," ? 1 : 0;
  return i > 1 && is_one_of(words[i - 1], {"it", "that"}) &&
         removes(words[i - 2]);
}

// Whether parts are wanted, word by word.
class Wish {
public:
  // The word at `i`, of those before the part that begins at `part`.
  void hear(const Words &words, std::size_t i, std::size_t part) {
    const std::string &word = words[i];
    const std::string_view before = i > 0 ? word_at(words, i - 1) : "";
    const std::string_view next = word_at(words, i + 1);
    const bool needless = is_one_of(next, {"need", "want", "longer"});
    if ((word == "." && !goes_on(words, i + 1)) || takes_back(words, i) ||
        is_wanted(words, i) || is_more(words, i) ||
        (removes(word) && is_negated(words, i))) {
      wish_ = kThis;
      return;
    }
    if (removes(word) || (away(word) && takes(before)) ||
        (is_one_of(word, {"dont", "no"}) && needless))
      wish_ = kNone;
    else if (is_one_of(word, {"not", "isnt", "except", "minus"}) ||
             (word == "no" && i + 1 == part) ||
             (word == "of" && before == "instead") ||
             (word == "than" && before == "rather"))
      wish_ = kNotThis;
    else if (is_one_of(word, {"but", "add", "plus", "also", "just", "only",
                              "instead", "rather", "yes", "put"}) ||
             (wish_ == kNotThis && !is_between(word)))
      wish_ = kThis;
  }
  bool refuses() const { return wish_ != kThis; }
  // "Not the lamp and the desk", and "not the lamp, the desk".
  void part_ends(std::string_view next) {
    if (wish_ == kNotThis && !is_one_of(next, {"and", "or"}))
      wish_ = kThis;
  }

private:
  static bool is_between(std::string_view word) {
    return is_one_of(word, {"a", "an", "the", "any", "that", "those", "my",
                            "our", "and", "or", "need", "want", "to", "have",
                            "more", "really", "for"});
  }
  enum { kThis, kNotThis, kNone } wish_ = kThis;
};

// "The lamp is not needed", "take the lamp out".
bool is_refused_behind(const Words &words, Span part) {
  std::size_t i = part.end;
  if (away(word_at(words, i)))
    return std::any_of(words.begin(),
                       words.begin() + static_cast<std::ptrdiff_t>(part.begin),
                       [](const std::string &word) { return takes(word); });
  if (is_one_of(word_at(words, i), {"is", "are"}))
    ++i;
  return is_one_of(word_at(words, i), {"not", "isnt", "arent"}) &&
         is_one_of(word_at(words, i + 1),
                   {"needed", "necessary", "required", "wanted"});
}

std::optional<List> edited_by_name(const Field &field, std::string_view spoken,
                                   const List &known) {
  const Words words = with_signs(spoken);
  const std::vector<Named> parts = all_named(field, words);
  List list = known;
  Wish wish;
  bool refused = false; // the last part
  std::size_t at = 0;
  const auto hear_until = [&](std::size_t part) {
    for (; at < part; ++at) {
      wish.hear(words, at, part);
      if (is_taken_back(words, at, refused))
        list = known;
    }
  };
  for (const Named &part : parts) {
    hear_until(part.span.begin);
    refused = wish.refuses() || is_refused_behind(words, part.span);
    if (refused)
      std::erase(list, part.value);
    else
      add(list, part.value);
    at = part.span.end;
    wish.part_ends(word_at(words, at));
  }
  hear_until(words.size());
  return parts.empty() ? std::nullopt : std::optional(std::move(list));
}

// --- texts -------------------------------------------------------------------

// "Tea.", "really?"; not "Dr.", "J." and "p.m.".
bool ends_sentence(std::string_view word) {
  if (word.size() < 2 || word.find_last_of(".!?") != word.size() - 1)
    return false;
  const std::string bare = to_lower(word.substr(0, word.size() - 1));
  return word.back() != '.' ||
         (bare.size() > 1 && bare.find('.') == std::string::npos &&
          !is_one_of(bare,
                     {"dr", "mr", "mrs", "ms", "prof", "st", "jr", "sr"}));
}

// Where the first `count` words of `text` end.
std::size_t end_of_words(const std::string &text, std::size_t count) {
  std::size_t end = 0;
  while (end < text.size() && to_words(text.substr(0, end)).size() < count)
    end = std::min(text.find(' ', end + 1), text.size());
  return end;
}

// What takes back is a part of its own: "tea", "forget that", "a phone".
void push_part(std::deque<std::string> &parts, std::string part) {
  for (;;) {
    const Words words = to_words(part);
    std::size_t at = 0;
    while (at < words.size() && !takes_back(words, at))
      ++at;
    if (at == words.size())
      break;
    const std::size_t begin = end_of_words(part, at);
    const std::size_t end = end_of_words(part, at + 2);
    parts.push_back(part.substr(0, begin));
    parts.push_back(part.substr(begin, end - begin));
    part.erase(0, end);
  }
  parts.push_back(std::move(part));
}

// "a lamp, two chairs and a desk": at commas, at "and", and where a sentence
// ends, with a "." between.
std::deque<std::string> parts_of(std::string_view spoken) {
  std::deque<std::string> parts;
  for (const std::string &piece : split(spoken, ',')) {
    std::string part;
    for (const std::string &word : split(piece, ' ')) {
      if (to_lower(word) == "and") {
        push_part(parts, std::exchange(part, {}));
        continue;
      }
      part = joined(part, word);
      if (ends_sentence(word)) {
        part.pop_back();
        push_part(parts, std::exchange(part, {}));
        parts.emplace_back(".");
      }
    }
    push_part(parts, std::move(part));
  }
  return parts;
}

// "Sugar that's all" is sugar: recognisers may leave out the comma. True: there
// was such a close, and it is cut off.
bool cut_close(std::string &part) {
  const Words words = to_words(part);
  const auto close = close_of_list(words);
  if (!close)
    return false;
  for (std::size_t left = words.size() - close->begin;
       left > 0 && !part.empty();) {
    const std::size_t space = part.rfind(' ');
    const std::size_t begin = space == std::string::npos ? 0 : space;
    left -= std::min(left, to_words(part.substr(begin)).size());
    part.resize(begin);
  }
  return true;
}

// "Okay great, I think that's all": words that lead to a close are no part, if
// there are no others.
bool leads_to_close(const std::string &text) {
  const Words words = to_words(text);
  return std::all_of(words.begin(), words.end(), [](const std::string &word) {
    return is_one_of(
        word,
        {"i",      "im",      "we",      "were",    "you",      "think",
         "guess",  "believe", "suppose", "dont",    "do",       "not",
         "need",   "want",    "have",    "nothing", "anything", "everything",
         "else",   "more",    "so",      "well",    "then",     "good",
         "great",  "fine",    "perfect", "alright", "right",    "now",
         "there",  "oh",      "um",      "uh",      "hm",       "actually",
         "but",    "really",  "thank",   "thanks",  "maybe",    "probably",
         "for",    "me",      "us",      "just",    "yes",      "yeah",
         "no",     "nope",    "okay",    "ok",      "sure",     "please",
         "pretty", "sorry"});
  });
}

// The first part of "yes please, a lamp", the last of "a lamp, that's all".
bool is_no_part(std::string_view part) {
  const Words words = to_words(part);
  return ends_list(words) ||
         std::all_of(words.begin(), words.end(), [](const std::string &word) {
           return is_one_of(word, {"yes", "yeah", "yep", "yup", "yea", "aye",
                                   "no", "nope", "nah", "nay", "please",
                                   "thanks", "sure", "okay", "ok", "sorry"});
         });
}

// The part of the list that stands at `at`, with or without an article.
const std::string *known_at(const Words &words, std::size_t &at,
                            const List &list) {
  if (is_one_of(word_at(words, at), {"a", "an", "the"}))
    ++at;
  for (const std::string &item : list) {
    const Words wanted = to_words(item);
    const auto span = find_phrase(words, wanted, at);
    if (!span || span->begin != at)
      continue;
    at = span->end;
    return &item;
  }
  return nullptr;
}

// What is in the list and he does not want. "No sugar" may be a part as well:
// only what is in it can be taken out of it.
const std::string *refused_text(const Words &words, const List &list) {
  std::size_t at = 0;
  while (is_one_of(word_at(words, at), {"yes", "please", "well", "sorry",
                                        "actually", "oh", "okay", "then"}))
    ++at;
  bool refused = false, taken = false;
  if (word_at(words, at) == "no") {
    ++at;
    refused = true;
  }
  if (is_one_of(word_at(words, at), {"not", "except"}) ||
      removes(word_at(words, at))) {
    ++at;
    refused = true;
  } else if (takes(word_at(words, at))) {
    taken = true;
    refused = away(word_at(words, ++at));
    at += refused ? 1 : 0;
  }
  const std::string *item = known_at(words, at, list);
  if (item == nullptr)
    return nullptr;
  std::string_view next = word_at(words, at);
  if (refused && (next.empty() || is_one_of(next, {"please", "any", "anymore",
                                                   "but", "then", "after"})))
    return item;
  if (taken && away(next))
    return item;
  if (is_one_of(next, {"is", "does", "will", "can"}))
    next = word_at(words, at + 1);
  return is_one_of(next, {"not", "isnt", "cant", "cannot", "wont", "doesnt"})
             ? item
             : nullptr;
}

// Cuts `part` at the first of `signs`; what stands behind it.
std::optional<std::string>
cut_at(std::string &part, std::initializer_list<std::string_view> signs) {
  const std::string padded = " " + to_lower(part) + " ";
  for (const std::string_view sign : signs)
    if (const std::size_t at = padded.find(sign); at != std::string::npos) {
      std::string behind(
          trim(part.substr(std::min(at + sign.size() - 1, part.size()))));
      part.resize(at > 0 ? at - 1 : 0);
      return behind;
    }
  return std::nullopt;
}

std::optional<List> edited_by_text(const Field &field, std::string_view spoken,
                                   const List &known) {
  List list = known;
  bool any = false;
  bool refused = false, same_sentence = false; // the last part; with this one
  for (auto parts = parts_of(spoken); !parts.empty();) {
    std::string part(trim(parts.front()));
    parts.pop_front();
    if (part == ".") {
      same_sentence = false;
      continue;
    }
    const bool closes = cut_close(part);
    if (is_no_part(part) || (closes && leads_to_close(part)))
      continue;
    if (takes_back(to_words(part), 0)) {
      if (is_taken_back(to_words(part), 0, refused))
        list = known;
      any = true;
      refused = false;
      continue;
    }
    for (const std::string_view lead : {"but ", "also ", "add "})
      if (to_lower(part).starts_with(lead))
        part.erase(0, lead.size());
    if (const auto given_up = cut_at(part, {" instead of ", " rather than "})) {
      std::size_t at = 0;
      if (const auto *item = known_at(to_words(*given_up), at, list))
        std::erase(list, std::string(*item));
      any = true;
    }
    // "Not Anna and Bo": what is in the list need not be added.
    const Words words = to_words(part);
    std::size_t at = 0;
    const std::string *item = refused_text(words, list);
    if (item == nullptr && refused && same_sentence)
      item = known_at(words, at, list);
    refused = item != nullptr;
    same_sentence = true;
    if (refused) {
      std::erase(list, std::string(*item));
      any = true;
      if (auto behind = cut_at(part, {" but "}))
        parts.push_front(*std::move(behind));
    } else if (const auto text = find_text(field, part)) {
      add(list, *text);
      any = true;
    }
  }
  return any ? std::optional(std::move(list)) : std::nullopt;
}

} // namespace

std::optional<List> edited_list(const Field &field, std::string_view spoken,
                                const List &known) {
  auto list = edited_by_name(field, spoken, known);
  if (!list && field.choices.empty())
    list = edited_by_text(field, spoken, known);
  return list;
}

Field so_far(Field field) {
  if (field.type == FieldType::kList)
    field.min.reset();
  return field;
}

bool lacks_any(const List &after, const List &before) {
  return std::any_of(
      before.begin(), before.end(),
      [&](const std::string &item) { return !contains(after, item); });
}

} // namespace patchcord::agent
