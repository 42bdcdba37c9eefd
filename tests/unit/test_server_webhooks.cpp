// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/ticket.hpp"

#include "../support/add_tests.hpp"
#include "../support/check_text.hpp"
#include "server_fixture.hpp"

#include <ctime>
#include <string>
#include <vector>

// What Twilio asks and tells about calls.
using namespace patchcord;
using namespace patchcord::test;

namespace {

void test_webhook() {
  Fixture fixture([](config::Config &config) {
    config.call.agent = "hotel";
    config.server.public_url = "https://voice.example.com";
  });
  CHECK_TEXT(fixture.server->voice_webhook_url(),
             "https://voice.example.com/twilio/webhooks/voice");
  const std::string target = "/twilio/webhooks/voice";
  const auto answer = fixture.post(target, Fixture::call_fields(),
                                   "https://voice.example.com" + target);
  g_assert_cmpint(answer.status, ==, 200);
  CHECK_TEXT(answer.type, "text/xml; charset=utf-8");
  CHECK_TEXT(answer.body,
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Connect>"
             "<Stream url=\"wss://voice.example.com/ws/voice/token1\" "
             "statusCallback=\"https://voice.example.com/twilio/webhooks/"
             "stream-status\" statusCallbackMethod=\"POST\">"
             "<Parameter name=\"agent\" value=\"hotel\"/>"
             "<Parameter name=\"from\" value=\"+14155550100\"/>"
             "<Parameter name=\"pipeline\" value=\"offline\"/>"
             "<Parameter name=\"to\" value=\"+14155550199\"/>"
             "</Stream></Connect><Hangup/></Response>\n");
  g_assert_cmpuint(fixture.desk.offers.size(), ==, 1);
  const auto &offer = fixture.desk.offers.front();
  CHECK_TEXT(offer.call_sid, kCall);
  CHECK_TEXT(offer.account_sid, "AC01");
  CHECK_TEXT(offer.from, "+14155550100");
  CHECK_TEXT(offer.direction, "inbound");
}

void test_webhook_choices() {
  Fixture fixture;
  const auto answer = fixture.post(
      "/twilio/webhooks/voice?agent=hotel&pipeline=fast&campaign=a%26b",
      Fixture::call_fields());
  g_assert_cmpint(answer.status, ==, 200);
  const auto &offer = fixture.desk.offers.front();
  CHECK_TEXT(offer.agent, "hotel");
  CHECK_TEXT(offer.pipeline, "fast");
  g_assert_cmpuint(offer.parameters.size(), ==, 1);
  CHECK_TEXT(offer.parameters.at("campaign"), "a&b");
  check_holds(answer.body, "<Parameter name=\"campaign\" value=\"a&amp;b\"/>");

  // By GET everything is in the URL, and nothing else is signed. A tilde may
  // have come escaped.
  const std::string query =
      "?CallSid=CA02&From=%2B14155550100&CallerName=A%7EB";
  const auto got = fixture.get(
      "/twilio/webhooks/voice" + query,
      {{"X-Twilio-Signature",
        twilio::sign(kToken, fixture.url + "/twilio/webhooks/voice" + query)}});
  g_assert_cmpint(got.status, ==, 200);
  CHECK_TEXT(fixture.desk.offers.back().call_sid, "CA02");
  CHECK_TEXT(fixture.desk.offers.back().from, "+14155550100");
  g_assert_true(fixture.desk.offers.back().parameters.empty());
}

void test_webhook_refused() {
  Fixture fixture;
  const std::string target = "/twilio/webhooks/voice";
  const std::string form = twilio::encode_form(Fixture::call_fields());
  for (const char *path :
       {"/twilio/webhooks/voice", "/twilio/webhooks/stream-status"}) {
    const auto unsigned_ = fixture.request("POST", path, {}, form, kForm);
    g_assert_cmpint(unsigned_.status, ==, 403);
    check_holds(unsigned_.body, "\"unsigned\"");
    // Signed for another server.
    const auto wrong = fixture.post(path, Fixture::call_fields(),
                                    "https://voice.example.com" + target);
    g_assert_cmpint(wrong.status, ==, 403);
    check_holds(wrong.body, "\"wrong_signature\"");
  }
  const auto json =
      fixture.request("POST", target, {}, "{}", "application/json");
  g_assert_cmpint(json.status, ==, 415);
  for (const char *path :
       {"/twilio/webhooks/voice", "/twilio/webhooks/stream-status",
        "/twilio/webhooks/call-status"}) {
    const auto missing = fixture.post(path, {{"From", "x"}});
    g_assert_cmpint(missing.status, ==, 400);
    check_holds(missing.body, "CallSid is missing");
    const auto bad = fixture.post(path, {{"CallSid", "a/b"}});
    g_assert_cmpint(bad.status, ==, 400);
    check_holds(bad.body, "CallSid is not of letters and digits");
  }
  g_assert_true(fixture.desk.offers.empty());
  g_assert_true(fixture.desk.statuses.empty());
}

// What else Twilio asks and tells: from nobody else.
void test_call_webhooks_refused() {
  Fixture fixture;
  const std::string form = twilio::encode_form(Fixture::call_fields());
  for (const char *name :
       {"after-stream", "whisper?ticket=t1", "dial-result?ticket=t1",
        "answered-by", "call-status?ticket=t1", "voice?ticket=t1"}) {
    const std::string path = std::string("/twilio/webhooks/") + name;
    g_assert_cmpint(fixture.request("POST", path, {}, form, kForm).status, ==,
                    403);
    g_assert_cmpint(
        fixture.post(path, Fixture::call_fields(), "https://other" + path)
            .status,
        ==, 403);
    g_assert_cmpint(fixture.post(path, {{"To", "+1"}}).status, >=, 400);
    g_assert_cmpint(fixture.request("PUT", path, {}, form, kForm).status, ==,
                    405);
  }
  g_assert_true(fixture.desk.told.empty());
  g_assert_true(fixture.desk.offers.empty());
}

void test_transfer_webhooks() {
  Fixture fixture([](config::Config &config) {
    config.server.public_url = "https://voice.example.com";
  });
  const auto post = [&](const std::string &path, const twilio::Form &fields) {
    return fixture.post("/twilio/webhooks/" + path, fields,
                        "https://voice.example.com/twilio/webhooks/" + path);
  };
  // Only an agent with people to put through to wants to be asked.
  fixture.desk.transfers = true;
  check_holds(post("voice", Fixture::call_fields()).body,
              "<Connect action=\"https://voice.example.com/twilio/webhooks/"
              "after-stream\"><Stream");
  check_holds(post("after-stream", Fixture::call_fields()).body,
              "<Response><Hangup/></Response>");
  fixture.desk.dial = "<Response><Dial/></Response>";
  // Who has hung up is put through to nobody, and nothing is asked.
  auto gone = Fixture::call_fields();
  std::erase_if(gone,
                [](const auto &field) { return field.first == "CallStatus"; });
  gone.emplace_back("CallStatus", "completed");
  check_holds(post("after-stream", gone).body,
              "<Response><Hangup/></Response>");
  const auto dial = post("after-stream", Fixture::call_fields());
  CHECK_TEXT(dial.body, "<Response><Dial/></Response>");
  CHECK_TEXT(dial.type, "text/xml; charset=utf-8");

  const twilio::Form other = {{"CallSid", "CA77"}, {"ParentCallSid", kCall}};
  check_holds(post("whisper?ticket=t1", other).body,
              "<Say language=\"en-US\">Rome &lt;1&gt;.</Say>");
  check_holds(post("whisper?ticket=t2", other).body, "<Response></Response>");

  const auto result = [&](const char *ticket, const char *status,
                          const char *bridged, const char *call) {
    return post(std::string("dial-result?ticket=") + ticket,
                {{"CallSid", kCall},
                 {"CallStatus", call},
                 {"DialCallStatus", status},
                 {"DialBridged", bridged}})
        .body;
  };
  check_holds(result("t1", "completed", "true", "in-progress"),
              "<Response><Hangup/></Response>");
  check_holds(result("t1", "busy", "false", "in-progress"),
              "<Connect action=\"https://voice.example.com/twilio/webhooks/"
              "after-stream\"><Stream url=\"wss://voice.example.com/ws/voice/"
              "token9\"");
  // A transfer of nobody's: its caller hears that, and is not left in silence.
  check_holds(result("t2", "no-answer", "", "in-progress"), "<Say");
  check_holds(result("t2", "completed", "", "in-progress"),
              "<Response><Hangup/></Response>");
  (void)result("t1", "completed", "false", "in-progress");
  (void)result("t1", "canceled", "false", "completed");
  const std::string sid = kCall;
  const std::vector<std::string> expected = {
      "after-stream " + sid, "after-stream " + sid, "whisper t1 " + sid,
      "whisper t2 " + sid, "dial-result " + sid + " t1 answered",
      "dial-result " + sid + " t1 busy", "dial-result " + sid + " t2 no-answer",
      "dial-result " + sid + " t2 answered",
      // The other had hung up before the two were joined.
      "dial-result " + sid + " t1 failed",
      "dial-result " + sid + " t1 canceled gone"};
  g_assert_true(fixture.desk.told == expected);
}

void test_placed_webhooks() {
  Fixture fixture;
  twilio::DialTicket ticket;
  ticket.agent = "reminder";
  ticket.to = "+14155550199";
  ticket.expires = std::time(nullptr) + 60;
  ticket.nonce = "n1";
  const auto voice = [&](const twilio::DialTicket &with, const char *sid,
                         const char *key = kToken) {
    twilio::Form fields = Fixture::call_fields();
    fields[0].second = sid;
    return fixture.post(
        "/twilio/webhooks/voice?ticket=" + twilio::seal(with, key), fields);
  };
  const auto taken = voice(ticket, kCall);
  g_assert_cmpint(taken.status, ==, 200);
  check_holds(taken.body, "name=\"agent\" value=\"reminder\"");
  g_assert_true(taken.body.find("ticket") == std::string::npos);
  g_assert_true(fixture.desk.offers.back().screened);
  CHECK_TEXT(fixture.desk.offers.back().agent, "reminder");
  g_assert_cmpint(voice(ticket, kCall).status, ==, 200); // Twilio asks again
  // Of another call, too late, of another number, by another hand.
  g_assert_cmpint(voice(ticket, "CA77").status, ==, 403);
  twilio::DialTicket other = ticket;
  other.nonce = "n2";
  g_assert_cmpint(voice(other, kCall, "other key").status, ==, 403);
  other.to = "+14155550123";
  g_assert_cmpint(voice(other, kCall).status, ==, 403);
  other = ticket;
  other.nonce = "n3";
  other.expires = std::time(nullptr) - 1;
  g_assert_cmpint(voice(other, kCall).status, ==, 403);
  // No path comes from a URL.
  other = ticket;
  other.nonce = "n4";
  other.agent = "../secret";
  check_holds(voice(other, kCall).body, "We are sorry");
  g_assert_cmpuint(fixture.desk.offers.size(), ==, 2);

  const auto tell = [&](const std::string &path, const char *name,
                        const char *value) {
    return fixture
        .post("/twilio/webhooks/" + path, {{"CallSid", kCall}, {name, value}})
        .status;
  };
  g_assert_cmpint(tell("answered-by", "AnsweredBy", "machine_end_beep"), ==,
                  204);
  g_assert_cmpint(tell("answered-by", "AnsweredBy", "a cat"), ==, 204);
  other.agent = "reminder";
  g_assert_cmpint(tell("call-status?ticket=" + twilio::seal(other, kToken),
                       "CallStatus", "busy"),
                  ==, 204);
  g_assert_cmpint(tell("call-status?ticket=x", "CallStatus", "ringing"), ==,
                  204);
  const std::string sid = kCall;
  const std::vector<std::string> expected = {
      "answered-by " + sid + " machine_end_beep",
      "call-status " + sid + " busy reminder",
      "call-status " + sid + " ringing "};
  g_assert_true(fixture.desk.told == expected);
}

void test_without_token() {
  // Nothing to check with is no reason to accept.
  Fixture strict([](config::Config &config) { config.twilio.auth_token = ""; });
  const auto refused =
      strict.post("/twilio/webhooks/voice", Fixture::call_fields());
  g_assert_cmpint(refused.status, ==, 500);
  check_holds(refused.body, "no_auth_token");
  const auto unready = strict.get("/readyz");
  g_assert_cmpint(unready.status, ==, 503);
  check_holds(unready.body, "no auth token");
  RawClient stream(strict.server->port());
  stream.send(strict.handshake("token1"));
  check_holds(stream.read_until("}}"), "HTTP/1.1 500");

  Fixture lax([](config::Config &config) {
    config.twilio.auth_token = "";
    config.twilio.validate_signatures = false;
  });
  const auto accepted =
      lax.request("POST", "/twilio/webhooks/voice", {},
                  twilio::encode_form(Fixture::call_fields()), kForm);
  g_assert_cmpint(accepted.status, ==, 200);
  g_assert_cmpuint(lax.desk.offers.size(), ==, 1);
}

void test_turned_away() {
  Fixture fixture([](config::Config &config) {
    config.server.busy_message = "All lines are busy.";
  });
  for (const char *code : {"full", "draining"}) {
    fixture.desk.refuse_with = make_error(code, "no");
    const auto answer =
        fixture.post("/twilio/webhooks/voice", Fixture::call_fields());
    g_assert_cmpint(answer.status, ==, 200);
    check_holds(answer.body, "<Response><Say language=\"en-US\">All lines are "
                             "busy.</Say><Hangup/></Response>");
  }
  fixture.desk.refuse_with = make_error("bad_agent", "no such agent");
  const auto trouble =
      fixture.post("/twilio/webhooks/voice", Fixture::call_fields());
  g_assert_cmpint(trouble.status, ==, 200);
  check_holds(trouble.body, "We are sorry");
  g_assert_true(trouble.body.find("agent") == std::string::npos);

  // No path comes in through the URL.
  fixture.desk.refuse_with.reset();
  const auto path =
      fixture.post("/twilio/webhooks/voice?agent=..%2F..%2Fetc%2Fpasswd.toml",
                   Fixture::call_fields());
  check_holds(path.body, "We are sorry");
  g_assert_true(fixture.desk.offers.empty());
}

void test_stream_status() {
  Fixture fixture;
  const auto answer = fixture.post("/twilio/webhooks/stream-status",
                                   {{"CallSid", kCall},
                                    {"StreamSid", "MZ01"},
                                    {"StreamEvent", "stream-error"},
                                    {"StreamError", "31920"}});
  g_assert_cmpint(answer.status, ==, 204);
  g_assert_true(answer.body.empty());
  g_assert_cmpuint(fixture.desk.statuses.size(), ==, 1);
  CHECK_TEXT(fixture.desk.statuses.front(),
             std::string(kCall) + " stream-error 31920");
}

} // namespace

void test::add_server_webhooks() {
  add_tests({
      {"/server/a-signed-webhook-gets-a-stream", test_webhook},
      {"/server/the-webhook-url-chooses-agent-and-pipeline",
       test_webhook_choices},
      {"/server/other-webhooks-are-refused", test_webhook_refused},
      {"/server/other-questions-about-calls-are-refused",
       test_call_webhooks_refused},
      {"/server/a-caller-is-put-through-and-comes-back",
       test_transfer_webhooks},
      {"/server/a-ticket-is-good-for-one-placed-call", test_placed_webhooks},
      {"/server/without-a-token-nothing-is-accepted", test_without_token},
      {"/server/who-cannot-be-served-is-told-in-words", test_turned_away},
      {"/server/stream-status-reaches-the-calls", test_stream_status},
  });
}
