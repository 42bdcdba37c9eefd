// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/wav_reader.hpp"

#include <cstdlib>

using namespace patchcord;

// A file that a caller is to speak: refused in words, or there is sound in it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  const auto coding = phone::inspect_wav({data, size});
  if (!coding && coding.error().message.empty())
    std::abort();
  if (coding && size <= 44 - 8) // shorter than the shortest header
    std::abort();
  return 0;
}
