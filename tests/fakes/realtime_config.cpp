// SPDX-License-Identifier: LGPL-2.1-or-later
#include "realtime_config.hpp"

#include <initializer_list>
#include <set>

namespace patchcord::fakes {
namespace {

using Problem = std::optional<RealtimeProblem>;

Problem invalid(const std::string &param, const std::string &message) {
  return RealtimeProblem{"invalid_value", message, param};
}

Problem only(JsonView object, const std::string &where,
             std::initializer_list<std::string_view> names) {
  if (!object.is_object())
    return RealtimeProblem{"invalid_type", "expected an object", where};
  const std::set<std::string_view> known(names);
  Problem problem;
  object.for_each_member([&](std::string_view name, JsonView) {
    if (!known.contains(name))
      problem = RealtimeProblem{"unknown_parameter",
                                "Unknown parameter: '" + where + "." +
                                    std::string(name) + "'.",
                                where + "." + std::string(name)};
  });
  return problem;
}

Problem apply_format(JsonView format, RealtimeConfig &config) {
  const std::string where = "session.audio.input.format";
  if (auto problem = only(format, where, {"type", "rate"}))
    return problem;
  const auto type = format["type"].text().value_or("");
  if (type == "audio/pcmu") {
    if (!format["rate"].is_null())
      return RealtimeProblem{"unknown_parameter", "pcmu has no rate",
                             where + ".rate"};
    config.mulaw = true;
    return {};
  }
  if (type != "audio/pcm")
    return invalid(where + ".type", "the fake knows audio/pcm and audio/pcmu");
  const auto rate = format["rate"].integer();
  if (rate && *rate < 24000)
    return RealtimeProblem{"integer_below_min_value",
                           "Expected a value >= 24000, but got " +
                               std::to_string(*rate) + " instead.",
                           where + ".rate"};
  if (!rate || *rate != 24000)
    return invalid(where + ".rate", "rate must be 24000");
  config.mulaw = false;
  return {};
}

Problem apply_transcription(JsonView transcription, RealtimeConfig &config) {
  const std::string where = "session.audio.input.transcription";
  if (auto problem = only(
          transcription, where,
          {"model", "language", "languages", "keywords", "prompt", "delay"}))
    return problem;
  config.model = transcription["model"].string().value_or(config.model);
  if (config.model.empty())
    return RealtimeProblem{"missing_required_parameter", "model is missing",
                           where + ".model"};
  const bool takes_list = config.model.starts_with("gpt-transcribe") ||
                          config.model.starts_with("gpt-live-transcribe");
  if (!transcription["language"].is_null() && takes_list)
    return invalid(where + ".language",
                   "language is not supported for this model");
  if (const JsonView list = transcription["languages"]; list) {
    if (!takes_list)
      return invalid(where + ".languages",
                     "languages is not supported for this model");
    if (list.size() == 0)
      return invalid(where + ".languages", "expected a non-empty array");
  }
  if (!transcription["prompt"].is_null() &&
      config.model == "gpt-realtime-whisper")
    return invalid(where + ".prompt", "prompt is not supported");
  for (std::size_t i = 0; i < transcription["keywords"].size(); ++i)
    if (transcription["keywords"].at(i).string().value_or("<").find_first_of(
            "<>\r\n") != std::string::npos)
      return invalid(where + ".keywords", "invalid keyword");
  return {};
}

Problem apply_turn_detection(JsonView detection, RealtimeConfig &config) {
  const std::string where = "session.audio.input.turn_detection";
  if (detection.is_null()) {
    config.server_vad = false;
    return {};
  }
  if (auto problem =
          only(detection, where,
               {"type", "threshold", "prefix_padding_ms", "silence_duration_ms",
                "create_response", "interrupt_response", "idle_timeout_ms"}))
    return problem;
  if (detection["type"].text() != "server_vad")
    return invalid(where + ".type", "the fake knows server_vad");
  const double threshold = detection["threshold"].number().value_or(0.5);
  if (threshold < 0 || threshold > 1)
    return invalid(where + ".threshold", "expected 0 to 1");
  config.server_vad = true;
  config.silence_ms = static_cast<int>(
      detection["silence_duration_ms"].integer().value_or(config.silence_ms));
  config.prefix_ms = static_cast<int>(
      detection["prefix_padding_ms"].integer().value_or(config.prefix_ms));
  return {};
}

Problem check_whole(const RealtimeConfig &config) {
  if (config.is_live() && config.server_vad)
    return invalid("session.audio.input.turn_detection",
                   "Turn detection is not supported for this transcription "
                   "model.");
  return {};
}

} // namespace

bool RealtimeConfig::is_live() const {
  return model.starts_with("gpt-live-transcribe") ||
         model.starts_with("gpt-realtime-whisper");
}

Problem apply_update(JsonView session, RealtimeConfig &config) {
  if (auto problem = only(session, "session", {"type", "include", "audio"}))
    return problem;
  if (session["type"].text() != "transcription")
    return invalid("session.type", "expected \"transcription\"");
  const JsonView audio = session["audio"];
  if (!audio)
    return {};
  if (auto problem = only(audio, "session.audio", {"input"}))
    return problem;
  const JsonView input = audio["input"];
  if (auto problem = only(
          input, "session.audio.input",
          {"format", "transcription", "noise_reduction", "turn_detection"}))
    return problem;
  if (input["format"])
    if (auto problem = apply_format(input["format"], config))
      return problem;
  if (input["transcription"])
    if (auto problem = apply_transcription(input["transcription"], config))
      return problem;
  if (const JsonView noise = input["noise_reduction"]; !noise.is_null()) {
    const auto type = noise["type"].text().value_or("");
    if (type != "near_field" && type != "far_field")
      return invalid("session.audio.input.noise_reduction.type",
                     "expected near_field or far_field");
  }
  if (input["turn_detection"])
    if (auto problem = apply_turn_detection(input["turn_detection"], config))
      return problem;
  return check_whole(config);
}

Problem apply_beta_update(JsonView session, RealtimeConfig &config) {
  if (auto problem =
          only(session, "session",
               {"input_audio_format", "input_audio_transcription",
                "turn_detection", "input_audio_noise_reduction", "include"}))
    return problem;
  const auto format = session["input_audio_format"].text().value_or("");
  if (format != "pcm16" && format != "g711_ulaw")
    return invalid("session.input_audio_format", "unknown format");
  config.mulaw = format == "g711_ulaw";
  if (auto problem =
          apply_transcription(session["input_audio_transcription"], config))
    return problem;
  if (session["turn_detection"])
    if (auto problem = apply_turn_detection(session["turn_detection"], config))
      return problem;
  return check_whole(config);
}

} // namespace patchcord::fakes
