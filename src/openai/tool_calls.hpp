// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/json.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Calls of functions ("tools") in chat completions. Pure: no I/O.
// (openai-openapi 2.3.0, ChatCompletionTool,
// ChatCompletionMessageToolCallChunk.)
namespace patchcord::openai {

// What the model may call.
struct ChatTool {
  std::string name; // [A-Za-z0-9_-], at most 64
  std::string description;
  std::string parameters; // a strict JSON schema, as it stands
};

// What it calls.
struct ToolCall {
  std::string id, name;
  std::string arguments; // as the model wrote it: JSON, unless it did not
};

// A piece of a call, as the stream brings it.
struct ToolCallDelta {
  std::optional<std::int64_t> index;
  std::string id, name, arguments;
};
// Of a `tool_calls` array, of a chunk or of a whole message.
std::vector<ToolCallDelta> read_tool_calls(JsonView array);

// Makes whole calls of the pieces. Servers differ: some repeat the id with each
// piece, some send a whole call in one, leave the index out, or give all calls
// the index 0. A new id begins a new call, whatever the index.
class ToolCallAssembler {
public:
  static constexpr std::size_t kMostCalls = 16;
  static constexpr std::size_t kMostBytes = std::size_t{64} << 10;

  // False: it is more than a model may ask for; give the answer up.
  bool feed(const ToolCallDelta &piece);
  bool empty() const { return calls_.empty(); }
  // In the order of their beginning; each has a name and an id of its own.
  std::vector<ToolCall> calls() const;

private:
  struct Open {
    std::optional<std::int64_t> index;
    ToolCall call;
  };
  Open *find(const ToolCallDelta &piece);

  std::vector<Open> calls_;
  std::size_t bytes_ = 0;
};

} // namespace patchcord::openai
