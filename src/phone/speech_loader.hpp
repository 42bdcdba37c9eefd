// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "phone/caller.hpp"
#include "phone/script.hpp"

#include <memory>
#include <string>

namespace patchcord::phone {

// A WAV file of any rate in PCM, float, mu-law or A-law, as mu-law. Blocks.
// Codes: "bad_wav", "no_plugin". Errors name the file.
Result<std::shared_ptr<const Speech>> load_wav(const std::string &path);

// Words in an offline voice (espeak-ng's names: "en-us+f2", "de"). Blocks.
// Codes: "bad_voice", "no_plugin".
Result<std::shared_ptr<const Speech>> speak(const std::string &text,
                                            const std::string &voice);

// Everything that the script's lines say, once for all calls. Errors say in
// which line of which file, or with which option.
Result<std::shared_ptr<const Plan>> load_plan(const Script &script);

} // namespace patchcord::phone
