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

bool repeats(std::string_view word) {
  return is_one_of(word, {"double", "triple"});
}

struct Dictated {
  std::size_t digits = 0;
  std::size_t begin = 0; // the first of the words
  // One by one, or in groups: "two thirty" is a time, "twenty" a number.
  bool digit_by_digit = false;
};

// The digits among the words from `begin` on.
Dictated dictated(const Words &words, std::size_t begin) {
  Dictated all;
  all.begin = begin;
  std::size_t times = 1, single = 0;
  for (std::size_t i = begin; i < words.size(); ++i) {
    if (repeats(words[i])) {
      times = words[i] == "double" ? 2 : 3;
      continue;
    }
    const std::size_t digits = digits_in(words[i]);
    single += digits == 1 || times > 1 ? 1 : 0;
    all.digit_by_digit = all.digit_by_digit || single >= 2 ||
                         (is_digits(words[i]) && digits >= 3);
    all.digits += digits * std::exchange(times, 1);
  }
  return all;
}

// Those that he ended with.
Dictated dictated_last(const Words &words) {
  std::size_t begin = words.size();
  while (begin > 0 &&
         (digits_in(words[begin - 1]) != 0 || repeats(words[begin - 1])))
    --begin;
  return dictated(words, begin);
}

bool speaks_of_digits(const Words &words) {
  return has_any(words, {"number", "phone", "telephone", "cell", "mobile",
                         "code", "pin", "card", "badge", "id", "extension"});
}

// To a model, which does not tell what it asks for: whether the digits that he
// ended with are dictated, and not of a room or a year.
bool seems_dictated(const Words &words, const Dictated &last,
                    const Expectation &expected) {
  if (!last.digit_by_digit)
    return false;
  const bool introduced =
      last.begin == 0 ||
      is_one_of(words[last.begin - 1],
                {"is", "its", "thats", "on", "at", "to", "number", "code", "um",
                 "uh", "yes", "sure", "okay", "plus"});
  const bool hinted =
      expected.digits || expected.phone || speaks_of_digits(words);
  return introduced && last.digits >= (hinted ? 2U : 3U);
}

Duration patience_for_digits(const Words &words, const Expectation &expected) {
  using Kind = Expectation::Kind;
  const bool asked = expected.kind == Kind::kDigits;
  if (!asked && expected.kind != Kind::kAnything)
    return {};
  const Dictated all = asked ? dictated(words, 0) : dictated_last(words);
  if (all.digits == 0 || (!asked && !seems_dictated(words, all, expected)))
    return {};
  std::size_t fewest = kFewestDigits, enough = kEnoughDigits;
  if (const auto &rules = expected.digits) {
    fewest = static_cast<std::size_t>(rules->fewest);
    enough = static_cast<std::size_t>(rules->most);
    if (expected.phone) // which of them, nobody tells
      enough = std::max(enough, kEnoughDigits);
    if (!asked) // more may be pressed than anybody says
      enough = std::min(enough, std::max(fewest, kEnoughDigits));
  }
  if (all.digits < fewest || repeats(words.back()))
    return kDictation;
  return all.digits < enough ? kAlmost : Duration{};
}

bool is_letter(const std::string &word) {
  return word.size() == 1 && word[0] >= 'a' && word[0] <= 'z';
}

// "My e-mail is john", "john at example": where an address is wanted or spoken
// of. "We meet at noon" is none.
bool begins_address(const Words &words, const Expectation &expected) {
  const bool spoken_of =
      has_any(words, {"email", "mail"}) && has_any(words, {"is", "its"});
  const std::size_t size = words.size();
  const bool at_host =
      size >= 3 && words[size - 2] == "at" && digits_in(words[size - 1]) == 0 &&
      !is_one_of(words[size - 1],
                 {"all", "home", "work", "noon", "night", "midnight", "midday",
                  "least", "once", "this", "that", "it", "lunch", "first",
                  "last", "present", "best", "most", "me"});
  if (spoken_of && !has_any(words, {"dot", "no", "not", "none"}))
    return at_host || (size >= 2 && is_one_of(words[size - 2], {"is", "its"}));
  return expected.email && at_host;
}

