// SPDX-License-Identifier: LGPL-2.1-or-later
#include "elevenlabs_connection.hpp"

#include "audio/mulaw.hpp"
#include "base/base64.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace patchcord::fakes {
namespace {

constexpr std::size_t kMaxContexts = 5;

std::vector<std::string> characters_of(const std::string &text) {
  std::vector<std::string> characters;
  for (const char *at = text.c_str(); *at != '\0';) {
    const char *next = g_utf8_next_char(at);
    characters.emplace_back(at, next);
    at = next;
  }
  return characters;
}

} // namespace

ElevenLabsConnection::ElevenLabsConnection(FakeHost &host,
                                           ElevenLabsScript script,
                                           SoupWebsocketConnection *socket,
                                           Opening opening,
                                           std::function<void()> over)
    : host_(host), script_(std::move(script)), opening_(std::move(opening)),
      socket_(host, "tts", socket,
              {[this](std::string_view text) { on_text(text); }, nullptr,
               std::move(over)}),
      log_(socket_.log()) {
  const auto underscore = opening_.output_format.find('_');
  if (underscore != std::string::npos)
    rate_ = std::atoi(opening_.output_format.c_str() + underscore + 1);
  mulaw_ = opening_.output_format == "ulaw_8000";
}

void ElevenLabsConnection::start() {
  static constexpr std::array<std::string_view, 6> kFormats = {
      "ulaw_8000", "pcm_8000",  "pcm_16000",
      "pcm_22050", "pcm_24000", "pcm_44100"};
  if (opening_.voice == "missing")
    fail("voice_id_does_not_exist", "A voice with this ID does not exist.");
  else if (opening_.model.empty() || opening_.model == "eleven_v3")
    fail("unsupported_model", "This model is not available here.");
  else if (std::find(kFormats.begin(), kFormats.end(),
                     opening_.output_format) == kFormats.end())
    fail("invalid_output_format", "Unknown output format.");
}

void ElevenLabsConnection::fail(const char *error, const std::string &message) {
  JsonWriter json;
  json.begin_object()
      .member("message", message)
      .member("error", error)
      .member("code", 1008)
      .end_object();
  log_->event(error, host_.now_ns());
  socket_.send_text(json.text());
  close(1008, error);
}

void ElevenLabsConnection::close(int code, const char *reason) {
  for (auto &[id, context] : contexts_) {
    context.generate.cancel();
    context.idle.cancel();
  }
  socket_.close(code, reason);
}

void ElevenLabsConnection::on_text(std::string_view text) {
  const auto document = JsonDocument::parse(text);
  if (!document.ok() || !document->root().is_object()) {
    fail("invalid_input_message", "Not a JSON object.");
    return;
  }
  const JsonView root = document->root();
  if (root["close_socket"].boolean().value_or(false)) {
    log_->event("close_socket", host_.now_ns());
    close_socket_ = true;
    close_when_done();
    return;
  }
  on_context_message(root["context_id"].string().value_or("default"), root);
}

// Whatever the message: a context that is not there is opened. That is the
// trap of the real one.
ElevenLabsConnection::Context *
ElevenLabsConnection::open(const std::string &id) {
  if (const auto found = contexts_.find(id); found != contexts_.end())
    return &found->second;
  if (contexts_.size() == kMaxContexts) {
    fail("max_active_conversations", "Maximum number of contexts exceeded.");
    return nullptr;
  }
  Context &context = contexts_[id];
  context.number = next_number_++;
  ++log_->counters["contexts"];
  auto &most = log_->counters["most_contexts"];
  most = std::max(most, static_cast<std::int64_t>(contexts_.size()));
  return &context;
}

