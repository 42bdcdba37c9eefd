// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/say_language.hpp"

#include "base/text.hpp"

namespace patchcord::agent {
namespace {

// Of several with one language the first stands for it.
constexpr std::string_view kSpoken[] = {
    "af-ZA", "ar-XA", "ar-AE", "bg-BG",  "bn-IN", "ca-ES", "cmn-CN", "cmn-TW",
    "cs-CZ", "cy-GB", "da-DK", "de-DE",  "de-AT", "el-GR", "en-US",  "en-AU",
    "en-CA", "en-GB", "en-IE", "en-IN",  "en-NZ", "en-ZA", "es-ES",  "es-MX",
    "es-US", "eu-ES", "fi-FI", "fil-PH", "fr-FR", "fr-BE", "fr-CA",  "gl-ES",
    "gu-IN", "he-IL", "hi-IN", "hu-HU",  "id-ID", "is-IS", "it-IT",  "ja-JP",
    "kn-IN", "ko-KR", "lt-LT", "lv-LV",  "ml-IN", "mr-IN", "ms-MY",  "nb-NO",
    "nl-NL", "nl-BE", "pa-IN", "pl-PL",  "pt-BR", "pt-PT", "ro-RO",  "ru-RU",
    "sk-SK", "sr-RS", "sv-SE", "ta-IN",  "te-IN", "th-TH", "tr-TR",  "uk-UA",
    "vi-VN", "yue-HK"};

// Names that other people have for them (ISO 639-1, older ones).
struct Other {
  std::string_view name, spoken;
};
constexpr Other kOthers[] = {{"zh-tw", "cmn-TW"}, {"zh-hk", "yue-HK"},
                             {"zh", "cmn-CN"},    {"no", "nb-NO"},
                             {"tl", "fil-PH"},    {"iw", "he-IL"}};

std::string_view primary(std::string_view language) {
  return language.substr(0, language.find('-'));
}

} // namespace

std::string say_language(std::string_view language) {
  const std::string wanted = to_lower(language);
  for (const std::string_view spoken : kSpoken)
    if (wanted == to_lower(spoken))
      return std::string(spoken);
  for (const Other &other : kOthers)
    if (wanted == other.name)
      return std::string(other.spoken);
  const std::string_view kind = primary(wanted);
  for (const std::string_view spoken : kSpoken)
    if (kind == primary(spoken))
      return std::string(spoken);
  for (const Other &other : kOthers)
    if (kind == other.name)
      return std::string(other.spoken);
  return {};
}

} // namespace patchcord::agent
