// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include "agent/llm_mind.hpp"
#include "base/json.hpp"

#include <glib.h>

#include <cstring>

// Tools that a model calls: what they are, what is asked of their servers, and
// what becomes of a conversation meanwhile.
using namespace patchcord;
using namespace patchcord::agent;

namespace {

constexpr char kTools[] = R"(
[[tools]]
name = "trains"
description = "The trains of a day."
url = "https://rail.example.com/v1/{city}/trains?day={day}"
timeout_s = 2.5
max_bytes = 1000
[tools.headers]
Accept = "application/json"
Authorization = { prefix = "Bearer", env = "RAIL_TOKEN" }
[[tools.arguments]]
name = "city"
description = "To where."
choices = ["Rome", "Oslo"]
[[tools.arguments]]
name = "day"
[[tools.arguments]]
name = "seats"
type = "integer"
required = false
[[tools]]
name = "book"
description = "Books a seat."
method = "POST"
url = "https://rail.example.com/bookings/{train}"
[[tools.arguments]]
name = "train"
[[tools.arguments]]
name = "price"
type = "number"
[[tools.arguments]]
name = "window"
type = "boolean"
required = false
)";

const Tool &tool(const char *name) {
  static const auto definition = trip_definition(kTools);
  return *definition->tool(name);
}

// --- what they are -----------------------------------------------------------

void test_definition() {
  const Tool &trains = tool("trains");
  equal(trains.method, "GET");
  g_assert_true(trains.timeout == 2500ms);
  g_assert_cmpuint(trains.max_bytes, ==, 1000);
  g_assert_cmpuint(trains.headers.size(), ==, 2);
  for (const ToolHeader &header : trains.headers)
    if (header.has_secret()) {
      equal(header.text, "Bearer ");
      equal(header.env, "RAIL_TOKEN");
    } else {
      equal(header.name + ": " + header.text, "Accept: application/json");
    }
  // Strict: every argument is required, and null when it is not.
  equal(chat_tool(trains).parameters,
        R"({"type":"object","properties":{"city":{"type":"string",)"
        R"("description":"To where.","enum":["Rome","Oslo"]},)"
        R"("day":{"type":"string"},"seats":{"type":["integer","null"]}},)"
        R"("required":["city","day","seats"],"additionalProperties":false})");
}

