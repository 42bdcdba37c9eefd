// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include "agent/llm_mind.hpp"
#include "base/json.hpp"

#include <glib.h>

// Answers of a model that are of no use, and those that are not its last.
using namespace patchcord;
using namespace patchcord::agent;

namespace {

const char *const kRome =
    R"(model:{"message":"Rome it is. And which day?","action":"ask",)"
    R"("extracted":{"city":"Rome","day":null}})";

std::unique_ptr<LlmMind> make_mind() {
  openai::ChatRequest request;
  request.model = "m";
  return std::make_unique<LlmMind>(trip_definition(), kWednesday, request);
}

void test_faults() {
  const struct {
    const char *answer, *finish_reason, *refusal, *fault;
  } rows[] = {
      {"", "stop", "I will not.", "expected a JSON object, got a refusal"},
      {"", "stop", "", "expected a JSON object, got an empty answer"},
      {" \n", "", "", "expected a JSON object, got an empty answer"},
      {"Rome it is.", "stop", "", "expected a JSON object, got plain text"},
      {R"(["Rome"])", "stop", "", "expected a JSON object, got plain text"},
      {R"({"message":"Rome it)", "length", "",
       "expected a whole JSON object, got one that was cut off because it was "
       "too long"},
      {R"({"message":"Rome it)", "content_filter", "",
       "expected a whole JSON object, got one that a content filter cut off"},
      {R"({"message":"Rome it)", "", "",
       "expected a whole JSON object, got one that cannot be read"},
      {R"({"message":"m","action":"ask",})", "stop", "",
       "expected a whole JSON object, got one that cannot be read"},
      {"{}", "stop", "", "message: expected a text, got nothing"},
      {R"({"message":5,"action":"ask"})", "stop", "",
       "message: expected a text, got 5"},
      {R"({"message":" ","action":"ask"})", "stop", "",
       "message: expected what to say, got an empty text"},
      {R"({"message":"m"})", "stop", "",
       "action: expected one of ask, say, end_call, got nothing"},
      {R"({"message":"m","action":"book"})", "stop", "",
       "action: expected one of ask, say, end_call, got \"book\""},
      {R"({"message":"m","action":["ask"]})", "stop", "",
       R"(action: expected one of ask, say, end_call, got ["ask"])"},
      {R"({"message":"m","action":"send_dtmf"})", "stop", "",
       "action: send_dtmf is impossible: a media stream cannot send DTMF"},
  };
  for (const auto &row : rows) {
    const auto mind = make_mind();
    (void)mind->answer("x", {{Said::Who::kCaller, "x"}});
    mind->model_begin();
    (void)mind->model_text(row.answer);
    const Thought thought =
        mind->model_done(row.finish_reason, row.refusal, "");
    const auto &again = std::get<ModelRequest>(thought);
    equal(again.fault, row.fault);
    // The model sees its answer and is told what was wrong with it.
    const auto body = JsonDocument::parse(again.body);
    const JsonView messages = body->root()["messages"];
    const std::string last =
        *messages.at(messages.size() - 1)["content"].string();
    if (last.find(row.fault) == std::string::npos)
      g_error("no %s in\n%s", row.fault, last.c_str());
  }
}

// --- answers of no use -------------------------------------------------------

void test_broken_end() {
  // It looked like the end of the call, but is not whole. What was said of it
  // stands; the rest is asked for again, and nothing is said twice.
  auto script = ConversationScript::asked();
  script->run({
      {3100, R"(model:{"message":"Goodbye. ","action":"end_c)",
       "start 2; Goodbye."},
      {3200, "model-done:length", "trouble bad_answer; request 2"},
      {3300,
       R"(model:{"message":"Goodbye!","action":"end_call","extracted":{}})",
       ""},
      {3400, "model-done", "end 2"},
      {3400, "started:2", "ended agent_ended {}; EOS"},
  });
}

void test_broken_message() {
  // What the voice has is not taken back, nor is the half clause spoken.
  auto script = ConversationScript::asked("decided");
  script->run({
      {3100, R"(model:{"message":"Rome it is. And wh)", "start 2; Rome it is."},
      {3200, "model-done:length", "trouble bad_answer; request 2"},
      {3300, R"(model:{"message":"Which day?","action":"ask","extracted":{}})",
       "Which day?"},
      {3400, "model-done",
       "end 2; decided 1/2 ask \"Rome\" -> \"Rome it is. Which day?\" {} {}"},
  });
}

