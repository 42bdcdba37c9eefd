// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace patchcord::agent {

// Cuts text that is still being written into clauses that a voice can speak
// one by one. The first one comes early (a comma is enough), for it decides how
// long the caller waits; the others are whole sentences, which sound better.
// Where the text arrives in pieces makes no difference to where it is cut.
// Never cut: numbers, ordinal ones too ("im 3. Stock"), prices, times,
// abbreviations, initials, ellipses, addresses, and what stands in <tags>,
// between <a> and </a> (of 300 characters at most), or in [brackets].
class ClauseSplitter {
public:
  // `early`: the first clause may end at a comma.
  explicit ClauseSplitter(bool early = true) : early_(early), first_(early) {}

  // The clauses that are complete now; trimmed, never empty.
  std::vector<std::string> feed(std::string_view text);
  // What is left, at the end of the text. The splitter is as new afterwards.
  std::vector<std::string> finish();

private:
  enum class Cut { kNo, kYes, kNeedMore };
  // Whether to cut behind the character(s) at `at`; `end` tells where.
  Cut cut_at(std::size_t at, std::size_t &end) const;
  Cut after_terminator(std::size_t at, std::size_t &end) const;
  Cut after_number(std::size_t at, std::size_t from) const;
  Cut after_short_word(std::string_view word, std::size_t from) const;
  Cut after_comma(std::size_t at, std::size_t &end) const;
  std::optional<char> next_visible(std::size_t from) const;
  void take(std::size_t end, std::vector<std::string> &out);
  void scan(std::vector<std::string> &out);
  // Whether the character at scanned_ belongs to a tag; nullopt: not yet known.
  std::optional<bool> is_of_tag();
  void close_tag();
  void give_up_element();

  std::string text_;             // not yet given
  std::size_t scanned_ = 0;      // in text_: no cut before here
  char bracket_ = 0;             // what closes the tag that is open
  std::size_t opened_ = 0;       // where it began
  int depth_ = 0;                // of elements that are open: <a> without </a>
  std::size_t element_ = 0;      // behind the tag that opened the outermost
  bool sentence_closed_ = false; // the last of them closed behind "."
  bool early_;
  bool first_;
};

// A text that is known as a whole: its clauses, or its sentences only.
std::vector<std::string> split_clauses(std::string_view text);
std::vector<std::string> split_sentences(std::string_view text);

} // namespace patchcord::agent
