// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/guarded.hpp"
#include "base/result.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace patchcord::offline {

// One word and its pronunciations: phones of the CMU Pronouncing Dictionary
// without stress, parted by spaces ("M AW N T AH N").
struct Pronunciation {
  std::string word;
  std::vector<std::string> phones;
  bool guessed = false; // by letter-to-sound rules: not in the dictionary
};

// A pronouncing dictionary in the format of pocketsphinx ("word P HH OW N"
// lines, "word(2) ..." for variants). The file stays on disk: a lookup of any
// number of new words is one pass over the mapped file (134,723 lines: 4 ms),
// and what was found is kept for the process. May be used from any thread.
class Dictionary {
public:
  // The process's one dictionary of this file. Error "no_dictionary".
  static Result<std::shared_ptr<Dictionary>> open(const std::string &path);

  // In the order of `words`. Words that the dictionary lacks are guessed.
  std::vector<Pronunciation> look_up(const std::vector<std::string> &words);

private:
  explicit Dictionary(std::string path) : path_(std::move(path)) {}
  using Known = std::map<std::string, Pronunciation, std::less<>>;
  void read_into(Known &known, const std::vector<std::string> &missing) const;

  const std::string path_;
  Guarded<Known> known_;
};

// How an English word is probably said, from its spelling. Never empty for a
// word with a letter in it; accents are ignored, other scripts are not read.
std::string guess_phones(std::string_view word);

} // namespace patchcord::offline