void test_repair() {
  auto script = ConversationScript::asked();
  script->run({
      {3100, "model:{\"message\":", ""},
      {3200, "model-done:length", "trouble bad_answer; request 2"},
      {3250, "old-model:{\"message\":\"Old. ", ""},
      {3300, kRome, "start 2; Rome it is.; And which day?"},
      {3400, "model-done", "end 2"},
      {3500, "started:2", ""},
      {4500, "ended:2", ""},
      // Each answer has its own second try.
      {6000, "words:tomorrow", "request 3"},
      {6100, "model:{}", ""},
      {6200, "model-done", "trouble bad_answer; request 4"},
  });
}

void test_takes_over() {
  // Two are enough: the scripted mind asks for what is missing, to the end.
  auto script = ConversationScript::asked("decided");
  script->run({
      {3100, kRome, "start 2; Rome it is.; And which day?"},
      {3200, "model-done",
       "end 2; decided 1/2 ask \"Rome\" -> \"Rome it is. And which day?\" "
       "{\"city\":\"Rome\"} {\"city\":\"Rome\"}"},
      {3300, "started:2", ""},
      {4500, "ended:2", ""},
      {6000, "words:soon", "request 2"},
      {6100, "model:{}", ""},
      {6200, "model-done", "trouble bad_answer; request 3"},
      {6300, "model:{", ""},
      {6400, "model-done:length",
       "trouble bad_answer; start 3; Step by step.; Which day?; end 3; decided "
       "2/3 ask \"soon\" -> \"Step by step. Which day?\" {} "
       "{\"city\":\"Rome\"}"},
      {6500, "started:3", ""},
      {7500, "ended:3", ""},
      {9000, "words:tomorrow",
       "start 4!; Done.; Bye.; end 4; decided 3/4 end_call \"tomorrow\" -> "
       "\"Done. Bye.\" {\"day\":\"2026-04-30\"} "
       "{\"city\":\"Rome\",\"day\":\"2026-04-30\"}"},
      {9000, "started:4",
       "ended goal {\"city\":\"Rome\",\"day\":\"2026-04-30\"} goal; EOS"},
  });
}

void test_takes_over_with_what_was_said() {
  // The words that the model made nothing of are not lost.
  auto script = ConversationScript::asked();
  script->run({
      {3100, "model:{", ""},
      {3200, "model-done", "trouble bad_answer; request 2"},
      {3300, "model:{", ""},
      {3400, "model-done",
       "trouble bad_answer; start 2; Step by step.; Which day?; end 2"},
      // Before a word was heard: the sentence goes on.
      {3500, "speech", "hold"},
      {3650, "quiet", ""},
      {3700, "words:tomorrow", "flush; start 3!; Done.; Bye.; end 3"},
      {3700, "started:3",
       "ended goal {\"city\":\"Rome\",\"day\":\"2026-04-30\"} goal; EOS"},
  });
}

void test_takes_over_behind_words() {
  auto script = ConversationScript::asked();
  script->run({
      {3100, R"(model:{"message":"Rome it is. And wh)", "start 2; Rome it is."},
      {3200, "model-done:length", "trouble bad_answer; request 2"},
      {3300, "model:{}", ""},
      {3400, "model-done",
       "trouble bad_answer; Step by step.; Which day?; end 2"},
  });
}

void test_repair_fails() {
  // The second try does not come at all.
  for (const char *how : {"model-broken:http_500", "model-failed:http_400"}) {
    auto script = ConversationScript::asked();
    script->run({
        {3100, "model:{}", ""},
        {3200, "model-done", "trouble bad_answer; request 2"},
        {3300, how,
         "trouble " + std::string(how).substr(13) +
             "; trouble bad_answer; start 2; Step by step.; Which day?; end 2"},
    });
  }
}

std::shared_ptr<const Definition> talk() {
  auto parsed = parse_definition(R"(
name = "Talk"
greeting = "Hello."
instructions = "Talk."
[end]
apology = "Sorry, bye."
)",
                                 "talk.toml");
  return std::make_shared<const Definition>(*parsed);
}

