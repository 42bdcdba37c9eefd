// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include "agent/llm_mind.hpp"
#include "agent/resumption.hpp"
#include "agent/scripted_mind.hpp"
#include "base/json.hpp"

#include <glib.h>

using namespace patchcord;
using namespace patchcord::agent;

namespace {

constexpr char kPeople[] = R"(transfer = "One second."
transfer_failed = "Nobody there."
[[transfer]]
name = "desk"
number = "+14155550111"
when = "The caller wants a person."
[[transfer]]
name = "night_desk"
number = "+14155550112"
when = "It is about tonight."
phrases = ["reservations", "the manager on duty"]
message = "To the night desk."
summary = true
timeout_s = 12
)";

// --- who is asked for --------------------------------------------------------

void test_asked_for() {
  const struct {
    const char *said, *target; // "": nobody
  } rows[] = {
      {"operator", "desk"},
      {"Operator, please.", "desk"},
      {"a human please", "desk"},
      {"representative", "desk"},
      {"I want to speak to a person", "desk"},
      {"can I talk to a real human being", "desk"},
      {"could I please speak with someone", "desk"},
      {"may I speak to your colleague", "desk"},
      {"let me talk to somebody", "desk"},
      {"I'd rather talk to an actual person", "desk"},
      {"speak to an agent", "desk"},
      {"put me through", "desk"},
      {"put me through to a person please", "desk"},
      {"please connect me", "desk"},
      {"connect me with a representative", "desk"},
      {"transfer me please", "desk"},
      {"can you transfer my call to a human", "desk"},
      {"give me a person", "desk"},
      {"give me an operator", "desk"},
      {"get me a human", "desk"},
      {"get me the operator now", "desk"},
      {"I need a person", "desk"},
      {"can I have a representative please", "desk"},
      // By their own words; the longest counts.
      {"reservations", "night_desk"},
      {"put me through to reservations", "night_desk"},
      {"I want to speak to the manager on duty", "night_desk"},
      {"transfer me to the night desk", "night_desk"},
      {"give me reservations", "night_desk"},
      // Of something else.
      {"give me a room for ten people", ""},
      {"give me a room for one person", ""},
      {"a room for one person", ""},
      {"one person", ""},
      {"five people", ""},
      {"a person", ""},
      {"I need a room for someone else", ""},
      {"I need a person to fix the heating", ""},
      {"I want somebody to call me back tomorrow", ""},
      {"get me a taxi for the operator", ""},
      {"give me a minute", ""},
      {"get me a table near the reservations desk", ""},
      {"I talked to someone yesterday", ""},
      {"did you talk to the operator", ""},
      {"I want to talk to John", ""},
      {"put me down for five people", ""},
      {"put me on hold", ""},
      {"connect me to the internet", ""},
      {"the agent told me to wait", ""},
      {"people", ""},
      {"yes", ""},
      {"", ""},
      // Refused.
      {"I don't want to speak to a person", ""},
      {"please do not put me through", ""},
  };
  const auto targets = trip_definition(kPeople)->transfer;
  for (const auto &row : rows) {
    const auto *target = asked_for(to_words(row.said), targets);
    const std::string is = target == nullptr ? "" : target->name;
    if (is != row.target)
      g_error("\"%s\": expected \"%s\", got \"%s\"", row.said, row.target,
              is.c_str());
  }
  g_assert_null(asked_for(to_words("operator"), {}));
}

// --- the agent file ----------------------------------------------------------

void test_definition() {
  const auto definition = trip_definition(kPeople);
  g_assert_cmpuint(definition->transfer.size(), ==, 2);
  const TransferTarget &night = *definition->transfer_target("night_desk");
  equal(night.number, "+14155550112");
  equal(night.message, "To the night desk.");
  g_assert_true(night.summary && night.timeout == 12s);
  g_assert_false(definition->transfer[0].summary);
  g_assert_true(definition->transfer[0].timeout == 30s);
  g_assert_null(definition->transfer_target("nobody"));
  equal(trip_definition("[voicemail]\nmessage = \"Call us.\"\n")
            ->voicemail.message,
        "Call us.");
}

