// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

namespace patchcord::twilio {

// "UTTERANCE.SEQUENCE"; utterance 0: of no utterance. Short: no allocation.
inline std::string mark_name(std::uint32_t utterance, std::uint64_t sequence) {
  return std::to_string(utterance) + '.' + std::to_string(sequence);
}

} // namespace patchcord::twilio
