// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/values.hpp"

#include "agent/refusal.hpp"

#include <algorithm>

// Which of the choices is meant.
namespace patchcord::agent {
namespace {

struct Mention {
  Span span;
  std::size_t choice;
};

bool ends_amount(std::string_view word) {
  return is_one_of(word, {"hour", "hours", "minute", "minutes", "day", "days",
                          "week", "weeks", "month", "months"});
}

// "An hour" of "an hour and a quarter", "two and a half hours", "a quarter of
// an hour", "one or two hours": more is said, or less.
bool is_of_other_amount(const Words &words, Span span) {
  if (!ends_amount(words[span.end - 1]))
    return false;
  const auto before = [&](std::size_t back) {
    return span.begin >= back ? word_at(words, span.begin - back) : "";
  };
  const bool part =
      before(1) == "of" ||
      (is_one_of(before(1), {"a", "and"}) && words[span.begin] == "half") ||
      (is_one_of(before(1), {"or", "to"}) && span.begin > 1 &&
       cardinal_at(words, span.begin - 2));
  const bool more = word_at(words, span.end) == "and";
  const std::size_t next = span.end + (more ? 1 : 0);
  const auto number = cardinal_at(words, next);
  const bool fraction =
      more && is_one_of(word_at(words, next + 1), {"half", "quarter"});
  return part || fraction || is_exceeded(words, span.begin) ||
         (number && (number->end == words.size() ||
                     is_one_of(word_at(words, number->end),
                               {"minutes", "please", "thanks"})));
}

std::vector<Mention> mentions_of(const Words &words,
                                 const std::vector<Choice> &choices) {
  std::vector<Mention> all, kept;
  std::vector<bool> denied(choices.size(), false);
  for (std::size_t i = 0; i < choices.size(); ++i)
    for (const std::string &phrase : choices[i].spoken) {
      const Words wanted = to_words(phrase);
      for (auto span = find_phrase(words, wanted); span;
           span = find_phrase(words, wanted, span->end))
        if (is_denied(words, *span) ||
            (span->end + 1 == words.size() &&
             words.back() == "not")) // "of course not"
          denied[i] = true;
        else
          all.push_back({*span, i});
    }
  // "No, don't cancel" is not the "no" that cancels.
  std::erase_if(all, [&](const Mention &one) {
    return denied[one.choice] && one.span.size() == 1 &&
           (is_yes(words[one.span.begin]) || is_no(words[one.span.begin]));
  });
  std::stable_sort(all.begin(), all.end(),
                   [](const Mention &a, const Mention &b) {
                     return a.span.size() > b.span.size();
                   });
  // Of those that share words the longest counts.
  for (const Mention &one : all)
    if (std::none_of(kept.begin(), kept.end(), [&](const Mention &other) {
          return one.span.begin < other.span.end &&
                 other.span.begin < one.span.end;
        }))
      kept.push_back(one);
  std::erase_if(kept, [&](const Mention &one) {
    return is_of_other_amount(words, one.span);
  });
  return kept;
}

// "The lights and the water", "north, maybe south": neither of them.
bool are_joined(const Words &words, Span a, Span b) {
  if (b.begin < a.begin)
    std::swap(a, b);
  for (std::size_t i = a.end; i < b.begin; ++i)
    if (is_one_of(words[i], {"or", "and", "maybe", "perhaps", "possibly"}))
      return true;
  return false;
}

// "I can't come, could we move it": what he asks for counts.
Words behind_request(const Words &words) {
  static const std::vector<Words> kRequests = {
      {"can", "i"},     {"can", "we"},    {"could", "i"}, {"could", "we"},
      {"can", "you"},   {"could", "you"}, {"id", "like"}, {"wed", "like"},
      {"i", "want"},    {"we", "want"},   {"i", "need"},  {"we", "need"},
      {"would", "like"}};
  std::size_t begin = 0;
  for (const Words &request : kRequests)
    for (auto span = find_phrase(words, request); span;
         span = find_phrase(words, request, span->end))
      begin = std::max(begin, span->end);
  return {words.begin() + static_cast<std::ptrdiff_t>(begin), words.end()};
}

} // namespace

std::vector<std::size_t> named_choices(const Words &words,
                                       const std::vector<Choice> &choices) {
  // "The small one, no, the large one."
  for (const Words &last : {behind_correction(words), behind_request(words)})
    if (last.size() < words.size())
      if (auto named = named_choices(last, choices); !named.empty())
        return named;
  const auto mentions = mentions_of(words, choices);
  if (mentions.empty())
    return {};
  const Mention &first = mentions.front(); // a longest one
  std::vector<std::size_t> named = {first.choice};
  for (const Mention &other : mentions)
    if (other.choice != first.choice &&
        (other.span.size() == first.span.size() ||
         are_joined(words, first.span, other.span)))
      named.push_back(other.choice);
  return named;
}

std::optional<std::size_t> find_choice(const Words &words,
                                       const std::vector<Choice> &choices) {
  const auto named = named_choices(words, choices);
  return named.size() == 1 ? std::optional(named.front()) : std::nullopt;
}

} // namespace patchcord::agent