void test_mistakes() {
  // A tool with one thing wrong, and what the message has to say.
  constexpr char kHead[] = "name = \"n\"\ngreeting = \"g\"\n"
                           "instructions = \"i\"\n[[tools]]\n";
  constexpr char kNamed[] = "name = \"t\"\ndescription = \"d\"\n";
  const struct {
    std::string text;
    std::vector<const char *> words;
  } rows[] = {
      {"name = \"t\"\nurl = \"https://h/\"\n", {"t.toml:4", "description"}},
      {"name = \"Find it\"\ndescription = \"d\"\nurl = \"https://h/\"\n",
       {"t.toml:5", "tools[0].name", "lower-case"}},
      {kNamed + std::string("url = \"ftp://h/\"\n"), {"t.toml:7", "https://"}},
      {kNamed + std::string("url = \"file:///etc/passwd\"\n"), {"https://"}},
      {kNamed + std::string("url = \"https://{host}/\"\n"),
       {"tools[0].url", "host is written out"}},
      {kNamed + std::string("url = \"https://a:b@h/\"\n"), {"password"}},
      {kNamed + std::string("url = \"https:///x\"\n"), {"host"}},
      {kNamed + std::string("url = \"https://h/#a\"\n"), {"fragments"}},
      {kNamed + std::string("url = \"https://h/a b\"\n"), {"spaces"}},
      {kNamed + std::string("url = \"https://h/../x\"\n"), {"dotted"}},
      {kNamed + std::string("url = \"https://h/{city}\"\n"),
       {"each {name} is an argument"}},
      {kNamed + std::string("url = \"https://h/{city\"\n"),
       {"each { has its }"}},
      {kNamed + std::string("url = \"https://h/{city}\"\n"
                            "[[tools.arguments]]\nname = \"city\"\n"
                            "required = false\n"),
       {"only required"}},
      {kNamed + std::string("url = \"https://h/\"\nmethod = \"TRACE\"\n"),
       {"tools[0].method", "GET, POST", "TRACE"}},
      {kNamed + std::string("url = \"https://h/\"\ntimeout_s = 0\n"),
       {"timeout_s", "0.1 to 60"}},
      {kNamed + std::string("url = \"https://h/\"\nmax_bytes = 0\n"),
       {"max_bytes"}},
      {kNamed + std::string("url = \"https://h/\"\n[tools.headers]\n"
                            "Authorization = \"Bearer abc\"\n"),
       {"t.toml:9", "headers.Authorization", "by reference"}},
      {kNamed + std::string("url = \"https://h/\"\n[tools.headers]\n"
                            "X-Api-Key = \"abc\"\n"),
       {"X-Api-Key", "by reference"}},
      {kNamed + std::string("url = \"https://h/\"\n[tools.headers]\n"
                            "X-Password = \"abc\"\n"),
       {"X-Password", "by reference"}},
      {kNamed + std::string("url = \"https://h/\"\n[tools.headers]\n"
                            "X-Sesame = \"bearer abc\"\n"),
       {"X-Sesame", "by reference"}},
      {kNamed + std::string("url = \"http://h/\"\n[tools.headers]\n"
                            "X-Key = { env = \"A\" }\n"),
       {"tools[0].url", "https://", "secret"}},
      {kNamed + std::string("url = \"http://127.0.0.1.h/\"\n[tools.headers]\n"
                            "X-Key = { file = \"/a\" }\n"),
       {"tools[0].url", "https://"}},
      {kNamed + std::string("url = \"https://h/\"\n[tools.headers]\n"
                            "Host = \"elsewhere\"\n"),
       {"Host", "may set"}},
      {kNamed + std::string("url = \"https://h/\"\n[tools.headers]\n"
                            "X-Key = { env = \"A\", file = \"/b\" }\n"),
       {"X-Key.env", "or else file"}},
      {kNamed + std::string("url = \"https://h/\"\n[[tools.arguments]]\n"
                            "name = \"a\"\ntype = \"date\"\n"),
       {"arguments[0].type", "string, integer"}},
      {kNamed + std::string("url = \"https://h/\"\n[[tools.arguments]]\n"
                            "name = \"a\"\n[[tools.arguments]]\n"
                            "name = \"a\"\n"),
       {"arguments[1].name", "no other argument"}},
      {kNamed + std::string("url = \"https://h/\"\n[[tools]]\n") + kNamed +
           "url = \"https://h/\"\n",
       {"tools[1].name", "no other tool"}},
      {kNamed + std::string("url = \"https://h/\"\nretries = 2\n"),
       {"tools[0].retries", "unknown key"}},
  };
  for (const auto &row : rows) {
    const auto definition = parse_definition(kHead + row.text, "t.toml");
    if (definition.ok())
      g_error("was taken: %s", row.text.c_str());
    for (const char *word : row.words)
      if (definition.error().message.find(word) == std::string::npos)
        g_error("%s: \"%s\" is not in: %s", row.text.c_str(), word,
                definition.error().message.c_str());
  }
  // On the way to this machine itself nobody reads.
  for (const char *host : {"127.0.0.1:8080", "localhost", "[::1]:80"})
    if (const auto taken = parse_definition(
            kHead + (kNamed + std::string("url = \"http://") + host +
                     "/x\"\n[tools.headers]\nX-Key = { env = \"A\" }\n"),
            "t.toml");
        !taken)
      g_error("%s: %s", host, taken.error().message.c_str());
}

// --- what is asked -----------------------------------------------------------

std::string requested(const char *name, const std::string &arguments) {
  const auto request = tool_request(tool(name), arguments);
  if (!request)
    return "refused: " + request.error().message;
  return request->method + " " + request->url +
         (request->body.empty() ? "" : " " + request->body);
}