void ElevenLabsConnection::on_context_message(const std::string &id,
                                              JsonView root) {
  const bool known = contexts_.contains(id);
  const auto text = root["text"].string();
  const bool flush = root["flush"].boolean().value_or(false);
  const bool closes = root["close_context"].boolean().value_or(false);
  const bool opening = text == " " && !flush;
  if (!known && !opening)
    ++log_->counters["phantoms"];
  if (known && !root["voice_settings"].is_null()) {
    fail("invalid_input_message", "Settings come first.");
    return;
  }
  Context *context = open(id);
  if (context == nullptr)
    return;
  context->idle = host_.after(opening_.inactivity_timeout_s * 1000, [this] {
    fail("input_timeout_exceeded", "Have not received a new text input.");
  });
  if (context->closing) {
    ++log_->counters["text_after_close"];
    return;
  }
  if (text && !opening && !text->empty()) {
    if (!text->ends_with(' '))
      ++log_->counters["texts_without_space"];
    if (text->find_first_of("\n*#") != std::string::npos)
      ++log_->counters["texts_with_marks"];
    context->buffer += *text;
  }
  if (flush && !context->buffer.empty()) {
    const std::string whole = std::exchange(context->buffer, {});
    ++log_->counters["texts"];
    log_->event("text", host_.now_ns(),
                static_cast<std::int64_t>(whole.size()));
    host_.stats().request("tts", whole);
    context->generations.push_back({characters_of(whole), 0, host_.now_ns()});
    if (context->generations.size() == 1)
      work(id);
  }
  if (closes) {
    ++log_->counters["closes"];
    context->closing = true;
    context->idle.cancel();
    if (context->generations.empty())
      finish(id);
  }
}

// Arms the timer of the next audio of a context.
void ElevenLabsConnection::work(const std::string &id) {
  Context &context = contexts_.at(id);
  const Generation &generation = context.generations.front();
  std::int64_t delay_ms = 0;
  if (generation.next == 0)
    delay_ms = script_.tts_first_byte_ms -
               (host_.now_ns() - generation.received_ns) / 1'000'000;
  else if (script_.tts_speed > 0)
    delay_ms = std::llround(script_.chunk_ms / script_.tts_speed);
  context.generate =
      host_.after(static_cast<int>(std::max<std::int64_t>(delay_ms, 0)),
                  [this, id] { send_chunk(id); });
}

void ElevenLabsConnection::send_chunk(const std::string &id) {
  Context &context = contexts_.at(id);
  Generation &generation = context.generations.front();
  if (opening_.fault == "silent") {
    generation.next = generation.characters.size();
  } else {
    const std::size_t count =
        std::min(generation.characters.size() - generation.next,
                 static_cast<std::size_t>(std::max(
                     1, script_.chunk_ms / std::max(1, script_.char_ms))));
    if (play_fault(count))
      return;
    const bool first = generation.next == 0;
    const std::vector<std::string> characters(
        generation.characters.begin() +
            static_cast<std::ptrdiff_t>(generation.next),
        generation.characters.begin() +
            static_cast<std::ptrdiff_t>(generation.next + count));
    const std::int64_t start_ms =
        script_.alignment == "absolute" ? context.samples * 1000 / rate_ : 0;
    JsonWriter alignment;
    add_alignment(alignment, characters, start_ms);
    const Bytes audio =
        tone(context, static_cast<std::int64_t>(count) * script_.char_ms);
    if (opening_.fault == "garbage")
      socket_.send_text("this is not JSON");
    if (first)
      log_->event("first_audio", host_.now_ns(),
                  static_cast<std::int64_t>(audio.size()));
    send_audio(id, audio, alignment.text());
    generation.next += count;
    spoken_ += count;
  }
  if (generation.next == generation.characters.size())
    context.generations.pop_front();
  if (!context.generations.empty())
    work(id);
  else if (context.closing)
    finish(id);
}

