// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/add_tests.hpp"
#include "realtime_play.hpp"

#include <functional>

// The link: from the URL to a session that takes audio.
using namespace patchcord;
using namespace patchcord::test;

namespace {

void test_urls() {
  const struct {
    const char *base, *custom, *model, *expected;
  } cases[] = {
      {"https://api.openai.com/v1", "", "",
       "wss://api.openai.com/v1/realtime?intent=transcription"},
      {"https://api.openai.com/v1/", "", "",
       "wss://api.openai.com/v1/realtime?intent=transcription"},
      {"http://127.0.0.1:8080/v1", "", "",
       "ws://127.0.0.1:8080/v1/realtime?intent=transcription"},
      {"https://gw.example/v1?tenant=7", "", "whisper 1",
       "wss://gw.example/v1/realtime?tenant=7&intent=transcription"
       "&model=whisper%201"},
      {"https://gw.example/v1?model=x&intent=y", "", "m",
       "wss://gw.example/v1/realtime?model=x&intent=y"},
      {"wss://gw.example/v1", "", "",
       "wss://gw.example/v1/realtime?intent=transcription"},
      {"https://api.openai.com/v1", "wss://other/x?y=z", "m",
       "wss://other/x?y=z"},
  };
  for (const auto &test : cases)
    equal(openai::realtime_url(test.base, test.custom, test.model),
          test.expected);
  g_assert_true(openai::is_openai_url("https://api.openai.com/v1"));
  g_assert_true(openai::is_openai_url("wss://eu.api.openai.com:443/v1"));
  g_assert_false(openai::is_openai_url("https://api.openai.com.evil.net/v1"));
  g_assert_false(openai::is_openai_url("http://localhost/api.openai.com"));
  g_assert_true(openai::is_azure_url("wss://me.openai.azure.com/openai/v1"));
}

constexpr char kVad[] =
    R"({"type":"server_vad","threshold":0.5,"prefix_padding_ms":300,)"
    R"("silence_duration_ms":500})";

void test_update_by_model() {
  const struct {
    const char *model, *language;
    Format format;
    std::string format_json, transcription, detection;
  } cases[] = {
      {"gpt-4o-transcribe", "en", Format::kMulaw8k, R"({"type":"audio/pcmu"})",
       R"({"model":"gpt-4o-transcribe","language":"en"})", kVad},
      {"gpt-4o-mini-transcribe-2025-12-15", "", Format::kPcm24k,
       R"({"type":"audio/pcm","rate":24000})",
       R"({"model":"gpt-4o-mini-transcribe-2025-12-15"})", kVad},
      {"gpt-transcribe", "en,de", Format::kPcm24k,
       R"({"type":"audio/pcm","rate":24000})",
       R"({"model":"gpt-transcribe","languages":["en","de"]})", kVad},
      {"gpt-live-transcribe", "en", Format::kMulaw8k,
       R"({"type":"audio/pcmu"})",
       R"({"model":"gpt-live-transcribe","languages":["en"]})", "null"},
      {"gpt-realtime-whisper", "en, de", Format::kMulaw8k,
       R"({"type":"audio/pcmu"})",
       R"({"model":"gpt-realtime-whisper","language":"en"})", "null"},
      {"my-own-model", "en", Format::kMulaw8k, R"({"type":"audio/pcmu"})",
       R"({"model":"my-own-model","language":"en"})", kVad},
  };
  for (const auto &test : cases) {
    Play play(with_model(test.model, test.language), test.format);
    play.session.on_open(play.now);
    play.event(0, R"({"type":"session.created"})");
    equal(play.last_message,
          R"({"type":"session.update","event_id":"cfg_1","session":)"
          R"({"type":"transcription","audio":{"input":{"format":)" +
              test.format_json + ",\"transcription\":" + test.transcription +
              ",\"noise_reduction\":null,\"turn_detection\":" + test.detection +
              "}}}}");
  }
}

void test_audio_waits_for_the_update() {
  Play play;
  play.show_audio = true;
  equal(play.take(),
        "connect wss://api.openai.com/v1/realtime?intent=transcription\n");
  play.audio(60);
  play.until(100);
  play.session.on_open(play.now);
  play.audio(60);
  equal(play.take(), "");
  play.event(120, R"({"type":"session.created"})");
  equal(play.take(), "> session.update\n");
  play.audio(1000);
  equal(play.take(), "");
  play.event(180, R"({"type":"session.updated"})");
  equal(play.take(), "> audio 8000\n> audio 960\n");
  g_assert_true(play.session.ready());
  // From here on in messages of 100 ms.
  play.audio(80);
  equal(play.take(), "");
  play.audio(20);
  equal(play.take(), "> audio 800\n");
}

void test_audio_before_the_connection_is_bounded() {
  Play play;
  for (int i = 0; i < 9; ++i)
    play.audio(1000); // faster than it can be spoken
  play.connected(4000);
  g_assert_cmpuint(play.appended, ==, 5000 * 8);
}

void test_format_may_come_late() {
  RealtimeTranscription session{Settings()};
  const TimePoint now = 5s;
  session.start(now);
  session.on_open(now);
  session.on_message(R"({"type":"session.created"})", now);
  g_assert_false(session.next_message(now).has_value());
  g_assert_false(session.deadline().has_value()); // as long as it takes
  session.set_format(Format::kPcm24k, now);
  g_assert_true(session.next_message(now)->find("24000") != std::string::npos);
}

void test_format_may_change() {
  Play play;
  play.ready();
  play.audio(500);
  play.session.set_format(Format::kPcm24k, play.now);
  play.settle();
  equal(play.take(),
        "disconnect\n"
        "connect wss://api.openai.com/v1/realtime?intent=transcription\n");
  play.session.push_audio(Bytes(48 * 200), play.now);
  equal(ms(play.session.position()), "700");
  play.connected(100);
  g_assert_cmpuint(play.appended, ==, 48 * 200);
  g_assert_true(play.take().starts_with("> session.update\n"));
}

void test_beta_names() {
  Play play;
  play.session.on_open(play.now);
  play.event(0, R"({"type":"transcription_session.created","session":{}})");
  equal(play.last_message,
        R"({"type":"transcription_session.update","session":)"
        R"({"input_audio_format":"g711_ulaw","input_audio_transcription":)"
        R"({"model":"gpt-transcribe"},"turn_detection":)" +
            std::string(kVad) + "}}");
  play.event(50, R"({"type":"transcription_session.updated"})");
  g_assert_true(play.session.ready());
  play.lines.clear();
  play.event(2000, committed("item_Q"));
  play.event(2001, R"({"type":"conversation.item.created","item":{}})");
  play.event(2400, completed("item_Q", "Hello."));
  equal(play.take(), "result 0-0 Hello.\n");
}

struct StartupCase {
  const char *name;
  const char *base_url;
  std::function<void(Play &)> happens;
  const char *expected;
};

void test_startup_failures() {
  const std::string first =
      "connect wss://api.openai.com/v1/realtime?intent=transcription\n";
  const StartupCase cases[] = {
      {"bad-key", "",
       [](Play &play) {
         play.session.on_open(play.now);
         play.closed(130, 3000, "invalid_request_error.invalid_api_key");
       },
       "disconnect\nfailed invalid_api_key\n"},
      {"bad-key-at-the-upgrade", "",
       [](Play &play) { play.closed(130, 1006, "", 401); },
       "disconnect\nfailed invalid_api_key\n"},
      {"error-on-update", "",
       [](Play &play) {
         play.session.on_open(play.now);
         play.event(40, R"({"type":"session.created"})");
         play.event(41, error("invalid_value", "not allowed", "cfg_1"));
       },
       "> session.update\ndisconnect\nfailed invalid_value\n"},
      {"error-on-update-without-a-code", "",
       [](Play &play) {
         play.session.on_open(play.now);
         play.event(40, R"({"type":"session.created"})");
         play.event(41, error(nullptr, "some text", "cfg_1"));
       },
       "> session.update\ndisconnect\nfailed invalid_request_error\n"},
      {"beta-refused", "",
       [](Play &play) {
         play.session.on_open(play.now);
         play.event(40, error("beta_api_shape_disabled", "no longer"));
       },
       "disconnect\nfailed beta_api_shape_disabled\n"},
      {"missing-model-at-openai", "",
       [](Play &play) {
         play.session.on_open(play.now);
         play.event(40, error("missing_model", "model"));
       },
       "disconnect\nfailed missing_model\n"},
      {"no-money", "",
       [](Play &play) {
         play.session.on_open(play.now);
         play.event(40, R"({"type":"session.created"})");
         play.event(41, error("insufficient_quota", "quota"));
       },
       "> session.update\ndisconnect\nfailed insufficient_quota\n"},
      {"not-found", "", [](Play &play) { play.closed(130, 1006, "", 404); },
       "disconnect\nfailed http_404\n"},
      {"policy", "",
       [](Play &play) {
         play.session.on_open(play.now);
         play.closed(130, 1008, "bad auth");
       },
       "disconnect\nfailed refused\n"},
  };
  for (const auto &test : cases) {
    g_test_message("%s", test.name);
    Play play;
    test.happens(play);
    equal(play.take(), first + test.expected);
    // Dead for good: nothing moves it.
    play.audio(500);
    play.event(9000, started("item_A", 0));
    play.closed(9001, 1006);
    play.until(60'000);
    equal(play.take(), "");
    g_assert_false(play.session.deadline().has_value());
    play.finish(60'000, true);
    equal(play.take(), "finished\n");
  }
}

void test_gateways_want_the_model_in_the_url() {
  Settings settings = with_model("whisper-1");
  settings.base_url = "http://gw:9/v1";
  for (const bool by_event : {true, false}) {
    Play play(settings);
    equal(play.take(), "connect ws://gw:9/v1/realtime?intent=transcription\n");
    if (by_event) {
      play.session.on_open(play.now);
      play.event(10, error("missing_model", "model"));
    } else {
      play.closed(10, 1006, "", 400);
    }
    equal(play.take(), "disconnect\nconnect ws://gw:9/v1/"
                       "realtime?intent=transcription&model=whisper-1\n");
    play.closed(20, 1006, "", 400); // once only
    equal(play.take(), "disconnect\nfailed http_400\n");
  }
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  add_tests({
      {"/realtime/url-from-the-base-url", test_urls},
      {"/realtime/update-by-model-and-format", test_update_by_model},
      {"/realtime/audio-waits-for-the-update", test_audio_waits_for_the_update},
      {"/realtime/audio-before-the-connection-is-bounded",
       test_audio_before_the_connection_is_bounded},
      {"/realtime/format-may-come-late", test_format_may_come_late},
      {"/realtime/format-may-change", test_format_may_change},
      {"/realtime/beta-names-are-understood", test_beta_names},
      {"/realtime/startup-failures-are-final", test_startup_failures},
      {"/realtime/gateways-want-the-model-in-the-url",
       test_gateways_want_the_model_in_the_url},
  });
  add_realtime_results();
  add_realtime_breaks();
  add_realtime_ends();
  return g_test_run();
}