void test_requests() {
  const struct {
    const char *tool, *arguments, *request;
  } rows[] = {
      {"trains", R"({"city":"Rome","day":"2026-05-03","seats":null})",
       "GET https://rail.example.com/v1/Rome/trains?day=2026-05-03"},
      {"trains", R"({"city":"Rome","day":"3/5 & more","seats":2})",
       "GET https://rail.example.com/v1/Rome/trains?day=3%2F5%20%26%20more"
       "&seats=2"},
      {"trains", R"({"city":"Oslo","day":"n\u00e6st"})",
       "GET https://rail.example.com/v1/Oslo/trains?day=n%C3%A6st"},
      {"book", R"({"train":"IC 7","price":12.5,"window":true})",
       "POST https://rail.example.com/bookings/IC%207 "
       R"({"price":12.5,"window":true})"},
      {"book", R"({"price":12,"train":"IC7","window":null})",
       R"(POST https://rail.example.com/bookings/IC7 {"price":12})"},
      // Not what the tool takes.
      {"trains", R"({"city":"Paris","day":"x"})",
       "refused: city must be one of Rome, Oslo"},
      {"trains", R"({"city":"Rome"})", "refused: day is missing"},
      {"trains", R"({"city":"Rome","day":3})",
       "refused: day must be a value of type string"},
      {"trains", R"({"city":"Rome","day":"x","seats":"2"})",
       "refused: seats must be a value of type integer"},
      {"trains", R"({"city":"Rome","day":"x","host":"evil.example"})",
       R"(refused: there is no argument "host")"},
      {"trains", "", "refused: day is missing"},
      {"trains", "[]", "refused: the arguments are not a JSON object"},
      {"trains", R"({"city":"Rome")", "refused: the arguments are not JSON"},
      {"book", R"({"train":"a","price":"cheap"})",
       "refused: price must be a value of type number"},
  };
  for (const auto &row : rows)
    equal(requested(row.tool, row.arguments), row.request);
}

// Nothing that a caller can make a model write leads to another host, or to
// another resource than the template names.
void test_arguments_stay_in_their_place() {
  for (const char *train :
       {"", "..", ".", "../admin", "a/../../admin", "..\\\\admin", "/"})
    g_assert_true(requested("book", R"({"price":1,"train":")" +
                                        std::string(train) + "\"}")
                      .starts_with("refused: train must not be empty"));
  for (const char *train : {"x@evil.example", "?a=b", "#f", "%2e%2e", "a;b",
                            "\\r\\nHost: evil", "evil.example:80", "{city}"}) {
    const std::string request = requested(
        "book", R"({"price":1,"train":")" + std::string(train) + "\"}");
    constexpr char kPrefix[] = "POST https://rail.example.com/bookings/";
    g_assert_true(request.starts_with(kPrefix));
    const std::string rest = request.substr(sizeof kPrefix - 1);
    const std::string segment = rest.substr(0, rest.find(' '));
    if (segment.find_first_of("/?#@:;{}\r\n\\") != std::string::npos)
      g_error("%s", request.c_str());
  }
}

void test_outcomes() {
  const struct {
    Result<ToolAnswer> answer;
    const char *status, *content;
  } rows[] = {
      {ToolAnswer{200, R"({ "trains": [7] })"}, "ok", R"({"trains":[7]})"},
      {ToolAnswer{201, "[1]"}, "ok", "[1]"},
      {ToolAnswer{204, ""}, "ok", R"({"ok":true})"},
      {ToolAnswer{200, "<html>"}, "not_json",
       R"({"error":"the answer is not JSON"})"},
      {ToolAnswer{404, "nothing"}, "http_404",
       R"({"error":"HTTP status 404"})"},
      {ToolAnswer{409, R"({"reason":"full"})"}, "http_409",
       R"({"error":"HTTP status 409","answer":{"reason":"full"}})"},
      // Where it leads is not gone to.
      {ToolAnswer{302, ""}, "http_302", R"({"error":"HTTP status 302"})"},
      {make_error("timeout", "not complete within 5 s"), "timeout",
       R"({"error":"not complete within 5 s"})"},
      {make_error("too_large", "the response is larger"), "too_large",
       R"({"error":"the response is larger"})"},
      {make_error("connect", "no route"), "unreachable",
       R"({"error":"no route"})"},
      {make_error("tls", "no certificate"), "unreachable",
       R"({"error":"no certificate"})"},
  };
  for (const auto &row : rows) {
    const ToolOutcome outcome = tool_outcome(row.answer);
    equal(outcome.status, row.status);
    equal(outcome.content, row.content);
  }
}

