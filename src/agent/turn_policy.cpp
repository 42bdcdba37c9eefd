// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/turn_policy.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace patchcord::agent {
namespace {

// Between groups of digits, and letters that are spelled.
constexpr Duration kDictation = 1500ms;
// Behind "and", "um" and the like.
constexpr Duration kThinking = 1500ms;
// Behind what may well be all of it.
constexpr Duration kAlmost = 700ms;
// Digits of a telephone number: fewer are not one; so many are.
constexpr std::size_t kFewestDigits = 7, kEnoughDigits = 10;

// --- digits and letters ------------------------------------------------------

// How many digits a word stands for: "7", "seven", "415", "oh"; 0: none.
std::size_t digits_in(std::string_view word) {
  if (is_digits(word))
    return word.size();
  if (is_one_of(word, {"oh", "o"}))
    return 1;
  const auto number = small_number(word);
  return number ? (*number < 10 ? 1 : 2) : 0;
}

struct Dictated {
  std::size_t digits = 0;
  bool only = true; // nothing but digits
};

Dictated dictated(const Words &words) {
  Dictated all;
  std::size_t times = 1;
  for (const std::string &word : words) {
    if (is_one_of(word, {"double", "triple"})) {
      times = word == "double" ? 2 : 3;
      continue;
    }
    const std::size_t digits = digits_in(word);
    all.digits += digits * std::exchange(times, 1);
    all.only = all.only && digits != 0;
  }
  return all;
}

Duration patience_for_digits(const Words &words, const Expectation &expected) {
  using Kind = Expectation::Kind;
  const Dictated all = dictated(words);
  const bool wanted = expected.kind == Kind::kDigits && all.digits != 0;
  // A model does not tell what it expects.
  const bool likely =
      expected.kind == Kind::kAnything && all.only && all.digits >= 3;
  if (!wanted && !likely)
    return {};
  std::size_t fewest = kFewestDigits, enough = kEnoughDigits;
  if (const auto &rules = expected.digits; rules && wanted) {
    fewest = static_cast<std::size_t>(rules->fewest);
    enough = static_cast<std::size_t>(rules->most);
  }
  if (all.digits < fewest || is_one_of(words.back(), {"double", "triple"}))
    return kDictation;
  return all.digits < enough ? kAlmost : Duration{};
}

bool is_letter(const std::string &word) {
  return word.size() == 1 && word[0] >= 'a' && word[0] <= 'z';
}

// "j o h n at example dot com", spelled or not.
Duration patience_for_spelling(const Words &words, std::string_view text) {
  const auto letters =
      std::find_if_not(words.rbegin(), words.rend(), is_letter) -
      words.rbegin();
  const auto dot = std::find(words.rbegin(), words.rend(), "dot");
  const auto behind_dot = dot - words.rbegin();
  const bool address =
      dot != words.rend() && std::find(dot, words.rend(), "at") != words.rend();
  if (address && behind_dot != 0)
    // "dot com", "dot c o m": that may be all.
    return letters == 0 ? Duration{} : kAlmost;
  if (dot != words.rend() && behind_dot <= 2) // "john dot", "john dot smith"
    return kDictation;
  if (const auto at = text.find('@'); at != std::string_view::npos)
    return text.find('.', at) == std::string_view::npos ? kDictation
                                                        : Duration{};
  if (is_one_of(words.back(), {"underscore", "dash", "hyphen"}))
    return kDictation;
  return letters >= 2 ? kDictation : Duration{};
}

// --- sentences ---------------------------------------------------------------

// Nobody ends with these.
bool breaks_off(const Words &words, std::string_view text) {
  text = trim(text);
  if (text.ends_with("?") || text.ends_with("!"))
    return false;
  if (text.ends_with("...") || text.ends_with("\u2026") ||
      text.ends_with(",") || text.ends_with("-"))
    return true;
  return is_one_of(words.back(),
                   {"and",   "or",      "but",  "so", "because", "then", "plus",
                    "if",    "um",      "uh",   "er", "well",    "to",   "for",
                    "at",    "in",      "on",   "of", "with",    "from", "by",
                    "about", "between", "the",  "a",  "an",      "my",   "is",
                    "are",   "its",     "like", "i",  "that",    "um",   "hmm",
                    "maybe", "until",   "till"});
}

bool answers(const Words &words, const Expectation &expected) {
  using Kind = Expectation::Kind;
  if (expected.kind == Kind::kYesNo)
    return is_one_of(words.front(), {"yes", "no", "yeah", "yep", "nope", "nah",
                                     "correct", "right", "sure"}) ||
           is_one_of(words.back(), {"yes", "no", "right", "correct"});
  if (expected.kind != Kind::kChoice && expected.kind != Kind::kName)
    return false;
  return std::any_of(expected.phrases.begin(), expected.phrases.end(),
                     [&](const std::string &phrase) {
                       const auto found = find_phrase(words, to_words(phrase));
                       return found && found->end == words.size();
                     });
}

Duration patience(std::string_view text, const Expectation &expected) {
  const Words words = to_words(text);
  if (words.empty() || answers(words, expected))
    return {};
  return std::max({breaks_off(words, text) ? kThinking : Duration{},
                   patience_for_digits(words, expected),
                   patience_for_spelling(words, text)});
}

} // namespace

