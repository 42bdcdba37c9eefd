// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/text.hpp"
#include "openai/chat.hpp"

#include <cstdlib>

// The message is the same wherever the text is cut, and always valid UTF-8.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  using namespace patchcord;
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  openai::MessageExtractor whole, bytes;
  const std::string message = whole.feed(text);
  std::string pieces;
  for (std::size_t i = 0; i < size; ++i) {
    const std::string piece = bytes.feed(text.substr(i, 1));
    if (!valid_utf8(piece))
      std::abort();
    pieces += piece;
  }
  if (message != pieces || !valid_utf8(message) ||
      whole.message_complete() != bytes.message_complete() ||
      whole.object_text() != bytes.object_text() ||
      whole.plain_text() != bytes.plain_text() ||
      !valid_utf8(whole.plain_text()) ||
      (whole.is_plain_text() && !whole.object_text().empty()))
    std::abort();
  return 0;
}