// --- the conversation --------------------------------------------------------

const char *const kTrains = R"(calls:trains({"city":"Rome","day":"today"}))";
const char *const kRunsTrains =
    "run 1 GET https://rail.example.com/v1/Rome/trains?day=today";

// The messages of a request, without the system's, as "role: content; ".
std::string messages_of(const std::string &body) {
  const auto document = JsonDocument::parse(body);
  g_assert_true(document.ok());
  const JsonView messages = document->root()["messages"];
  std::string out;
  for (std::size_t i = 1; i < messages.size(); ++i) {
    const JsonView message = messages.at(i);
    out += *message["role"].string() + ": " +
           message["content"].string().value_or("-");
    for (std::size_t k = 0; k < message["tool_calls"].size(); ++k)
      out += " " + *message["tool_calls"].at(k)["function"]["name"].string();
    out += "; ";
  }
  return out;
}

void test_a_tool_is_run() {
  auto script = ConversationScript::asked({}, kTools);
  script->run({{3400, kTrains, kRunsTrains},
               {3900, R"(tool:1:200:{"trains":[7]})",
                "tool 1 trains ok 500; request 2"},
               {4200, R"(model:{"message":"There is one at seven.",)",
                "start 2; There is one at seven."},
               {4300, R"(model:"action":"ask","extracted":{}})", ""},
               {4300, "model-done", "end 2"},
               // A late word of it is nobody's.
               {4400, "tool:1:200:{}", ""}});
}

void test_results_go_into_requests() {
  auto script = ConversationScript::asked("request", kTools);
  std::string body;
  script->run({{3400, kTrains, kRunsTrains}});
  body = script->request_body(3900, R"(tool:1:200:{"trains":[7]})");
  equal(messages_of(body), "assistant: Hello. Which city?; user: Rome; "
                           "assistant: - trains; tool: {\"trains\":[7]}; ");
  script->show("");
  script->run({{4200, R"(model:{"message":"At seven?","action":"ask"})",
                "start 2; At seven?"},
               {4300, "model-done", "end 2"},
               {4400, "started:2", ""},
               {5000, "ended:2", ""},
               {6000, "speech", ""},
               {6500, "quiet", ""}});
  // In the next turn it knows what it found out.
  body = script->request_body(7000, "words:Yes");
  equal(messages_of(body),
        "assistant: Hello. Which city?; user: Rome; assistant: - trains; "
        "tool: {\"trains\":[7]}; assistant: At seven?; user: Yes; ");
}

void test_failures_are_told() {
  auto script = ConversationScript::asked({}, kTools);
  script->run({{3400,
                R"(calls:trains({"city":"Rome","day":"today"}); )"
                R"(fly({}); trains({"city":"Paris","day":"x"}); )"
                R"(book({"train":"7","price":3}))",
                std::string("run 1 GET https://rail.example.com/v1/Rome/"
                            "trains?day=today; tool 1 unknown refused 0; "
                            "tool 1 trains refused 0; run 4 POST "
                            "https://rail.example.com/bookings/7 "
                            "{\"price\":3}")},
               {3500, "tool-failed:1:timeout", "tool 1 trains timeout 100"}});
  const std::string body = script->request_body(3600, "tool:4:500:");
  equal(messages_of(body),
        "assistant: Hello. Which city?; user: Rome; "
        "assistant: - trains fly trains book; "
        R"(tool: {"error":"it failed"}; )"
        R"(tool: {"error":"there is no such tool"}; )"
        R"(tool: {"error":"city must be one of Rome, Oslo"}; )"
        R"(tool: {"error":"HTTP status 500"}; )");
}

