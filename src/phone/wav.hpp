// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <string>

namespace patchcord::phone {

// A stereo WAV of two sides of a call: 8 kHz, 16 bits, left the caller, right
// what the caller heard. The shorter side is padded with silence.
Bytes stereo_wav(ByteSpan left_mulaw, ByteSpan right_mulaw);

// Writes a whole file; the error (code "write_failed") names it.
Result<Unit> write_file(const std::string &path, ByteSpan bytes);

} // namespace patchcord::phone
