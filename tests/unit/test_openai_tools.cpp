// SPDX-License-Identifier: LGPL-2.1-or-later
#include "openai/chat.hpp"

#include "base/text.hpp"

#include <glib.h>

using namespace patchcord;
using namespace patchcord::openai;

namespace {

void equal(const std::string &is, const std::string &expected) {
  if (is != expected)
    g_error("expected\n  %s\ngot\n  %s", expected.c_str(), is.c_str());
}

// "id name(arguments)" of each call.
std::string shown(const std::vector<ToolCall> &calls) {
  std::vector<std::string> out;
  out.reserve(calls.size());
  for (const ToolCall &call : calls)
    out.push_back(call.id + " " + call.name + "(" + call.arguments + ")");
  return join(out, "; ");
}

// `deltas`: the arrays of the chunks in their order.
std::string assembled(const std::vector<std::string> &deltas) {
  ToolCallAssembler assembler;
  for (const std::string &array : deltas) {
    const auto event = parse_chat_event(
        R"({"choices":[{"delta":{"tool_calls":)" + array + "}}]}");
    g_assert_true(event.ok());
    for (const ToolCallDelta &piece : event->tool_calls)
      g_assert_true(assembler.feed(piece));
  }
  return shown(assembler.calls());
}

void test_assembly() {
  const struct {
    const char *name;
    std::vector<std::string> deltas;
    const char *calls;
  } rows[] = {
      {"in pieces",
       {R"([{"index":0,"id":"a","type":"function",)"
        R"("function":{"name":"book","arguments":""}}])",
        R"([{"index":0,"function":{"arguments":"{\"people\":"}}])",
        R"([{"index":0,"function":{"arguments":"4}"}}])"},
       R"(a book({"people":4}))"},
      {"two, their pieces mixed",
       {R"([{"index":0,"id":"a","function":{"name":"x","arguments":""}}])",
        R"([{"index":1,"id":"b","function":{"name":"y","arguments":""}}])",
        R"([{"index":0,"function":{"arguments":"{}"}},)"
        R"({"index":1,"function":{"arguments":"{\"n\":1}"}}])"},
       R"(a x({}); b y({"n":1}))"},
      {"all of index 0",
       {R"([{"index":0,"id":"a","function":{"name":"x","arguments":"{}"}}])",
        R"([{"index":0,"id":"b","function":{"name":"x","arguments":"{"}}])",
        R"([{"index":0,"function":{"arguments":"}"}}])"},
       R"(a x({}); b x({}))"},
      {"the id in each piece",
       {R"([{"index":0,"id":"a","function":{"name":"x","arguments":"{"}}])",
        R"([{"index":0,"id":"a","function":{"name":"x","arguments":"}"}}])"},
       R"(a x({}))"},
      {"no index",
       {R"([{"id":"a","function":{"name":"x","arguments":"{"}}])",
        R"([{"function":{"arguments":"}"}}])",
        R"([{"id":"b","function":{"name":"y","arguments":"{}"}}])"},
       R"(a x({}); b y({}))"},
      {"no ids: each gets one",
       {R"([{"index":0,"function":{"name":"x","arguments":"{}"}},)"
        R"({"index":1,"function":{"name":"y","arguments":"{}"}}])"},
       R"(call_1 x({}); call_2 y({}))"},
      {"whole calls of index 0 without ids",
       {R"([{"index":0,"function":{"name":"x","arguments":"{}"}}])",
        R"([{"index":0,"function":{"name":"x","arguments":"{}"}}])"},
       R"(call_1 x({}); call_2 x({}))"},
      {"arguments as an object",
       {R"([{"index":0,"id":"a","function":{"name":"x",)"
        R"("arguments":{"n":1}}}])"},
       R"(a x({"n":1}))"},
      {"no name: no call", {R"([{"index":0,"id":"a"}])"}, ""},
      {"null", {"null"}, ""},
      {"not an array", {R"("book")"}, ""},
      {"odd elements",
       {R"([1,null,{"index":"0","id":7,"function":"x"},)"
        R"({"index":2,"id":"c","function":{"name":"z"}}])"},
       "c z()"},
  };
  for (const auto &row : rows) {
    g_test_message("%s", row.name);
    equal(assembled(row.deltas), row.calls);
  }
}

void test_limits() {
  ToolCallAssembler many;
  for (std::size_t i = 0; i < ToolCallAssembler::kMostCalls; ++i)
    g_assert_true(many.feed({{}, "id" + std::to_string(i), "x", ""}));
  g_assert_false(many.feed({{}, "one more", "x", ""}));
  g_assert_cmpuint(many.calls().size(), ==, ToolCallAssembler::kMostCalls);
  ToolCallAssembler large;
  g_assert_true(large.feed({0, "a", "x", std::string(60000, ' ')}));
  g_assert_false(large.feed({0, "", "", std::string(6000, ' ')}));
}

void test_whole_message() {
  const auto answer = parse_chat_completion(
      R"({"choices":[{"message":{"role":"assistant","content":null,)"
      R"("tool_calls":[{"id":"a","type":"function","function":)"
      R"({"name":"x","arguments":"{}"}}]},"finish_reason":"tool_calls"}]})");
  g_assert_true(answer.ok());
  g_assert_cmpuint(answer->tool_calls.size(), ==, 1);
  equal(answer->tool_calls[0].id, "a");
}

void test_request() {
  ChatRequest request;
  request.model = "m";
  request.send_stream_options = request.send_reasoning_effort = false;
  request.tools = {{"book", "Books.", R"({"type":"object"})"}};
  request.messages = {{"user", "four", {}, {}},
                      {"assistant", "", {{"a", "book", R"({"n":4})"}}, {}},
                      {"tool", R"({"ok":true})", {}, "a"}};
  const std::string messages =
      R"({"model":"m","stream":true,"max_completion_tokens":600,"messages":)"
      R"([{"role":"user","content":"four"},)"
      R"({"role":"assistant","content":null,"tool_calls":[{"id":"a",)"
      R"("type":"function","function":{"name":"book",)"
      R"("arguments":"{\"n\":4}"}}]},)"
      R"({"role":"tool","content":"{\"ok\":true}","tool_call_id":"a"}])";
  const std::string tools =
      R"(,"tools":[{"type":"function","function":{"name":"book",)"
      R"("description":"Books.","parameters":{"type":"object"},)"
      R"("strict":true}}])";
  equal(chat_request_body(request), messages + tools + "}");
  request.may_call_tools = false;
  equal(chat_request_body(request),
        messages + tools + R"(,"tool_choice":"none"})");
  request.tools.clear(); // then the choice is refused
  equal(chat_request_body(request), messages + "}");
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/tool-calls/are-assembled-of-what-servers-send",
                  test_assembly);
  g_test_add_func("/tool-calls/have-limits", test_limits);
  g_test_add_func("/tool-calls/of-a-server-that-does-not-stream",
                  test_whole_message);
  g_test_add_func("/tool-calls/go-back-with-their-results", test_request);
  return g_test_run();
}