TimePoint turn_ends(const TurnFacts &facts) {
  if (!facts.provider_end)
    return facts.speech_stopped + kWordsDue;
  return std::max(*facts.provider_end,
                  facts.speech_stopped + patience(facts.text, facts.expected));
}

// --- interruptions -----------------------------------------------------------

TurnPolicy::TurnPolicy(const Definition::Interruptions &settings)
    : min_speech_(settings.min_speech),
      min_words_(static_cast<std::size_t>(settings.min_words)) {
  for (const std::string &phrase : settings.backchannels)
    if (Words words = to_words(phrase); !words.empty())
      backchannels_.push_back(std::move(words));
}

// Made of nothing else: "okay, mm-hm".
bool TurnPolicy::is_backchannel(const Words &words) const {
  std::vector<bool> reached(words.size() + 1);
  reached[0] = true;
  for (std::size_t at = 0; at < words.size(); ++at)
    for (const Words &phrase : backchannels_)
      if (reached[at] && phrase.size() <= words.size() - at &&
          std::equal(phrase.begin(), phrase.end(),
                     words.begin() + static_cast<std::ptrdiff_t>(at)))
        reached[at + phrase.size()] = true;
  return reached[words.size()];
}

Verdict TurnPolicy::judge(const Interjection &said) const {
  const Words words = to_words(said.text);
  if (words.empty()) {
    const bool noise =
        said.final || (!said.speaking && said.speech < min_speech_);
    return noise ? Verdict::kNoise : Verdict::kUndecided;
  }
  // "Right" may be one of the choices, and "okay" the answer to what was asked.
  using Kind = Expectation::Kind;
  const bool answer = said.asked || (said.expected.kind != Kind::kYesNo &&
                                     answers(words, said.expected));
  const bool backchannel = is_backchannel(words);
  if (answer && (said.final || !backchannel))
    return Verdict::kInterrupts;
  if (!backchannel && words.size() >= min_words_)
    return Verdict::kInterrupts;
  if (!said.final) // "okay ..."
    return Verdict::kUndecided;
  return Verdict::kBackchannel;
}

std::vector<std::string> default_backchannels(std::string_view language) {
  std::vector<std::string> all = {"mm-hm", "mhm", "mm",   "hmm",
                                  "hm",    "ah",  "okay", "ok"};
  const auto add = [&all](std::initializer_list<const char *> more) {
    all.insert(all.end(), more.begin(), more.end());
  };
  const std::string_view code = language.substr(0, 2);
  if (code == "en")
    add({"uh-huh", "uh", "um", "huh", "oh", "aha", "yeah", "yep", "right",
         "sure", "i see", "got it", "alright", "all right"});
  else if (code == "de")
    add({"aha", "ja", "genau", "gut", "klar", "ach so", "äh", "ähm", "Äh",
         "Ähm"});
  else if (code == "fr")
    add({"oui", "ouais", "d'accord", "je vois", "bien", "euh"});
  else if (code == "es")
    add({"ajá", "sí", "vale", "claro", "ya", "bueno", "eh"});
  return all;
}

} // namespace patchcord::agent