void test_mistakes() {
  constexpr char kHead[] = "name = \"n\"\ngreeting = \"g\"\n"
                           "instructions = \"i\"\n";
  const struct {
    const char *text, *error;
  } rows[] = {
      {"[[transfer]]\nname = \"desk\"\nwhen = \"w\"\n",
       "t.toml:4: transfer[0].number: expected a text, got nothing"},
      {"[[transfer]]\nname = \"desk\"\nnumber = \"4155550100\"\nwhen = \"w\"\n",
       "t.toml:6: transfer[0].number: expected a number such as +14155550100, "
       "got \"4155550100\""},
      {"[[transfer]]\nname = \"The desk\"\nnumber = \"+14155550100\"\n"
       "when = \"w\"\n",
       "t.toml:5: transfer[0].name: expected lower-case letters, digits and _, "
       "got \"The desk\""},
      {"[[transfer]]\nname = \"a\"\nnumber = \"+14155550100\"\nwhen = \"w\"\n"
       "[[transfer]]\nname = \"a\"\nnumber = \"+14155550100\"\nwhen = \"w\"\n",
       "t.toml:9: transfer[1].name: expected a name that no other transfer "
       "target has, got \"a\""},
      {"[[transfer]]\nname = \"a\"\nnumber = \"+14155550100\"\nwhen = \"w\"\n"
       "timeout_s = 3\n",
       "t.toml:8: transfer[0].timeout_s: expected a whole number from 5 to "
       "600, got 3"},
      {"[[transfer]]\nname = \"a\"\nnumber = \"+14155550100\"\nwhen = \"w\"\n"
       "warm = true\n",
       "t.toml:8: transfer[0].warm: expected one of name, number, when, "
       "phrases, message, summary, timeout_s, got an unknown key"},
      {"[[transfer]]\nname = \"a\"\nnumber = \"+14155550100\"\nwhen = \"w\"\n"
       "send_dtmf = \"1\"\n",
       "t.toml:8: transfer[0].send_dtmf: expected no such key: a media stream "
       "cannot send DTMF"},
      {"[voicemail]\n", "t.toml:4: voicemail.message: expected a text, got "
                        "nothing"},
      {"[voicemail]\nmessage = \"m\"\nbeep = 1\n",
       "t.toml:6: voicemail.beep: expected one of message, got an unknown key"},
  };
  for (const auto &row : rows) {
    const auto definition =
        parse_definition(std::string(kHead) + row.text, "t.toml");
    g_assert_false(definition.ok());
    equal(definition.error().message, row.error);
  }
}

// --- the scripted mind -------------------------------------------------------

void test_scripted() {
  auto script = ConversationScript::scripted("decided", kPeople);
  script->run({
      {0, "start",
       "start 1; Hello.; Which city?; end 1; decided 0/1 ask \"\" -> \"Hello. "
       "Which city?\" {} {}"},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "words:Rome",
       "start 2; Which day?; end 2; decided 1/2 ask \"Rome\" -> \"Which "
       "day?\" {\"city\":\"Rome\"} {\"city\":\"Rome\"}"},
      {2100, "started:2", ""},
      {3000, "ended:2", ""},
      // Nothing interrupts the last words; the stream ends behind them.
      {4000, "words:put me through to reservations",
       "start 3!; To the night desk.; end 3; decided 2/3 transfer \"put me "
       "through to reservations\" -> \"To the night desk.\" {} "
       "{\"city\":\"Rome\"}"},
      {4100, "started:3",
       "transfer night_desk (You have a call from {caller}. city: Rome); ended "
       "transfer {\"city\":\"Rome\"}; EOS"},
      {4200, "speech", ""},
      {4500, "words:wait", ""},
      {5000, "ended:3", ""},
      {500000, "wait", ""},
  });
}

void test_cold() {
  auto script = ConversationScript::scripted({}, kPeople);
  script->run({
      {0, "start", "start 1; Hello.; Which city?; end 1"},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "words:operator", "start 2!; One second.; end 2"},
      {2000, "started:2", "transfer desk; ended transfer {}; EOS"},
  });
}

