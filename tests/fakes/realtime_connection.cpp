// SPDX-License-Identifier: LGPL-2.1-or-later
#include "realtime_connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace patchcord::fakes {
namespace {

constexpr int kMinimumCommitMs = 100;
constexpr int kSlowUpdateMs = 3000;
// In an append that a client writes as everybody does, the audio is found
// without parsing: a benchmark's thousands of them a second must cost little.
constexpr std::string_view kAppendStart =
    R"({"type":"input_audio_buffer.append","audio":")";

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words; // with the space before them
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = std::min(text.find(' ', i + 1), text.size());
    words.emplace_back(text.substr(i, end - i));
    i = end;
  }
  return words;
}

} // namespace

RealtimeConnection::RealtimeConnection(FakeHost &host,
                                       std::size_t &shared_turns,
                                       SoupWebsocketConnection *socket,
                                       Opening opening,
                                       std::function<void()> over)
    : host_(host), script_(host.hold_script()), shared_turns_(shared_turns),
      opening_(std::move(opening)),
      socket_(host, "realtime", socket,
              {[this](std::string_view text) { on_text(text); },
               [this] { socket_.close(1003, "binary"); }, std::move(over)}),
      log_(socket_.log()) {}

void RealtimeConnection::start() {
  if (opening_.key.empty() || opening_.key == "bad") {
    socket_.close(3000, "invalid_request_error.invalid_api_key");
    return;
  }
  if (opening_.beta_header) {
    error("beta_api_shape_disabled",
          "The Realtime Beta API is no longer supported. Please use "
          "/v1/realtime for the GA API.",
          "", "");
    socket_.close(4000, "invalid_request_error");
    return;
  }
  if (opening_.intent != "transcription" && opening_.model.empty()) {
    error("missing_model", "You must provide a model parameter.", "", "");
    socket_.close(4000, "invalid_request_error.missing_model");
    return;
  }
  is_transcription_ = opening_.model.empty() || script_->gateway;
  JsonWriter created =
      event(opening_.fault == "beta" ? "transcription_session.created"
                                     : "session.created");
  created.key("session")
      .begin_object()
      .member("type", is_transcription_ ? "transcription" : "realtime")
      .member("object", "realtime.transcription_session")
      .member("id", "sess_" + std::to_string(log_->id))
      .end_object();
  send(created);
  if (opening_.fault == "quota")
    error("insufficient_quota", "You exceeded your current quota.", "", "");
}

JsonWriter RealtimeConnection::event(std::string_view type) {
  JsonWriter json;
  json.begin_object()
      .member("type", type)
      .member("event_id", "event_" + std::to_string(next_event_++));
  return json;
}

void RealtimeConnection::send(JsonWriter &json) {
  json.end_object();
  if (opening_.fault != "fragments")
    socket_.send_text(json.text());
  else if (socket_.open())
    send_fragmented(json.text());
}

// libsoup sends whole messages only: this one by hand, in three frames, cut
// within a character where there is one (RFC 6455 section 5.4).
void RealtimeConnection::send_fragmented(const std::string &text) {
  const auto cut = std::find_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0xC0;
  });
  std::size_t second = static_cast<std::size_t>(cut - text.begin()) + 1;
  if (second >= text.size())
    second = text.size() / 2;
  const std::size_t first = second / 2;
  const std::array<std::string_view, 3> pieces = {
      std::string_view(text).substr(0, first),
      std::string_view(text).substr(first, second - first),
      std::string_view(text).substr(second)};
  std::string frames;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    frames += static_cast<char>((i == 0 ? 0x01 : 0x00) | (i == 2 ? 0x80 : 0));
    if (pieces[i].size() < 126) {
      frames += static_cast<char>(pieces[i].size());
    } else {
      frames += static_cast<char>(126);
      frames += static_cast<char>(pieces[i].size() >> 8);
      frames += static_cast<char>(pieces[i].size() & 0xff);
    }
    frames += pieces[i];
  }
  GIOStream *stream = soup_websocket_connection_get_io_stream(socket_.get());
  g_output_stream_write_all(g_io_stream_get_output_stream(stream),
                            frames.data(), frames.size(), nullptr, nullptr,
                            nullptr);
}

