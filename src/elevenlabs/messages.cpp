// SPDX-License-Identifier: LGPL-2.1-or-later
#include "elevenlabs/messages.hpp"

#include "base/base64.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

#include <glib.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace patchcord::elevenlabs {
namespace {

// Without the audio: the alignment of some minutes of speech.
constexpr JsonLimits kLimits{std::size_t{4} << 20, 16};

std::string escaped(const std::string &text) {
  char *escaped = g_uri_escape_string(text.c_str(), nullptr, FALSE);
  std::string out(escaped);
  g_free(escaped);
  return out;
}

bool takes_language(std::string_view model) {
  // API reference, "language_code": Flash and Turbo v2.5 and newer models.
  constexpr std::array<std::string_view, 5> kWithout = {
      "eleven_multilingual_v2", "eleven_flash_v2", "eleven_turbo_v2",
      "eleven_multilingual_v1", "eleven_monolingual_v1"};
  return std::find(kWithout.begin(), kWithout.end(), model) == kWithout.end();
}

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// From the character behind the opening quote to the closing quote; npos when
// there is none.
std::size_t string_end(std::string_view json, std::size_t begin) {
  std::size_t at = begin;
  for (;;) {
    at = json.find('"', at);
    if (at == std::string_view::npos)
      return at;
    std::size_t backslashes = 0;
    while (at - backslashes > begin && json[at - backslashes - 1] == '\\')
      ++backslashes;
    if (backslashes % 2 == 0)
      return at;
    ++at;
  }
}

struct Span {
  std::size_t begin, end; // between the quotes
};

// The string value of the root object's member `name`, if it is one. Broken
// JSON gives something or nothing; the parser sees to it later.
std::optional<Span> member_string(std::string_view json,
                                  std::string_view name) {
  int depth = 0;
  bool key = false; // a string here is a key of the root object
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '{' || c == '[') {
      key = ++depth == 1 && c == '{';
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (c == ',') {
      key = depth == 1;
    } else if (c == '"') {
      const std::size_t end = string_end(json, i + 1);
      if (end == std::string_view::npos)
        return std::nullopt;
      const std::string_view text = json.substr(i + 1, end - i - 1);
      i = end;
      if (!std::exchange(key, false) || text != name)
        continue;
      std::size_t value = end + 1;
      while (value < json.size() &&
             (is_space(json[value]) || json[value] == ':'))
        ++value;
      if (value >= json.size() || json[value] != '"')
        return std::nullopt;
      const std::size_t value_end = string_end(json, value + 1);
      if (value_end == std::string_view::npos)
        return std::nullopt;
      return Span{value + 1, value_end};
    }
  }
  return std::nullopt;
}

// base64 with JSON's escapes: some writers put "\/" for "/".
Result<Bytes> decode_audio(std::string_view raw) {
  std::string plain;
  if (raw.find('\\') != std::string_view::npos) {
    for (std::size_t i = 0; i < raw.size(); ++i)
      if (raw[i] != '\\' || i + 1 == raw.size() || raw[i + 1] != '/')
        plain += raw[i];
    raw = plain;
  }
  Bytes audio;
  if (!base64::append_decoded(audio, raw))
    return make_error("bad_audio", "The audio is not base64");
  return audio;
}

JsonView either(JsonView object, const char *one, const char *other) {
  const JsonView view = object[one];
  return view.is_null() ? object[other] : view;
}

std::int64_t milliseconds(JsonView number) {
  const double ms = number.number().value_or(0);
  // A day is more than any context lasts.
  return std::isfinite(ms) ? std::llround(std::clamp(ms, 0.0, 86'400'000.0))
                           : 0;
}

// To be walked once: the n-th of an array takes n steps.
std::vector<JsonView> elements(JsonView array) {
  std::vector<JsonView> out;
  if (array.is_array())
    array.for_each_member(
        [&out](std::string_view, JsonView value) { out.push_back(value); });
  return out;
}