void test_people_are_only_there_if_they_are() {
  auto script = ConversationScript::scripted();
  script->run({
      {0, "start", "start 1; Hello.; Which city?; end 1"},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "words:operator", "start 2; Pardon?; Rome or Oslo?; end 2"},
  });
}

// --- a model -----------------------------------------------------------------

void test_schema() {
  const std::string schema = answer_schema(*trip_definition(kPeople));
  for (const char *part :
       {R"("enum":["ask","say","end_call","transfer"]})",
        R"("transfer_to":{"anyOf":[{"type":"string","enum":["desk",)"
        R"("night_desk"]},{"type":"null"}]},"extracted")",
        R"("required":["message","action","transfer_to","extracted"])"})
    if (schema.find(part) == std::string::npos)
      g_error("no %s in\n%s", part, schema.c_str());
  const std::string prompt =
      system_prompt(*trip_definition(kPeople), {}, {}, kWednesday);
  for (const char *part : {"* night_desk: It is about tonight.\n",
                           "* transfer_to: with the action transfer"})
    if (prompt.find(part) == std::string::npos)
      g_error("no %s in\n%s", part, prompt.c_str());
}

void test_model() {
  auto script = ConversationScript::asked({}, kPeople);
  script->run({
      {3100,
       R"(model:{"message":"Rome. I connect you.","action":"transfer",)"
       R"("transfer_to":"night_desk","extracted":{"city":"Rome","day":null}})",
       "start 2; Rome.; I connect you."},
      {3200, "model-done", "end 2"},
      {3200, "started:2",
       "transfer night_desk (You have a call from {caller}. city: Rome); ended "
       "transfer {\"city\":\"Rome\"}; EOS"},
  });
  // Without words of its own there are those of the file.
  auto silent = ConversationScript::asked({}, kPeople);
  silent->run({
      {3100,
       R"(model:{"message":"","action":"transfer","transfer_to":"desk",)"
       R"("extracted":{}})",
       ""},
      {3200, "model-done", "start 2; One second.; end 2"},
      {3200, "started:2", "transfer desk; ended transfer {}; EOS"},
  });
}

void test_unknown_target() {
  auto script = ConversationScript::asked({}, kPeople);
  script->run({
      {3100,
       R"(model:{"message":"Yes.","action":"transfer","transfer_to":"boss",)"
       R"("extracted":{}})",
       "start 2; Yes."},
      {3200, "model-done", "trouble bad_answer; request 2"},
      {3300,
       R"(model:{"message":"Yes.","action":"transfer","transfer_to":"desk",)"
       R"("extracted":{}})",
       ""},
      {3400, "model-done", "end 2"},
      {3400, "started:2", "transfer desk; ended transfer {}; EOS"},
  });
  const struct {
    const char *answer, *fault;
  } rows[] = {
      {R"({"message":"m","action":"transfer","transfer_to":"boss"})",
       "transfer_to: expected one of desk, night_desk, got \"boss\""},
      {R"({"message":"m","action":"transfer","transfer_to":null})",
       "transfer_to: expected one of desk, night_desk, got null"},
      {R"({"message":"m","action":"transfer"})",
       "transfer_to: expected one of desk, night_desk, got nothing"},
      {R"({"message":"m","action":"send_dtmf"})",
       "action: send_dtmf is impossible: a media stream cannot send DTMF"},
  };
  for (const auto &row : rows) {
    openai::MessageExtractor text;
    (void)text.feed(row.answer);
    equal(read_answer(*trip_definition(kPeople), kWednesday, text, {"stop", ""},
                      false)
              .fault,
          row.fault);
  }
  // Who has nobody to put through to may not.
  openai::MessageExtractor text;
  (void)text.feed(
      R"({"message":"m","action":"transfer","transfer_to":"desk"})");
  equal(read_answer(*trip_definition(), kWednesday, text, {"stop", ""}, false)
            .fault,
        "action: expected one of ask, say, end_call, got \"transfer\"");
}

// --- nobody took the call ----------------------------------------------------