// Whether the letters that he ended with are spelled, and more of them may
// come: "Smith, S M", "my name is J O". "I work in I T" is a sentence, and so
// is what answers a question for a day.
bool spells(const Words &words, std::size_t letters,
            const Expectation &expected) {
  using Kind = Expectation::Kind;
  const bool may_be = letters >= 2 && expected.kind != Kind::kYesNo &&
                      expected.kind != Kind::kNumber &&
                      expected.kind != Kind::kDate &&
                      expected.kind != Kind::kTime;
  const std::size_t before = words.size() - letters;
  if (!may_be || before == 0)
    return may_be;
  const std::string &last = words[before - 1];
  if (is_one_of(last, {"in", "on", "of", "to", "by", "for", "from", "with",
                       "the", "a", "an", "my", "our", "your", "use", "using",
                       "need", "have"}))
    return false;
  return before == 1 || expected.email || expected.kind == Kind::kName ||
         is_one_of(last, {"is", "its", "thats", "it", "as", "um", "uh", "er",
                          "so", "yes", "no", "sorry", "okay", "sure"}) ||
         has_any(words, {"name", "spell", "spelled", "spelling", "letters",
                         "code", "email", "mail", "address"});
}

// "j o h n at example dot com", spelled or not.
Duration patience_for_spelling(const Words &words, std::string_view text,
                               const Expectation &expected) {
  const auto letters = static_cast<std::size_t>(
      std::find_if_not(words.rbegin(), words.rend(), is_letter) -
      words.rbegin());
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
  return spells(words, letters, expected) || begins_address(words, expected)
             ? kDictation
             : Duration{};
}

// --- sentences ---------------------------------------------------------------

// Nobody ends with these, whatever the recogniser made of it.
bool ends_open(const Words &words) {
  return is_one_of(words.back(), {"and", "or", "but", "because", "if", "plus",
                                  "um", "uh", "er", "hmm", "the", "a", "an"});
}

// "I think so", "come on", "where are you from": whole, though the last word is
// one that most sentences go on behind.
bool is_whole(const Words &words) {
  const std::string &first = words.front(), &last = words.back();
  if (is_one_of(first, {"what", "where", "who", "which", "whats", "wheres",
                        "whos", "how"}))
    return !is_one_of(last, {"to", "my", "by"});
  if (words.size() < 2)
    return false;
  const std::string &before = words[words.size() - 2];
  if (last == "so")
    return is_one_of(
        before, {"think", "hope", "believe", "guess", "suppose", "say", "not"});
  if (last == "that")
    return is_one_of(before, {"do", "like", "is", "with", "of", "about", "for",
                              "than", "all", "want", "know", "did"});
  if (last == "on" || last == "in")
    return is_one_of(before, {"come", "hold", "go", "hang", "log"});
  return false;
}

// He has more to say.
bool breaks_off(const Words &words, std::string_view text) {
  text = trim(text);
  if (text.ends_with("?") || text.ends_with("!"))
    return false;
  if (text.ends_with("...") || text.ends_with("\u2026") ||
      text.ends_with(",") || text.ends_with("-"))
    return true;
  if (ends_open(words))
    return true;
  // A full stop is the recogniser's word.
  if (text.ends_with(".") || is_whole(words))
    return false;
  return is_one_of(words.back(),
                   {"so",    "then",  "well", "to",   "for",  "at",
                    "in",    "on",    "of",   "with", "from", "by",
                    "about", "past",  "next", "my",   "is",   "are",
                    "its",   "like",  "i",    "that", "half", "between",
                    "maybe", "until", "till"});
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
  if (words.empty())
    return {};
  if (answers(words, expected)) {
    // "Yes, but": a phrase of the agent's own may end with any word.
    const bool open =
        expected.kind == Expectation::Kind::kYesNo && ends_open(words);
    return open ? kThinking : Duration{};
  }
  return std::max({breaks_off(words, text) ? kThinking : Duration{},
                   patience_for_digits(words, expected),
                   patience_for_spelling(words, text, expected)});
}

std::vector<Words> as_words(const std::vector<std::string> &phrases) {
  std::vector<Words> all;
  for (const std::string &phrase : phrases)
    if (Words words = to_words(phrase); !words.empty())
      all.push_back(std::move(words));
  return all;
}

// Recognisers spell "mm" and "mhm" as they like: "mmm", "mmhm".
bool sound_alike(std::string_view a, std::string_view b) {
  const auto hum = [](std::string_view word) {
    return word.find('m') != word.npos &&
           word.find_first_not_of("mh") == word.npos;
  };
  return a == b || (hum(a) && hum(b));
}

