// SPDX-License-Identifier: LGPL-2.1-or-later
#include "openai/chat.hpp"

#include <cstdlib>

// The events of a stream are the same wherever the reads cut it, and what
// their data holds may be anything.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  using namespace patchcord;
  const ByteSpan bytes(data, size);
  const auto events_of = [&](std::size_t cut) {
    openai::SseParser parser;
    parser.limit = 512;
    std::vector<std::string> events;
    const auto take = [&](std::optional<std::string_view> event) {
      events.push_back(event ? "+" + std::string(*event) : "");
    };
    if (parser.feed(bytes.first(cut), take) &&
        parser.feed(bytes.subspan(cut), take))
      parser.finish(take);
    else
      events.clear(); // given up: where exactly depends on the reads
    return events;
  };
  const auto whole = events_of(size);
  const auto halves = events_of(size / 2);
  if (whole != halves && !whole.empty() && !halves.empty())
    std::abort();
  for (const auto &event : whole) {
    const auto delta = openai::parse_chat_event(event);
    if (delta.ok() && delta->error && delta->error->code.empty())
      std::abort();
    (void)openai::parse_chat_completion(event);
    (void)openai::parse_api_error(500, event);
  }
  return 0;
}
