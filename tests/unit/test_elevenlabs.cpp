// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/base64.hpp"
#include "elevenlabs/failure.hpp"
#include "elevenlabs/messages.hpp"
#include "elevenlabs/speech_text.hpp"

#include "../support/tell.hpp"

#include <glib.h>

#include <cstring>

using namespace patchcord;
using namespace patchcord::elevenlabs;

static void assert_equal(const std::string &is, const std::string &expected) {
  g_assert_cmpstr(is.c_str(), ==, expected.c_str());
}

static void test_url() {
  static const struct {
    const char *base, *voice, *model, *format, *language, *url;
  } kRows[] = {
      {"https://api.elevenlabs.io", "v1", "eleven_flash_v2_5", "ulaw_8000", "",
       "wss://api.elevenlabs.io/v1/text-to-speech/v1/multi-stream-input"
       "?model_id=eleven_flash_v2_5&output_format=ulaw_8000&auto_mode=true"
       "&sync_alignment=true&inactivity_timeout=180"},
      {"http://127.0.0.1:80/", "a b/c", "eleven_flash_v2_5", "pcm_16000",
       "en-US",
       "ws://127.0.0.1:80/v1/text-to-speech/a%20b%2Fc/multi-stream-input"
       "?model_id=eleven_flash_v2_5&output_format=pcm_16000&auto_mode=true"
       "&sync_alignment=true&inactivity_timeout=180&language_code=en"},
      {"wss://host/prefix", "v", "eleven_multilingual_v2", "pcm_24000", "de",
       "wss://host/prefix/v1/text-to-speech/v/multi-stream-input"
       "?model_id=eleven_multilingual_v2&output_format=pcm_24000&auto_mode=true"
       "&sync_alignment=true&inactivity_timeout=180"},
  };
  for (const auto &row : kRows) {
    const auto url =
        stream_url({row.base, row.voice, row.model, row.format, row.language});
    g_assert_true(url.ok());
    assert_equal(*url, row.url);
  }
  for (const char *bad : {"", "api.elevenlabs.io", "ftp://host", "https://"}) {
    const auto url = stream_url({bad, "v", "m", "f", ""});
    g_assert_false(url.ok());
    assert_equal(url.error().code, "bad_url");
  }
}

static void test_client_messages() {
  assert_equal(open_context("c1", {}), R"({"text":" ","context_id":"c1"})");
  VoiceSettings settings;
  settings.stability = 0.5;
  settings.speed = 3;
  assert_equal(open_context("c2", settings),
               R"({"text":" ","context_id":"c2",)"
               R"("voice_settings":{"stability":0.5,"speed":1.2}})");
  settings = {};
  settings.similarity_boost = -1;
  assert_equal(open_context("c2", settings),
               R"({"text":" ","context_id":"c2",)"
               R"("voice_settings":{"similarity_boost":0}})");
  assert_equal(speak_text("c1", "Say \"hi\". "),
               R"({"text":"Say \"hi\". ","context_id":"c1","flush":true})");
  assert_equal(keep_alive("c1"), R"({"text":"","context_id":"c1"})");
  assert_equal(close_context("c1"),
               R"({"context_id":"c1","close_context":true})");
  assert_equal(close_socket(), R"({"close_socket":true})");
}

static std::string shown(const ServerMessage &message) {
  std::string out =
      message.context + "|" + std::string(as_text(message.audio)) + "|";
  for (const auto &timed : message.alignment)
    out += timed.character + std::to_string(timed.start_ms) + "+" +
           std::to_string(timed.duration_ms) + " ";
  return out + "|" + (message.final ? "final" : "") + "|" + message.error +
         "|" + message.message;
}

