// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/definition.hpp"
#include "agent/end_rules.hpp"
#include "agent/expectation.hpp"
#include "agent/findings.hpp"
#include "agent/tool.hpp"
#include "agent/tool_log.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace patchcord::agent {

// What was said in a call, as far as it was heard.
struct Said {
  enum class Who { kCaller, kAgent } who;
  std::string text;
};
using History = std::vector<Said>;

// What to ask the model: a request for its service, to be streamed.
struct ModelRequest {
  std::string body; // JSON
  // Why its last answer is asked for once more; empty: this is the first.
  std::string fault;
  std::string said; // of the message, before: the answer goes on behind it
};

// What to say, and what becomes of the call.
struct Reply {
  std::string message;
  std::string action = "ask"; // "ask", "say", "confirm", "end_call", "transfer"
  Expectation expect;
  std::string
      end_reason;       // with "end_call": "goal", "no_answer", "end_rule" ...
  bool imposed = false; // the same, by a limit or a failure: it stands
  std::string transfer; // with "transfer": the target's name
  // With "say": brings what is said next, without waiting for the caller.
  std::optional<ModelRequest> next;
  std::string fault; // what was wrong with the model's answer
  // With "end_call" and "transfer": said behind the message, which was not
  // meant to be the last.
  std::string last_words;
};

// Tools to run first, all at once.
struct ToolRuns {
  struct Run {
    std::string name;
    Result<ToolRequest> request; // or why it is not made
  };
  std::vector<Run> runs;
  std::string said; // before, in the same answer: it stands
};

using Thought = std::variant<Reply, ModelRequest, ToolRuns>;

// Decides what to say. Pure: it does no I/O, a request that it wants made is
// given to whoever owns it.
class Mind {
public:
  virtual ~Mind() = default;

  virtual Reply open() = 0;
  // What the tools that it called have brought, and that again, in another
  // media stream of the same call, before reopen().
  virtual ToolLog tools() const { return {}; }
  virtual void recall(const ToolLog &) {}
  // Which rules for the end were applied, and that again, likewise.
  virtual const RuleState &rules() const = 0;
  virtual void recall_rules(const RuleState &rules) = 0;
  // Goes on with a call that was handed over in vain: its caller is back.
  virtual Reply reopen(const Values &known, const Rejected &rejected,
                       const History &history) = 0;
  // `caller` is the last entry of the history, too; empty when the caller said
  // something that could not be told.
  virtual Thought answer(const std::string &caller, const History &history) = 0;
  // The request that answer() would make, without doing anything; none: the
  // mind needs no time.
  virtual std::optional<std::string> preview(const std::string & /*caller*/,
                                             const History &) const {
    return std::nullopt;
  }
  // The last answer was never heard, and its question will come again, with
  // more words: forget it.
  virtual void take_back() = 0;
  // The same of an answer that ends the call, behind words of its turn that
  // were heard: the call goes on, and what has been found out stays.
  virtual void take_back_end() = 0;

  // A request is made, or made again: its answer begins.
  virtual void model_begin() = 0;
  // The answer, as it arrives: what of it may be spoken already.
  virtual std::string model_text(std::string_view delta) = 0;
  // Its message is known in full (while more of the answer may follow).
  virtual bool model_message_complete() const = 0;
  // The answer is over. `finish_reason` as the service told it; empty when the
  // answer broke off. `spoken`: what of it was given to the voice. A
  // ModelRequest is another try, for an answer that was of no use.
  virtual Thought model_done(std::string_view finish_reason,
                             std::string_view refusal,
                             std::string_view spoken) = 0;

  // The answer is over and calls tools; `spoken` was given to the voice before.
  // Each of the runs that come of it ends, or is given up; with all of them
  // ended it goes on, unless the caller took the turn. A mind that offers no
  // tools is never called so.
  virtual Thought model_called(const std::vector<openai::ToolCall> &,
                               std::string_view /*spoken*/) {
    return Reply{};
  }
  virtual void tool_ended(std::size_t /*run*/, const ToolOutcome &) {}
  virtual Thought tools_ended() { return Reply{}; }

  // To be said after a silence, behind "are you still there".
  virtual std::string reminder() const = 0;
  virtual Expectation expectation() const = 0;
  virtual const Values &values() const = 0;
  virtual const Rejected &rejected() const = 0;
  virtual bool goal_reached() const = 0;
  // What is known, in words, for who takes the call over.
  virtual std::string summary() const = 0;
};

} // namespace patchcord::agent