void RealtimeConnection::error(const std::string &code,
                               const std::string &message,
                               const std::string &param,
                               const std::string &event_id) {
  const auto or_null = [](JsonWriter &json, const char *name,
                          const std::string &text) {
    json.key(name);
    if (text.empty())
      json.null();
    else
      json.value(text);
  };
  host_.stats().count("realtime.errors");
  JsonWriter json = event("error");
  json.key("error").begin_object();
  json.member("type", "invalid_request_error");
  or_null(json, "code", code);
  json.member("message", message);
  or_null(json, "param", param);
  or_null(json, "event_id", event_id);
  json.end_object();
  send(json);
}

void RealtimeConnection::on_text(std::string_view text) {
  if (text.starts_with(kAppendStart)) {
    const auto end = text.find('"', kAppendStart.size());
    if (end != std::string_view::npos && text.substr(end) == "\"}") {
      on_append(text.substr(kAppendStart.size(), end - kAppendStart.size()));
      return;
    }
  }
  JsonLimits limits;
  limits.bytes = 15 << 20;
  const auto document = JsonDocument::parse(text, limits);
  if (!document.ok() || !document->root().is_object()) {
    error("invalid_json", "The event is not a JSON object.", "", "");
    return;
  }
  const JsonView root = document->root();
  const std::string type = root["type"].string().value_or("");
  const std::string event_id = root["event_id"].string().value_or("");
  if (type == "session.update" || type == "transcription_session.update") {
    on_update(root, type != "session.update");
  } else if (type == "input_audio_buffer.append") {
    on_append(root["audio"].text().value_or("!"));
  } else if (type == "input_audio_buffer.commit") {
    on_commit(event_id);
  } else if (type == "input_audio_buffer.clear") {
    buffer_start_ms_ = appended_ms();
    buffer_voiced_ = live_delta_sent_ = false;
    item_.clear();
    vad_.reset();
    JsonWriter cleared = event("input_audio_buffer.cleared");
    send(cleared);
  } else {
    error("invalid_value", "Invalid value: '" + type + "'.", "type", event_id);
  }
}

void RealtimeConnection::on_update(JsonView root, bool beta) {
  const std::string event_id = root["event_id"].string().value_or("");
  log_->event("update", host_.now_ns());
  if (opening_.fault == "error_on_update") {
    error("invalid_value", "Invalid value.",
          "session.audio.input.transcription.model", event_id);
    return;
  }
  if (!is_transcription_) {
    error("invalid_value",
          "Passing a transcription session update to a realtime session is "
          "not allowed.",
          "session.type", event_id);
    return;
  }
  if (beta != (opening_.fault == "beta")) {
    error("invalid_value", "Invalid value for 'type'.", "type", event_id);
    return;
  }
  RealtimeConfig changed = config_;
  const auto problem = beta ? apply_beta_update(root["session"], changed)
                            : apply_update(root["session"], changed);
  if (problem) {
    error(problem->code, problem->message, problem->param, event_id);
    return;
  }
  config_ = changed;
  vad_.configure(config_.mulaw, config_.silence_ms);
  if (opening_.fault == "no_update")
    return;
  if (opening_.fault == "slow_update")
    timer_ = host_.after(kSlowUpdateMs, [this, beta] { updated(beta); });
  else
    updated(beta);
}

void RealtimeConnection::updated(bool beta) {
  configured_ = true;
  log_->event("updated", host_.now_ns());
  JsonWriter json =
      event(beta ? "transcription_session.updated" : "session.updated");
  json.key("session")
      .begin_object()
      .member("type", "transcription")
      .member("id", "sess_" + std::to_string(log_->id))
      .end_object();
  send(json);
  if (opening_.fault != "unknown_events")
    return;
  JsonWriter limits = event("rate_limits.updated");
  limits.key("rate_limits").begin_array().end_array().key("surprise").null();
  send(limits);
  JsonWriter unheard = event("conversation.item.frobnicated");
  unheard.member("item_id", 17);
  send(unheard);
}