static void test_server_messages() {
  // "QUJD" is "ABC", "Pz8/Pz8/" is "??????".
  static const struct {
    const char *json, *shown;
  } kRows[] = {
      {R"({"audio":"QUJD","isFinal":null,"contextId":"c1",
           "alignment":{"chars":["H","i"],"charStartTimesMs":[0,80],
           "charDurationsMs":[80,110]},"normalizedAlignment":{"chars":["X"],
           "charStartTimesMs":[0],"charDurationsMs":[1]}})",
       "c1|ABC|H0+80 i80+110 |||"},
      {R"({"alignment":{"chars":["ü"],"charsStartTimesMs":[5.6],
           "charsDurationsMs":[10]},"context_id":"c2","audio":"QUJD",
           "is_final":true})",
       "c2|ABC|ü6+10 |final||"},
      {R"({"audio" : "Pz8\/Pz8\/" , "contextId":"c1"})", "c1|??????||||"},
      {R"({"audio":null,"isFinal":true,"contextId":"c1"})", "c1|||final||"},
      {R"({"alignment":{"audio":"x","chars":["audio"],
           "char_start_times_ms":[1],"char_durations_ms":[2]},
           "audio":"QUJD"})",
       "|ABC|audio1+2 |||"},
      {R"({"alignment":null,"audio":""})", "|||||"},
      // Lists of different lengths, wrong types, negative times.
      {R"({"alignment":{"chars":["a","b",3],"charStartTimesMs":[-5],
           "charDurationsMs":["x"]}})",
       "||a0+0 |||"},
      {R"({"message":"Too slow \"x\"","error":"input_timeout_exceeded",
           "code":1008})",
       "||||input_timeout_exceeded|Too slow \"x\""},
      {R"({"type":"flush_done","something":[{"audio":"QUJD"}]})", "|||||"},
      {R"({"a\"udio":"QUJD","x":"\\","audio":"QUJD"})", "|ABC||||"},
      {R"({"audio":{"audio":"QUJD"}})", "|||||"},
  };
  for (const auto &row : kRows) {
    const auto message = parse_server_message(row.json);
    test::tell(row.json);
    g_assert_true(message.ok());
    assert_equal(shown(*message), row.shown);
  }
  static const struct {
    const char *json, *code;
  } kBad[] = {
      {"", "bad_json"},
      {"[]", "bad_json"},
      {"{\"audio\":\"QUJD\"", "bad_json"},
      {"{\"audio\":\"QUJ\"}", "bad_audio"},
      {"{\"audio\":\"####\"}", "bad_audio"},
      {"{\"audio\":\"QUJD", "bad_json"},
      {"{\"audio\":\"QUJD\\\"}", "bad_json"},
      {"[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]", "too_deep"},
  };
  for (const auto &row : kBad) {
    const auto message = parse_server_message(row.json);
    test::tell(row.json);
    g_assert_false(message.ok());
    assert_equal(message.error().code, row.code);
  }
}

// Two minutes of 44.1 kHz in one message.
static void test_large_message() {
  Bytes audio(10'584'000);
  for (std::size_t i = 0; i < audio.size(); ++i)
    audio[i] = static_cast<std::uint8_t>(i * 7 + (i >> 9));
  const std::string json = R"({"contextId":"c1","audio":")" +
                           base64::encode(audio) + R"(","isFinal":false})";
  const gint64 begin = g_get_monotonic_time();
  const auto message = parse_server_message(json);
  g_test_message("%zu bytes of JSON in %.1f ms", json.size(),
                 static_cast<double>(g_get_monotonic_time() - begin) / 1000);
  g_assert_true(message.ok());
  g_assert_true(message->audio == audio);
}

static void test_failures() {
  static const struct {
    const char *code;
    bool retryable;
    const char *says;
  } kErrors[] = {
      {"invalid_api_key", false, "ELEVENLABS_API_KEY"},
      {"quota_exceeded", false, "credits"},
      {"insufficient_credits", false, "credits"},
      {"voice_id_does_not_exist", false, "voice-id"},
      {"model_not_found", false, "model-id"},
      {"invalid_input_message", false, "refuses the request"},
      {"detected_unusual_activity", false, "not allowed"},
      {"input_timeout_exceeded", true, "problem"},
      {"max_active_conversations", true, "problem"},
      {"something_new", true, "something_new"},
  };
  for (const auto &row : kErrors) {
    const Failure failure = classify_error(row.code, "In their words.");
    g_test_message("%s: %s", row.code, failure.message.c_str());
    assert_equal(failure.code, row.code);
    g_assert_true(failure.retryable == row.retryable);
    g_assert_nonnull(strstr(failure.message.c_str(), row.says));
    g_assert_nonnull(strstr(failure.message.c_str(), "In their words."));
  }
}