std::vector<TimedCharacter> parse_alignment(JsonView alignment) {
  std::vector<TimedCharacter> out;
  const JsonView characters = either(alignment, "chars", "characters");
  const JsonView starts =
      either(alignment, "charStartTimesMs", "charsStartTimesMs");
  const JsonView durations =
      either(alignment, "charDurationsMs", "charsDurationsMs");
  const auto start_list =
      elements(starts.is_array() ? starts : alignment["char_start_times_ms"]);
  const auto duration_list = elements(
      durations.is_array() ? durations : alignment["char_durations_ms"]);
  const auto list = elements(characters);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto character = list[i].text();
    if (!character || i >= start_list.size() || !start_list[i].number())
      break; // Lists of different lengths: what they share.
    out.push_back({std::string(*character), milliseconds(start_list[i]),
                   milliseconds(i < duration_list.size() ? duration_list[i]
                                                         : JsonView())});
  }
  return out;
}

} // namespace

Result<std::string> stream_url(const StreamSettings &settings) {
  static constexpr std::array<std::array<std::string_view, 2>, 4> kSchemes = {
      {{"https://", "wss://"},
       {"http://", "ws://"},
       {"wss://", "wss://"},
       {"ws://", "ws://"}}};
  for (const auto &[from, to] : kSchemes) {
    if (!settings.base_url.starts_with(from))
      continue;
    std::string rest = settings.base_url.substr(from.size());
    while (rest.ends_with('/'))
      rest.pop_back();
    if (rest.empty())
      break;
    std::string url =
        std::string(to) + rest + "/v1/text-to-speech/" +
        escaped(settings.voice_id) +
        "/multi-stream-input?model_id=" + escaped(settings.model_id) +
        "&output_format=" + escaped(settings.output_format) +
        "&auto_mode=true&sync_alignment=true"
        "&inactivity_timeout=180";
    const std::string language =
        to_lower(settings.language.substr(0, settings.language.find('-')));
    if (!language.empty() && takes_language(settings.model_id))
      url += "&language_code=" + escaped(language);
    return url;
  }
  return make_error("bad_url", "\"" + settings.base_url +
                                   "\" is not the URL of an ElevenLabs server "
                                   "(https://host)");
}

std::string open_context(std::string_view context,
                         const VoiceSettings &settings) {
  JsonWriter json;
  json.begin_object().member("text", " ").member("context_id", context);
  if (settings.stability || settings.similarity_boost || settings.speed) {
    json.key("voice_settings").begin_object();
    if (settings.stability)
      json.member("stability", std::clamp(*settings.stability, 0.0, 1.0));
    if (settings.similarity_boost)
      json.member("similarity_boost",
                  std::clamp(*settings.similarity_boost, 0.0, 1.0));
    if (settings.speed)
      json.member("speed", std::clamp(*settings.speed, 0.7, 1.2));
    json.end_object();
  }
  return json.end_object().take();
}

std::string speak_text(std::string_view context, std::string_view text) {
  JsonWriter json;
  return json.begin_object()
      .member("text", text)
      .member("context_id", context)
      .member("flush", true)
      .end_object()
      .take();
}

std::string keep_alive(std::string_view context) {
  JsonWriter json;
  return json.begin_object()
      .member("text", "")
      .member("context_id", context)
      .end_object()
      .take();
}

std::string close_context(std::string_view context) {
  JsonWriter json;
  return json.begin_object()
      .member("context_id", context)
      .member("close_context", true)
      .end_object()
      .take();
}

std::string close_socket() { return R"({"close_socket":true})"; }

Result<ServerMessage> parse_server_message(std::string_view json) {
  ServerMessage message;
  std::string without_audio;
  if (const auto audio = member_string(json, "audio")) {
    auto decoded =
        decode_audio(json.substr(audio->begin, audio->end - audio->begin));
    if (!decoded)
      return std::move(decoded).error();
    message.audio = *std::move(decoded);
    without_audio.reserve(json.size() - (audio->end - audio->begin) + 4);
    without_audio.append(json.substr(0, audio->begin - 1))
        .append("null")
        .append(json.substr(audio->end + 1));
    json = without_audio;
  }
  const auto document = JsonDocument::parse(json, kLimits);
  if (!document)
    return document.error();
  const JsonView root = document->root();
  if (!root.is_object())
    return make_error("bad_json", "Not a JSON object");
  message.context =
      either(root, "contextId", "context_id").string().value_or("");
  message.alignment = parse_alignment(root["alignment"]);
  message.final = either(root, "isFinal", "is_final").boolean().value_or(false);
  message.error = root["error"].string().value_or("");
  message.message = root["message"].string().value_or("");
  return message;
}

} // namespace patchcord::elevenlabs
