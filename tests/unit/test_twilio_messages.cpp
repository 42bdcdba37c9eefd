// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/base64.hpp"
#include "base/json.hpp"
#include "twilio/messages.hpp"
#include "twilio/peer_messages.hpp"

#include "../support/check_text.hpp"
#include "../support/tell.hpp"

#include <glib.h>

#include <chrono>

using namespace patchcord;
using namespace patchcord::twilio;

namespace {

constexpr char kMedia[] =
    R"({"event":"media","sequenceNumber":"2","media":{"track":"inbound",)"
    R"("chunk":"1","timestamp":"155","payload":"fwD/"},"streamSid":"MZ1"})";

// g_assert_cmpstr keeps pointers only: into a temporary they would dangle.
#define assert_text(actual, expected)                                          \
  do {                                                                         \
    const std::string actual_text(actual);                                     \
    CHECK_TEXT(actual_text, expected);                                         \
  } while (false)

Bytes frame(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::uint8_t>(i * 7);
  return bytes;
}

std::string describe(const InboundMessage &message) {
  if (const auto *anomaly = std::get_if<Anomaly>(&message))
    return to_string(*anomaly);
  if (const auto *media = std::get_if<MediaMessage>(&message))
    return "media " + std::string(media->stream_sid) + ' ' +
           std::to_string(media->sequence) + ' ' +
           std::to_string(media->chunk) + ' ' +
           std::to_string(media->timestamp_ms) + ' ' +
           base64::encode(media->mulaw);
  if (const auto *start = std::get_if<StartMessage>(&message)) {
    std::string text = "start " + start->start.stream_sid + ' ' +
                       start->start.account_sid + ' ' + start->start.call_sid +
                       ' ' + std::to_string(start->sequence);
    for (const auto &[name, value] : start->start.parameters)
      text += ' ' + name + '=' + value;
    return text;
  }
  if (const auto *dtmf = std::get_if<DtmfMessage>(&message))
    return "dtmf " + dtmf->stream_sid + ' ' + std::to_string(dtmf->sequence) +
           ' ' + dtmf->digit;
  if (const auto *mark = std::get_if<MarkMessage>(&message))
    return "mark " + mark->stream_sid + ' ' + std::to_string(mark->sequence) +
           ' ' + mark->name;
  if (const auto *stop = std::get_if<StopMessage>(&message))
    return "stop " + stop->stream_sid + ' ' + std::to_string(stop->sequence);
  const auto &connected = std::get<ConnectedMessage>(message);
  return "connected " + connected.protocol + ' ' + connected.version;
}

void check(std::string_view text, const char *expected) {
  test::tell(text);
  MessageParser parser;
  assert_text(describe(parser.parse(text)), expected);
  assert_text(describe(parser.parse_json(text)), expected);
}

// `from` with one part replaced: the shortest way to spell a variation.
std::string with(std::string from, std::string_view part,
                 std::string_view instead) {
  const auto at = from.find(part);
  g_assert_true(at != std::string::npos);
  return from.replace(at, part.size(), instead);
}

} // namespace

static void test_what_twilio_sends() {
  const char *const cases[][2] = {
      {R"({"event":"connected","protocol":"Call","version":"1.0.0"})",
       "connected Call 1.0.0"},
      {R"({"event":"connected"})", "connected  "},
      {R"({"event":"start","sequenceNumber":"1","start":{"accountSid":"AC1",)"
       R"("streamSid":"MZ1","callSid":"CA1","tracks":["inbound"],)"
       R"("mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,)"
       R"("channels":1},"customParameters":{"lang":"en-US","n":5,)"
       R"("q":"\"x\""}},"streamSid":"MZ1"})",
       "start MZ1 AC1 CA1 1 lang=en-US q=\"x\""},
      {R"({"event":"start","start":{"streamSid":"MZ1","callSid":"CA1"}})",
       "start MZ1  CA1 -1"},
      {kMedia, "media MZ1 2 1 155 fwD/"},
      {R"({"event":"dtmf","streamSid":"MZ1","sequenceNumber":"5",)"
       R"("dtmf":{"track":"inbound_track","digit":"#"}})",
       "dtmf MZ1 5 #"},
      {R"({"event":"mark","sequenceNumber":"4","streamSid":"MZ1",)"
       R"("mark":{"name":"t1.seg.1"}})",
       "mark MZ1 4 t1.seg.1"},
      {R"({"event":"stop","sequenceNumber":"378","streamSid":"MZ1",)"
       R"("stop":{"accountSid":"AC1","callSid":"CA1"}})",
       "stop MZ1 378"},
  };
  for (const auto &[text, expected] : cases)
    check(text, expected);
}