void RealtimeConnection::on_append(std::string_view base64) {
  if (!configured_)
    host_.stats().count("realtime.early_appends");
  const std::string text(base64);
  gsize size = 0;
  guchar *bytes = text.find_first_not_of(
                      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                      "0123456789+/=") == std::string::npos &&
                          text.size() % 4 == 0
                      ? g_base64_decode(text.c_str(), &size)
                      : nullptr;
  if (bytes == nullptr) {
    error("invalid_value", "Invalid base64.", "audio", "");
    return;
  }
  on_audio(ByteSpan(bytes, size));
  g_free(bytes);
}

void RealtimeConnection::on_audio(ByteSpan bytes) {
  appended_bytes_ += static_cast<std::int64_t>(bytes.size());
  ++log_->counters["appends"];
  log_->counters["appended_ms"] = appended_ms();
  vad_.push(bytes, [this](FakeVad::Event heard, bool voiced) {
    on_frame(heard, voiced);
  });
  play_fault();
}

void RealtimeConnection::on_frame(FakeVad::Event heard, bool voiced) {
  buffer_voiced_ = buffer_voiced_ || voiced;
  const std::int64_t now_ms = vad_.position_ms();
  if (!config_.server_vad) {
    // Words while the caller speaks, before any commit.
    if (config_.is_live() && heard == FakeVad::Event::kStarted &&
        !std::exchange(live_delta_sent_, true)) {
      const auto words = words_of(next_transcript().text);
      if (!words.empty())
        send_delta(current_item(), words.front());
    }
    return;
  }
  if (heard == FakeVad::Event::kStarted) {
    const std::int64_t start = std::max<std::int64_t>(
        now_ms - FakeVad::kStartMs - config_.prefix_ms, 0);
    log_->event("speech_started", host_.now_ns(), start);
    JsonWriter json = event("input_audio_buffer.speech_started");
    json.member("audio_start_ms", start).member("item_id", current_item());
    send(json);
  } else if (heard == FakeVad::Event::kStopped) {
    log_->event("speech_stopped", host_.now_ns(), now_ms);
    JsonWriter json = event("input_audio_buffer.speech_stopped");
    json.member("audio_end_ms", now_ms).member("item_id", current_item());
    send(json);
    commit();
  }
}

void RealtimeConnection::on_commit(const std::string &event_id) {
  log_->event("commit", host_.now_ns(), appended_ms());
  const std::int64_t buffered = appended_ms() - buffer_start_ms_;
  if (buffered < kMinimumCommitMs) {
    error("input_audio_buffer_commit_empty",
          "Error committing input audio buffer: buffer too small. Expected at "
          "least 100ms of audio, but buffer only has " +
              std::to_string(buffered) + ".00ms of audio.",
          "", event_id);
    return;
  }
  commit();
}

// The audio gathered so far becomes an item.
void RealtimeConnection::commit() {
  Turn turn;
  turn.id = current_item();
  turn.scripted = buffer_voiced_;
  turn.has_deltas = live_delta_sent_;
  if (buffer_voiced_) {
    turn.transcript = next_transcript();
    ++turns_;
  }
  buffer_start_ms_ = appended_ms();
  buffer_voiced_ = live_delta_sent_ = false;
  item_.clear();
  vad_.reset();
  announce(turn.id);
  log_->event("committed", host_.now_ns(), appended_ms());
  if (turn.transcript.fault == "never")
    return;
  turn.timer = host_.after(script_->stt_delay_ms,
                           [this, id = turn.id] { transcribed(id); });
  open_turns_[turn.id] = std::move(turn);
}

void RealtimeConnection::announce(const std::string &id) {
  const auto previous = [this](JsonWriter &json) {
    json.key("previous_item_id");
    if (last_item_.empty())
      json.null();
    else
      json.value(last_item_);
  };
  JsonWriter committed = event("input_audio_buffer.committed");
  previous(committed);
  committed.member("item_id", id);
  send(committed);
  for (const char *type :
       {"conversation.item.added", "conversation.item.done"}) {
    JsonWriter json =
        event(opening_.fault == "beta" ? "conversation.item.created" : type);
    previous(json);
    json.key("item")
        .begin_object()
        .member("id", id)
        .member("type", "message")
        .member("status", "completed")
        .member("role", "user")
        .key("content")
        .begin_array()
        .begin_object()
        .member("type", "input_audio")
        .key("transcript")
        .null()
        .end_object()
        .end_array()
        .end_object();
    send(json);
  }
  last_item_ = id;
}

