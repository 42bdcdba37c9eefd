// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/tool_log.hpp"

#include <algorithm>
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

void ToolLog::write(JsonWriter &json) const {
  json.begin_array();
  for (const Exchange &exchange : exchanges_) {
    json.begin_object().member("turn", std::uint64_t{exchange.turn});
    json.key("calls").begin_array();
    for (std::size_t i = 0; i < exchange.calls.size(); ++i)
      json.begin_object()
          .member("id", exchange.calls[i].id)
          .member("name", exchange.calls[i].name)
          .member("arguments", exchange.calls[i].arguments)
          .member("result", exchange.results[i])
          .end_object();
    json.end_array().end_object();
  }
  json.end_array();
}

ToolLog ToolLog::read(JsonView array) {
  ToolLog log;
  for (std::size_t i = 0; i < array.size(); ++i) {
    const std::int64_t turn = array.at(i)["turn"].integer().value_or(0);
    const JsonView given = array.at(i)["calls"];
    std::vector<openai::ToolCall> calls;
    std::vector<std::string> results;
    for (std::size_t j = 0; j < given.size(); ++j) {
      const auto text = [call = given.at(j)](const char *key) {
        return call[key].string().value_or("");
      };
      if (text("id").empty() || text("name").empty())
        continue;
      calls.push_back({text("id"), text("name"), text("arguments")});
      results.push_back(text("result"));
    }
    if (turn < 1 || calls.empty())
      continue;
    log.call(static_cast<std::size_t>(turn), std::move(calls));
    for (std::size_t j = 0; j < results.size(); ++j)
      if (!results[j].empty())
        log.result(j, std::move(results[j]));
  }
  return log;
}

void ToolLog::append_last_to(std::vector<openai::ChatMessage> &messages,
                             const std::string &said) const {
  if (!exchanges_.empty())
    exchanges_.back().append_to(messages, said);
}

} // namespace patchcord::agent
