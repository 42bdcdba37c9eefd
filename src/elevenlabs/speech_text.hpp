// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

namespace patchcord::elevenlabs {

// Text as it can be spoken: white space squeezed to single spaces; Markdown
// marks, emoji and web addresses dropped (a link keeps its words). Tags such as
// <break time="0.5s"/> stay. Trimmed; empty when nothing is left to pronounce.
// `text` is UTF-8.
std::string speech_text(std::string_view text);

} // namespace patchcord::elevenlabs