void RealtimeConnection::transcribed(const std::string &id) {
  const auto node = open_turns_.extract(id);
  if (node.empty())
    return;
  const Turn &turn = node.mapped();
  if (turn.transcript.fault == "late_first" && held_turn_.empty()) {
    held_turn_ = id;
    open_turns_[id].id = id;
    open_turns_[id].transcript = turn.transcript;
    open_turns_[id].scripted = turn.scripted;
    return;
  }
  complete(turn);
  if (const auto held =
          open_turns_.extract(std::exchange(held_turn_, std::string()));
      !held.empty())
    complete(held.mapped());
}

void RealtimeConnection::complete(const Turn &turn) {
  const std::string &fault = turn.transcript.fault;
  if (turn.scripted && script_->shared_transcripts) {
    ++shared_turns_;
    --turns_;
  }
  if (fault == "failed") {
    JsonWriter json =
        event("conversation.item.input_audio_transcription.failed");
    json.member("item_id", turn.id).member("content_index", 0);
    json.key("error")
        .begin_object()
        .member("type", "transcription_error")
        .member("code", "audio_unintelligible")
        .member("message", "The audio could not be transcribed.")
        .key("param")
        .null()
        .end_object();
    send(json);
    return;
  }
  const std::string text = fault == "empty" ? "" : turn.transcript.text;
  const auto words = words_of(text);
  if (fault == "several" && words.size() > 1) {
    std::string first, second;
    for (std::size_t i = 0; i < words.size(); ++i)
      (i < words.size() / 2 ? first : second) += words[i];
    send_completed(turn.id, first);
    const std::string extra = "item_" + std::to_string(next_item_++);
    announce(extra);
    send_completed(extra, second);
    return;
  }
  if (script_->stt_deltas)
    for (std::size_t i = turn.has_deltas ? 1 : 0; i < words.size(); ++i)
      send_delta(turn.id, words[i]);
  send_completed(turn.id, text);
}

void RealtimeConnection::send_delta(const std::string &id,
                                    std::string_view text) {
  JsonWriter json = event("conversation.item.input_audio_transcription.delta");
  json.member("item_id", id)
      .member("content_index", 0)
      .member("delta", text)
      .member("obfuscation", "q9Zr");
  send(json);
}

void RealtimeConnection::send_completed(const std::string &id,
                                        std::string_view text) {
  log_->event("completed", host_.now_ns(),
              static_cast<std::int64_t>(text.size()));
  JsonWriter json =
      event("conversation.item.input_audio_transcription.completed");
  json.member("item_id", id)
      .member("content_index", 0)
      .member("transcript", text)
      .key("usage")
      .begin_object()
      .member("type", "duration")
      .member("seconds", 1.5)
      .end_object();
  send(json);
}

Script::Transcript RealtimeConnection::next_transcript() const {
  const std::size_t index =
      turns_ + (script_->shared_transcripts ? shared_turns_ : 0);
  return index < script_->transcripts.size() ? script_->transcripts[index]
                                             : Script::Transcript();
}

const std::string &RealtimeConnection::current_item() {
  if (item_.empty())
    item_ = "item_" + std::to_string(next_item_++);
  return item_;
}

void RealtimeConnection::play_fault() {
  if (fault_played_ || appended_ms() < script_->realtime_fault_after_ms)
    return;
  if (opening_.fault == "disconnect") {
    fault_played_ = true;
    socket_.drop();
  } else if (opening_.fault == "expire") {
    fault_played_ = true;
    error("session_expired",
          "Your session hit the maximum duration of 60 minutes.", "", "");
    socket_.close(1001, "Your session hit the maximum duration of 60 minutes.");
  }
}

} // namespace patchcord::fakes
