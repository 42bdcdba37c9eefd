// SPDX-License-Identifier: LGPL-2.1-or-later
#include "offline/dictionary.hpp"

#include "base/handles.hpp"

#include <glib.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

namespace patchcord::offline {
namespace {

struct UnmapFile {
  void operator()(GMappedFile *file) const { g_mapped_file_unref(file); }
};
using MappedFile = std::unique_ptr<GMappedFile, UnmapFile>;

MappedFile map_file(const std::string &path) {
  return MappedFile(g_mapped_file_new(path.c_str(), FALSE, nullptr));
}

using Open = std::map<std::string, std::weak_ptr<Dictionary>, std::less<>>;
Guarded<Open> &open_dictionaries() {
  static Guarded<Open> open;
  return open;
}

} // namespace

Result<std::shared_ptr<Dictionary>> Dictionary::open(const std::string &path) {
  if (!map_file(path))
    return make_error("no_dictionary",
                      "cannot read the pronouncing dictionary " + path);
  return open_dictionaries().with([&](Open &open) {
    auto dictionary = open[path].lock();
    if (!dictionary) {
      dictionary.reset(new Dictionary(path));
      open[path] = dictionary;
    }
    return dictionary;
  });
}

void Dictionary::read_into(Known &known,
                           const std::vector<std::string> &missing) const {
  std::unordered_map<std::string_view, Pronunciation *> wanted;
  for (const std::string &word : missing)
    wanted.emplace(
        word, &known.try_emplace(word, Pronunciation{word, {}}).first->second);
  const MappedFile file = map_file(path_);
  std::string_view text;
  if (file)
    text = {g_mapped_file_get_contents(file.get()),
            g_mapped_file_get_length(file.get())};
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos)
      continue;
    const std::string_view entry = line.substr(0, space);
    const auto found = wanted.find(entry.substr(0, entry.find('(')));
    if (found != wanted.end())
      found->second->phones.emplace_back(line.substr(space + 1));
  }
  for (const auto &[word, pronunciation] : wanted)
    if (pronunciation->phones.empty()) {
      pronunciation->guessed = true;
      pronunciation->phones.push_back(guess_phones(word));
    }
}

std::vector<Pronunciation>
Dictionary::look_up(const std::vector<std::string> &words) {
  return known_.with([&](Known &known) {
    std::vector<std::string> missing;
    for (const std::string &word : words)
      if (!known.contains(word))
        missing.push_back(word);
    if (!missing.empty())
      read_into(known, missing);
    std::vector<Pronunciation> found;
    found.reserve(words.size());
    for (const std::string &word : words)
      found.push_back(known.find(word)->second);
    return found;
  });
}

// --- letter to sound ---------------------------------------------------------

