// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/base64.hpp"
#include "base/json.hpp"
#include "openai/realtime.hpp"

#include <glib.h>

#include <algorithm>
#include <string>
#include <utility>

// A transcription session without a wire, and the events of its server.
namespace patchcord::test {

using openai::RealtimeTranscription;
using Format = RealtimeTranscription::Format;

// In messages long enough to be told apart from the buffers pushed.
struct Settings : RealtimeTranscription::Settings {
  Settings() { append_ms = 100; }
};

// g_assert_cmpstr keeps pointers: a temporary string would be gone by then.
inline void equal(const std::string &got, const std::string &expected) {
  g_assert_cmpstr(got.c_str(), ==, expected.c_str());
}

inline std::string ms(Duration time) {
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

inline Settings with_model(const char *model, const char *language = "en") {
  Settings settings;
  settings.model = model;
  settings.language = language;
  return settings;
}

inline std::string item_event(const char *what, const char *item,
                              const std::string &more = "") {
  return std::string(R"({"type":")") + what +
         R"(","event_id":"e","item_id":")" + item + "\"" + more + "}";
}
inline std::string started(const char *item, int at) {
  return item_event("input_audio_buffer.speech_started", item,
                    ",\"audio_start_ms\":" + std::to_string(at));
}
inline std::string stopped(const char *item, int at) {
  return item_event("input_audio_buffer.speech_stopped", item,
                    ",\"audio_end_ms\":" + std::to_string(at));
}
inline std::string committed(const char *item, const char *previous = nullptr) {
  return item_event("input_audio_buffer.committed", item,
                    previous != nullptr
                        ? std::string(",\"previous_item_id\":\"") + previous +
                              "\""
                        : ",\"previous_item_id\":null");
}
inline std::string delta(const char *item, const char *text) {
  return item_event("conversation.item.input_audio_transcription.delta", item,
                    std::string(",\"content_index\":0,\"delta\":\"") + text +
                        "\",\"obfuscation\":\"q9Zr\"");
}
inline std::string completed(const char *item, const char *text) {
  return item_event("conversation.item.input_audio_transcription.completed",
                    item,
                    std::string(",\"content_index\":0,\"transcript\":\"") +
                        text + "\",\"usage\":{\"type\":\"tokens\"}");
}
inline std::string failed(const char *item) {
  return item_event("conversation.item.input_audio_transcription.failed", item,
                    ",\"error\":{\"type\":\"transcription_error\",\"code\":"
                    "\"audio_unintelligible\"}");
}
inline std::string error(const char *code, const char *message,
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

// The tests that are not beside main().
void add_realtime_results();
void add_realtime_breaks();
void add_realtime_ends();

} // namespace patchcord::test
