// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "openai/tool_calls.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Chat completions, streamed, with structured output: building the request and
// reading the answer. Pure: no I/O. (OpenAI API reference, "Create chat
// completion"; openai-openapi 2.3.0, CreateChatCompletionRequest.)
namespace patchcord::openai {

struct ChatMessage {
  std::string role; // "system", "user", "assistant", "tool"
  std::string content;
  std::vector<ToolCall> tool_calls; // of an assistant
  std::string tool_call_id;         // of a tool: whose result it is
};

struct ChatRequest {
  std::string model;
  std::vector<ChatMessage> messages;
  std::string schema_name; // [A-Za-z0-9_-], at most 64
  std::string schema;      // JSON text, sent as it stands: its order matters
  int max_completion_tokens = 600;
  std::vector<ChatTool> tools;
  bool may_call_tools = true; // false: it must answer now
  // Endpoint differences; false leaves the field out.
  bool send_stream_options = true;
  bool send_reasoning_effort = true; // "none": seconds matter on a phone
  bool use_max_tokens = false;       // older name of the field
};
std::string chat_request_body(const ChatRequest &request);

// The same request for a server that refused its field `parameter` (the `param`
// of its 400): without it, or the token limit under its other name. Empty when
// the request can do nothing about it. `body` as chat_request_body() made it.
std::optional<std::string> without_parameter(const std::string &body,
                                             std::string_view parameter);

// Server-sent events (HTML standard, "Server-sent events"): bytes in, the data
// of each event out, whole. Comments are told as empty optionals: a sign of
// life. Lines end in LF, CRLF or CR, wherever the reads cut them. `event` must
// not destroy the parser.
class SseParser {
public:
  // False when an event grew past `limit` bytes: give the stream up.
  bool feed(ByteSpan bytes,
            const std::function<void(std::optional<std::string_view>)> &event);
  // End of the stream: an event without its empty line is given if it is whole
  // JSON or "[DONE]".
  void
  finish(const std::function<void(std::optional<std::string_view>)> &event);
  std::size_t limit = std::size_t{1} << 20;

private:
  using Handler = std::function<void(std::optional<std::string_view>)>;
  void line(const Handler &event);

  std::string line_, data_;
  bool has_data_ = false, after_cr_ = false, first_line_ = true;
};

// What a chunk of the streamed answer brings.
struct ChatDelta {
  std::string content;
  std::string refusal;
  std::vector<ToolCallDelta> tool_calls;
  std::string finish_reason;  // "" until the end
  std::optional<Error> error; // failed in mid-stream
  bool done = false;          // "[DONE]"
};
// One event's data. Unknown fields and empty chunks give an empty delta; text
// that is not JSON is an Error.
Result<ChatDelta> parse_chat_event(std::string_view data);
// A whole (not streamed) completion: servers that ignore `stream`.
Result<ChatDelta> parse_chat_completion(std::string_view body);

// The error of a response that is not 2xx, of any of the shapes that servers
// use. `code` is the API's code or type, or "http_STATUS"; and whether another
// try may help.
struct ApiError {
  Error error;
  std::string param; // the request field at fault, if told
  bool retryable = false;
  bool is_key = false;   // the key was refused
  bool is_quota = false; // no money
};
ApiError parse_api_error(int status, std::string_view body);

// Decodes the characters of a JSON string, byte by byte, wherever the text is
// cut: escapes and surrogate pairs are held until they are whole.
class JsonStringDecoder {
public:
  // Takes a byte behind the opening quote; whole characters go to `out`. True
  // at the closing quote. Control characters come out as spaces; what is no
  // character comes out as U+FFFD.
  bool feed(char c, std::string &out);
  // A byte that is not subject to escapes.
  void raw(char c, std::string &out);

private:
  void code_unit(unsigned unit, std::string &out);
  void drop_partial(std::string &out);

  bool escaped_ = false;
  int hex_left_ = 0;
  unsigned hex_ = 0, high_surrogate_ = 0;
  std::string utf8_; // an incomplete sequence
};

// Finds the top-level string member `message` in a JSON object that is still
// being written, and gives its decoded characters as early as possible,
// whatever the order of the members and wherever the text is cut. What is
// written before the object - words, a code fence, a <think> block - is
// skipped. Only whole UTF-8 characters come out; line ends come out as spaces.
class MessageExtractor {
public:
  // Newly known characters of the message.
  std::string feed(std::string_view delta);
  // Its closing quote was seen.
  bool message_complete() const { return complete_; }
  // It began, and no object has so far.
  bool is_plain_text() const {
    return state_ == State::kPlain || state_ == State::kOther;
  }
  // What there is before an object, decoded: to be spoken, if none follows.
  // Empty for what begins as a JSON array or as markup does, but for such as a
  // voice takes: "[warmly]", "<prosody ...>".
  const std::string &plain_text() const { return plain_; }
  const std::string &text() const { return all_; } // all that was fed
  // The object so far, without a fence or thoughts around it; empty for plain
  // text. What to parse once the answer is finished.
  std::string_view object_text() const;

private:
  enum class State {
    kStart,       // white space before the answer
    kPrefix,      // what may become a fence or <think>
    kFence,       // behind ```: the rest of its line
    kThink,       // within <think>
    kPlain,       // words; an object may follow
    kOther,       // an array, or markup
    kExpectKey,   // within the object, before a key
    kKey,         // within a key
    kAfterKey,    // before the colon
    kBeforeValue, // behind the colon
    kTarget,      // within the string that is `message`
    kString,      // within another string
    kNested,      // within an object or array
    kAfterValue,  // within a number or word, or behind a value
    kDone,        // behind the object
  };
  void step(char c, std::string &out);
  void start(char c);
  void prefix(char c);
  void plain(char c);
  void before_value(char c);
  void nested(char c);

  std::string all_, prefix_, plain_, key_;
  JsonStringDecoder string_;
  State state_ = State::kStart;
  std::size_t at_ = 0; // of the byte under work within all_
  std::size_t object_start_ = 0, object_end_ = std::string::npos;
  int depth_ = 0;
  bool in_nested_string_ = false, escaped_ = false;
  bool seen_target_ = false, complete_ = false;
};

} // namespace patchcord::openai
