// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json.hpp"
#include "call/event_json.hpp"
#include "call/event_log.hpp"
#include "call/handover.hpp"
#include "call/recorder.hpp"

#include "../support/check_text.hpp"

#include <glib.h>

using namespace patchcord;
using namespace patchcord::call;

static Recorder begun() {
  store::CallRecord record;
  record.call_sid = "CA1";
  record.status = "ringing";
  Recorder recorder(record);
  recorder.started({"CA1", "MZ1", "AC1", {}}, 5000);
  return recorder;
}

static messages::Decision decision(std::uint32_t turn, const char *caller,
                                   const char *said, const char *fields) {
  messages::Decision message;
  message.turn = turn;
  message.utterance = turn + 1;
  message.caller = caller;
  message.action = "ask";
  message.message = said;
  message.extracted = "{}";
  message.found.fields = fields;
  return message;
}

static void test_turns_in_order() {
  auto recorder = begun();
  recorder.decision(decision(0, "", "Hello.", "{}"), 10);
  recorder.heard({0, 1, "started", "", 0});
  recorder.heard({0, 1, "complete", "Hello.", 900});
  const auto *turn = recorder.decision(
      decision(1, "a room", "Which one?", R"({"what":"room"})"), 2000);
  g_assert_cmpint(turn->index, ==, 1);
  g_assert_cmpint(turn->started_ms, ==, 2000);
  recorder.interrupted({1, 2, "Which", 300});
  recorder.heard({1, 2, "interrupted", "Which", 300});
  const auto &record = recorder.record();
  CHECK_TEXT(record.status, "in-progress");
  g_assert_cmpuint(record.turns.size(), ==, 2);
  CHECK_TEXT(record.turns[0].heard, "Hello.");
  g_assert_false(record.turns[0].interrupted);
  CHECK_TEXT(record.turns[1].heard, "Which");
  g_assert_cmpint(record.turns[0].heard_ms, ==, 900);
  g_assert_cmpint(record.turns[1].heard_ms, ==, 300);
  g_assert_true(record.turns[1].interrupted);
  CHECK_TEXT(record.fields, R"({"what":"room"})");
  messages::ConversationEnded ended;
  ended.found = {R"({"what":"desk"})", R"({"what":2})", R"(["day"])",
                 R"(["people"])"};
  recorder.conversation_ended(ended);
  CHECK_TEXT(record.fields, R"({"what":"desk"})");
  CHECK_TEXT(record.field_turns, R"({"what":2})");
  CHECK_TEXT(record.missing, R"(["day"])");
  CHECK_TEXT(record.invalid, R"(["people"])");
}

static void test_tools() {
  // Before the decision to which they led.
  auto recorder = begun();
  recorder.tool({1, "rooms", "ok", 120});
  const auto *turn = recorder.tool({1, "book", "timeout", 5000});
  g_assert_cmpuint(turn->tools.size(), ==, 2);
  recorder.decision(decision(1, "a room", "Booked.", "{}"), 2000);
  g_assert_cmpuint(recorder.record().turns.size(), ==, 1);
  CHECK_TEXT(store::to_json(recorder.record().turns[0].tools),
             R"([{"name":"rooms","status":"ok","ms":120},)"
             R"({"name":"book","status":"timeout","ms":5000}])");
  CHECK_TEXT(event_json(7, messages::Tool{1, "book", "timeout", 5000}),
             R"({"t_ms":7,"event":"tool","turn":1,"name":"book",)"
             R"("status":"timeout","ms":5000})");
}

static void test_false_interruptions() {
  auto recorder = begun();
  recorder.decision(decision(0, "", "Hello.", "{}"), 100);
  recorder.heard({0, 1, "false-interruption", "Hel", 300});
  g_assert_cmpint(
      recorder.heard({0, 1, "false-interruption", "Hel", 400})->index, ==, 0);
  recorder.heard({0, 1, "complete", "Hello.", 900});
  const auto &turn = recorder.record().turns[0];
  g_assert_cmpint(turn.false_interruptions, ==, 2);
  g_assert_false(turn.interrupted);
  CHECK_TEXT(turn.heard, "Hello.");
  // A model speaks before its decision is known.
  g_assert_cmpint(recorder.heard({1, 2, "false-interruption", "", 0})->index,
                  ==, 1);
}