static void test_anomalies() {
  const std::pair<std::string, const char *> cases[] = {
      {std::string(70'000, 'x'), "too_large"},
      {std::string(40'000, '['), "bad_json"},
      {std::string(30'000, '[') + std::string(30'000, ']'), "too_deep"},
      {with(kMedia, "MZ1", "M\xff"), "not_utf8"},
      {std::string("{\"event\":\"media\"\0}", 18), "bad_json"},
      {"", "bad_json"},
      {"[]", "bad_json"},
      {"\"media\"", "bad_json"},
      {"{\"event\":", "bad_json"},
      {with(kMedia, "}", ""), "bad_json"},
      {"{}", "no_event"},
      {R"({"event":7})", "no_event"},
      {R"({"event":"surprise"})", "unknown_event"},
      {R"({"event":"start"})", "bad_start"},
      {R"({"event":"start","streamSid":"MZ1","start":{"streamSid":"MZ2",)"
       R"("callSid":"CA1"}})",
       "bad_start"},
      {R"({"event":"start","streamSid":"MZ1","start":{"callSid":"CA1",)"
       R"("mediaFormat":{"encoding":"audio/l16","sampleRate":8000,)"
       R"("channels":1}}})",
       "bad_media_format"},
      {R"({"event":"media","sequenceNumber":"2"})", "bad_media"},
      {with(kMedia, "155", "-5"), "bad_media"},
      {with(kMedia, "155", "soon"), "bad_media"},
      {with(kMedia, "fwD/", "fwD"), "bad_base64"},
      {with(kMedia, "fwD/",
            "fw=="
            "fw=="),
       "bad_base64"},
      {with(kMedia, "inbound", "outbound"), "other_track"},
      {with(kMedia, "\"2\"", "\"two\""), "bad_counter"},
      {with(kMedia, "\"1\"", "[]"), "bad_counter"},
      {R"({"event":"dtmf","dtmf":{"digit":"12"}})", "bad_dtmf"},
      {R"({"event":"dtmf","dtmf":{"digit":"x"}})", "bad_dtmf"},
      {R"({"event":"dtmf"})", "bad_dtmf"},
      {R"({"event":"mark","mark":{}})", "bad_mark"},
  };
  for (const auto &[text, expected] : cases)
    check(text, expected);
}

// What parse() makes of a media message, and whether the scan was enough.
static void test_scan_takes_and_declines() {
  const struct {
    std::string text;
    const char *expected;
    bool scanned;
  } cases[] = {
      {kMedia, "media MZ1 2 1 155 fwD/", true},
      {"\n " + with(kMedia, ":", " : ") + " \r\n", "media MZ1 2 1 155 fwD/",
       true},
      {R"({"streamSid":"MZ1","media":{"payload":"","timestamp":"0",)"
       R"("chunk":"9","track":"inbound"},"sequenceNumber":"3",)"
       R"("event":"media"})",
       "media MZ1 3 9 0 ", true},
      {with(kMedia, "{\"event", "{\"new\":\"x\",\"event"),
       "media MZ1 2 1 155 fwD/", true},
      // Declined, and the same message all the same.
      {with(kMedia, "\"155\"", "155"), "media MZ1 2 1 155 fwD/", false},
      {with(kMedia, "fwD/", "fwD\\/"), "media MZ1 2 1 155 fwD/", false},
      {with(kMedia, "\"event\"", "\"\\u0065vent\""), "media MZ1 2 1 155 fwD/",
       false},
      {with(kMedia, "{\"event", "{\"new\":[{}],\"event"),
       "media MZ1 2 1 155 fwD/", false},
      {with(kMedia, "\"track\":\"inbound\",", ""), "media MZ1 2 1 155 fwD/",
       false},
      {with(kMedia, "MZ1", "\xc3\x9c"), "media \xc3\x9c 2 1 155 fwD/", false},
      // A key twice: the first one counts.
      {with(kMedia, "\"155\"", R"("155","timestamp":"156")"),
       "media MZ1 2 1 155 fwD/", false},
      {with(kMedia, "\"155\"", "\"99999999999999999999\""), "bad_media", false},
      {std::string(kMedia) + "}", "bad_json", false},
      {std::string(kMedia) + kMedia, "bad_json", false},
  };
  for (const auto &c : cases) {
    test::tell(c.text);
    MessageParser parser;
    assert_text(describe(parser.parse(c.text)), c.expected);
    g_assert_true(parser.scanned() == c.scanned);
    assert_text(describe(parser.parse_json(c.text)), c.expected);
  }
}

static void test_every_cut_is_refused() {
  std::string media;
  peer::append_media(media, "MZ1", 2, 1, 155, frame(160));
  MessageParser parser;
  for (std::size_t size = 0; size < media.size(); ++size) {
    const auto message = parser.parse(media.substr(0, size));
    g_assert_true(std::holds_alternative<Anomaly>(message));
  }
  g_assert_true(std::holds_alternative<MediaMessage>(parser.parse(media)));
}

static void test_outbound_golden() {
  std::string out;
  append_media(out, "MZ1", as_bytes("\x7f\xff"));
  CHECK_TEXT(
      out, R"({"event":"media","streamSid":"MZ1","media":{"payload":"f/8="}})");
  out.clear();
  append_mark(out, "MZ1", "u\"1");
  CHECK_TEXT(out,
             R"({"event":"mark","streamSid":"MZ1","mark":{"name":"u\"1"}})");
  out.clear();
  append_clear(out, "MZ1");
  CHECK_TEXT(out, R"({"event":"clear","streamSid":"MZ1"})");
}

static void test_peer_golden() {
  const StreamStart start{"MZ1", "AC1", "CA1", {{"a", "1"}, {"b", "x\"y"}}};
  std::string out;
  const auto expect = [&](const char *json, const char *parsed) {
    CHECK_TEXT(out, json);
    check(out, parsed);
    out.clear();
  };
  peer::append_connected(out);
  expect(R"({"event":"connected","protocol":"Call","version":"1.0.0"})",
         "connected Call 1.0.0");
  peer::append_start(out, start, 1);
  expect(R"({"event":"start","sequenceNumber":"1","start":{"accountSid":"AC1",)"
         R"("streamSid":"MZ1","callSid":"CA1","tracks":["inbound"],)"
         R"("mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,)"
         R"("channels":1},"customParameters":{"a":"1","b":"x\"y"}},)"
         R"("streamSid":"MZ1"})",
         "start MZ1 AC1 CA1 1 a=1 b=x\"y");
  peer::append_media(out, "MZ1", 2, 1, 155, as_bytes("\x7f"));
  expect(R"({"event":"media","sequenceNumber":"2","media":{"track":"inbound",)"
         R"("chunk":"1","timestamp":"155","payload":"fw=="},)"
         R"("streamSid":"MZ1"})",
         "media MZ1 2 1 155 fw==");
  peer::append_dtmf(out, "MZ1", 5, "*");
  expect(R"({"event":"dtmf","streamSid":"MZ1","sequenceNumber":"5",)"
         R"("dtmf":{"track":"inbound_track","digit":"*"}})",
         "dtmf MZ1 5 *");
  peer::append_mark(out, "MZ1", 6, "n");
  expect(R"({"event":"mark","sequenceNumber":"6","streamSid":"MZ1",)"
         R"("mark":{"name":"n"}})",
         "mark MZ1 6 n");
  peer::append_stop(out, start, 7);
  expect(R"({"event":"stop","sequenceNumber":"7","streamSid":"MZ1",)"
         R"("stop":{"accountSid":"AC1","callSid":"CA1"}})",
         "stop MZ1 7");
}