void test_nothing_to_take_over() {
  LlmMind mind(talk(), kWednesday, {});
  (void)mind.answer("x", {{Said::Who::kCaller, "x"}});
  mind.model_begin();
  g_assert_true(std::holds_alternative<ModelRequest>(
      mind.model_done("stop", "I will not.", "")));
  mind.model_begin();
  const Thought thought = mind.model_done("stop", "I will not.", "");
  equal(std::get<Reply>(thought).message, "Sorry, bye.");
  equal(std::get<Reply>(thought).action, "end_call");
  equal(std::get<Reply>(thought).end_reason, "provider_failed");
}

void test_plain_text() {
  // It is spoken, once no object can follow, and the rest asked for.
  auto script = ConversationScript::asked("decided");
  script->run({
      {3100, "model:Rome it is. ", ""},
      {3200, "model:Which day?", ""},
      {3300, "model-done",
       "start 2; Rome it is.; Which day?; trouble bad_answer; request 2"},
      {3400,
       R"(model:{"message":"Rome it is. Which day?","action":"ask",)"
       R"("extracted":{"city":"Rome","day":null}})",
       ""},
      {3500, "model-done",
       "end 2; decided 1/2 ask \"Rome\" -> \"Rome it is. Which day?\" "
       "{\"city\":\"Rome\"} {\"city\":\"Rome\"}"},
  });
}

// Of what is not the message nothing is spoken.
void test_words_around_the_object() {
  const std::string object = std::string(kRome).substr(6);
  for (const std::string before :
       {"Sure! Here it is. ", "Sure! Here it is:\n```json\n"}) {
    auto script = ConversationScript::asked("decided");
    script->run({
        {3100, "model:" + before, ""},
        {3200, "model:" + object + "\n``` Fine? Yes.",
         "start 2; Rome it is.; And which day?"},
        {3300, "model-done",
         "end 2; decided 1/2 ask \"Rome\" -> \"Rome it is. And which day?\" "
         "{\"city\":\"Rome\"} {\"city\":\"Rome\"}"},
    });
  }
}

void test_unspeakable() {
  const std::string rows[] = {
      "[1,2,3]. So. ",
      " [{\"message\":\"No. No. \"}]",
      std::string(3000, '['),
      "<html>502. Bad gateway. </html>",
      "<p>{\"message\":\"No. No. \"}</p>",
      "Rome. It is {city}. ",
      "Rome. {\"city\":\"No. No. \"}",
  };
  for (const std::string &row : rows) {
    auto script = ConversationScript::asked();
    script->run({{3100, "model:" + row, ""},
                 {3200, "model-done", "trouble bad_answer; request 2"},
                 {3300, "model:" + row, ""},
                 {3400, "model-done",
                  "trouble bad_answer; start 2; Step by step.; Which day?; "
                  "end 2"}});
  }
}

// What broke off may have been about to become an object.
void test_plain_text_that_breaks_off() {
  auto script = ConversationScript::asked();
  script->run({
      {3100, "model:Sure. Rome. Let me ", ""},
      {3200, "model-done:length", "trouble bad_answer; request 2"},
      {3300, kRome, "start 2; Rome it is.; And which day?"},
  });
}

// Where nothing is to be found out it is a conversation, and not held back.
void test_talk() {
  const struct {
    const char *first, *spoken, *rest, *then;
  } rows[] = {
      {"Until nine. Or", "start 2; Until nine.", " ten.", "Or ten.; end 2"},
      {"Sure. {\"message\":\"Nine", "start 2; Sure.",
       ". Bye.\",\"action\":\"ask\"}", "end 2"},
      {"[warmly] Until nine. Or", "start 2; [warmly] Until nine.", " ten.",
       "Or ten.; end 2"},
      {"<break time=\"1s\"/> Until nine. Or",
       "start 2; <break time=\"1s\"/> Until nine.", " ten.", "Or ten.; end 2"},
      {"[1, 2]. Or. ", "", "3", "trouble bad_answer; request 2"},
      {"<html>. Or. ", "", "3", "trouble bad_answer; request 2"},
  };
  for (const auto &row : rows) {
    openai::ChatRequest request;
    request.model = "m";
    ConversationScript script(
        std::make_unique<LlmMind>(talk(), kWednesday, request), {}, talk());
    script.run(
        {{0, "start", "start 1; Hello.; end 1"},
         {100, "started:1", ""},
         {1000, "ended:1", ""},
         {3000, "words:when", "request 1"},
         {3100, std::string("model:") + row.first, row.spoken},
         {3200, std::string("model:") + row.rest,
          std::string_view(row.first).starts_with("Sure") ? "Nine.; Bye." : ""},
         {3300, "model-done", row.then}});
  }
}

