// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "openai/tool_calls.hpp"
#include "worker/time.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Tools: HTTP calls that a model may ask for. The agent file says what they
// are; here their requests are made and their answers judged. Pure: whoever
// owns the request makes it.
namespace patchcord::agent {

struct ToolArgument {
  enum class Type { kString, kInteger, kNumber, kBoolean };
  std::string name, description;
  Type type = Type::kString;
  bool required = true;
  std::vector<std::string> choices; // of a string; empty: any
};

// A header of the request. Its secret stands somewhere else: in an environment
// variable or a file, and nowhere near the agent.
struct ToolHeader {
  std::string name;
  std::string text;      // as it is; before the secret, if there is one
  std::string env, file; // where the secret is
  int line = 0;          // of the agent's file
  bool has_secret() const { return !env.empty() || !file.empty(); }
};

struct Tool {
  std::string name, description;
  std::string method = "GET";
  std::string url;  // with {argument} behind the host
  int url_line = 0; // of the agent's file
  std::vector<ToolArgument> arguments;
  std::vector<ToolHeader> headers;
  Duration timeout = 5s;
  std::size_t max_bytes = std::size_t{16} << 10; // of the answer

  const ToolArgument *argument(std::string_view argument_name) const;
};

// What is wrong with the URL template, or "".
std::string url_problem(const Tool &tool);

// As the model is offered it.
openai::ChatTool chat_tool(const Tool &tool);

// What to ask the tool's server.
struct ToolRequest {
  std::string method, url;
  std::string body; // JSON; empty: none
  std::vector<ToolHeader> headers;
  Duration timeout{};
  std::size_t max_bytes = 0;
};
// Of the arguments (JSON) that the model gave, if they are what the tool takes:
// what the URL names goes there, percent-encoded; the rest goes into the query
// of GET and DELETE, and as JSON into the body of the others.
Result<ToolRequest> tool_request(const Tool &tool, std::string_view arguments);

// What came of a tool.
struct ToolOutcome {
  // For the outside: "ok", "timeout", "unreachable", "http_404", "too_large",
  // "not_json", "refused" (nothing was asked), "cancelled".
  std::string status;
  std::string content; // for the model: JSON
};
// The server answered, or there was no answer (an Error of the HTTP client).
struct ToolAnswer {
  int status = 0;
  std::string body;
};
ToolOutcome tool_outcome(const Result<ToolAnswer> &answer);
ToolOutcome tool_refused(const std::string &reason);
// The caller spoke meanwhile. It may have been done all the same.
ToolOutcome tool_cancelled();

} // namespace patchcord::agent