constexpr char kState[] =
    R"({"turn":3,"caller_turns":2,"utterances":2,"elapsed_ms":20000,"values":)"
    R"({"city":"Rome"},"rejected":["day"],"turns":{"city":1},"history":)"
    R"([{"agent":"Hello. Which city?"},{"caller":"Rome"},)"
    R"({"caller":"operator"},{"agent":"One second."}]})";

Resumption state_of(const std::shared_ptr<const Definition> &definition) {
  auto state = parse_resumption(*definition, kState);
  if (!state)
    g_error("%s", state.error().message.c_str());
  return *std::move(state);
}

void test_state() {
  const auto definition = trip_definition(kPeople);
  equal(to_json(*definition, state_of(definition)), kState);
  for (const char *bad : {"", "[]", "5", "{\"turn\":"})
    equal(parse_resumption(*definition, bad).error().code, "bad_state");
  // What is not the definition's is not taken.
  const auto other = parse_resumption(
      *definition, R"({"values":{"city":"Paris","day":7,"colour":"red"},)"
                   R"("rejected":["colour",5],"turn":-4,"history":[7,{}]})");
  g_assert_true(other.ok());
  equal(
      to_json(*definition, *other),
      R"({"turn":0,"caller_turns":0,"utterances":0,"elapsed_ms":0,"values":{},)"
      R"("rejected":[],"turns":{},"history":[]})");
}

// What a model found out before, it knows when the caller is back.
void test_tools_go_on() {
  constexpr char kTools[] = R"([[tools]]
name = "trains"
description = "The trains of a day."
url = "https://rail.example.com/trains"
)";
  const std::string more = kPeople + std::string(kTools);
  auto script = ConversationScript::asked("", more.c_str());
  script->run(
      {{3100, "calls:trains({})", "run 1 GET https://rail.example.com/trains"},
       {3200, R"(tool:1:200:{"first":"09:05"})",
        "tool 1 trains ok 100; request 2"},
       {3300,
        R"(model:{"message":"One second.","action":"transfer",)"
        R"("transfer_to":"desk","extracted":{}})",
        "start 2; One second."}});
  const std::string told =
      R"({"turn":2,"caller_turns":1,"utterances":2,"elapsed_ms":3300,)"
      R"("values":{},"rejected":[],"turns":{},"history":[{"agent":)"
      R"("Hello. Which city?"},{"caller":"Rome"},{"agent":"One second."}],)"
      R"("tools":[{"turn":1,"calls":[{"id":"id1","name":"trains",)"
      R"("arguments":"{}","result":"{\"first\":\"09:05\"}"}]}]})";
  script->show("state");
  script->run({{3400, "model-done", "end 2"},
               {3500, "started:2",
                "transfer desk " + told + "; ended transfer {}; EOS"}});
  const auto definition = trip_definition(more.c_str());
  const auto state = parse_resumption(*definition, told);
  g_assert_true(state.ok());
  equal(to_json(*definition, *state), told);

  auto back = ConversationScript::model({}, more.c_str());
  back->conversation().resume(*state);
  const auto document = JsonDocument::parse(back->request_body(0, "start"));
  const JsonView messages = document->root()["messages"];
  // system; Hello; Rome; the call; its result; One second, nobody there; back.
  g_assert_cmpuint(messages.size(), ==, 7);
  const JsonView call = messages.at(3)["tool_calls"].at(0);
  equal(*call["function"]["name"].string(), "trains");
  equal(*messages.at(4)["role"].string(), "tool");
  equal(*messages.at(4)["tool_call_id"].string(), *call["id"].string());
  equal(*messages.at(4)["content"].string(), R"({"first":"09:05"})");

  // What is none is left out; what is too long is forgotten as ever.
  const std::string bad =
      R"({"tools":[7,{"turn":0,"calls":[{"id":"a","name":"b"}]},)"
      R"({"turn":1,"calls":[]},{"turn":1,"calls":[{"id":"a"},{"id":"c",)"
      R"("name":"trains","arguments":"no JSON","result":""}]}]})";
  const auto rest = parse_resumption(*definition, bad);
  g_assert_true(rest.ok());
  g_assert_nonnull(g_strstr_len(
      to_json(*definition, *rest).c_str(), -1,
      R"("tools":[{"turn":1,"calls":[{"id":"c","name":"trains",)"
      R"("arguments":"{}","result":"{\"error\":\"no result\"}"}]}])"));
}