static void test_peer_takes_what_we_send() {
  peer::Parser parser("MZ1");
  std::string out;
  const Bytes audio = frame(800);
  append_media(out, "MZ1", audio);
  // The payload before it must not stay.
  for (int i = 0; i < 2; ++i) {
    const auto message = parser.parse(out);
    const auto *media = std::get_if<peer::Media>(&message);
    g_assert_nonnull(media);
    g_assert_true(Bytes(media->mulaw.begin(), media->mulaw.end()) == audio);
  }
  out.clear();
  append_mark(out, "MZ1", "seg \"1\"");
  const auto mark = parser.parse(out);
  CHECK_TEXT(std::get<peer::Mark>(mark).name, "seg \"1\"");
  out.clear();
  append_clear(out, "MZ1");
  g_assert_true(std::holds_alternative<peer::Clear>(parser.parse(out)));
  // In another key order and with spaces: JSON is JSON.
  const auto other = parser.parse(
      R"({ "media": {"payload":"f/8="}, "streamSid":"MZ1","event":"media"})");
  g_assert_cmpuint(std::get<peer::Media>(other).mulaw.size(), ==, 2);
}

static void test_peer_refuses() {
  const char *const cases[] = {
      "",
      "audio",
      "[]",
      R"({"event":"media","streamSid":"MZ1","media":{"payload":"}})",
      R"({"event":"media","streamSid":"MZ1","media":{"payload":"f/8"}})",
      R"({"event":"media","streamSid":"MZ1","media":{"payload":7}})",
      R"({"event":"media","streamSid":"MZ1","payload":"f/8="})",
      R"({"event":"media","streamSid":"MZ1","media":"f/8="})",
      R"({"event":"media","streamSid":"MZ1","media":{}})",
      R"({"event":"media","media":{"payload":"f/8="}})",
      R"({"event":"media","stream_sid":"MZ1","media":{"payload":"f/8="}})",
      R"({"event":"media","streamSid":"MZ2","media":{"payload":"f/8="}})",
      R"({"event":"media","streamSid":"MZ1","media":{"payload":"f/8=",)"
      R"("track":"outbound"}})",
      R"({"event":"media","streamSid":"MZ1","media":{"payload":"f/8="},)"
      R"("sequenceNumber":"1"})",
      R"({"event":"mark","streamSid":"MZ1"})",
      R"({"event":"mark","streamSid":"MZ1","mark":{"name":1}})",
      R"({"event":"mark","streamSid":"MZ1","name":"x"})",
      R"({"event":"clear"})",
      R"({"event":"clear","streamSid":"MZ1","reason":"x"})",
      R"({"event":"stop","streamSid":"MZ1"})",
      R"({"event":"hangup","streamSid":"MZ1"})",
  };
  for (const char *text : cases) {
    test::tell(text);
    peer::Parser parser("MZ1");
    const auto message = parser.parse(text);
    const auto *refused = std::get_if<peer::Refused>(&message);
    g_assert_nonnull(refused);
    g_assert_cmpint(refused->warning, ==, 31951);
    g_assert_false(refused->reason.empty());
  }
}