static void test_latency_from_speech_end() {
  auto recorder = begun();
  recorder.decision(decision(1, "yes", "Good.", "{}"), 0);
  messages::TurnLatency latency;
  latency.turn = 1;
  latency.speech_end = 10 * GST_SECOND;
  latency.transcript = 10 * GST_SECOND + 350 * GST_MSECOND;
  latency.first_sent = 10 * GST_SECOND + 600 * GST_MSECOND;
  const auto *turn = recorder.latency(latency);
  g_assert_cmpfloat(*turn->transcript_ms, ==, 350.0);
  g_assert_cmpfloat(*turn->sent_ms, ==, 600.0);
  g_assert_false(turn->decision_ms.has_value());
  // A model speaks before its decision is known.
  latency.turn = 2;
  g_assert_cmpint(recorder.latency(latency)->index, ==, 2);
  const auto *decided = recorder.decision(decision(2, "no", "Bye.", "{}"), 7);
  g_assert_cmpfloat(*decided->sent_ms, ==, 600.0);
  g_assert_cmpint(decided->started_ms, ==, 7);
  g_assert_cmpuint(recorder.record().turns.size(), ==, 2);
}

static void test_first_reason_stands() {
  struct Row {
    const char *reason, *status;
  };
  for (const Row &row :
       {Row{"goal", "completed"}, Row{"caller_hung_up", "completed"},
        Row{"no_answer", "completed"}, Row{"stream_lost", "failed"},
        Row{"provider_failed", "failed"}, Row{"server_stopped", "failed"},
        Row{"error", "failed"}}) {
    auto recorder = begun();
    recorder.end(row.reason, "first");
    recorder.end("error", "second");
    recorder.finish(9000);
    CHECK_TEXT(recorder.record().end_reason, row.reason);
    CHECK_TEXT(recorder.record().end_detail, "first");
    CHECK_TEXT(recorder.record().status, row.status);
    g_assert_cmpint(recorder.record().ended_ms, ==, 9000);
  }
}

static void test_last_words_are_kept() {
  auto recorder = begun();
  recorder.decision(decision(0, "", "Hello.", "{}"), 0);
  const auto *turn = recorder.unanswered("never mind", 4000);
  g_assert_cmpint(turn->index, ==, 1);
  CHECK_TEXT(turn->caller, "never mind");
  g_assert_cmpuint(recorder.record().turns.size(), ==, 2);
}

static void test_events_are_json() {
  messages::Decision message = decision(3, "say \"hi\"", "Hi!", "{\"a\":1}");
  message.extracted = "";
  const auto json = JsonDocument::parse(event_json(1234, message));
  g_assert_true(json.ok());
  const auto root = json->root();
  CHECK_TEXT(root["event"].string()->c_str(), "decision");
  g_assert_cmpint(*root["t_ms"].integer(), ==, 1234);
  CHECK_TEXT(root["caller"].string()->c_str(), "say \"hi\"");
  g_assert_cmpint(*root["fields"]["a"].integer(), ==, 1);
  const auto cut = JsonDocument::parse(
      event_json(5, messages::Interrupted{1, 2, "Wh", 300}));
  CHECK_TEXT(cut->root()["heard_text"].string()->c_str(), "Wh");
  g_assert_cmpint(*cut->root()["heard_ms"].integer(), ==, 300);
  messages::TurnLatency latency;
  latency.speech_end = GST_SECOND;
  latency.transcript = GST_SECOND + GST_MSECOND;
  const auto stages = JsonDocument::parse(event_json(0, latency));
  g_assert_cmpfloat(*stages->root()["transcript_ms"].number(), ==, 1.0);
  g_assert_true(stages->root()["sent_ms"].is_null());
}

