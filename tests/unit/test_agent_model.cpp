// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include "agent/llm_mind.hpp"
#include "base/json.hpp"

#include <glib.h>

using namespace patchcord;
using namespace patchcord::agent;

namespace {

const char *const kRome =
    R"(model:{"message":"Rome it is. And which day?","action":"ask",)"
    R"("extracted":{"city":"Rome","day":null}})";

// --- what is asked -----------------------------------------------------------

void test_schema() {
  // Strict: every key required and closed; in the order of the writing.
  equal(answer_schema(*trip_definition()),
        R"({"type":"object","properties":{"message":{"type":"string"},)"
        R"("action":{"type":"string","enum":["ask","say","end_call"]},)"
        R"("extracted":{"type":"object","properties":{"city":{"anyOf":)"
        R"([{"type":"string","enum":["Rome","Oslo"]},{"type":"null"}]},)"
        R"("day":{"type":["string","null"]}},"required":["city","day"],)"
        R"("additionalProperties":false}},"required":["message","action",)"
        R"("extracted"],"additionalProperties":false})");
}

void test_prompt() {
  const auto definition = trip_definition();
  const std::string prompt = system_prompt(
      *definition, {{"city", std::string("Rome")}}, {"day"}, kWednesday);
  // What is the same in all calls stands in front.
  g_assert_true(prompt.starts_with("Find out about the trip."));
  for (const char *part :
       {"* city (one of Rome, Oslo, required)",
        "* day (a date as YYYY-MM-DD, required)", "say \"Done. Bye.\"",
        "Today is Wednesday, 2026-04-29.", "Known so far: {\"city\":\"Rome\"}",
        "What was told for day is not accepted."})
    if (prompt.find(part) == std::string::npos)
      g_error("no %s in\n%s", part, prompt.c_str());
  g_assert_true(prompt.find("Today is") > prompt.find("* day"));
}

std::unique_ptr<LlmMind> make_mind() {
  openai::ChatRequest request;
  request.model = "m";
  return std::make_unique<LlmMind>(trip_definition(), kWednesday, request);
}

void test_messages() {
  const auto mind = make_mind();
  const Thought thought = mind->answer("Rome", {{Said::Who::kAgent, "Hello."},
                                                {Said::Who::kCaller, "Well"},
                                                {Said::Who::kCaller, "Rome"}});
  const auto body = JsonDocument::parse(std::get<ModelRequest>(thought).body);
  g_assert_true(body.ok());
  const JsonView messages = body->root()["messages"];
  std::string said;
  for (std::size_t i = 1; i < messages.size(); ++i)
    said += *messages.at(i)["role"].string() + ": " +
            *messages.at(i)["content"].string() + "; ";
  // Never two of a role in a row.
  equal(said, "assistant: Hello.; user: Well Rome; ");
  equal(*messages.at(0)["role"].string(), "system");
  equal(*body->root()["model"].string(), "m");
  equal(*body->root()["response_format"]["json_schema"]["name"].string(),
        "phone_turn");
  g_assert_true(
      *body->root()["response_format"]["json_schema"]["strict"].boolean());
}

// --- what is answered --------------------------------------------------------

// What of the answer's fields is taken; of its faults the model is told the
// first.
void check_fields(const std::shared_ptr<const Definition> &definition,
                  const char *extracted, const std::string &taken,
                  const std::string &fault) {
  openai::ChatRequest request;
  request.model = "m";
  LlmMind mind(definition, kWednesday, request);
  (void)mind.answer("x", {{Said::Who::kCaller, "x"}});
  mind.model_begin();
  (void)mind.model_text(R"({"message":"m","action":"ask","extracted":)" +
                        std::string(extracted) + "}");
  const Thought thought = mind.model_done("stop", "", "m");
  equal(to_json(*definition, mind.values()), taken);
  if (fault.empty())
    g_assert_true(std::holds_alternative<Reply>(thought));
  else
    equal(std::get<ModelRequest>(thought).fault, fault);
}

void test_fields() {
  const struct {
    const char *extracted, *taken, *fault;
  } rows[] = {
      {R"({"city":"Rome","day":"2026-05-03"})",
       R"({"city":"Rome","day":"2026-05-03"})", ""},
      {R"({"city":null,"day":null})", "{}", ""},
      {R"({"city":"","day":" "})", "{}", ""},
      {R"({"city":"rome"})", R"({"city":"Rome"})", ""},
      {R"({"city":"Berlin","day":"tomorrow"})", R"({"day":"2026-04-30"})",
       "extracted.city: expected one of Rome, Oslo, or null, got \"Berlin\""},
      {R"({"city":"Rome","day":"soon"})", R"({"city":"Rome"})",
       "extracted.day: expected a date as YYYY-MM-DD, or null, got \"soon\""},
      {R"({"city":5,"day":true})", "{}",
       "extracted.city: expected one of Rome, Oslo, or null, got 5"},
      {R"({"day":"May third"})", R"({"day":"2026-05-03"})", ""},
      {R"({"day":"2026-02-30"})", "{}",
       "extracted.day: expected a date as YYYY-MM-DD, or null, got "
       "\"2026-02-30\""},
      {R"({"colour":"red","city":"Oslo"})", R"({"city":"Oslo"})",
       "extracted.colour: there is no such field, but city, day"},
      {R"([1,2])", "{}", "extracted: expected an object, got [1,2]"},
      {R"("Rome")", "{}", "extracted: expected an object, got \"Rome\""},
      {"null", "{}", ""},
  };
  for (const auto &row : rows)
    check_fields(trip_definition(), row.extracted, row.taken, row.fault);
}

void test_numbers() {
  auto definition = parse_definition(R"(
name = "n"
greeting = "g"
instructions = "i"
[[fields]]
name = "whole"
type = "integer"
question = "q"
min = 1
max = 9
[[fields]]
name = "part"
type = "number"
question = "q"
[[fields]]
name = "sure"
type = "boolean"
question = "q"
[[fields]]
name = "time"
type = "time"
question = "q"
[[fields]]
name = "phone"
type = "phone"
question = "q"
)",
                                     "n.toml");
  g_assert_true(definition.ok());
  const auto shared = std::make_shared<const Definition>(*definition);
  const struct {
    const char *extracted, *taken, *fault;
  } rows[] = {
      {R"({"whole":3,"part":2.5,"sure":false,"time":"14:30"})",
       R"({"whole":3,"part":2.5,"sure":false,"time":"14:30"})", ""},
      {R"({"whole":3.0,"part":2})", R"({"whole":3,"part":2})", ""},
      {R"({"whole":3.5})", "{}",
       "extracted.whole: expected a whole number from 1 up to 9, or null, got "
       "3.5"},
      // What the caller wants and cannot have is no mistake of the model's.
      {R"({"whole":10})", "{}", ""},
      {R"({"whole":"3"})", R"({"whole":3})", ""},
      {R"({"time":"2:30 PM","sure":"yes"})", R"({"sure":true,"time":"14:30"})",
       ""},
      {R"({"phone":"+1 415 555 0100"})", R"({"phone":"+14155550100"})", ""},
      {R"({"phone":"12"})", "{}",
       "extracted.phone: expected a telephone number, digits only, with a "
       "leading + if it was said, or null, got \"12\""},
      {R"({"sure":1,"part":"x"})", "{}",
       "extracted.sure: expected true or false, or null, got 1"},
  };
  for (const auto &row : rows)
    check_fields(shared, row.extracted, row.taken, row.fault);
}

