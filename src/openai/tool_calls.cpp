// SPDX-License-Identifier: LGPL-2.1-or-later
#include "openai/tool_calls.hpp"

#include <glib.h>

#include <algorithm>

namespace patchcord::openai {
namespace {

// A name that the API takes back: [A-Za-z0-9_-], at most 64.
std::string to_function_name(std::string name) {
  name.resize(std::min<std::size_t>(name.size(), 64));
  std::replace_if(
      name.begin(), name.end(),
      [](char c) { return !g_ascii_isalnum(c) && c != '_' && c != '-'; }, '_');
  return name;
}

} // namespace

std::vector<ToolCallDelta> read_tool_calls(JsonView array) {
  std::vector<ToolCallDelta> pieces;
  for (std::size_t i = 0; i < array.size(); ++i) {
    const JsonView each = array.at(i);
    const JsonView function = each["function"];
    ToolCallDelta piece;
    piece.index = each["index"].integer();
    piece.id = each["id"].string().value_or("");
    piece.name = function["name"].string().value_or("");
    const JsonView arguments = function["arguments"];
    if (arguments.is_object()) // not as a text: some local servers
      piece.arguments = arguments.dump();
    else
      piece.arguments = arguments.string().value_or("");
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

// The call that the piece goes on with.
ToolCallAssembler::Open *ToolCallAssembler::find(const ToolCallDelta &piece) {
  const auto last = [this](auto matches) -> Open * {
    const auto found = std::find_if(calls_.rbegin(), calls_.rend(), matches);
    return found == calls_.rend() ? nullptr : &*found;
  };
  if (!piece.id.empty())
    return last([&](const Open &open) { return open.call.id == piece.id; });
  Open *open = last([&](const Open &each) {
    return !piece.index || each.index == piece.index;
  });
  // Whole calls without an id, all of index 0.
  const bool whole = open != nullptr && !open->call.name.empty() &&
                     !open->call.arguments.empty() && !piece.name.empty();
  return whole ? nullptr : open;
}

bool ToolCallAssembler::feed(const ToolCallDelta &piece) {
  bytes_ += piece.id.size() + piece.name.size() + piece.arguments.size();
  if (bytes_ > kMostBytes)
    return false;
  Open *open = find(piece);
  if (open == nullptr) {
    if (calls_.size() == kMostCalls)
      return false;
    open = &calls_.emplace_back();
    open->index = piece.index;
    open->call.id = piece.id;
  }
  if (open->call.name.empty())
    open->call.name = piece.name;
  open->call.arguments += piece.arguments;
  return true;
}

std::vector<ToolCall> ToolCallAssembler::calls() const {
  std::vector<ToolCall> calls;
  for (const Open &open : calls_)
    if (!open.call.name.empty())
      calls.push_back(open.call);
  for (ToolCall &call : calls)
    call.name = to_function_name(std::move(call.name));
  const auto is_taken = [&calls](const std::string &id) {
    return std::any_of(calls.begin(), calls.end(),
                       [&](const ToolCall &call) { return call.id == id; });
  };
  int number = 0;
  for (ToolCall &call : calls)
    while (call.id.empty()) {
      const std::string id = "call_" + std::to_string(++number);
      if (!is_taken(id))
        call.id = id;
    }
  return calls;
}

} // namespace patchcord::openai
