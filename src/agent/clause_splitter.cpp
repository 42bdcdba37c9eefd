// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/clause_splitter.hpp"

#include "agent/abbreviations.hpp"
#include "agent/words.hpp"
#include "base/text.hpp"

#include <utility>

namespace patchcord::agent {
namespace {

// Of the first clause, up to a comma: shorter ones sound chopped.
constexpr std::size_t kFirstAtComma = 20;
// Of later ones, so that a sentence without end is spoken all the same.
constexpr std::size_t kLaterAtComma = 120;
constexpr std::size_t kAtSpace = 300;
// A tag that is not closed by then is a lone "<" or "[".
constexpr std::size_t kLongestTag = 120;
// An element that is not closed by then is a lone tag: speech cannot wait.
constexpr std::size_t kLongestElement = 300;

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_small(char c) { return c >= 'a' && c <= 'z'; }
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Full stops of other scripts: U+3002, U+FF01, U+FF1F.
bool is_wide_stop(std::string_view rest) {
  return rest.starts_with("\xe3\x80\x82") || rest.starts_with("\xef\xbc\x81") ||
         rest.starts_with("\xef\xbc\x9f");
}

// The letters and dots before `at`: "p.m" of "2:30 p.m.".
std::string word_before(std::string_view text, std::size_t at) {
  std::size_t begin = at;
  while (begin > 0 && (is_letter(text[begin - 1]) || text[begin - 1] == '.'))
    --begin;
  return to_lower(text.substr(begin, at - begin));
}

// The word, letters of other alphabets too, that is followed by spaces and then
// by `at`.
std::string word_left_of(std::string_view text, std::size_t at) {
  while (at > 0 && is_space(text[at - 1]))
    --at;
  std::size_t begin = at;
  while (begin > 0 && (is_letter(text[begin - 1]) ||
                       static_cast<unsigned char>(text[begin - 1]) >= 0x80))
    --begin;
  return to_lower(text.substr(begin, at - begin));
}

// Whether a short word that begins at `at` is a part of "p. ex.", "u. dgl.".
bool follows_short_word(std::string_view text, std::size_t at) {
  constexpr std::size_t kLongest = 3;
  const std::size_t size = text.find('.', at) - at;
  return size <= kLongest && is_small(text[at]) && at >= 3 &&
         text.substr(at - 2, 2) == ". " && is_small(text[at - 3]) &&
         (at == 3 || is_space(text[at - 4]));
}

enum class Tag { kNone, kOpens, kCloses, kAlone };

// `tag`: with its brackets. Of an element with content it opens or closes one:
// "<a@example.com>" and "<3>" are none, and <break> is often left open.
Tag kind_of(std::string_view tag) {
  const bool closes = tag.starts_with("</");
  std::size_t end = closes ? 2 : 1;
  const std::size_t begin = end;
  while (is_letter(tag[end]) || is_digit(tag[end]) || tag[end] == '-' ||
         tag[end] == '_' || tag[end] == ':')
    ++end;
  const bool named =
      is_letter(tag[begin]) &&
      (is_space(tag[end]) || tag.substr(end) == "/>" || tag.substr(end) == ">");
  if (!named)
    return Tag::kNone;
  if (closes)
    return Tag::kCloses;
  const std::string name = to_lower(tag.substr(begin, end - begin));
  return tag.ends_with("/>") ||
                 is_one_of(name, {"break", "br", "mark", "pause"})
             ? Tag::kAlone
             : Tag::kOpens;
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
  if (is_abbreviation(word) || follows_short_word(text_, at - word.size()))
    return Cut::kNo;
  // "1. First" is a list.
  if (at > 0 && is_digit(text_[at - 1]))
    return at <= 2 ? Cut::kNo : after_number(at, next);
  return after_short_word(word, next);
}

// Behind "oz.", "Sa." and "No.": the end of a sentence, if what follows from
// `from` on can be the next.
ClauseSplitter::Cut ClauseSplitter::after_short_word(std::string_view word,
                                                     std::size_t from) const {
  // "Tsp. of", "3 in. wide", where sentences begin with capitals. Other words
  // are not waited for: most sentences end with one.
  const std::size_t begin = from - 1 - word.size();
  const bool is_day = is_short_day(word) && !is_small(text_[begin]);
  const bool of_number = is_day || is_abbreviation_of_number(word);
  const bool behind_number =
      begin > 1 && is_space(text_[begin - 1]) && is_digit(text_[begin - 2]);
  const bool may_go_on =
      !word.empty() && !is_small(text_.front()) &&
      (behind_number || is_day || may_end_sentence(word) ||
       word.find_first_of("aeiouy") == std::string_view::npos);
  if (!of_number && !may_go_on)
    return Cut::kYes;
  const auto follows = next_visible(from);
  if (!follows)
    return Cut::kNeedMore;
  return (of_number && is_digit(*follows)) || (may_go_on && is_small(*follows))
             ? Cut::kNo
             : Cut::kYes;
}

// Behind "3.": the end of a sentence, or of an ordinal number. `at`: the full
// stop; `from`: behind it.
ClauseSplitter::Cut ClauseSplitter::after_number(std::size_t at,
                                                 std::size_t from) const {
  const std::string_view text = text_;
  while (from < text.size() && is_space(text[from]))
    ++from;
  std::size_t end = from;
  while (end < text.size() && (is_letter(text[end]) ||
                               static_cast<unsigned char>(text[end]) >= 0x80))
    ++end;
  if (end == text.size())
    return Cut::kNeedMore;
  // "3. 5. 2026", "415. 555."; that a sentence begins with a number is rare.
  if (end == from)
    return is_digit(text[from]) ? Cut::kNo : Cut::kYes;
  const std::string word = to_lower(text.substr(from, end - from));
  if (is_small(text[from]) || takes_ordinal(word))
    return Cut::kNo;
  std::size_t number = at;
  while (number > 0 && is_digit(text[number - 1]))
    --number;
  const bool ordinal = at - number <= 2 && number > 0 &&
                       is_space(text[number - 1]) &&
                       leads_to_ordinal(word_left_of(text, number)) &&
                       !begins_german_sentence(word);
  return ordinal ? Cut::kNo : Cut::kYes;
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

// A tag is complete: at scanned_ it has its closing bracket.
void ClauseSplitter::close_tag() {
  const Tag kind =
      kind_of(std::string_view(text_).substr(opened_, scanned_ + 1 - opened_));
  if (kind == Tag::kOpens && depth_++ == 0)
    element_ = scanned_ + 1;
  else if (kind == Tag::kCloses && depth_ > 0 && --depth_ == 0)
    sentence_closed_ =
        opened_ > 0 && is_one_of(text_.substr(opened_ - 1, 1), {".", "!", "?"});
}

std::optional<bool> ClauseSplitter::is_of_tag() {
  const char c = text_[scanned_];
  if (bracket_ != 0) {
    if (c == '>' && bracket_ == '>')
      close_tag();
    if (c == bracket_ || scanned_ - opened_ > kLongestTag)
      bracket_ = 0;
    return true;
  }
  if (c != '[' && c != '<')
    return false;
  // "<" of "2 < 3" opens nothing; a tag begins with a letter or a slash.
  if (c == '<' && scanned_ + 1 == text_.size())
    return std::nullopt;
  if (c == '[' || is_letter(text_[scanned_ + 1]) ||
      text_[scanned_ + 1] == '/') {
    bracket_ = c == '[' ? ']' : '>';
    opened_ = scanned_;
  }
  return true;
}

// The outermost tag stands alone after all; what is behind it is cut as if it
// were not there.
void ClauseSplitter::give_up_element() {
  depth_ = 0;
  bracket_ = 0;
  scanned_ = element_;
}

std::vector<std::string> ClauseSplitter::feed(std::string_view text) {
  std::vector<std::string> out;
  for (const char c : text)
    if (!text_.empty() || !is_space(c))
      text_ += c;
  scan(out);
  return out;
}

void ClauseSplitter::scan(std::vector<std::string> &out) {
  while (scanned_ < text_.size()) {
    if (depth_ > 0 && scanned_ - element_ >= kLongestElement)
      give_up_element();
    const auto of_tag = is_of_tag();
    if (!of_tag)
      break;
    const bool closed = std::exchange(sentence_closed_, false);
    if (*of_tag || depth_ > 0) {
      sentence_closed_ = closed || sentence_closed_;
      ++scanned_;
      continue;
    }
    std::size_t end = 0;
    if (closed && is_space(text_[scanned_])) {
      take(scanned_, out);
      continue;
    }
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
}

std::vector<std::string> ClauseSplitter::finish() {
  std::vector<std::string> out;
  while (depth_ > 0) {
    give_up_element();
    scan(out);
  }
  // A cut that only waited for more text is one at the end of the text, which
  // comes to the same clause; anything else is in one piece already.
  take(text_.size(), out);
  bracket_ = 0;
  sentence_closed_ = false;
  first_ = early_;
  return out;
}

} // namespace patchcord::agent
