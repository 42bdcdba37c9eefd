// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/rest.hpp"
#include "twilio/ticket.hpp"
#include "twilio/twiml.hpp"

#include "../support/check_text.hpp"

#include <glib.h>

using namespace patchcord::twilio;

static const std::string kHead =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>";

static void test_stream() {
  Twiml twiml;
  Twiml::Stream stream;
  stream.url = "wss://voice.example.com/media/7f3c2a";
  stream.status_callback = "https://voice.example.com/status?a=1&b=2";
  stream.parameters = {{"agent", "intake"}, {"note", "\"<&>'"}};
  twiml.connect_stream(stream).hangup();
  CHECK_TEXT(twiml.text(),
             (kHead +
              "<Connect><Stream url=\"wss://voice.example.com/media/7f3c2a\" "
              "statusCallback=\"https://voice.example.com/status?a=1&amp;b=2\" "
              "statusCallbackMethod=\"POST\">"
              "<Parameter name=\"agent\" value=\"intake\"/>"
              "<Parameter name=\"note\" value=\"&quot;&lt;&amp;&gt;&apos;\"/>"
              "</Stream></Connect><Hangup/></Response>\n"));
}

static void test_verbs() {
  CHECK_TEXT(Twiml().say("Goodbye & thanks.").hangup().text(),
             (kHead +
              "<Say language=\"en-US\">Goodbye &amp; thanks.</Say><Hangup/>"
              "</Response>\n"));
  CHECK_TEXT(Twiml().reject("busy").text(),
             (kHead + "<Reject reason=\"busy\"/></Response>\n"));
}

static void test_dial() {
  Twiml::Stream stream;
  stream.url = "wss://h/m";
  CHECK_TEXT(Twiml().connect_stream(stream, "https://h/after?a=1&b=2").text(),
             (kHead + "<Connect action=\"https://h/after?a=1&amp;b=2\">"
                      "<Stream url=\"wss://h/m\"></Stream></Connect>"
                      "</Response>\n"));
  Twiml::Dial dial;
  dial.number = "+14155550111";
  dial.action = "https://h/done";
  CHECK_TEXT(Twiml().dial(dial).text(),
             (kHead + "<Dial action=\"https://h/done\" timeout=\"30\"><Number>"
                      "+14155550111</Number></Dial></Response>\n"));
  dial.whisper = "https://h/whisper";
  dial.caller_id = "+14155550199";
  dial.timeout_s = 20;
  CHECK_TEXT(Twiml().dial(dial).text(),
             (kHead + "<Dial action=\"https://h/done\" timeout=\"20\" "
                      "callerId=\"+14155550199\"><Number "
                      "url=\"https://h/whisper\">+14155550111</Number></Dial>"
                      "</Response>\n"));
}

static void test_placing() {
  const RestAccount account = {"https://api.twilio.com", "AC01", "secret"};
  PlacedCall call;
  call.to = "+14155550100";
  call.from = "+14155550199";
  call.url = "https://h/voice?ticket=a1";
  call.status_callback = "https://h/status";
  call.amd_callback = "https://h/amd";
  const auto request = place_request(account, call);
  CHECK_TEXT(request.url,
             "https://api.twilio.com/2010-04-01/Accounts/AC01/Calls.json");
  // Lists are repeated fields here, and AMD does not hold up the call.
  CHECK_TEXT(request.body,
             "To=%2B14155550100&From=%2B14155550199&"
             "Url=https%3A%2F%2Fh%2Fvoice%3Fticket%3Da1&Method=POST&Timeout=60&"
             "StatusCallback=https%3A%2F%2Fh%2Fstatus&"
             "StatusCallbackMethod=POST&StatusCallbackEvent=initiated&"
             "StatusCallbackEvent=ringing&StatusCallbackEvent=answered&"
             "StatusCallbackEvent=completed&MachineDetection=DetectMessageEnd&"
             "MachineDetectionTimeout=30&AsyncAmd=true&"
             "AsyncAmdStatusCallback=https%3A%2F%2Fh%2Famd&"
             "AsyncAmdStatusCallbackMethod=POST");
  CHECK_TEXT(placed_call_sid(R"({"sid":"CA07","status":"queued"})"), "CA07");
  CHECK_TEXT(placed_call_sid("<html>"), "");
}

