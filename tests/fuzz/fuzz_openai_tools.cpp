// SPDX-License-Identifier: LGPL-2.1-or-later
#include "openai/chat.hpp"

#include <cstdlib>
#include <set>

// Each line is a chunk's data. The calls are the same wherever their arguments
// are cut, bounded, and each has a name and an id of its own.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  using namespace patchcord::openai;
  std::string_view text(reinterpret_cast<const char *>(data), size);
  ToolCallAssembler whole, halves;
  bool taken = true;
  while (!text.empty() && taken) {
    const auto end = text.find('\n');
    const auto event = parse_chat_event(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!event.ok())
      continue;
    for (const ToolCallDelta &piece : event->tool_calls) {
      taken = taken && whole.feed(piece);
      ToolCallDelta first = piece, second;
      const std::size_t half = piece.arguments.size() / 2;
      first.arguments.resize(half);
      second.index = piece.index;
      second.id = piece.id;
      second.arguments = piece.arguments.substr(half);
      taken = halves.feed(first) && halves.feed(second) && taken;
    }
  }
  const auto calls = whole.calls();
  std::set<std::string> ids;
  std::size_t bytes = 0;
  for (const ToolCall &call : calls) {
    bytes += call.name.size() + call.arguments.size();
    if (call.name.empty() || call.id.empty() || !ids.insert(call.id).second)
      std::abort();
  }
  if (calls.size() > ToolCallAssembler::kMostCalls ||
      bytes > ToolCallAssembler::kMostBytes)
    std::abort();
  const auto cut = halves.calls();
  if (!taken)
    return 0;
  if (cut.size() != calls.size())
    std::abort();
  for (std::size_t i = 0; i < calls.size(); ++i)
    if (cut[i].id != calls[i].id || cut[i].name != calls[i].name ||
        cut[i].arguments != calls[i].arguments)
      std::abort();
  return 0;
}