// --- conversations -----------------------------------------------------------

void test_speaks_early() {
  auto script = ConversationScript::asked("decided latency");
  script->run({
      {3100, "model:{\"mess", ""},
      {3110, "model:age\":\"Rome it is", ""},
      {3120, "model:. And", "start 2; Rome it is."},
      {3130, "model: which", ""},
      {3140, "model: day?\",\"act", "And which day?"},
      {3300, "started:2", "latency 1: 2500 3000 3120 3260 3280"},
      {3400,
       "model:ion\":\"ask\",\"extracted\":{\"city\":\"Rome\","
       "\"day\":null}}",
       ""},
      {3500, "model-done",
       "end 2; decided 1/2 ask \"Rome\" -> \"Rome it is. And which day?\" "
       "{\"city\":\"Rome\"} {\"city\":\"Rome\"}"},
  });
}

void test_ends_when_whole() {
  auto script = ConversationScript::asked();
  script->run({
      {3100, R"(model:{"message":"Goodbye.","action":"end_call",)",
       "start 2; Goodbye."},
      // Not before all of it is there.
      {3200, R"(model:"extracted":{"city":"Rome","day":"2026-05-03"}})", ""},
      {3300, "model-done", "end 2"},
      {3400, "started:2",
       "ended goal {\"city\":\"Rome\",\"day\":\"2026-05-03\"} goal; EOS"},
      {3500, "speech", ""},
      {3600, "words:wait", ""},
  });
}

