// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/abbreviations.hpp"

#include "agent/words.hpp"

namespace patchcord::agent {
namespace {

// "j", "p.m", "e.g": single letters.
bool is_initials(std::string_view word) {
  for (std::size_t i = 0; i < word.size(); ++i)
    if ((word[i] == '.') != (i % 2 == 1))
      return false;
  return word.size() % 2 == 1;
}

// "EE. UU.", "pp."
bool is_doubled_letter(std::string_view word) {
  return word.size() == 2 && word[0] == word[1];
}

// "Hauptstr.", "Zimmernr."
bool ends_shortened(std::string_view word) {
  return word.ends_with("str") || word.ends_with("nr");
}

} // namespace

bool is_abbreviation(std::string_view word) {
  if (word.empty())
    return false;
  return is_initials(word) || is_doubled_letter(word) || ends_shortened(word) ||
         is_one_of(
             word,
             {"mr", "mrs", "ms", "dr", "prof", "st", "jr", "sr", "vs", "etc",
              "inc", "ltd", "corp", "dept", "ave", "blvd", "rd", "apt", "ext",
              "approx", "est", "tel", "rev", "hon", "capt", "lt", "sgt", "col",
              "gen", "gov", "sen", "rep", "jan", "feb", "apr", "aug", "sept",
              "oct", "nov", "dec", "mon", "tue", "tues", "wed", "thu", "thurs",
              "fri", "min", "max", "hr", "hrs", "fig", "vol", "ft", "mt", "co",
              "oz", "lb", "lbs", "yd", "sq", "gal", "yr", "yrs", "ste", "bldg",
              "hwy", "ln", "bros", "assn", "incl", "ph.d", "m.sc", "b.sc",
              "cit", "ibid",
              // German
              "bzw", "ca", "evtl", "ggf", "inkl", "exkl", "zzgl", "std", "mio",
              "mrd", "vgl", "fr", "hrn", "frl", "ing", "dipl", "med", "jur",
              "okt", "dez", "chr", "allg", "ehem", "sog", "jew", // French
              "mme", "mmes", "mlle", "mlles", "mgr", "av", "bd", "env", "cf",
              "janv", "juil",
              // Spanish
              "sra", "sras", "sres", "srta", "srtas", "dra", "dres", "ud",
              "uds", "vd", "vds", "avda", "dpto", "dcha", "izq", "gral", "lic",
              "aprox", "tlf"});
}

bool is_abbreviation_of_number(std::string_view word) {
  return is_one_of(word, {"no", "nos", "art", "sec", "ch", "par", "pos", "abs",
                          "op", "kap", "chap", "cap", "ene", "abr", "dic"});
}

bool is_short_day(std::string_view word) {
  return is_one_of(word, {"sat", "sun", "mo", "di", "mi", "do", "sa", "so"});
}

bool may_end_sentence(std::string_view word) {
  return is_one_of(word, {"usw", "usf", "ust", "al", "op"});
}

bool takes_ordinal(std::string_view word) {
  return is_one_of(word, {"januar",       "j\xc3\xa4nner",
                          "februar",      "m\xc3\xa4rz",
                          "april",        "mai",
                          "juni",         "juli",
                          "august",       "september",
                          "oktober",      "november",
                          "dezember",     "stock",
                          "stockwerk",    "etage",
                          "og",           "ug",
                          "obergeschoss", "untergeschoss",
                          "bezirk",       "quartal"});
}

bool leads_to_ordinal(std::string_view word) {
  return is_one_of(word,
                   {"der",    "die",    "das",     "den",     "dem",   "des",
                    "am",     "im",     "vom",     "zum",     "zur",   "beim",
                    "ins",    "ab",     "bis",     "seit",    "und",   "oder",
                    "ihr",    "ihre",   "ihren",   "ihrem",   "ihrer", "ihres",
                    "unser",  "unsere", "unseren", "unserem", "mein",  "meine",
                    "meinen", "meinem", "jeder",   "jede",    "jeden", "jedes",
                    "jedem",  "ein",    "eine",    "einen",   "einem"});
}

bool begins_german_sentence(std::string_view word) {
  return is_one_of(word, {"passt",
                          "ist",
                          "sind",
                          "soll",
                          "sollen",
                          "haben",
                          "hat",
                          "geht",
                          "kann",
                          "k\xc3\xb6nnen",
                          "k\xc3\xb6nnten",
                          "darf",
                          "d\xc3\xbcrfen",
                          "m\xc3\xb6\x63hten",
                          "wollen",
                          "w\xc3\xa4re",
                          "werden",
                          "wird",
                          "wie",
                          "wann",
                          "was",
                          "wo",
                          "wer",
                          "welche",
                          "welcher",
                          "welches",
                          "der",
                          "die",
                          "das",
                          "ein",
                          "eine",
                          "und",
                          "oder",
                          "aber",
                          "dann",
                          "danach",
                          "bitte",
                          "danke",
                          "ich",
                          "wir",
                          "sie",
                          "es",
                          "er",
                          "ihr",
                          "gut",
                          "ja",
                          "nein",
                          "stimmt",
                          "um",
                          "f\xc3\xbcr",
                          "auf",
                          "bei",
                          "in",
                          "im",
                          "am",
                          "von",
                          "mit",
                          "wenn",
                          "dort",
                          "da",
                          "hier",
                          "vielen",
                          "vielleicht",
                          "kommen",
                          "bringen",
                          "rufen"});
}

} // namespace patchcord::agent
