// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  using namespace patchcord;
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  const auto document = JsonDocument::parse(text);
  if (document.ok()) {
    document->root()["event"].string();
    document->root().at(0).number();
    document->root().for_each_member([](std::string_view, JsonView value) {
      value.lenient_integer();
      value.boolean();
    });
  }
  // Whatever the bytes: what the writer makes of them is JSON.
  JsonWriter writer;
  writer.begin_array().value(text).end_array();
  JsonLimits limits;
  limits.bytes = size * 6 + 16;
  if (!JsonDocument::parse(writer.text(), limits).ok())
    std::abort();
  return 0;
}