void test_ends_early() {
  auto script = ConversationScript::asked();
  script->run({
      {3100, R"(model:{"message":"","action":"end_call","extracted":{}})", ""},
      {3200, "model-done", "start 2; Goodbye.; end 2"},
      {3200, "started:2", "ended agent_ended {}; EOS"},
  });
}

void test_mumble() {
  // There is nothing to ask the model about.
  auto script = ConversationScript::model();
  script->run({{0, "start", "start 1; Hello.; Which city?; end 1"},
               {100, "started:1", ""},
               {1000, "ended:1", ""},
               {2000, "speech", ""},
               {2500, "quiet", ""},
               {3000, "mumble", "start 2; Pardon?; end 2"}});
}

void test_merged() {
  auto script = ConversationScript::asked("decided");
  script->run({
      {3100, "speech", ""},
      {3200, "quiet", ""},
      {3300, "words:tomorrow", "cancel; request 2"},
      {3400, R"(model:{"message":"Done.","action":"ask","extracted":{}})",
       "start 2; Done."},
      {3500, "model-done",
       "end 2; decided 1/2 ask \"Rome tomorrow\" -> \"Done.\" {} {}"},
  });
  equal(script->history(), "agent: Hello. Which city? | caller: Rome tomorrow");
}

void test_merged_after_words() {
  // Words of the answer are on their way, but were not heard.
  auto script = ConversationScript::asked();
  script->run({
      {3100, "model:{\"message\":\"Rome it is. ", "start 2; Rome it is."},
      {3200, "speech", "hold"},
      {3350, "quiet", ""},
      {3400, "words:no Oslo", "cancel; flush; request 2"},
  });
  equal(script->history(), "agent: Hello. Which city? | caller: Rome no Oslo");
}

void test_one_request() {
  auto script = ConversationScript::asked();
  script->run({
      {3100, kRome, "start 2; Rome it is.; And which day?"},
      {3200, "model-done", "end 2"},
      {3300, "started:2", ""},
      {4000, "speech", "hold"},
      {4010, "held:2:Rome it", ""},
      {4020, "partial:I said", "flush"},
      {4030, "cut:2:Rome it", "interrupted 1/2 \"Rome it\" 700"},
      {4500, "quiet", ""},
      {4600, "words:I said tomorrow", "request 2"},
      {4700, "wait", ""},
      {6000, "model:{\"message\":\"Fine. ", "start 3; Fine."},
  });
  equal(script->history(), "agent: Hello. Which city? | caller: Rome | agent: "
                           "Rome it | caller: I said tomorrow");
}

void test_cut_while_writing() {
  auto script = ConversationScript::asked("decided");
  script->run({
      {3100, "model:{\"message\":\"Rome it is. And", "start 2; Rome it is."},
      {3300, "started:2", ""},
      {3380, "speech", "hold"},
      {3390, "held:2:Rome", ""},
      {3400, "partial:Oslo",
       "decided 1/2 ask \"Rome\" -> \"Rome it is.\" {} {}; cancel; flush"},
      {3410, "cut:2:Rome", "interrupted 1/2 \"Rome\" 400"},
      {3450, "model: which day?\"", ""}, // too late
      {3500, "quiet", ""},
      {3700, "words:Oslo", "request 2"},
  });
  equal(script->history(), "agent: Hello. Which city? | caller: Rome | agent: "
                           "Rome | caller: Oslo");
}

