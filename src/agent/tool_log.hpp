// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/fifo.hpp"
#include "base/json.hpp"
#include "openai/chat.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace patchcord::agent {

// The tools that a model called in a conversation, with their results: what it
// found out in one turn it knows in the next. The oldest are forgotten when
// they are too long together.
class ToolLog {
public:
  static constexpr std::size_t kMostBytes = std::size_t{64} << 10;

  // `turn`: of the caller, from 1.
  void call(std::size_t turn, std::vector<openai::ToolCall> calls);
  // Of a call of the last call().
  void result(std::size_t call, std::string content);
  // What belongs behind the caller's words of that turn.
  void append_to(std::vector<openai::ChatMessage> &messages,
                 std::size_t turn) const;
  // All of it, for another media stream of the same conversation: a JSON array,
  // and back. What is none of a ToolLog is left out.
  void write(JsonWriter &json) const;
  static ToolLog read(JsonView array);
  bool empty() const { return exchanges_.empty(); }
  // The last call(), before which the model said that.
  void append_last_to(std::vector<openai::ChatMessage> &messages,
                      const std::string &said) const;

private:
  struct Exchange {
    std::size_t turn = 0;
    std::vector<openai::ToolCall> calls;
    std::vector<std::string> results;
    std::size_t size() const;
    void append_to(std::vector<openai::ChatMessage> &messages,
                   const std::string &said) const;
  };
  void forget();

  Fifo<Exchange> exchanges_;
};

} // namespace patchcord::agent
