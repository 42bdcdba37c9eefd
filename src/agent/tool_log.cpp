// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/tool_log.hpp"

#include "base/json.hpp"

#include <utility>

namespace patchcord::agent {

std::size_t ToolLog::Exchange::size() const {
  std::size_t size = 0;
  for (const openai::ToolCall &call : calls)
    size += call.name.size() + call.arguments.size();
  for (const std::string &result : results)
    size += result.size();
  return size;
}

void ToolLog::call(std::size_t turn, std::vector<openai::ToolCall> calls) {
  Exchange exchange;
  exchange.turn = turn;
  for (openai::ToolCall &call : calls)
    if (!JsonDocument::parse(call.arguments).ok())
      call.arguments = "{}"; // Some servers refuse to have it back otherwise.
  // An API that misses the result of a call refuses the whole request.
  exchange.results.resize(calls.size(), R"({"error":"no result"})");
  exchange.calls = std::move(calls);
  exchanges_.push_back(std::move(exchange));
  forget();
}

void ToolLog::result(std::size_t call, std::string content) {
  if (exchanges_.empty() || call >= exchanges_.back().results.size())
    return;
  exchanges_.back().results[call] = std::move(content);
  forget();
}

void ToolLog::forget() {
  std::size_t size = 0;
  for (const Exchange &exchange : exchanges_)
    size += exchange.size();
  while (size > kMostBytes && exchanges_.size() > 1) {
    size -= exchanges_.front().size();
    exchanges_.pop_front();
  }
}

void ToolLog::Exchange::append_to(std::vector<openai::ChatMessage> &messages,
                                  const std::string &said) const {
  messages.push_back({"assistant", said, calls, {}});
  for (std::size_t i = 0; i < calls.size(); ++i)
    messages.push_back({"tool", results[i], {}, calls[i].id});
}

void ToolLog::append_to(std::vector<openai::ChatMessage> &messages,
                        std::size_t turn) const {
  for (const Exchange &exchange : exchanges_)
    if (exchange.turn == turn)
      exchange.append_to(messages, {});
}

void ToolLog::append_last_to(std::vector<openai::ChatMessage> &messages,
                             const std::string &said) const {
  if (!exchanges_.empty())
    exchanges_.back().append_to(messages, said);
}

} // namespace patchcord::agent