void test_cough_while_writing() {
  auto script = ConversationScript::asked();
  script->run({
      {3100, "model:{\"message\":\"Rome it is. And", "start 2; Rome it is."},
      {3300, "started:2", ""},
      {3400, "speech", "hold"},
      {3410, "held:2:", ""},
      {3500, "quiet@3580", ""},
      {3600, "words:", "resume; heard 1/2 false-interruption \"\""},
      {3700, "model: which day?\",\"", "And which day?"},
  });
}

void test_retry() {
  auto script = ConversationScript::asked();
  script->run({
      {3100, "model-broken:http_500", "trouble http_500; start 2; One moment."},
      {3599, "wait", ""},
      {3600, "wait", "request 2"},
      {4000, kRome, "Rome it is.; And which day?"},
      {4100, "model-done", "end 2"},
  });
}

void test_retry_fails() {
  auto script = ConversationScript::asked();
  script->run({
      {3100, "model-broken:http_500", "trouble http_500; start 2; One moment."},
      {3700, "model-broken:http_500",
       "request 2; trouble http_500!; Sorry, bye.; end 2; ended "
       "provider_failed {}; EOS"},
  });
}

void test_bad_key() {
  auto script = ConversationScript::asked();
  script->run({{3100, "model-failed:invalid_api_key",
                "trouble invalid_api_key!; start 2!; Sorry, bye.; end 2; "
                "ended provider_failed {}; EOS"}});
}

void test_fails_after_words() {
  auto script = ConversationScript::asked("decided");
  script->run({
      {3100, "model:{\"message\":\"Rome it is. And wh", "start 2; Rome it is."},
      {3200, "model-broken:protocol",
       "trouble protocol; Sorry, I lost my words. Please go on.; end 2; "
       "decided 1/2 ask \"Rome\" -> \"Rome it is. Sorry, I lost my words. "
       "Please go on.\" {} {}"},
      {3300, "started:2", ""},
      {4300, "ended:2", ""},
      {5000, "words:Rome", "request 2"},
  });
}

void test_first_token() {
  auto script = ConversationScript::asked();
  script->run({
      {6999, "wait", ""},
      {7000, "wait", "cancel; trouble timeout; start 2; One moment."},
      {7500, "wait", "request 2"},
      {8000, "model:{", ""},
      // Its first token is there; silence within is the connection's matter.
      {20000, "model:\"message\":\"Rome. ", "Rome."},
  });
}

void test_speech_while_holding() {
  auto script = ConversationScript::asked();
  script->run({
      {3100, "model-broken:http_500", "trouble http_500; start 2; One moment."},
      {3200, "started:2", ""},
      {3300, "speech", "hold"},
      {3310, "held:2:One", ""},
      {3500, "quiet", ""},
      {3550, "words:hello?", "flush; request 2"},
      {3560, "cut:2:One", "interrupted 1/2 \"One\" 300"},
  });
}

void test_gone_while_thinking() {
  auto script = ConversationScript::asked();
  script->run({
      {3100, "gone", "cancel; ended caller_hung_up {}; EOS"},
      {3200, "model:{\"message\":\"Rome. ", ""},
      {3300, "model-done", ""},
      {3400, "model-failed:x", ""},
  });
}

void test_silence_while_thinking() {
  // Nobody is asked whether he is still there while he waits for us.
  auto script = ConversationScript::asked();
  script->run({
      {3100, "model:{\"message\":\"Ro", ""},
      {60000, "model:me. ", "start 2; Rome."},
  });
}