static void test_placing_answers() {
  const struct {
    int status;
    const char *body;
    RestOutcome outcome;
    const char *says;
  } cases[] = {
      {201, R"({"sid":"CA02","status":"queued"})", RestOutcome::kDone, ""},
      {401, R"({"code":20003,"message":"Authenticate"})", RestOutcome::kRefused,
       "twilio.auth_token"},
      {400, R"({"code":21210,"message":"From is not verified"})",
       RestOutcome::kRefused, "one of the account's"},
      {400, R"({"code":21211,"message":"Invalid To"})", RestOutcome::kRefused,
       "+14155550100"},
      {400, R"({"code":21215,"message":"Geo"})", RestOutcome::kRefused,
       "Geo permissions"},
      {400, R"({"code":21219,"message":"Trial"})", RestOutcome::kRefused,
       "trial account"},
      {404, R"({"code":20404,"message":"not found"})", RestOutcome::kRefused,
       "twilio.account_sid"},
      {429, R"({"code":20429,"message":"Too Many"})", RestOutcome::kRetry,
       "try again"},
      // A create may have happened: never a second one.
      {503, "upstream connect error", RestOutcome::kRefused, "all the same"},
  };
  for (const auto &[status, body, outcome, says] : cases) {
    g_test_message("%d %s", status, body);
    const auto answer = classify_placing(status, body);
    g_assert_true(answer.outcome == outcome);
    g_assert_nonnull(g_strstr_len(answer.message.c_str(), -1, says));
  }
}

static void test_tickets() {
  DialTicket ticket;
  ticket.agent = "reminder";
  ticket.to = "+14155550100";
  ticket.expires = 1700000000;
  ticket.nonce = "a1b2";
  const std::string sealed = seal(ticket, "secret");
  for (const char c : sealed)
    g_assert_true(g_ascii_isalnum(c));
  const auto opened = open_ticket(sealed, {"other", "secret"});
  g_assert_true(opened.ok());
  CHECK_TEXT(opened->agent, "reminder");
  CHECK_TEXT(opened->to, "+14155550100");
  CHECK_TEXT(opened->nonce, "a1b2");
  g_assert_cmpint(opened->expires, ==, 1700000000);
  // Every change of it is seen.
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == '0' ? '1' : '0';
    g_assert_false(open_ticket(changed, {"secret"}).ok());
  }
  g_assert_false(open_ticket(sealed, {"other"}).ok());
  g_assert_false(open_ticket(sealed, {}).ok());
  g_assert_false(open_ticket(seal(ticket, ""), {""}).ok());
  g_assert_false(open_ticket("", {"secret"}).ok());
  g_assert_false(open_ticket(sealed.substr(1), {"secret"}).ok());
  g_assert_false(open_ticket(std::string(100000, 'a'), {"secret"}).ok());
}

static void test_escape() {
  using namespace std::string_literals;
  const struct {
    std::string text, escaped;
  } cases[] = {
      {"plain", "plain"},
      {"a\tb\nc\rd", "a\tb\nc\rd"},
      // Forbidden in XML 1.0, in whatever disguise.
      {"a\x01\x08\x0b\x0c\x1f\0b"s, "ab"},
      {"\xef\xbf\xbe\xef\xbf\xbf.", "."}, // U+FFFE, U+FFFF
      {"\xed\xa0\x80.", "."},             // a surrogate
      {"caf\xc3\xa9 \xf0\x9f\x93\x9e", "caf\xc3\xa9 \xf0\x9f\x93\x9e"},
      {"bad \xff\xc3", "bad "},
      {"{\"parentCallInfoToken\":\"x\"}",
       "{&quot;parentCallInfoToken&quot;:&quot;x&quot;}"},
      {"]]>", "]]&gt;"},
  };
  for (const auto &[text, escaped] : cases)
    CHECK_TEXT(xml_escape(text), escaped);
}