// Figures for the documentation; `-m perf` runs it.
static void test_speed() {
  if (!g_test_perf()) {
    g_test_skip("run with -m perf");
    return;
  }
  std::string text;
  const std::string sid = "MZ00000000000000000000000000000001";
  peer::append_media(text, sid, 1234, 1200, 24118, frame(160));
  const auto time = [](const char *what, int count, auto &&work) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i)
      work();
    const std::chrono::duration<double, std::nano> spent =
        std::chrono::steady_clock::now() - begin;
    g_test_minimized_result(spent.count() / count, "%s: %.0f ns", what,
                            spent.count() / count);
  };
  MessageParser parser;
  std::size_t bytes = 0;
  time("media message scanned", 1'000'000, [&] {
    bytes += std::get<MediaMessage>(parser.parse(text)).mulaw.size();
  });
  time("the same by the JSON path", 100'000, [&] {
    bytes += std::get<MediaMessage>(parser.parse_json(text)).mulaw.size();
  });
  const Bytes audio = frame(800);
  std::string out;
  time("media message of 100 ms built", 1'000'000, [&] {
    out.clear();
    append_media(out, sid, audio);
    bytes += out.size();
  });
  g_assert_cmpuint(bytes, >, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/twilio-messages/what-twilio-sends-is-understood",
                  test_what_twilio_sends);
  g_test_add_func("/twilio-messages/what-it-does-not-send-is-an-anomaly",
                  test_anomalies);
  g_test_add_func("/twilio-messages/the-scan-declines-what-it-is-not-sure-of",
                  test_scan_takes_and_declines);
  g_test_add_func("/twilio-messages/a-message-cut-anywhere-is-refused",
                  test_every_cut_is_refused);
  g_test_add_func("/twilio-messages/outbound-has-exactly-these-fields",
                  test_outbound_golden);
  g_test_add_func("/twilio-messages/the-peer-sends-the-captured-shapes",
                  test_peer_golden);
  g_test_add_func("/twilio-messages/the-peer-takes-what-we-send",
                  test_peer_takes_what_we_send);
  g_test_add_func("/twilio-messages/the-peer-refuses-all-else",
                  test_peer_refuses);
  g_test_add_func("/twilio-messages/speed", test_speed);
  return g_test_run();
}