void test_refusal() {
  auto script = ConversationScript::asked();
  script->run({
      {3100, "model-refuses:I cannot help with that.",
       "trouble bad_answer; request 2"},
      {3200, R"(model:{"message":"I cannot say. ","action":"ask"})",
       "start 2; I cannot say."},
      {3300, "model-done", "end 2"},
  });
}

void test_wrong_action() {
  auto script = ConversationScript::asked("decided");
  script->run({
      {3100, R"(model:{"message":"Rome. ","action":"send_dtmf"})",
       "start 2; Rome."},
      {3200, "model-done", "trouble bad_answer; request 2"},
      {3300, R"(model:{"message":"Rome?","action":"ask"})", ""},
      {3400, "model-done",
       "end 2; decided 1/2 ask \"Rome\" -> \"Rome. \" {} {}"},
  });
}

// The caller has heard the first message, or will. What the second one has
// besides is not lost, and what both have is not said twice.
void test_message_of_repair() {
  const struct {
    const char *first, *said, *second, *then;
  } rows[] = {
      // Of another opinion: whole.
      {R"("One moment.","action":"x")", "One moment.",
       R"("Which day, please?","action":"ask")", "Which day, please?"},
      // The same, and more; the same but for its spelling; less; nothing.
      {R"("Rome it is. ","action":"x")", "Rome it is.",
       R"("Rome it is. Which day?","action":"ask")", "Which day?"},
      {R"("Rome it is. ","action":"x")", "Rome it is.",
       R"("Rome, it is! And which day?","action":"ask")", "And which day?"},
      {R"("Rome it is. Which day?","action":"x")", "Rome it is.; Which day?",
       R"("Rome it is. Which day?","action":"ask")", ""},
      {R"("Rome it is. Which day?","action":"x")", "Rome it is.; Which day?",
       R"("Rome it is.","action":"ask")", ""},
      {R"("Rome it is. Which day?","action":"x")", "Rome it is.; Which day?",
       R"("","action":"ask")", ""},
      // It changes its mind behind the first sentence.
      {R"("Rome it is. Which day?","action":"x")", "Rome it is.; Which day?",
       R"("Rome it is. On which day in May?","action":"ask")",
       "On which day in May?"},
      // Another sentence, though it begins alike; another word.
      {R"("Rome. ","action":"x")", "Rome.", R"("Rome it is?","action":"ask")",
       "Rome it is?"},
      {R"("Rome. ","action":"x")", "Rome.", R"("Romeo?","action":"ask")",
       "Romeo?"},
      // Broken off in its second sentence.
      {R"("Rome it is. And wh)", "Rome it is.",
       R"("Rome it is. And which day?","action":"ask")", "And which day?"},
      // An end.
      {R"("Rome it is.","action":"x")", "Rome it is.",
       R"("Goodbye now.","action":"end_call")", "Goodbye now."},
  };
  for (const auto &row : rows) {
    auto script = ConversationScript::asked();
    script->run(
        {{3100, std::string("model:{\"message\":") + row.first,
          std::string("start 2; ") + row.said},
         {3200, "model-done", "trouble bad_answer; request 2"},
         {3300, std::string("model:{\"message\":") + row.second, row.then}});
  }
}

// Where there is nothing to find out, plain text will do.
void test_plain_text_of_repair() {
  const struct {
    const char *first, *second, *then, *begun = "";
  } rows[] = {
      {R"("One moment.","action":"x"})", "We are open until nine.",
       "We are open until nine.; end 2"},
      {R"("One moment. ","action":"x"})", "One moment. Until nine. Or ten.",
       "Until nine.; Or ten.; end 2"},
      {R"("One moment. Well, so)", "One moment. Well, until nine.",
       "Well, until nine.; end 2"},
      {R"("One moment.","action":"x"})", "One moment.", "end 2"},
      // Only a field was wrong of it: the rest stands.
      {R"("One moment.","action":"end_call","extracted":{"town":"Rome"}})",
       "Rome.", "trouble bad_answer; end 2", "ended goal {} goal; EOS"},
  };
  for (const auto &row : rows) {
    openai::ChatRequest request;
    request.model = "m";
    ConversationScript script(
        std::make_unique<LlmMind>(talk(), kWednesday, request), {}, talk());
    script.run({{0, "start", "start 1; Hello.; end 1"},
                {100, "started:1", ""},
                {1000, "ended:1", ""},
                {3000, "words:when", "request 1"},
                {3100, std::string("model:{\"message\":") + row.first,
                 "start 2; One moment."},
                {3200, "model-done", "trouble bad_answer; request 2"},
                {3300, std::string("model:") + row.second, ""},
                {3400, "model-done", row.then},
                {3500, "started:2", row.begun}});
  }
}