// Whether the connection has come to where its fault is played.
bool ElevenLabsConnection::play_fault(std::size_t characters) {
  const std::string &fault = opening_.fault;
  if (spoken_ + characters <=
          static_cast<std::size_t>(script_.fault_after_chars) &&
      script_.fault_after_chars > 0)
    return false;
  if (fault == "quota")
    fail("quota_exceeded", "This request exceeds your quota.");
  else if (fault == "late_key")
    fail("invalid_api_key", "Invalid API key");
  else if (fault == "policy")
    close(1008, nullptr);
  else if (fault == "internal")
    close(1011, "internal");
  else if (fault == "disconnect")
    socket_.drop();
  else if (fault == "stall")
    stalled_ = true;
  else
    return false;
  return true;
}

void ElevenLabsConnection::finish(const std::string &id) {
  log_->event("final", host_.now_ns());
  contexts_.erase(id);
  JsonWriter json;
  json.begin_object()
      .member(script_.spelling == "snake" ? "is_final" : "isFinal", true)
      .member(script_.spelling == "snake" ? "context_id" : "contextId", id)
      .end_object();
  if (opening_.fault != "no_final")
    socket_.send_text(json.text());
  close_when_done();
}

void ElevenLabsConnection::close_when_done() {
  if (!close_socket_)
    return;
  const bool working =
      std::any_of(contexts_.begin(), contexts_.end(), [](const auto &entry) {
        return !entry.second.generations.empty();
      });
  if (!working || stalled_)
    close(1000, nullptr);
}

// Each context has a tone of its own.
Bytes ElevenLabsConnection::tone(Context &context, std::int64_t ms) const {
  Bytes audio;
  const double hz = 300 + 100 * (context.number % 8);
  for (std::int64_t left = ms * rate_ / 1000; left > 0; --left) {
    const auto sample = static_cast<std::int16_t>(std::lround(
        8000 * std::sin(2 * G_PI * hz * static_cast<double>(context.samples++) /
                        rate_)));
    if (mulaw_) {
      audio.push_back(audio::linear_to_mulaw(sample));
    } else {
      const auto bits = static_cast<std::uint16_t>(sample);
      audio.push_back(static_cast<std::uint8_t>(bits & 0xff));
      audio.push_back(static_cast<std::uint8_t>(bits >> 8));
    }
  }
  return audio;
}

void ElevenLabsConnection::add_alignment(
    JsonWriter &json, const std::vector<std::string> &characters,
    std::int64_t start_ms) const {
  if (script_.alignment == "null") {
    json.null();
    return;
  }
  const bool snake = script_.spelling == "snake";
  json.begin_object().key("chars").begin_array();
  for (const std::string &character : characters)
    json.value(script_.alignment == "foreign" ? "%" : character);
  json.end_array()
      .key(snake ? "charsStartTimesMs" : "charStartTimesMs")
      .begin_array();
  for (std::size_t i = 0; i < characters.size(); ++i)
    json.value(start_ms + static_cast<std::int64_t>(i) * script_.char_ms);
  json.end_array()
      .key(snake ? "charsDurationsMs" : "charDurationsMs")
      .begin_array();
  for (std::size_t i = 0; i < characters.size(); ++i)
    json.value(script_.char_ms);
  json.end_array().end_object();
}

void ElevenLabsConnection::send_audio(const std::string &id, ByteSpan audio,
                                      const std::string &alignment) {
  const bool snake = script_.spelling == "snake";
  log_->counters["audio_bytes"] += static_cast<std::int64_t>(audio.size());
  const auto message = [&](ByteSpan part, std::string_view times) {
    JsonWriter json;
    json.begin_object()
        .member("audio", base64::encode(part))
        .key(snake ? "is_final" : "isFinal")
        .null()
        .key("alignment")
        .raw(times)
        .key("normalizedAlignment")
        .null()
        .member(snake ? "context_id" : "contextId", id)
        .end_object();
    socket_.send_text(json.text());
  };
  if (opening_.fault != "odd" || audio.size() < 6) {
    message(audio, alignment);
    return;
  }
  const std::size_t cut = audio.size() / 2 | 1;
  message(audio.first(cut), alignment);
  message(audio.subspan(cut), "null");
}

} // namespace patchcord::fakes