void test_told_state() {
  auto script = ConversationScript::scripted("state", kPeople);
  script->run({
      {0, "start", "start 1; Hello.; Which city?; end 1"},
      {100, "started:1", ""},
      {1000, "ended:1", ""},
      {2000, "words:operator", "start 2!; One second.; end 2"},
      {2000, "started:2",
       "transfer desk "
       "{\"turn\":2,\"caller_turns\":1,\"utterances\":2,\"elapsed_ms\":2000,"
       "\"values\":{},\"rejected\":[],\"turns\":{},\"history\":[{\"agent\":"
       "\"Hello. Which city?\"},{\"caller\":\"operator\"},{\"agent\":\"One "
       "second.\"}]}; ended transfer {}; EOS"},
  });
}

// It is handed over when all of it has been heard, not when it begins.
void test_told_behind_a_filler() {
  const std::string more = kPeople + std::string("[fillers]\nphrases = "
                                                 "[\"Let me see.\"]\n"
                                                 "after_ms = 1000\n");
  auto script = ConversationScript::asked({}, more.c_str());
  script->run({{4000, "wait", "start 2; Let me see."},
               {4100, "started:2", ""},
               {4200,
                R"(model:{"message":"One second.","action":"transfer",)"
                R"("transfer_to":"desk","extracted":{}})",
                "One second."},
               {4300, "model-done", "end 2"}});
  script->show("state");
  g_assert_nonnull(
      g_strstr_len(script->step(4900, "progress:2:Let me see. One").c_str(), -1,
                   R"({"agent":"(Let me see.) One second."}])"));
}

void test_goes_on() {
  const auto definition = trip_definition(kPeople);
  auto script = ConversationScript::scripted("decided found", kPeople);
  script->conversation().resume(state_of(definition));
  script->run({
      {0, "start",
       "start 3; Nobody there.; Which day?; end 3; decided 3/3 ask \"\" -> "
       "\"Nobody there. Which day?\" {} {\"city\":\"Rome\"} {\"city\":1} [] "
       "[\"day\"]"},
      {100, "started:3", ""},
      {1000, "ended:3", ""},
      // It may be tried once more.
      {2000, "words:operator",
       "start 4!; One second.; end 4; decided 4/4 transfer \"operator\" -> "
       "\"One second.\" {} {\"city\":\"Rome\"} {\"city\":1} [] [\"day\"]"},
      {2000, "started:4",
       "transfer desk; ended transfer {\"city\":\"Rome\"} {\"city\":1} [] "
       "[\"day\"]; EOS"},
  });
  equal(script->history(),
        "agent: Hello. Which city? | caller: Rome | caller: operator | agent: "
        "One second. | agent: Nobody there. Which day? | caller: operator");
}

// The limits are the call's, not the stream's.
void test_limits_go_on() {
  auto script = ConversationScript::scripted({}, kPeople);
  Resumption state = state_of(trip_definition(kPeople));
  state.elapsed = 119s;
  state.caller_turns = 4;
  script->conversation().resume(state);
  script->run({
      {0, "start",
       "start 3!; Nobody there.; Time is up.; end 3; ended max_turns "
       "{\"city\":\"Rome\"}; EOS"},
  });
  state.caller_turns = 3;
  auto late = ConversationScript::scripted({}, kPeople);
  late->conversation().resume(state);
  late->run({
      {0, "start", "start 3; Nobody there.; Which day?; end 3"},
      {100, "started:3", ""},
      {900, "ended:3", ""},
      {1001, "wait",
       "start 4!; Time is up.; end 4; ended max_duration "
       "{\"city\":\"Rome\"}; EOS"},
  });
}