// It comes in pieces, and is not spoken before it is known to be another.
void test_repair_in_pieces() {
  auto script = ConversationScript::asked("decided");
  script->run({
      {3100, R"(model:{"message":"Rome it is. ","action":"x")",
       "start 2; Rome it is."},
      {3200, "model-done", "trouble bad_answer; request 2"},
      {3300, R"(model:{"message":"Rome i)", ""},
      {3320, R"(model:t is. Which day? )", ""},
      {3340, R"(model:Or none?","action":"ask"})", "Which day?; Or none?"},
      {3400, "model-done",
       "end 2; decided 1/2 ask \"Rome\" -> \"Rome it is. Which day? Or "
       "none?\" {} {}"},
  });
}

void test_field_repair() {
  auto script = ConversationScript::asked("decided");
  script->run({
      {3100,
       R"(model:{"message":"Fine.","action":"ask","extracted":)"
       R"({"town":"Rome","day":"2026-05-03"}})",
       "start 2; Fine."},
      {3200, "model-done", "trouble bad_answer; request 2"},
      {3300,
       R"(model:{"message":"Fine!","action":"end_call","extracted":)"
       R"({"city":"Rome"}})",
       ""},
      {3400, "model-done",
       "end 2; decided 1/2 ask \"Rome\" -> \"Fine.\" "
       "{\"city\":\"Rome\",\"day\":\"2026-05-03\"} "
       "{\"city\":\"Rome\",\"day\":\"2026-05-03\"}"},
  });
}

void test_field_repair_fails() {
  // What is right of it counts; the conversation goes on.
  auto script = ConversationScript::asked("decided");
  const char *const bad =
      R"(model:{"message":"Fine.","action":"ask","extracted":)"
      R"({"city":["Rome"],"day":"2026-05-03"}})";
  script->run({
      {3100, bad, "start 2; Fine."},
      {3200, "model-done", "trouble bad_answer; request 2"},
      {3300, bad, ""},
      {3400, "model-done",
       "trouble bad_answer; end 2; decided 1/2 ask \"Rome\" -> \"Fine.\" "
       "{\"day\":\"2026-05-03\"} {\"day\":\"2026-05-03\"}"},
      {3500, "started:2", ""},
      {4500, "ended:2", ""},
      {6000, "words:Rome", "request 3"},
  });
}

void test_speech_into_repair() {
  auto script = ConversationScript::asked();
  script->run({
      {3100, R"(model:{"message":"Rome. ","action":"x"})", "start 2; Rome."},
      {3200, "model-done", "trouble bad_answer; request 2"},
      {3300, "started:2", ""},
      {3400, "speech", "hold"},
      {3580, "quiet", ""},
      {3600, "words:I said Oslo", "cancel; flush; request 3"},
      {3700, R"(model:{"message":"Oslo. ","action":"ask"})", "start 3; Oslo."},
      {3800, "model-done", "end 3"},
  });
}

// --- saying without asking ---------------------------------------------------

const char *const kMoment =
    R"(model:{"message":"One second.","action":"say","extracted":)"
    R"({"city":"Rome"}})";

void test_say() {
  // One reply in two answers: the caller has the turn behind the second.
  auto script = ConversationScript::asked("decided");
  script->run({
      {3100, kMoment, "start 2; One second."},
      {3200, "model-done",
       "decided 1/2 say \"Rome\" -> \"One second.\" {\"city\":\"Rome\"} "
       "{\"city\":\"Rome\"}; request 2"},
      {3300, "started:2", ""},
      {4000, R"(model:{"message":"Which day?","action":"ask","extracted":{}})",
       "Which day?"},
      {4100, "model-done",
       "end 2; decided 1/2 ask \"Rome\" -> \"Which day?\" "
       "{\"city\":\"Rome\"} {\"city\":\"Rome\"}"},
  });
}