// The last answer that is taken: a model's reply to it is not spoken before it
// is known not to ask for another.
void test_last_turn() {
  const struct {
    std::string answer, then, begun;
  } rows[] = {
      {R"("Rome it is. Which day?","action":"ask",)"
       R"("extracted":{"city":"Rome"}})",
       "start 5; Time is up.; end 5; ended max_turns {\"city\":\"Rome\"}; EOS",
       ""},
      {R"("Done. Bye.","action":"end_call",)"
       R"("extracted":{"city":"Rome","day":"2026-05-03"}})",
       "start 5; Done.; Bye.; end 5",
       "ended goal {\"city\":\"Rome\",\"day\":\"2026-05-03\"} goal; EOS"},
      {R"("Done. Bye.","action":"book",)"
       R"("extracted":{"city":"Rome","day":"2026-05-03"}})",
       "trouble bad_answer; request 5", ""},
  };
  for (const auto &row : rows) {
    auto script = ConversationScript::asked();
    for (int turn = 1; turn < 4; ++turn) {
      const int ms = 100 + turn * 3000;
      const std::string number = std::to_string(turn + 1);
      script->run(
          {{ms, R"(model:{"message":"Hm?","action":"ask","extracted":{}})",
            "start " + number + "; Hm?"},
           {ms + 100, "model-done", "end " + number},
           {ms + 200, "started:" + number, ""},
           {ms + 900, "ended:" + number, ""},
           {ms + 2000, "words:x", "request " + number}});
    }
    script->run({{12100, "model:{\"message\":" + row.answer, ""},
                 {13000, "model-done", row.then}});
    if (row.then.starts_with("trouble"))
      script->run({{14000, "model:{\"message\":" + rows[1].answer, ""},
                   {15000, "model-done", rows[1].then},
                   {15100, "started:5", rows[1].begun}});
    else
      script->run({{13100, "started:5", row.begun}});
  }
}

// It is over when time is, before anybody has noticed: what it says is broken
// off, unless it asks for nothing.
void test_last_moment() {
  const struct {
    std::string answer, words, then, behind;
  } rows[] = {
      {R"(Which day?","action":"ask","extracted":{"city":"Rome"}})",
       "Which day?",
       "flush; start 3!; Time is up.; end 3; ended max_duration "
       "{\"city\":\"Rome\"}; EOS",
       ""},
      {R"(Bye.","action":"end_call","extracted":{"city":"Rome"}})", "Bye.",
       "end 2", "ended agent_ended {\"city\":\"Rome\"}; EOS"},
  };
  for (const auto &row : rows) {
    auto script = ConversationScript::asked();
    script->run(
        {{3100, R"(model:{"message":"Rome it is. )", "start 2; Rome it is."},
         {119000, "model:" + row.answer, row.words},
         {120001, "first:model-done", row.then},
         {120002, "wait", row.behind}});
  }
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"/model/schema-is-strict-and-the-message-comes-first", test_schema},
      {"/model/prompt-begins-with-what-never-changes", test_prompt},
      {"/model/messages-are-what-was-heard-in-turn", test_messages},
      {"/model/fields-are-checked-before-they-count", test_fields},
      {"/model/numbers-times-and-truths-are-checked", test_numbers},
      {"/conversation/speaks-before-the-answer-is-complete", test_speaks_early},
      {"/conversation/ends-only-on-a-whole-answer", test_ends_when_whole},
      {"/conversation/model-may-end-before-the-goal", test_ends_early},
      {"/conversation/mumbling-costs-no-request", test_mumble},
      {"/conversation/words-while-thinking-are-answered-together", test_merged},
      {"/conversation/words-before-the-answer-is-heard-are-added",
       test_merged_after_words},
      {"/conversation/one-request-after-an-interruption", test_one_request},
      {"/conversation/interruption-stops-the-writing", test_cut_while_writing},
      {"/conversation/cough-while-writing-asks-again",
       test_cough_while_writing},
      {"/conversation/failed-request-is-made-once-more", test_retry},
      {"/conversation/request-that-fails-twice-ends-the-call",
       test_retry_fails},
      {"/conversation/bad-key-is-not-tried-twice", test_bad_key},
      {"/conversation/answer-that-breaks-off-keeps-the-call",
       test_fails_after_words},
      {"/conversation/first-token-is-not-waited-for-for-ever",
       test_first_token},
      {"/conversation/caller-may-speak-while-we-hold-the-line",
       test_speech_while_holding},
      {"/conversation/hanging-up-cancels-the-request",
       test_gone_while_thinking},
      {"/conversation/last-answer-is-used-and-nothing-asked-behind-it",
       test_last_turn},
      {"/conversation/answer-that-ends-when-time-is-up-asks-nothing",
       test_last_moment},
      {"/conversation/idle-timer-rests-while-we-think",
       test_silence_while_thinking},
  };
  for (const auto &test : tests)
    g_test_add_func(test.name, test.test);
  return g_test_run();
}
