// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"

#include <string>

namespace patchcord::base64 {

// Standard alphabet with padding (RFC 4648 section 4). On the media path: every
// 20 ms of a call passes through both directions.

constexpr std::size_t encoded_size(std::size_t bytes) {
  return (bytes + 2) / 3 * 4;
}

void append(std::string &out, ByteSpan bytes);
std::string encode(ByteSpan bytes);

// Appends the decoded bytes to `out`. False, with `out` as it was, when the
// text is not complete, padded standard base64.
bool append_decoded(Bytes &out, std::string_view text);

} // namespace patchcord::base64
