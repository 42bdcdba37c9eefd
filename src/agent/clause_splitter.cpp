// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/clause_splitter.hpp"

#include "agent/words.hpp"
#include "base/text.hpp"

#include <cctype>

namespace patchcord::agent {
namespace {

// Of the first clause, up to a comma: shorter ones sound chopped.
constexpr std::size_t kFirstAtComma = 20;
// Of later ones, so that a sentence without end is spoken all the same.
constexpr std::size_t kLaterAtComma = 120;
constexpr std::size_t kAtSpace = 300;
// A tag that is not closed by then is a lone "<" or "[".
constexpr std::size_t kLongestTag = 120;

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Full stops of other scripts: U+3002, U+FF01, U+FF1F.
bool is_wide_stop(std::string_view rest) {
  return rest.starts_with("\xe3\x80\x82") || rest.starts_with("\xef\xbc\x81") ||
         rest.starts_with("\xef\xbc\x9f");
}

bool is_abbreviation(std::string_view word) {
  return is_one_of(
      word, {"mr", "mrs", "ms", "dr", "prof", "st", "jr", "sr", "vs", "etc",
             "inc", "ltd", "corp", "dept", "ave", "blvd", "rd", "apt", "ext",
             "approx", "est", "tel", "rev", "hon", "capt", "lt", "sgt", "col",
             "gen", "gov", "sen", "rep", "jan", "feb", "apr", "aug", "sept",
             "oct", "nov", "dec", "mon", "tue", "tues", "wed", "thu", "thurs",
             "fri", "min", "max", "hr", "hrs", "fig", "vol", "ft", "mt",
             // German and Spanish
             "bzw", "ca", "evtl", "ggf", "inkl", "zzgl", "nr", "str", "std",
             "mio", "mrd", "vgl", "fr", "sra", "srta", "ud", "uds"});
}

// What an ordinal number stands before: "Am 3. Mai".
bool is_german_month(std::string_view word) {
  return is_one_of(word, {"januar", "februar", "m\xc3\xa4rz", "april", "mai",
                          "juni", "juli", "august", "september", "oktober",
                          "november", "dezember"});
}

// "j", "p.m", "e.g": single letters.
bool is_initials(std::string_view word) {
  for (std::size_t i = 0; i < word.size(); ++i)
    if ((word[i] == '.') != (i % 2 == 1))
      return false;
  return word.size() % 2 == 1;
}

// The letters and dots before `at`: "p.m" of "2:30 p.m.".
std::string word_before(std::string_view text, std::size_t at) {
  std::size_t begin = at;
  while (begin > 0 && (is_letter(text[begin - 1]) || text[begin - 1] == '.'))
    --begin;
  return to_lower(text.substr(begin, at - begin));
}

std::vector<std::string> split_whole(ClauseSplitter splitter,
                                     std::string_view text) {
  auto clauses = splitter.feed(text);
  for (std::string &clause : splitter.finish())
    clauses.push_back(std::move(clause));
  return clauses;
}

} // namespace

std::vector<std::string> split_clauses(std::string_view text) {
  return split_whole(ClauseSplitter(), text);
}

std::vector<std::string> split_sentences(std::string_view text) {
  return split_whole(ClauseSplitter(false), text);
}

std::optional<char> ClauseSplitter::next_visible(std::size_t from) const {
  for (std::size_t i = from; i < text_.size(); ++i)
    if (!is_space(text_[i]))
      return text_[i];
  return std::nullopt;
}

ClauseSplitter::Cut ClauseSplitter::after_terminator(std::size_t at,
                                                     std::size_t &end) const {
  // "?!", "...", and the quotes and brackets that close behind them.
  std::size_t next = at + 1;
  std::size_t dots = text_[at] == '.' ? 1 : 0;
  for (; next < text_.size(); ++next) {
    const char c = text_[next];
    if (c == '.')
      ++dots;
    else if (c != '!' && c != '?' && c != '"' && c != '\'' && c != ')')
      break;
  }
  if (next == text_.size())
    return Cut::kNeedMore;
  if (!is_space(text_[next]))
    return Cut::kNo;
  end = next;
  if (dots >= 2)
    return Cut::kNo;
  if (text_[at] != '.' || next != at + 1)
    return Cut::kYes;
  const std::string word = word_before(text_, at);
  if (is_initials(word) || is_abbreviation(word))
    return Cut::kNo;
  // "1. First" is a list.
  if (at > 0 && is_digit(text_[at - 1]))
    return at <= 2 ? Cut::kNo : after_number(next);
  // "No. 5" is a number, "No. I cannot" a sentence.
  if (word != "no" && word != "nos")
    return Cut::kYes;
  const auto follows = next_visible(next);
  if (!follows)
    return Cut::kNeedMore;
  return is_digit(*follows) ? Cut::kNo : Cut::kYes;
}

// Behind "3.": the end of a sentence, or of an ordinal number.
ClauseSplitter::Cut ClauseSplitter::after_number(std::size_t from) const {
  while (from < text_.size() && is_space(text_[from]))
    ++from;
  std::size_t end = from;
  while (end < text_.size() && (is_letter(text_[end]) ||
                                static_cast<unsigned char>(text_[end]) >= 0x80))
    ++end;
  if (end == text_.size())
    return Cut::kNeedMore;
  const std::string_view word =
      std::string_view(text_).substr(from, end - from);
  if (word.empty())
    return Cut::kYes;
  const bool small = word.front() >= 'a' && word.front() <= 'z';
  return small || is_german_month(to_lower(word)) ? Cut::kNo : Cut::kYes;
}

ClauseSplitter::Cut ClauseSplitter::after_comma(std::size_t at,
                                                std::size_t &end) const {
  if (at + 1 < (first_ ? kFirstAtComma : kLaterAtComma))
    return Cut::kNo;
  if (at + 1 == text_.size())
    return Cut::kNeedMore;
  if (!is_space(text_[at + 1]))
    return Cut::kNo;
  end = at + 1;
  // "May 3, 2026": part of a date or of a list of numbers.
  if (text_[at] == ',' && is_digit(text_[at - 1])) {
    const auto follows = next_visible(at + 1);
    if (!follows)
      return Cut::kNeedMore;
    if (is_digit(*follows))
      return Cut::kNo;
  }
  return Cut::kYes;
}

ClauseSplitter::Cut ClauseSplitter::cut_at(std::size_t at,
                                           std::size_t &end) const {
  const char c = text_[at];
  if (c == '.' || c == '!' || c == '?')
    return after_terminator(at, end);
  if (c == ',' || c == ';' || c == ':')
    return after_comma(at, end);
  if (c == '\n') {
    end = at;
    return Cut::kYes;
  }
  if (is_space(c) && at >= kAtSpace) {
    end = at;
    return Cut::kYes;
  }
  if (static_cast<unsigned char>(c) >= 0xe3) {
    const std::string_view rest = std::string_view(text_).substr(at);
    if (rest.size() < 3)
      return Cut::kNeedMore;
    if (is_wide_stop(rest)) {
      end = at + 3;
      return Cut::kYes;
    }
  }
  return Cut::kNo;
}

void ClauseSplitter::take(std::size_t end, std::vector<std::string> &out) {
  const std::string_view clause = trim(std::string_view(text_).substr(0, end));
  if (!clause.empty()) {
    out.emplace_back(clause);
    first_ = false;
  }
  // Without the space in front: lengths are those of the clause.
  while (end < text_.size() && is_space(text_[end]))
    ++end;
  text_.erase(0, end);
  scanned_ = 0;
}

std::vector<std::string> ClauseSplitter::feed(std::string_view text) {
  std::vector<std::string> out;
  for (const char c : text)
    if (!text_.empty() || !is_space(c))
      text_ += c;
  while (scanned_ < text_.size()) {
    const char c = text_[scanned_];
    if (bracket_ != 0) {
      if (c == bracket_ || scanned_ - opened_ > kLongestTag)
        bracket_ = 0;
      ++scanned_;
      continue;
    }
    if (c == '[' || c == '<') {
      // "<" of "2 < 3" opens nothing; a tag begins with a letter or a slash.
      if (c == '<' && scanned_ + 1 == text_.size())
        break;
      if (c == '[' || is_letter(text_[scanned_ + 1]) ||
          text_[scanned_ + 1] == '/') {
        bracket_ = c == '[' ? ']' : '>';
        opened_ = scanned_;
      }
      ++scanned_;
      continue;
    }
    std::size_t end = 0;
    const Cut cut = cut_at(scanned_, end);
    if (cut == Cut::kNeedMore)
      break;
    if (cut == Cut::kYes)
      take(end, out);
    else if (end > scanned_)
      scanned_ = end; // behind what was looked at as one: "p.m.", "..."
    else
      ++scanned_;
  }
  return out;
}

std::vector<std::string> ClauseSplitter::finish() {
  std::vector<std::string> out;
  // A cut that only waited for more text is one at the end of the text, which
  // comes to the same clause; anything else is in one piece already.
  take(text_.size(), out);
  bracket_ = 0;
  first_ = early_;
  return out;
}

} // namespace patchcord::agent