namespace {

// The longest spelling that fits wins; '^' is the beginning of the word, '$'
// its end. Phones may be none. What is left out is a single letter's usual
// sound. After the commonest correspondences of English spelling; names are
// what it is for ("Kowalski", "Patchcord").
constexpr std::pair<const char *, const char *> kSpellings[] = {
    {"a", "AE"},
    {"a$", "AH"},
    {"ai", "EY"},
    {"ay", "EY"},
    {"au", "AO"},
    {"aw", "AO"},
    {"ar", "AA R"},
    {"air", "EH R"},
    {"all", "AO L"},
    {"b", "B"},
    {"bb", "B"},
    {"mb$", "M"},
    {"c", "K"},
    {"ce", "S EH"},
    {"ci", "S IH"},
    {"cy", "S IY"},
    {"ch", "CH"},
    {"ck", "K"},
    {"cc", "K"},
    {"^ch", "CH"},
    {"cz", "CH"},
    {"d", "D"},
    {"dd", "D"},
    {"dge", "JH"},
    {"e", "EH"},
    {"e$", ""},
    {"ee", "IY"},
    {"ea", "IY"},
    {"ei", "AY"},
    {"ey", "IY"},
    {"eu", "Y UW"},
    {"ew", "Y UW"},
    {"er", "ER"},
    {"ear", "IH R"},
    {"eer", "IH R"},
    {"es$", "Z"},
    {"ed$", "D"},
    {"f", "F"},
    {"ff", "F"},
    {"g", "G"},
    {"gg", "G"},
    {"ge", "JH EH"},
    {"gi", "JH IH"},
    {"gh", "G"},
    {"ght", "T"},
    {"gn$", "N"},
    {"^gn", "N"},
    {"h", "HH"},
    {"i", "IH"},
    {"i$", "IY"},
    {"ie", "IY"},
    {"igh", "AY"},
    {"ir", "ER"},
    {"ia", "IY AH"},
    {"ing$", "IH NG"},
    {"ism$", "IH Z AH M"},
    {"j", "JH"},
    {"k", "K"},
    {"kk", "K"},
    {"^kn", "N"},
    {"l", "L"},
    {"ll", "L"},
    {"le$", "AH L"},
    {"m", "M"},
    {"mm", "M"},
    {"^mc", "M AH K"},
    {"^mac", "M AH K"},
    {"n", "N"},
    {"nn", "N"},
    {"ng", "NG"},
    {"nk", "NG K"},
    {"o", "AA"},
    {"o$", "OW"},
    {"oo", "UW"},
    {"oa", "OW"},
    {"oe", "OW"},
    {"oi", "OY"},
    {"oy", "OY"},
    {"ou", "AW"},
    {"ow", "OW"},
    {"or", "AO R"},
    {"ore$", "AO R"},
    {"our", "AO R"},
    {"ook", "UH K"},
    {"ould", "UH D"},
    {"p", "P"},
    {"pp", "P"},
    {"ph", "F"},
    {"^ps", "S"},
    {"q", "K"},
    {"qu", "K W"},
    {"r", "R"},
    {"rr", "R"},
    {"rh", "R"},
    {"s", "S"},
    {"ss", "S"},
    {"sh", "SH"},
    {"sch", "SH"},
    {"sc", "S K"},
    {"sion$", "ZH AH N"},
    {"ssion$", "SH AH N"},
    {"ski$", "S K IY"},
    {"sky$", "S K IY"},
    {"son$", "S AH N"},
    {"t", "T"},
    {"tt", "T"},
    {"th", "TH"},
    {"tch", "CH"},
    {"tion$", "SH AH N"},
    {"ture$", "CH ER"},
    {"u", "AH"},
    {"u$", "UW"},
    {"ue$", "UW"},
    {"ui", "UW IH"},
    {"ur", "ER"},
    {"ure$", "Y UH R"},
    {"v", "V"},
    {"w", "W"},
    {"wh", "W"},
    {"^wr", "R"},
    {"x", "K S"},
    {"^x", "Z"},
    {"^y", "Y"},
    {"y", "IH"},
    {"y$", "IY"},
    {"z", "Z"},
    {"zz", "Z"},
    {"^a", "AH"},
    {"man$", "M AH N"},
    {"stein$", "S T AY N"},
    {"berg$", "B ER G"},
    {"ville$", "V IH L"},
    {"ez$", "EH Z"},
    {"ous$", "AH S"},
};

bool is_vowel(char c) { return std::strchr("aeiouy", c) != nullptr; }

// "late", "site", "rose", "tune": the e behind one consonant at the end makes
// the vowel before it say its name.
const char *name_of_vowel(std::string_view marked, std::size_t at) {
  const bool magic = at + 4 == marked.size() && !is_vowel(marked[at + 1]) &&
                     marked[at + 1] != 'r' && marked[at + 2] == 'e' &&
                     (at == 0 || !is_vowel(marked[at - 1]));
  if (!magic)
    return nullptr;
  switch (marked[at]) {
  case 'a':
    return "EY";
  case 'i':
  case 'y':
    return "AY";
  case 'o':
    return "OW";
  case 'u':
    return "UW";
  default:
    return nullptr;
  }
}

} // namespace

std::string guess_phones(std::string_view word) {
  // To plain letters, whatever accents there are.
  const GCharPtr ascii(g_str_to_ascii(std::string(word).c_str(), "en"));
  std::string marked = "^";
  for (const char *c = ascii.get(); *c != '\0'; ++c)
    if (g_ascii_isalpha(*c))
      marked += g_ascii_tolower(*c);
  marked += '$';
  std::string phones;
  const auto say = [&phones](std::string_view more) {
    if (!phones.empty() && !more.empty())
      phones += ' ';
    phones += more;
  };
  for (std::size_t at = 0; at + 1 < marked.size();) {
    if (const char *name = name_of_vowel(marked, at)) {
      say(name);
      ++at;
      continue;
    }
    std::size_t length = 0;
    const char *best = "";
    for (const auto &[spelling, sound] : kSpellings) {
      const std::size_t size = std::strlen(spelling);
      if (size > length && marked.compare(at, size, spelling) == 0) {
        length = size;
        best = sound;
      }
    }
    say(best);
    at += std::max<std::size_t>(1, length);
  }
  return phones.empty() ? "AH" : phones;
}

} // namespace patchcord::offline
