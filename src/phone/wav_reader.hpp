// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <string>

namespace patchcord::phone {

// How a WAV's samples are written: what has to stand behind the parser.
enum class WavCoding { kLinear, kMulaw, kAlaw };

// Looks at a whole file's header, and whether there is sound behind it. Errors
// ("bad_wav") go on from the file's name: "is no WAV file: ...". Pure.
Result<WavCoding> inspect_wav(ByteSpan file);

// Also from a pipe. Errors ("bad_wav") name the file.
Result<Bytes> read_wav_file(const std::string &path);

} // namespace patchcord::phone