// Whether words are a row of phrases, as "okay, mm-hm" is, or may become one:
// "okay, I" before "see".
enum class Row { kNone, kBegun, kWhole };
Row row_of(const std::vector<Words> &phrases, const Words &words) {
  std::vector<bool> reached(words.size() + 1);
  reached[0] = true;
  bool begun = false;
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (!reached[at])
      continue;
    for (const Words &phrase : phrases) {
      const std::size_t size = std::min(phrase.size(), words.size() - at);
      if (!std::equal(phrase.begin(),
                      phrase.begin() + static_cast<std::ptrdiff_t>(size),
                      words.begin() + static_cast<std::ptrdiff_t>(at),
                      sound_alike))
        continue;
      if (size == phrase.size())
        reached[at + size] = true;
      else
        begun = true;
    }
  }
  if (reached[words.size()])
    return Row::kWhole;
  return begun ? Row::kBegun : Row::kNone;
}

} // namespace

TimePoint turn_ends(const TurnFacts &facts) {
  if (!facts.provider_end)
    return facts.speech_stopped + kWordsDue;
  return std::max(*facts.provider_end,
                  facts.speech_stopped + patience(facts.text, facts.expected));
}

Duration silence_for(Expectation::Kind expected, Duration usual) {
  using Kind = Expectation::Kind;
  if (expected == Kind::kDigits)
    return 2 * usual;
  return expected == Kind::kYesNo ? usual * 2 / 3 : usual;
}

bool is_complete(std::string_view text, const Expectation &expected) {
  return patience(text, expected) == Duration{};
}

// --- interruptions -----------------------------------------------------------

TurnPolicy::TurnPolicy(const Definition::Interruptions &settings)
    : min_speech_(settings.min_speech),
      min_words_(static_cast<std::size_t>(settings.min_words)),
      backchannels_(as_words(settings.backchannels)),
      acknowledgements_(as_words(settings.acknowledgements)) {
  acknowledgements_.insert(acknowledgements_.end(), backchannels_.begin(),
                           backchannels_.end());
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
  const Row row =
      row_of(said.served ? acknowledgements_ : backchannels_, words);
  const bool backchannel = row == Row::kWhole;
  if (answer && (said.final || !backchannel))
    return Verdict::kInterrupts;
  const bool may_be_one = row == Row::kBegun && !said.final;
  if (!backchannel && !may_be_one && words.size() >= min_words_)
    return Verdict::kInterrupts;
  // "Okay ..." may go on; when he has ceased to speak it is not waited for the
  // recogniser to make sure of it.
  if (!said.final && (said.speaking || answer || !backchannel))
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

std::vector<std::string> default_acknowledgements(std::string_view language) {
  const std::string_view code = language.substr(0, 2);
  if (code == "en")
    return {"bye",
            "bye bye",
            "goodbye",
            "good bye",
            "see you",
            "see you then",
            "take care",
            "have a nice day",
            "have a good day",
            "have a good one",
            "you too",
            "thanks",
            "thank you",
            "so much",
            "very much",
            "a lot",
            "cheers",
            "great",
            "good",
            "very good",
            "perfect",
            "lovely",
            "wonderful",
            "that's great",
            "sure thing",
            "take your time",
            "no problem",
            "no worries",
            "of course",
            "fine",
            "that's fine",
            "and thanks",
            "and thank you",
            "and bye",
            "and goodbye"};
  if (code == "de")
    return {"danke",  "vielen dank",     "danke schön",     "tschüss",
            "tschüs", "auf wiederhören", "auf wiedersehen", "ciao",
            "super",  "prima",           "perfekt",         "schönen tag noch",
            "ebenso", "und danke",       "und tschüss"};
  if (code == "fr")
    return {"merci",         "merci beaucoup", "merci bien", "au revoir",
            "bonne journée", "parfait",        "très bien",  "à bientôt",
            "et merci",      "et au revoir"};
  if (code == "es")
    return {"gracias",    "muchas gracias", "adiós",    "hasta luego",
            "chao",       "perfecto",       "muy bien", "buen día",
            "igualmente", "y gracias",      "y adiós"};
  return {};
}

} // namespace patchcord::agent