static void test_http_failures() {
  static const struct {
    int status;
    const char *body, *code;
    bool retryable;
    const char *says;
  } kRows[] = {
      {401, "", "http_401", false, "ELEVENLABS_API_KEY"},
      {401, R"({"detail":{"status":"quota_exceeded","message":"0 left"}})",
       "quota_exceeded", false, "credits left (quota_exceeded: 0 left)"},
      {429,
       R"({"detail":{"type":"rate_limit_error","code":"system_busy",
           "status":"x","message":"Busy"}})",
       "system_busy", true, "Busy"},
      {422, R"({"detail":[{"loc":["body",0],"msg":"bad text","type":"t"}]})",
       "http_422", false, "bad text"},
      {400, R"({"detail":"No."})", "http_400", false, "No."},
      {402, "<html>", "http_402", false, "credits"},
      {403, "{}", "http_403", false, "not allowed"},
      {404, "", "http_404", false, "voice-id"},
      {503, "", "http_503", true, "HTTP 503"},
      {409, "", "http_409", true, "HTTP 409"},
  };
  for (const auto &row : kRows) {
    const Failure failure = classify_http(row.status, row.body);
    test::tell(std::to_string(row.status) + " " + row.body + ": " +
               failure.message);
    assert_equal(failure.code, row.code);
    g_assert_true(failure.retryable == row.retryable);
    g_assert_nonnull(strstr(failure.message.c_str(), row.says));
  }
}

static void test_closes() {
  static const struct {
    std::uint16_t code;
    const char *reason, *says;
    bool retryable;
  } kRows[] = {
      {1000, "", "closed_1000", true},
      {1006, "", "closed_1006", true},
      {1011, "internal", "closed_1011", true},
      {1008, "", "closed_1008", false},
      {1008, "Error: quota_exceeded", "quota_exceeded", false},
      {1008, "input_timeout_exceeded", "input_timeout_exceeded", true},
  };
  for (const auto &row : kRows) {
    const Failure failure = classify_close(row.code, row.reason);
    assert_equal(failure.code, row.says);
    g_assert_true(failure.retryable == row.retryable);
  }
}

static void test_speech_text() {
  static const struct {
    const char *in, *out;
  } kRows[] = {
      {"Hello.", "Hello."},
      {"  two\n\tlines \r\n here ", "two lines here"},
      {"**Bold** and *soft* and _so_ and `code`.",
       "Bold and soft and so and code."},
      {"(**now**), \"_then_\"!", "(now), \"then\"!"},
      {"un**believ**able", "unbelievable"},
      {"snake_case stays, 5 * 3 too", "snake_case stays, 5 * 3 too"},
      {"# Title\n- one\n* two\n> said\n1. first",
       "Title one two said 1. first"},
      {"-5 degrees, #1", "-5 degrees, #1"},
      {"See [our page](https://example.com/a_b) now", "See our page now"},
      {"![a cat](cat.png) sits", "a cat sits"},
      {"[not a link] and (this)", "[not a link] and (this)"},
      {"Go to https://example.com/x?y=1 or www.example.com today",
       "Go to or today"},
      {"Fine 👍🏽 really ❤️ 🇩🇪", "Fine really"},
      {"Wait <break time=\"0.5s\"/> here", "Wait <break time=\"0.5s\"/> here"},
      {"2 < 3 *really*", "2 < 3 really"},
      {"Grüße, 日本", "Grüße, 日本"},
      {"…", ""},
      {"👍", ""},
      {"---", ""},
      {"**", ""},
      {"", ""},
      {"[", ""},
      {"!", ""},
      {"a![b", "a![b"},
      {"\xff", ""},
  };
  for (const auto &row : kRows) {
    test::tell(row.in);
    assert_equal(speech_text(row.in), row.out);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/elevenlabs/url-names-everything-but-the-key", test_url);
  g_test_add_func("/elevenlabs/client-messages", test_client_messages);
  g_test_add_func("/elevenlabs/server-messages-in-every-spelling",
                  test_server_messages);
  g_test_add_func("/elevenlabs/minutes-of-audio-in-one-message",
                  test_large_message);
  g_test_add_func("/elevenlabs/errors-say-what-to-check", test_failures);
  g_test_add_func("/elevenlabs/http-errors-in-three-shapes",
                  test_http_failures);
  g_test_add_func("/elevenlabs/closes", test_closes);
  g_test_add_func("/elevenlabs/text-is-made-speakable", test_speech_text);
  return g_test_run();
}
