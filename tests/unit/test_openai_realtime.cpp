// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/base64.hpp"
#include "base/json.hpp"
#include "openai/realtime.hpp"

#include <glib.h>

#include <cstring>
#include <functional>

using namespace patchcord;
using openai::RealtimeTranscription;
// In messages long enough to be told apart from the buffers pushed.
struct Settings : RealtimeTranscription::Settings {
  Settings() { append_ms = 100; }
};
using Format = RealtimeTranscription::Format;

namespace {

// g_assert_cmpstr keeps pointers: a temporary string would be gone by then.
void equal(const std::string &got, const std::string &expected) {
  g_assert_cmpstr(got.c_str(), ==, expected.c_str());
}

std::string ms(Duration time) {
  return std::to_string(time / std::chrono::milliseconds(1));
}

// A session with everything around it played: time, socket, audio. What comes
// out is gathered as lines, the messages as "> ...".
class Play {
public:
  explicit Play(const Settings &settings = {}, Format format = Format::kMulaw8k)
      : session(settings), format_(format) {
    session.start(now);
    session.set_format(format, now);
    settle();
  }

  // Lets the time pass up to `t` ms, with all deadlines on the way.
  void until(int t) {
    const TimePoint to = kStart + std::chrono::milliseconds(t);
    while (const auto deadline = session.deadline()) {
      if (*deadline > to)
        break;
      now = std::max(now, *deadline);
      session.on_time(now);
      settle();
    }
    now = std::max(now, to);
  }
  void event(int t, const std::string &json) {
    until(t);
    session.on_message(json, now);
    settle();
  }
  void closed(int t, std::uint16_t code, const char *reason = "",
              int status = 0) {
    until(t);
    session.on_closed(code, reason, status, now);
    settle();
  }
  // Up to the configured session, whose lines are dropped.
  void ready(int t = 0) {
    connected(t);
    lines.clear();
  }
  void connected(int t) {
    until(t);
    session.on_open(now);
    settle();
    event(t, R"({"type":"session.created","session":{"id":"sess_a1"}})");
    event(t, R"({"type":"session.updated","session":{"id":"sess_a1"}})");
  }
  // `milliseconds` of audio whose every byte is `fill`.
  void audio(int milliseconds, std::uint8_t fill = 0xff) {
    const std::size_t rate = format_ == Format::kMulaw8k ? 8 : 48;
    const Bytes bytes(rate * static_cast<std::size_t>(milliseconds), fill);
    session.push_audio(bytes, now);
    settle();
  }
  // From `t` to `to` in frames of 20 ms, as a call delivers them.
  void talk(int t, int to) {
    for (; t < to; t += 20) {
      until(t + 20);
      audio(20);
    }
  }
  void finish(int t, bool speech_left) {
    until(t);
    session.finish(speech_left, now);
    settle();
  }

  std::string take() { return std::exchange(lines, {}); }

  RealtimeTranscription session;
  TimePoint now = kStart;
  std::string lines, last_message, notices;
  std::size_t appended = 0; // bytes on this connection
  bool show_audio = false;

  void settle() {
    for (;;) {
      if (const auto message = session.next_message(now)) {
        sent(std::string(*message));
        continue;
      }
      RealtimeTranscription::Action action;
      if (!session.next_action(action))
        return;
      acted(action);
    }
  }

private:
  static constexpr TimePoint kStart = 100s;

  void line(const std::string &text) { lines += text + "\n"; }

  void sent(const std::string &message) {
    last_message = message;
    const auto document = JsonDocument::parse(message);
    g_assert_true(document.ok());
    const std::string type = document->root()["type"].string().value();
    if (type == "input_audio_buffer.append") {
      Bytes bytes;
      g_assert_true(base64::append_decoded(
          bytes, document->root()["audio"].text().value()));
      appended += bytes.size();
      if (show_audio)
        line("> audio " + std::to_string(bytes.size()));
      return;
    }
    line("> " + type +
         (type == "input_audio_buffer.commit"
              ? " " + document->root()["event_id"].string().value()
              : ""));
  }