void test_nothing_to_run() {
  // All of them refused: the model hears so at once.
  auto script = ConversationScript::asked({}, kTools);
  script->run({{3400, "calls:fly({})", "tool 1 unknown refused 0; request 2"}});
}

void check_words_before_a_call(const char *words) {
  auto script = ConversationScript::asked("decided", kTools);
  script->run(
      {{3300, std::string("model:") + words, ""},
       {3400, kTrains,
        R"(start 2; Let me look; decided 1/2 say "Rome" -> "Let me look" {} )"
        "{}; " +
            std::string(kRunsTrains)}});
  const std::string body = script->request_body(3900, "tool:1:200:{}");
  equal(messages_of(body), "assistant: Hello. Which city?; user: Rome; "
                           "assistant: Let me look trains; tool: {}; ");
  script->run(
      {{4200, R"(model:{"message":"At seven.","action":"ask"})", "At seven."},
       {4300, "model-done",
        "end 2; decided 1/2 ask \"Rome\" -> \"At seven.\" {} {}"}});
}

void test_words_before_a_call() {
  check_words_before_a_call(R"({"message":"Let me look)");
  check_words_before_a_call("Let me look");
}

void test_the_caller_gives_it_up() {
  // He goes on before he has heard anything.
  auto script = ConversationScript::asked({}, kTools);
  script->run({{3400, kTrains, kRunsTrains},
               {3500, "speech", ""},
               {3900, "quiet", ""}});
  const std::string body = script->request_body(4200, "words:for two");
  equal(messages_of(body),
        "assistant: Hello. Which city?; user: Rome for two; "
        "assistant: - trains; tool: {\"error\":\"given up, for the caller "
        "spoke; it may have been done all the same\"}; ");
  equal(script->actions(),
        "tool 1 trains cancelled 800; cancel tools; request 2");
  script->run({{4300, "tool:1:200:{}", ""}});
}

// "One moment." "Thank you."
void test_thanks_do_not_give_it_up() {
  auto script = ConversationScript::asked({}, kTools);
  script->run({{3400, kTrains, kRunsTrains},
               {3500, "speech", ""},
               {3700, "partial:thank", ""},
               {3900, "quiet", ""},
               {4200, "words@3900:Thank you.", ""},
               {4500, "tool:1:200:{}", "tool 1 trains ok 1100; request 2"}});
}

// Said while it ran, and known when the answer sounds.
void test_thanks_that_are_known_late() {
  auto script = ConversationScript::asked({}, kTools);
  script->run({{3400, kTrains, kRunsTrains},
               {3500, "speech", ""},
               {3700, "partial:thank you", ""},
               {3900, "quiet", ""},
               {3950, "tool:1:200:{}", "tool 1 trains ok 550; request 2"},
               {4000, R"(model:{"message":"At seven. )", "start 2; At seven."},
               {4100, "started:2", ""},
               {4400, "words@3900:Thank you.", ""},
               // Now it would be a word for the answer.
               {4500, "speech", "hold"},
               {4800, "partial:thank you", "cancel; flush"}});
}

// Who was asked meanwhile answers.
void test_a_question_before_a_tool() {
  auto script = ConversationScript::asked({}, kTools);
  script->run(
      {{3300, R"(model:{"message":"A seat as well? )",
        "start 2; A seat as well?"},
       {3400, kTrains, kRunsTrains},
       {3500, "started:2", ""},
       {4500, "progress:2:A seat as well?", ""},
       {4600, "speech", "hold"},
       {4900, "quiet", ""},
       {5200, "words@4900:yeah",
        "tool 1 trains cancelled 1800; cancel tools; flush; request 2"}});
}