static void test_parameter_limit() {
  const auto parameters = [](const std::map<std::string, std::string> &given) {
    Twiml::Stream stream;
    stream.url = "wss://h/";
    stream.parameters = given;
    std::string text = Twiml().connect_stream(stream).text();
    const auto start = text.find("<Parameter");
    if (start == std::string::npos)
      return std::string();
    return text.substr(start, text.find("</Stream>") - start);
  };
  // 4 + 495 = 499 characters pass whole; one more is cut off. Characters, not
  // bytes, and never half a character.
  const std::string fits(495, 'x');
  CHECK_TEXT((parameters({{"name", fits}})),
             ("<Parameter name=\"name\" value=\"" + fits + "\"/>"));
  CHECK_TEXT((parameters({{"name", fits + "y"}})),
             ("<Parameter name=\"name\" value=\"" + fits + "\"/>"));
  std::string accents, cut;
  for (int i = 0; i < 600; ++i) {
    accents += "\xc3\xa9";
    if (i < 498)
      cut += "\xc3\xa9";
  }
  CHECK_TEXT((parameters({{"n", accents}})),
             ("<Parameter name=\"n\" value=\"" + cut + "\"/>"));
  CHECK_TEXT((parameters({{std::string(500, 'n'), "v"}})), "");
}

static void test_rest_requests() {
  const RestAccount account = {"https://api.twilio.com/", "AC01", "secret"};
  const auto hangup = hang_up_request(account, "CA02");
  CHECK_TEXT(hangup.url,
             "https://api.twilio.com/2010-04-01/Accounts/AC01/Calls/CA02.json");
  CHECK_TEXT(hangup.body, "Status=completed");
  CHECK_TEXT(hangup.username, "AC01");
  CHECK_TEXT(hangup.password, "secret");
  CHECK_TEXT(update_request(account, "CA02", "<Response/>").body,
             "Twiml=%3CResponse%2F%3E");
  // What came from outside cannot leave its place in the path.
  g_assert_true(hang_up_request(account, "../x?y")
                    .url.ends_with("/Calls/..%2Fx%3Fy.json"));
}

static void test_rest_answers() {
  const struct {
    int status;
    const char *body;
    RestOutcome outcome;
    int code;
  } cases[] = {
      {200, R"({"sid":"CA02","status":"completed"})", RestOutcome::kDone, 0},
      {400,
       R"({"code":21220,"message":"Call is not in-progress. Cannot redirect.",)"
       R"("more_info":"https://www.twilio.com/docs/errors/21220","status":400})",
       RestOutcome::kDone, 21220},
      {404, R"({"code":20404,"message":"not found","status":404})",
       RestOutcome::kDone, 20404},
      {404, "<html>no such page</html>", RestOutcome::kRefused, 0},
      {401, R"({"code":20003,"message":"Authenticate"})", RestOutcome::kRefused,
       20003},
      {400, R"({"code":"20001","message":"Bad request"})",
       RestOutcome::kRefused, 20001},
      {429, R"({"code":20429,"message":"Too Many Requests"})",
       RestOutcome::kRetry, 20429},
      {503, "upstream connect error", RestOutcome::kRetry, 0},
      {500, R"({"code":null})", RestOutcome::kRetry, 0},
      {400, "[[[[", RestOutcome::kRefused, 0},
  };
  for (const auto &[status, body, outcome, code] : cases) {
    g_test_message("%d %s", status, body);
    const auto answer = classify_answer(status, body);
    g_assert_true(answer.outcome == outcome);
    g_assert_cmpint(answer.code, ==, code);
    g_assert_true(answer.message.empty() == (outcome == RestOutcome::kDone));
  }
  const auto message =
      classify_answer(401, R"({"code":20003,"message":"Authenticate"})")
          .message;
  g_assert_nonnull(g_strstr_len(message.c_str(), -1, "twilio.auth_token"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/twiml/a-stream-carries-its-parameters", test_stream);
  g_test_add_func("/twiml/verbs-follow-each-other", test_verbs);
  g_test_add_func("/twiml/text-cannot-break-the-document", test_escape);
  g_test_add_func("/twiml/parameters-stay-under-500-characters",
                  test_parameter_limit);
  g_test_add_func("/rest/requests-address-one-call", test_rest_requests);
  g_test_add_func("/rest/a-call-that-is-over-is-done", test_rest_answers);
  g_test_add_func("/twiml/a-dial-says-whom-how-long-and-what-then", test_dial);
  g_test_add_func("/rest/a-placed-call-is-screened-while-it-goes-on",
                  test_placing);
  g_test_add_func("/rest/a-call-that-is-not-placed-says-what-to-do",
                  test_placing_answers);
  g_test_add_func("/ticket/only-the-token-makes-one", test_tickets);
  return g_test_run();
}