  void acted(const RealtimeTranscription::Action &action) {
    using Kind = RealtimeTranscription::Action::Kind;
    switch (action.kind) {
    case Kind::kConnect:
      appended = 0;
      line("connect " + action.text);
      break;
    case Kind::kDisconnect:
      line("disconnect");
      break;
    case Kind::kSpeechStarted:
      line("started " + ms(action.start));
      break;
    case Kind::kSpeechStopped:
      line("stopped " + ms(action.end));
      break;
    case Kind::kPartial:
      line("partial " + action.text);
      break;
    case Kind::kResult:
      line("result " + ms(action.start) + "-" + ms(action.end) + " " +
           action.text);
      break;
    case Kind::kNoWords:
      line("no words " + ms(action.start) + "-" + ms(action.end));
      break;
    case Kind::kFailed:
      line("failed " + action.code + (action.retryable ? " retryable" : ""));
      break;
    case Kind::kNotice:
      notices += action.text + "\n";
      break;
    case Kind::kFinished:
      line("finished");
      break;
    }
  }

  const Format format_;
};

Settings with_model(const char *model, const char *language = "en") {
  Settings settings;
  settings.model = model;
  settings.language = language;
  return settings;
}

std::string item_event(const char *what, const char *item,
                       const std::string &more = "") {
  return std::string(R"({"type":")") + what +
         R"(","event_id":"e","item_id":")" + item + "\"" + more + "}";
}
std::string started(const char *item, int at) {
  return item_event("input_audio_buffer.speech_started", item,
                    ",\"audio_start_ms\":" + std::to_string(at));
}
std::string stopped(const char *item, int at) {
  return item_event("input_audio_buffer.speech_stopped", item,
                    ",\"audio_end_ms\":" + std::to_string(at));
}
std::string committed(const char *item, const char *previous = nullptr) {
  return item_event("input_audio_buffer.committed", item,
                    previous != nullptr
                        ? std::string(",\"previous_item_id\":\"") + previous +
                              "\""
                        : ",\"previous_item_id\":null");
}
std::string delta(const char *item, const char *text) {
  return item_event("conversation.item.input_audio_transcription.delta", item,
                    std::string(",\"content_index\":0,\"delta\":\"") + text +
                        "\",\"obfuscation\":\"q9Zr\"");
}
std::string completed(const char *item, const char *text) {
  return item_event("conversation.item.input_audio_transcription.completed",
                    item,
                    std::string(",\"content_index\":0,\"transcript\":\"") +
                        text + "\",\"usage\":{\"type\":\"tokens\"}");
}
std::string failed(const char *item) {
  return item_event("conversation.item.input_audio_transcription.failed", item,
                    ",\"error\":{\"type\":\"transcription_error\",\"code\":"
                    "\"audio_unintelligible\"}");
}
std::string error(const char *code, const char *message,
                  const char *event_id = nullptr) {
  JsonWriter json;
  json.begin_object().member("type", "error").key("error").begin_object();
  json.member("type", "invalid_request_error").key("code");
  if (code != nullptr)
    json.value(code);
  else
    json.null();
  json.member("message", message).key("param").null().key("event_id");
  if (event_id != nullptr)
    json.value(event_id);
  else
    json.null();
  return json.end_object().end_object().take();
}

// --- the link ---------------------------------------------------------------

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

// --- results ----------------------------------------------------------------

// Two turns whose results come in the wrong order; then a commit at the end
// that the server has nothing for.
void test_two_turns_out_of_order() {
  Play play(with_model("gpt-4o-transcribe"));
  play.ready(191);
  play.talk(200, 3160);
  play.event(3160, started("item_A", 620));
  play.event(3170, stopped("item_A", 2900));
  play.event(3171, committed("item_A"));
  play.event(3172, R"({"type":"conversation.item.added","item":{"id":"x"}})");
  play.event(3173, R"({"type":"conversation.item.done","item":{"id":"x"}})");
  equal(play.take(), "started 920\nstopped 2400\n");
  play.event(3480, delta("item_A", "I need"));
  play.talk(3480, 4480);
  play.event(4490, started("item_B", 2950));
  play.event(4500, stopped("item_B", 3980));
  play.event(4501, committed("item_B", "item_A"));
  play.event(4520, delta("item_B", "on Friday"));
  play.event(4540, completed("item_B", "on Friday."));
  equal(play.take(), "partial I need\n"
                     "started 3250\n"
                     "stopped 3480\n"
                     "partial I need on Friday\n"
                     "partial I need on Friday.\n");
  play.event(4600, delta("item_A", " a table for four"));
  play.event(4610, completed("item_A", "I need a table for four"));
  equal(play.take(), "partial I need a table for four on Friday.\n"
                     "result 920-2400 I need a table for four\n"
                     "result 3250-3480 on Friday.\n");
  play.finish(60'000, true);
  equal(play.take(), "> input_audio_buffer.commit commit_1\n");
  play.event(60'040, error("input_audio_buffer_commit_empty",
                           "buffer too small: 100ms needed, 0.00ms present",
                           "commit_1"));
  equal(play.take(), "disconnect\nfinished\n");
}

// A live model: the client commits, words come before that, results may be
// empty or fail, and after an hour the server ends the session.
void test_live_model() {
  Play play(with_model("gpt-live-transcribe"), Format::kPcm24k);
  play.ready(60);
  g_assert_true(play.session.needs_local_vad());
  play.talk(60, 560);
  g_assert_cmpuint(play.appended, ==, 0); // nobody speaks
  play.session.speech_started(400ms, play.now);
  play.settle();
  g_assert_cmpuint(play.appended, ==, 400 * 48); // 300 ms before it as well
  play.event(900, delta("item_L1", "My order"));
  play.talk(560, 2540);
  play.event(2541, delta("item_L1", " number is"));
  play.session.speech_stopped(2000ms, play.now);
  play.settle();
  equal(play.take(), "started 400\n"
                     "partial My order\n"
                     "partial My order number is\n"
                     "> input_audio_buffer.commit commit_1\n"
                     "stopped 2000\n");
  g_assert_cmpuint(play.appended, ==, 2380 * 48); // from 100 to 2480
  play.event(2640, committed("item_L1"));
  play.event(2700, delta("item_L1", " 427"));
  play.event(2720, completed("item_L1", "My order number is 427."));
  equal(play.take(), "partial My order number is 427\n"
                     "result 400-2000 My order number is 427.\n");

  play.talk(2720, 9000);
  play.session.speech_started(8000ms, play.now);
  play.session.speech_stopped(8200ms, play.now);
  play.settle();
  play.event(9040, committed("item_L2", "item_L1"));
  play.event(9300, completed("item_L2", ""));
  equal(play.take(), "> input_audio_buffer.commit commit_2\n"
                     "started 8000\nstopped 8200\n"
                     "no words 8000-8200\n"); // and no result
  play.talk(9300, 15'000);
  play.session.speech_started(13'000ms, play.now);
  play.session.speech_stopped(14'000ms, play.now);
  play.settle();
  play.event(15'040, committed("item_L3", "item_L2"));
  play.event(15'300, failed("item_L3"));
  equal(play.take(), "> input_audio_buffer.commit commit_3\n"
                     "started 13000\nstopped 14000\n");
  play.event(20'000, error("session_expired", "maximum duration of 60 "
                                              "minutes"));
  equal(play.take(), "disconnect\n");
  play.until(20'001);
  equal(play.take(),
        "connect wss://api.openai.com/v1/realtime?intent=transcription\n");
}

struct ResultCase {
  const char *name;
  std::vector<std::pair<int, std::string>> events;
  const char *expected;
};

void test_results() {
  const ResultCase cases[] = {
      {"completed replaces the deltas",
       {{0, committed("A")},
        {1, delta("A", "for two")},
        {2, completed("A", "42")}},
       "partial for two\nresult 0-0 42\n"},
      {"spaces around a transcript are cut",
       {{0, committed("A")}, {1, completed("A", " Hi. ")}},
       "result 0-0 Hi.\n"},
      {"an empty transcript takes its partial back",
       {{0, committed("A")}, {1, delta("A", "uh")}, {2, completed("A", " ")}},
       "partial uh\npartial \n"},
      {"a failed item gives its deltas",
       {{0, committed("A")}, {1, delta("A", "one two")}, {2, failed("A")}},
       "partial one two\nresult 0-0 one two\n"},
      {"a delta may name an item first",
       {{0, delta("A", "one")}, {1, committed("A")}, {2, completed("A", "1")}},
       "partial one\nresult 0-0 1\n"},
      {"completed may come before committed, or alone",
       {{0, completed("A", "one")},
        {1, committed("A")},
        {2, completed("B", "two")}},
       "result 0-0 one\nresult 0-0 two\n"},
      {"twice completed counts once",
       {{0, committed("A")},
        {1, completed("A", "x")},
        {2, completed("A", "y")}},
       "result 0-0 x\n"},
      {"three turns backwards",
       {{0, committed("A")},
        {1, committed("B", "A")},
        {2, committed("C", "B")},
        {3, completed("C", "c")},
        {4, completed("B", "b")},
        {5, completed("A", "a")}},
       "partial c\npartial b c\nresult 0-0 a\nresult 0-0 b\nresult 0-0 c\n"},
      {"the chain orders what the events do not",
       {{0, committed("B", "A")},
        {1, committed("A")},
        {2, completed("B", "b")},
        {3, completed("A", "a")}},
       "partial b\nresult 0-0 a\nresult 0-0 b\n"},
      {"the deadline is 3 s from the commit, then the deltas count",
       {{0, committed("A")},
        {1, delta("A", "one")},
        {4000, completed("A", "1")}},
       "partial one\nresult 0-0 one\n"},
      {"the next turn does not wait longer than that",
       {{0, committed("A")},
        {100, committed("B", "A")},
        {200, completed("B", "b")},
        {2900, R"({"type":"rate_limits.updated"})"},
        {3100, R"({"type":"rate_limits.updated"})"}},
       "partial b\nresult 0-0 b\n"},
      {"better late than never",
       {{0, committed("A")}, {5000, completed("A", "one")}},
       "result 0-0 one\n"},
      {"but not after something else was said",
       {{0, committed("A")},
        {3500, committed("B", "A")},
        {3600, completed("B", "b")},
        {5000, completed("A", "one")}},
       "result 0-0 b\n"},
      {"what is unknown is ignored",
       {{0, R"({"type":"conversation.item.frobnicated","item_id":17})"},
        {1, R"({"type":7})"},
        {2, "[]"},
        {3, "nonsense"},
        {4, R"({"type":"conversation.item.input_audio_transcription.delta"})"},
        {5, R"({"type":"input_audio_buffer.committed","item_id":null})"},
        {6, R"({"type":"input_audio_buffer.speech_started","item_id":"A",)"
            R"("audio_start_ms":99999999999})"},
        {7, R"({"type":"error"})"},
        {8, R"({"type":"error","error":"text"})"}},
       "started 0\n"},
      {"other errors do not end the session",
       {{0, error("some_code", "some text")},
        {1, error(nullptr, "buffer is empty")},
        {2, committed("A")},
        {3, completed("A", "a")}},
       "result 0-0 a\n"},
      {"words of other alphabets",
       {{0, committed("A")}, {1, completed("A", "süß 日本 😀")}},
       "result 0-0 süß 日本 😀\n"},
  };
  for (const auto &test : cases) {
    g_test_message("%s", test.name);
    Play play;
    play.ready();
    for (const auto &[t, json] : test.events)
      play.event(t, json);
    equal(play.take(), test.expected);
  }
}

void test_deadline_of_live_models() {
  Play play(with_model("gpt-realtime-whisper"));
  play.ready();
  play.audio(1000);
  play.session.speech_started(200ms, play.now);
  play.session.speech_stopped(500ms, play.now);
  play.settle();
  play.event(100, delta("A", "so far"));
  play.event(150, committed("A"));
  play.until(999);
  g_assert_true(play.take().ends_with("partial so far\n"));
  play.until(1000); // 1 s from our commit
  equal(play.take(), "result 200-500 so far\n");
}

void test_commit_without_any_answer() {
  Play play(with_model("gpt-live-transcribe"));
  play.ready();
  play.audio(1000);
  play.session.speech_started(200ms, play.now);
  play.session.speech_stopped(500ms, play.now);
  play.settle();
  play.event(100, delta("A", "so far"));
  play.take();
  play.until(1000);
  equal(play.take(), "result 200-500 so far\n");
  play.event(1100, committed("A"));
  play.event(1200, completed("A", "so far and further"));
  equal(play.take(), "");
}

void test_giant_turn_is_cut() {
  Play play(with_model("gpt-live-transcribe"));
  play.ready();
  play.talk(0, 400);
  play.session.speech_started(300ms, play.now);
  play.settle();
  play.talk(400, 45'000);
  equal(play.take(), "started 300\n> input_audio_buffer.commit commit_1\n"
                     "> input_audio_buffer.commit commit_2\n");
}

void test_one_speech_is_told_once() {
  Play play;
  play.ready();
  play.audio(3000);
  play.event(10, started("A", 0));
  play.event(20, started("A", 0));
  play.event(30, stopped("A", 1700));
  play.event(40, stopped("A", 1700));
  play.event(50, stopped("B", 1)); // before its own start
  equal(play.take(), "started 0\nstopped 1200\n");
}

// --- errors and reconnections -----------------------------------------------

void test_reconnect_delays() {
  Play play;
  play.ready();
  const struct {
    int low, high; // ms
  } delays[] = {
      {375, 500}, {750, 1000}, {1125, 1500}, {1125, 1500}, {1125, 1500}};
  int t = 1000;
  for (const auto &delay : delays) {
    play.closed(t, 1006);
    equal(play.take(), "disconnect\n");
    play.until(t + delay.low - 1);
    equal(play.take(), "");
    play.until(t + delay.high + 1);
    g_assert_true(play.take().starts_with("connect "));
    t += delay.high + 10;
    play.ready(t); // but not for long
  }
  play.closed(t, 1006, "gone");
  equal(play.take(), "disconnect\ndisconnect\nfailed connection_lost "
                     "retryable\n");
}

// Wherever it hangs: who is not heard is told so five seconds later.
void test_unheard() {
  const auto failed = [](Play &play, int at) {
    play.until(at - 1);
    g_assert_null(std::strstr(play.take().c_str(), "failed"));
    play.until(at);
    g_assert_true(play.take().ends_with("failed connection_lost retryable\n"));
    g_assert_false(play.session.deadline().has_value());
  };
  Play refused;
  refused.ready();
  for (int t = 2000; t < 7000; t += 50)
    refused.closed(t, 1006, "refused");
  failed(refused, 7000);
  Play silent;
  silent.take();
  failed(silent, 5000);
  Play no_session;
  no_session.until(1000);
  no_session.session.on_open(no_session.now);
  no_session.settle();
  failed(no_session, 5000);
  // What was said in a shorter break is heard behind it.
  Play late;
  late.ready();
  late.talk(0, 2000);
  late.closed(2000, 1006);
  late.talk(2000, 6900);
  late.connected(6950);
  g_assert_true(late.session.ready());
  late.appended = 0;
  late.until(6960);
  g_assert_null(std::strstr(late.take().c_str(), "failed"));
  late.until(60'000);
  g_assert_true(late.session.ready());
}

// Before there is audio nobody is unheard.
void test_nobody_to_be_heard() {
  RealtimeTranscription session{Settings()};
  TimePoint now = 100s;
  session.start(now);
  session.on_open(now);
  session.on_message(R"({"type":"session.created","session":{"id":"a"}})", now);
  g_assert_false(session.deadline().has_value());
  // And from then on there is.
  session.set_format(Format::kMulaw8k, now + 60s);
  g_assert_true(session.deadline() <= now + 65s);
}

void test_attempts_start_anew_once_stable() {
  Play play;
  play.ready();
  int t = 0;
  for (int i = 0; i < 20; ++i) {
    t += 11'000;
    play.closed(t, 1011);
    play.connected(t + 600);
    g_assert_true(play.session.ready());
  }
  g_assert_true(play.take().find("failed") == std::string::npos);
}

void test_startup_timeouts() {
  Play play;
  play.take();
  play.until(3499);
  equal(play.take(), "");
  play.until(3500); // no upgrade
  equal(play.take(), "disconnect\n");
  play.until(4000); // once more
  g_assert_true(play.take().starts_with("connect "));
  play.connected(4500);
  g_assert_true(play.session.ready());
}

// Closed in the middle of a turn: what was said is said again to the next
// session, and nothing of what was understood already.
void test_unfinished_turn_is_sent_again() {
  Play play;
  play.ready();
  play.talk(0, 2000);
  play.event(2000, started("A", 200));
  play.event(2001, stopped("A", 1500));
  play.event(2002, committed("A"));
  play.event(2100, completed("A", "first"));
  play.talk(2100, 3900); // a second behind its first sample
  play.event(3900, started("B", 2900));
  equal(play.take(), "started 500\nstopped 1000\nresult 500-1000 first\n"
                     "started 3200\n");
  play.talk(3900, 6100);
  play.closed(6101, 1006);
  equal(play.take(), "disconnect\nstopped 6000\n");
  play.talk(6100, 6900); // meanwhile
  play.connected(6901);
  // From 500 ms before the start of B to 6800, of audio time.
  g_assert_cmpuint(play.appended, ==, (6800 - 2700) * 8);
  play.take();
  play.event(7000, started("B2", 200));
  play.event(7001, stopped("B2", 3600));
  play.event(7002, committed("B2"));
  play.event(7400, completed("B2", "second"));
  // The new session's time 0 is 2700.
  equal(play.take(), "started 3200\nstopped 5800\nresult 3200-5800 second\n");
}

void test_committed_turn_is_sent_again() {
  Play play(with_model("gpt-live-transcribe"));
  play.ready();
  play.talk(0, 900);
  play.session.speech_started(500ms, play.now);
  play.settle();
  play.talk(900, 2000);
  play.session.speech_stopped(1500ms, play.now);
  play.settle();
  play.event(2010, committed("A"));
  play.event(2020, delta("A", "lost"));
  play.take();
  play.closed(2030, 1006);
  play.connected(3000);
  equal(play.take(),
        "disconnect\n"
        "connect wss://api.openai.com/v1/realtime?intent=transcription\n"
        "> session.update\n"
        "> input_audio_buffer.commit commit_2\n");
  g_assert_cmpuint(play.appended, ==, 2000 * 8); // 500 ms before it as well
  play.event(3100, committed("A2"));
  play.event(3200, completed("A2", "all of it"));
  equal(play.take(), "result 500-1500 all of it\n");
}

void test_replay_is_bounded() {
  Play play;
  play.ready();
  play.talk(0, 1000);
  play.event(1000, started("A", 0));
  play.talk(1000, 60'000); // a minute in one breath
  play.closed(60'000, 1006);
  play.connected(60'600);
  g_assert_cmpuint(play.appended, <=, 21'000 * 8);
  g_assert_cmpuint(play.appended, >, 20'000 * 8);
}

void test_recycled_between_turns() {
  Settings settings = with_model("gpt-4o-transcribe");
  for (const std::uint32_t seed : {1U, 2U, 3U}) {
    settings.seed = seed;
    Play play(settings);
    play.ready();
    play.audio(1000);
    play.until(45 * 60'000 - 1);
    equal(play.take(), ""); // never before 45 minutes
    play.event(45 * 60'000 - 1, started("A", 0));
    play.until(51 * 60'000);
    equal(play.take(), "started 0\n"); // not while somebody speaks
    play.event(51 * 60'000, stopped("A", 900));
    play.event(51 * 60'000, committed("A"));
    equal(play.take(), "stopped 400\n");
    play.event(51 * 60'000 + 100, completed("A", "done"));
    play.until(51 * 60'000 + 101);
    equal(play.take(),
          "result 0-400 done\ndisconnect\n"
          "connect wss://api.openai.com/v1/realtime?intent=transcription\n");
  }
}

void test_errors_when_ready() {
  const struct {
    const char *name;
    std::string event;
    const char *expected;
  } cases[] = {
      {"expired", error("session_expired", "60 minutes"), "disconnect\n"},
      {"expired by its text", error(nullptr, "the maximum duration of 60 min"),
       "disconnect\n"},
      {"rate", error("rate_limit_exceeded", "slow down"), "disconnect\n"},
      {"quota", error("insufficient_quota", "no money"),
       "disconnect\nfailed insufficient_quota\n"},
      {"key", error("invalid_api_key", "revoked"),
       "disconnect\nfailed invalid_api_key\n"},
      {"empty commit", error("input_audio_buffer_commit_empty", "x"), ""},
      {"empty commit by its text", error(nullptr, "buffer too small"), ""},
      {"server error", error("server_error", "sorry"), ""},
  };
  for (const auto &test : cases) {
    g_test_message("%s", test.name);
    Play play;
    play.ready();
    play.event(100, test.event);
    equal(play.take(), test.expected);
  }
}

void test_failure_gives_what_was_heard() {
  Play play(with_model("gpt-live-transcribe"));
  play.ready();
  play.audio(1000);
  play.session.speech_started(200ms, play.now);
  play.settle();
  play.event(10, delta("A", "my number is"));
  play.event(20, error("insufficient_quota", "no money"));
  equal(play.take(), "started 200\npartial my number is\nstopped 1000\n"
                     "result 1000-1000 my number is\n"
                     "disconnect\nfailed insufficient_quota\n");
}

// --- the end ----------------------------------------------------------------

void test_finish() {
  const struct {
    const char *name;
    bool speech_left;
    std::vector<std::pair<int, std::string>> events;
    const char *expected;
  } cases[] = {
      {"silence: at once", false, {}, "disconnect\nfinished\n"},
      {"speech: its result is awaited",
       true,
       {{1050, committed("A")}, {1400, completed("A", "bye")}},
       "> input_audio_buffer.commit commit_1\nresult 0-1000 bye\n"
       "disconnect\nfinished\n"},
      {"speech seen by the server as well",
       true,
       {{1010, started("A", 100)},
        {1011, stopped("A", 900)},
        {1012, committed("A")},
        {1013, error("input_audio_buffer_commit_empty", "x", "commit_1")},
        {1400, completed("A", "bye")}},
       "> input_audio_buffer.commit commit_1\nstarted 400\nstopped 400\n"
       "result 400-400 bye\ndisconnect\nfinished\n"},
      {"no result: 5 s",
       true,
       {{1050, committed("A")}, {1060, delta("A", "good")}},
       "> input_audio_buffer.commit commit_1\npartial good\n"
       "result 0-1000 good\ndisconnect\nfinished\n"},
      {"no answer at all: 5 s",
       true,
       {},
       "> input_audio_buffer.commit commit_1\ndisconnect\nfinished\n"},
      {"the connection breaks", true, {}, ""},
  };
  for (const auto &test : cases) {
    g_test_message("%s", test.name);
    Play play;
    play.ready();
    play.talk(0, 1000);
    play.finish(1000, test.speech_left);
    if (*test.expected == '\0') {
      play.closed(1010, 1006);
      play.until(6000);
      g_assert_true(play.take().ends_with("disconnect\nfinished\n"));
      continue;
    }
    for (const auto &[t, json] : test.events)
      play.event(t, json);
    play.until(6000);
    equal(play.take(), test.expected);
    play.until(60'000);
    equal(play.take(), "");
  }
}

void test_finish_before_ready() {
  Play play;
  play.take();
  play.audio(800);
  play.finish(10, true);
  equal(play.take(), "");
  play.connected(500);
  equal(play.take(),
        "> session.update\n> input_audio_buffer.commit commit_1\n");
  g_assert_cmpuint(play.appended, ==, 800 * 8);
  play.event(600, committed("A"));
  play.event(700, completed("A", "short"));
  equal(play.take(), "result 0-800 short\ndisconnect\nfinished\n");

  Play never;
  never.take();
  never.audio(800);
  never.finish(10, true);
  never.until(10'020);
  g_assert_true(never.take().ends_with("finished\n"));
}

void test_flush() {
  Play play;
  play.ready();
  play.audio(1000);
  play.event(10, started("A", 0));
  play.event(11, delta("A", "one"));
  play.take();
  play.audio(50); // not sent yet
  play.session.flush(play.now);
  play.settle();
  equal(play.take(), "> input_audio_buffer.clear\n");
  play.event(20, stopped("A", 900));
  play.event(21, committed("A"));
  play.event(22, completed("A", "one two"));
  equal(play.take(), "");
  play.audio(1000);
  play.event(30, started("B", 1000)); // the 50 ms were never the server's
  equal(play.take(), "started 1350\n");
}

void test_flush_after_the_end_starts_anew() {
  Play play;
  play.ready();
  play.finish(10, false);
  equal(play.take(), "disconnect\nfinished\n");
  play.session.flush(play.now);
  play.settle();
  g_assert_true(play.take().starts_with("connect "));
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const std::pair<const char *, void (*)()> tests[] = {
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
      {"/realtime/two-turns-out-of-order", test_two_turns_out_of_order},
      {"/realtime/live-model", test_live_model},
      {"/realtime/results", test_results},
      {"/realtime/deadline-of-live-models", test_deadline_of_live_models},
      {"/realtime/commit-without-any-answer", test_commit_without_any_answer},
      {"/realtime/giant-turn-is-cut", test_giant_turn_is_cut},
      {"/realtime/one-speech-is-told-once", test_one_speech_is_told_once},
      {"/realtime/reconnect-delays", test_reconnect_delays},
      {"/realtime/who-is-not-heard-is-told-in-five-seconds", test_unheard},
      {"/realtime/before-there-is-audio-nobody-is-unheard",
       test_nobody_to_be_heard},
      {"/realtime/attempts-start-anew-once-stable",
       test_attempts_start_anew_once_stable},
      {"/realtime/startup-timeouts", test_startup_timeouts},
      {"/realtime/unfinished-turn-is-sent-again",
       test_unfinished_turn_is_sent_again},
      {"/realtime/committed-turn-is-sent-again",
       test_committed_turn_is_sent_again},
      {"/realtime/replay-is-bounded", test_replay_is_bounded},
      {"/realtime/recycled-between-turns", test_recycled_between_turns},
      {"/realtime/errors-when-ready", test_errors_when_ready},
      {"/realtime/failure-gives-what-was-heard",
       test_failure_gives_what_was_heard},
      {"/realtime/finish", test_finish},
      {"/realtime/finish-before-ready", test_finish_before_ready},
      {"/realtime/flush", test_flush},
      {"/realtime/flush-after-the-end-starts-anew",
       test_flush_after_the_end_starts_anew},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func(name, test);
  return g_test_run();
}
