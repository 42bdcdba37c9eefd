// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/language.hpp"

#include "base/text.hpp"

#include <utility>

namespace patchcord::agent {
namespace {

// With "iw" and "sh", which people and providers still write.
constexpr std::string_view kTwoLetters =
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca "
    "ce ch co cr cs cu cv cy da de dv dz ee el en eo es et eu fa ff fi fj "
    "fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii "
    "ik io is it iu iw ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky "
    "la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne "
    "ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw "
    "sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv sw ta te tg th "
    "ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za "
    "zh zu";
constexpr std::string_view kThreeLetters =
    "ast bpy ceb chr cmn fil grc hak haw hbs hyw jbo kok ltg nci nog pap "
    "qdb quc qya shn sjn smj yue";

bool is_known(std::string_view code) {
  for (const std::string_view list : {kTwoLetters, kThreeLetters})
    for (const std::string &known : split(list, ' '))
      if (known == to_lower(code))
        return true;
  return false;
}

} // namespace

bool is_language(std::string_view text) {
  bool first = true;
  for (const std::string &part : split(text, '-')) {
    if (part.size() < 2 || part.size() > 8 || !is_alnum(part))
      return false;
    if (std::exchange(first, false) && !is_known(part))
      return false;
  }
  return !first;
}

} // namespace patchcord::agent