void test_say_is_told_to_the_model() {
  const auto mind = make_mind();
  (void)mind->answer("Rome", {{Said::Who::kCaller, "Rome"}});
  mind->model_begin();
  (void)mind->model_text(R"({"message":"One second.","action":"say"})");
  const Thought thought = mind->model_done("stop", "", "One second.");
  const auto body = JsonDocument::parse(std::get<Reply>(thought).next->body);
  const JsonView messages = body->root()["messages"];
  equal(*messages.at(messages.size() - 2)["role"].string(), "assistant");
  equal(*messages.at(messages.size() - 2)["content"].string(), "One second.");
  equal(*messages.at(messages.size() - 1)["role"].string(), "user");
}

void test_say_without_end() {
  auto script = ConversationScript::asked();
  script->run({
      {3100, kMoment, "start 2; One second."},
      {3200, "model-done", "request 2"},
      {3300, kMoment, "One second."},
      {3400, "model-done", "request 3"},
      {3500, kMoment, "One second."},
      {3600, "model-done", "request 4"},
      {3700, kMoment, "One second."},
      // Whatever it is called, the caller has the turn.
      {3800, "model-done", "end 2"},
  });
}

void test_say_interrupted() {
  auto script = ConversationScript::asked("decided");
  script->run({
      {3100, kMoment, "start 2; One second."},
      {3200, "model-done",
       "decided 1/2 say \"Rome\" -> \"One second.\" {\"city\":\"Rome\"} "
       "{\"city\":\"Rome\"}; request 2"},
      {3300, "started:2", ""},
      {3400, "model:{\"message\":\"Which day? Or ", "Which day?"},
      {3500, "speech", "hold"},
      {3600, "partial:Oslo",
       "decided 1/2 ask \"Rome\" -> \"Which day?\" {\"city\":\"Rome\"} "
       "{\"city\":\"Rome\"}; cancel; flush"},
      {3610, "cut:2:One", "interrupted 1/2 \"One\" 300"},
      {3700, "quiet", ""},
      {3800, "words:Oslo please", "request 3"},
  });
  equal(script->history(), "agent: Hello. Which city? | caller: Rome | agent: "
                           "One | caller: Oslo please");
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"/model/answer-of-no-use-is-told-what-was-wrong", test_faults},
      {"/repair/of-an-end-says-nothing-twice", test_broken_end},
      {"/repair/goes-on-behind-what-was-spoken", test_broken_message},
      {"/repair/is-asked-for-once-an-answer", test_repair},
      {"/repair/of-no-use-gives-the-call-to-the-scripted-mind",
       test_takes_over},
      {"/repair/of-no-use-loses-no-words-of-the-caller",
       test_takes_over_with_what_was_said},
      {"/repair/of-no-use-keeps-what-was-spoken", test_takes_over_behind_words},
      {"/repair/that-fails-is-of-no-use", test_repair_fails},
      {"/repair/of-no-use-without-fields-ends-the-call",
       test_nothing_to_take_over},
      {"/repair/of-plain-text-brings-the-fields", test_plain_text},
      {"/repair/is-not-needed-for-words-around-the-object",
       test_words_around_the_object},
      {"/repair/of-lists-and-markup-comes-before-a-word-is-spoken",
       test_unspeakable},
      {"/repair/of-plain-text-that-breaks-off-comes-before-a-word-is-spoken",
       test_plain_text_that_breaks_off},
      {"/repair/talk-is-spoken-while-it-is-written", test_talk},
      {"/repair/of-a-refusal-is-spoken", test_refusal},
      {"/repair/of-an-action-keeps-the-message", test_wrong_action},
      {"/repair/says-what-was-not-said", test_message_of_repair},
      {"/repair/of-plain-text-says-what-was-not-said",
       test_plain_text_of_repair},
      {"/repair/is-spoken-when-it-is-known-to-be-new", test_repair_in_pieces},
      {"/repair/of-a-field-keeps-message-and-action", test_field_repair},
      {"/repair/of-a-field-that-fails-keeps-the-others",
       test_field_repair_fails},
      {"/repair/is-dropped-when-the-caller-speaks", test_speech_into_repair},
      {"/say/goes-on-in-the-same-breath", test_say},
      {"/say/is-told-to-the-model-before-it-is-heard",
       test_say_is_told_to_the_model},
      {"/say/does-not-go-on-for-ever", test_say_without_end},
      {"/say/is-interrupted-like-any-words", test_say_interrupted},
  };
  for (const auto &test : tests)
    g_test_add_func(test.name, test.test);
  return g_test_run();
}