void test_an_interruption_gives_it_up() {
  auto script = ConversationScript::asked({}, kTools);
  script->run(
      {{3300, R"(model:{"message":"Let me look. )", "start 2; Let me look."},
       {3400, kTrains, kRunsTrains},
       {3500, "started:2", ""},
       {3700, "speech", "hold"},
       {3900, "partial:no wait",
        "tool 1 trains cancelled 500; cancel tools; flush"}});
}

void test_hanging_up_gives_it_up() {
  auto script = ConversationScript::asked({}, kTools);
  script->run({{3400, kTrains, kRunsTrains},
               {3600, "gone",
                "tool 1 trains cancelled 200; cancel tools; "
                "ended caller_hung_up {}; EOS"}});
}

void test_nobody_is_asked_whether_he_is_there_meanwhile() {
  auto script = ConversationScript::asked({}, kTools);
  script->run({{3400, kTrains, kRunsTrains},
               {60000, "wait", ""},
               {60100, "tool:1:200:{}", "tool 1 trains ok 56700; request 2"}});
}

void test_rounds_have_a_limit() {
  auto script = ConversationScript::model({}, kTools);
  script->run({{0, "start", "start 1; Hello.; Which city?; end 1"},
               {100, "started:1", ""},
               {1000, "ended:1", ""}});
  std::string body = script->request_body(2000, "words:Rome");
  int now = 2000;
  // The definition's limit is four; behind it the model has to answer.
  for (int round = 1; round <= 4; ++round) {
    g_assert_true(body.find("tool_choice") == std::string::npos);
    body = script->request_body(now += 100, "calls:fly({})");
  }
  g_assert_true(body.find(R"("tool_choice":"none")") != std::string::npos);
  // One that calls on all the same gives no answer.
  script->run({{now + 100, "calls:fly({})", "trouble bad_answer; request 6"}});
}

void test_log_forgets() {
  ToolLog log;
  for (std::size_t turn = 1; turn <= 3; ++turn) {
    log.call(turn, {{"id", "x", "no JSON"}});
    log.result(0, std::string(40'000, 'x'));
    log.result(1, "of no call");
  }
  std::vector<openai::ChatMessage> first, last;
  log.append_to(first, 1);
  log.append_to(last, 3);
  g_assert_cmpuint(first.size(), ==, 0);
  g_assert_cmpuint(last.size(), ==, 2);
  equal(last[0].tool_calls[0].arguments, "{}");
  g_assert_cmpuint(last[1].content.size(), ==, 40'000);
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"definition", test_definition},
      {"definition-mistakes", test_mistakes},
      {"arguments-become-a-request", test_requests},
      {"arguments-stay-in-their-place", test_arguments_stay_in_their_place},
      {"answers-are-judged", test_outcomes},
      {"is-run-and-its-result-goes-back", test_a_tool_is_run},
      {"results-go-into-this-and-later-requests",
       test_results_go_into_requests},
      {"failures-are-told-to-the-model", test_failures_are_told},
      {"nothing-to-run", test_nothing_to_run},
      {"words-before-a-call-are-said", test_words_before_a_call},
      {"is-given-up-when-the-caller-goes-on", test_the_caller_gives_it_up},
      {"is-not-given-up-for-thanks", test_thanks_do_not_give_it_up},
      {"thanks-may-be-known-late", test_thanks_that_are_known_late},
      {"a-question-before-it-is-answered", test_a_question_before_a_tool},
      {"is-given-up-by-an-interruption", test_an_interruption_gives_it_up},
      {"is-given-up-when-the-caller-hangs-up", test_hanging_up_gives_it_up},
      {"takes-its-time-without-a-silence-prompt",
       test_nobody_is_asked_whether_he_is_there_meanwhile},
      {"rounds-have-a-limit", test_rounds_have_a_limit},
      {"log-forgets-the-oldest", test_log_forgets},
  };
  for (const auto &test : tests)
    g_test_add_func(("/tools/" + std::string(test.name)).c_str(), test.test);
  return g_test_run();
}