static void test_followers() {
  const auto log = std::make_shared<EventLog>();
  log->publish("1");
  log->publish_passing([]() -> std::string { g_assert_not_reached(); });
  std::string early, late;
  const auto into = [](std::string &text) {
    return [&text](std::optional<std::string> event) {
      text += event ? *event : "|";
    };
  };
  const auto stop = log->follow(into(early));
  log->publish("2");
  log->publish_passing([] { return std::string("p"); });
  const auto stop_late = log->follow(into(late));
  log->publish("3");
  stop();
  stop();
  log->publish("4");
  log->close();
  log->publish("5");
  CHECK_TEXT(early, "12p3");
  CHECK_TEXT(late, "1234|");
  std::string after;
  log->follow(into(after));
  CHECK_TEXT(after, "1234|");
}

static void test_log_is_bounded() {
  const auto log = std::make_shared<EventLog>();
  for (int i = 0; i < 1000; ++i)
    log->publish(std::string(1000, 'x'));
  std::size_t bytes = 0;
  log->follow([&](std::optional<std::string> event) {
    bytes += event ? event->size() : 0;
  });
  g_assert_cmpuint(bytes, <=, 64 << 10);
  g_assert_cmpuint(bytes, >, 60 << 10);
}

static void test_transfer() {
  auto recorder = begun();
  messages::Transfer transfer;
  transfer.target = "desk";
  transfer.number = "+14155550111";
  recorder.transfer(transfer);
  messages::ConversationEnded ended;
  ended.reason = "transfer";
  recorder.conversation_ended(ended);
  const auto &record = recorder.record();
  CHECK_TEXT(record.transfer_outcome, "asked");
  CHECK_TEXT(record.end_reason, ""); // that is to be seen
  recorder.transfer_ended("busy");
  // The end of the stream is no news of it.
  recorder.transfer_ended("canceled");
  CHECK_TEXT(record.transfer_outcome, "busy");
  // Another try.
  transfer.target = "kitchen";
  recorder.transfer(transfer);
  recorder.transfer_ended("answered");
  recorder.end("transferred", "");
  recorder.finish(9000);
  CHECK_TEXT(record.transfer_to, "kitchen");
  CHECK_TEXT(record.transfer_outcome, "answered");
  CHECK_TEXT(record.status, "completed");
  // The second stream of a call is not its beginning.
  recorder.started({"CA1", "MZ2", "AC1", {}}, 7000);
  g_assert_cmpint(record.answered_ms, ==, 5000);
  CHECK_TEXT(record.stream_sid, "MZ2");
  // No transfer: nothing of it ends.
  auto other = begun();
  other.transfer_ended("canceled");
  CHECK_TEXT(other.record().transfer_outcome, "");
}

static void test_answered_by() {
  auto recorder = begun();
  recorder.answered_by({"machine_start", "waits"});
  recorder.answered_by({"machine_end_beep", "message"});
  recorder.answered_by({"human", "late"});
  CHECK_TEXT(recorder.record().answered_by, "machine_end_beep");
}

