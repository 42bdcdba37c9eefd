// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

namespace patchcord::agent {

// "en", "de-AT", "zh-Hant-TW" (RFC 5646, without its rarer forms), of a
// language that has a code of two letters (ISO 639-1), or that the offline
// voice, Twilio or ElevenLabs speaks under one of three. "eng" is none: it is
// written "en".
bool is_language(std::string_view text);

} // namespace patchcord::agent