// What has been said when time is up is an answer still, if all of it is known
// by then and needs no model.
void test_words_at_the_end_of_time() {
  const std::string goal =
      "start 4!; Done.; Bye.; end 4; ended goal "
      "{\"city\":\"Rome\",\"day\":\"2026-04-30\"} goal; EOS";
  const std::string time_up =
      "start 4!; Time is up.; end 4; ended max_duration ";
  const struct {
    std::vector<std::string> words;
    std::string then;
  } rows[] = {
      {{"words:tomorrow and"}, goal},
      {{"words:well and"}, time_up + "{\"city\":\"Rome\"}; EOS"},
      {{"words:Oslo instead and"}, time_up + "{\"city\":\"Oslo\"}; EOS"},
      // He speaks on, as far as somebody tells, and nobody knows what.
      {{"words:tomorrow and", "speech"}, time_up + "{\"city\":\"Rome\"}; EOS"},
      {{"words:tomorrow and", "partial:not before"},
       time_up + "{\"city\":\"Rome\"}; EOS"},
      {{"words:tomorrow and", "speech", "quiet"},
       time_up + "{\"city\":\"Rome\"}; EOS"},
      // It was noise.
      {{"words:tomorrow and", "speech", "quiet", "words:"}, goal},
  };
  Resumption state = state_of(trip_definition(kPeople));
  state.elapsed = 119s;
  for (const auto &row : rows) {
    auto script = ConversationScript::scripted({}, kPeople);
    script->conversation().resume(state);
    script->run({
        {0, "start", "start 3; Nobody there.; Which day?; end 3"},
        {50, "started:3", ""},
        {300, "ended:3", ""},
        {400, "speech", ""},
        {700, "quiet", ""},
    });
    int ms = 700;
    for (const std::string &input : row.words)
      script->run({{ms += 50, input, ""}});
    script->run({{1001, "wait", row.then}});
  }
}

void test_model_goes_on() {
  auto script = ConversationScript::model("request", kPeople);
  script->conversation().resume(state_of(trip_definition(kPeople)));
  const std::string body = script->request_body(0, "start");
  // It sees what was said, and why it is asked.
  const auto document = JsonDocument::parse(body);
  const JsonView messages = document->root()["messages"];
  g_assert_cmpuint(messages.size(), ==, 5);
  equal(*messages.at(3)["content"].string(), "One second. Nobody there.");
  g_assert_true(messages.at(4)["content"].string()->find("Nobody took the "
                                                         "call") !=
                std::string::npos);
  script->show("");
  script->run({
      {100,
       R"(model:{"message":"Which day suits you?","action":"ask",)"
       R"("transfer_to":null,"extracted":{}})",
       "Which day suits you?"},
      {200, "model-done", "end 3"},
  });
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/transfer/a-person-is-asked-for-in-many-ways",
                  test_asked_for);
  g_test_add_func("/transfer/people-stand-in-the-agent-file", test_definition);
  g_test_add_func("/transfer/mistakes-are-told-with-their-line", test_mistakes);
  g_test_add_func("/transfer/the-scripted-mind-hands-over", test_scripted);
  g_test_add_func("/transfer/may-be-without-a-summary", test_cold);
  g_test_add_func("/transfer/nobody-is-there-unless-the-file-says-so",
                  test_people_are_only_there_if_they_are);
  g_test_add_func("/transfer/a-model-is-told-whom-there-is", test_schema);
  g_test_add_func("/transfer/a-model-hands-over", test_model);
  g_test_add_func("/transfer/an-unknown-target-is-asked-for-again",
                  test_unknown_target);
  g_test_add_func("/transfer/the-state-survives-as-json", test_state);
  g_test_add_func("/transfer/the-state-is-told-with-it", test_told_state);
  g_test_add_func("/transfer/what-tools-brought-is-known-afterwards",
                  test_tools_go_on);
  g_test_add_func("/transfer/told-behind-a-filler", test_told_behind_a_filler);
  g_test_add_func("/transfer/goes-on-when-nobody-takes-it", test_goes_on);
  g_test_add_func("/transfer/limits-are-those-of-the-whole-call",
                  test_limits_go_on);
  g_test_add_func("/transfer/words-at-the-end-of-time-count",
                  test_words_at_the_end_of_time);
  g_test_add_func("/transfer/a-model-goes-on-too", test_model_goes_on);
  return g_test_run();
}