static void test_what_follows() {
  using namespace patchcord::call;
  const struct {
    const char *status, *bridged, *outcome;
  } rows[] = {{"completed", "true", "answered"},
              {"completed", "", "answered"},
              {"answered", "", "answered"},
              {"completed", "false", "failed"},
              {"busy", "false", "busy"},
              {"no-answer", "", "no-answer"},
              {"canceled", "", "canceled"},
              {"failed", "", "failed"},
              {"", "", "failed"},
              {"a word of tomorrow", "true", "failed"}};
  for (const auto &row : rows)
    CHECK_TEXT(transfer_outcome(row.status, row.bridged), row.outcome);

  Handover handover;
  messages::Transfer &transfer = handover.transfer;
  transfer.number = "+14155550111";
  transfer.timeout = 20;
  handover.record.from = "+14155550100";
  handover.record.to = "+14155550199";
  const std::string cold = dial_twiml("https://h", "t1", handover);
  g_assert_nonnull(g_strstr_len(
      cold.c_str(), -1,
      "<Dial action=\"https://h/twilio/webhooks/dial-result?ticket=t1\" "
      "timeout=\"20\"><Number>+14155550111</Number></Dial><Hangup/>"));
  transfer.warm = true;
  g_assert_nonnull(
      g_strstr_len(dial_twiml("https://h", "t1", handover).c_str(), -1,
                   "<Number url=\"https://h/twilio/webhooks/whisper?"
                   "ticket=t1\">"));

  transfer.summary = "From {caller}. Tea.";
  store::CallRecord record;
  record.from = "+14155550100";
  record.to = "+1999";
  CHECK_TEXT(whispered(transfer, record), "From 1 4 1 5 5 5 5 0 1 0 0. Tea.");
  // Of a call that we placed the caller is who was called.
  record.direction = "outbound-api";
  CHECK_TEXT(whispered(transfer, record), "From 1 9 9 9. Tea.");
  record.direction = "inbound";
  transfer.withheld = "somebody";
  for (const char *none :
       {"anonymous", "", "client:desk", "sip:a@example.com", "+266696687",
        "+7378742833", "+2562533", "+8656696", "+86282452253", "+0123"}) {
    record.from = none;
    CHECK_TEXT(whispered(transfer, record), "From somebody. Tea.");
  }
  transfer.summary = "Tea.";
  CHECK_TEXT(whispered(transfer, record), "Tea.");
}

// Twilio refuses to dial with a caller's number that is none.
static void test_caller_id() {
  Handover handover;
  handover.transfer.number = "+14155550111";
  const auto caller_id = [&handover](const char *from, const char *to) {
    handover.record.from = from;
    handover.record.to = to;
    const std::string twiml = dial_twiml("https://h", "t1", handover);
    const std::string key = " callerId=\"";
    const std::size_t at = twiml.find(key);
    if (at == std::string::npos)
      return std::string();
    const std::size_t begin = at + key.size();
    return twiml.substr(begin, twiml.find('"', begin) - begin);
  };
  CHECK_TEXT(caller_id("+14155550100", "+14155550199"), "");
  CHECK_TEXT(caller_id("anonymous", "+14155550199"), "+14155550199");
  CHECK_TEXT(caller_id("+266696687", "+14155550199"), "+14155550199");
  CHECK_TEXT(caller_id("client:desk", "+14155550199"), "+14155550199");
  // Neither is one: Twilio may know better.
  CHECK_TEXT(caller_id("sip:a@example.com", "sip:b@example.com"), "");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/recorder/turns-in-order", test_turns_in_order);
  g_test_add_func("/recorder/false-interruptions-are-counted",
                  test_false_interruptions);
  g_test_add_func("/recorder/tools-of-a-turn", test_tools);
  g_test_add_func("/recorder/latency-counts-from-the-end-of-speech",
                  test_latency_from_speech_end);
  g_test_add_func("/recorder/the-first-reason-stands",
                  test_first_reason_stands);
  g_test_add_func("/recorder/last-words-are-kept", test_last_words_are_kept);
  g_test_add_func("/recorder/a-transfer-and-what-came-of-it", test_transfer);
  g_test_add_func("/recorder/who-answered-first", test_answered_by);
  g_test_add_func("/handover/what-twilio-is-told", test_what_follows);
  g_test_add_func("/handover/callers-without-a-number-have-the-called-one",
                  test_caller_id);
  g_test_add_func("/events/are-json", test_events_are_json);
  g_test_add_func("/events/followers-get-what-was-and-what-comes",
                  test_followers);
  g_test_add_func("/events/log-is-bounded", test_log_is_bounded);
  return g_test_run();
}
