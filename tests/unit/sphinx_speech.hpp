// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "../support/telephone.hpp"

#include "audio/voice_activity.hpp"
#include "offline/grammar.hpp"
#include "offline/sphinx_decoder.hpp"

#include <glib.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

// Utterances as sphinxstt hands them to the recogniser, and what is expected of
// them.
namespace patchcord::test {

using offline::Recognition;
using offline::SphinxDecoder;
using Samples = std::vector<std::int16_t>;

// What an agent that books rooms asks for.
inline const agent::Expectation &expecting(const std::string &what) {
  static const std::vector<std::string> also = {"help", "operator", "repeat",
                                                "goodbye"};
  using Kind = agent::Expectation::Kind;
  static const std::map<std::string, agent::Expectation> expectations = {
      {"yes-no", {Kind::kYesNo, {}, also}},
      {"request",
       {Kind::kChoice,
        {"book a room", "cancel a booking", "opening hours"},
        also}},
      {"place",
       {Kind::kChoice,
        {"mountain view", "sunnyvale", "palo alto", "san jose"},
        also}},
      {"date", {Kind::kDate, {}, also}},
      {"time", {Kind::kTime, {}, also}},
      {"duration",
       {Kind::kChoice, {"half an hour", "one hour", "two hours"}, also}},
      {"people", {Kind::kNumber, {"people", "guests"}, also}},
      {"digits", {Kind::kDigits, {}, also}},
      {"name",
       {Kind::kName,
        {"smith", "johnson", "williams", "brown", "garcia", "miller"},
        also}},
      {"anything", {}},
  };
  return expectations.at(what);
}

inline std::string grammar_of(const char *what) {
  return offline::grammar_text(expecting(what));
}

inline std::unique_ptr<SphinxDecoder> make_decoder() {
  auto decoder = SphinxDecoder::create(
      {SphinxDecoder::kDefaultHmm, SphinxDecoder::kDefaultDict});
  if (!decoder)
    g_error("%s", decoder.error().message.c_str());
  return std::move(*decoder);
}

inline Recognition decode(SphinxDecoder &decoder, const Samples &samples,
                          const std::string &grammar) {
  g_assert_true(decoder.begin(samples, grammar).ok());
  while (decoder.step())
    ;
  return decoder.finish();
}

// The speech in it with as much silence around it as sphinxstt leaves.
inline Samples speech_of(const Samples &line) {
  audio::VoiceActivity::Settings settings;
  settings.rate = SphinxDecoder::kRate;
  audio::VoiceActivity activity(settings);
  std::vector<audio::VoiceActivity::Event> events;
  activity.push(line, events);
  activity.finish(events);
  g_assert_cmpuint(events.size(), >=, 2);
  const auto sample = [&](Duration time) {
    const auto at = time.count() * SphinxDecoder::kRate / 1'000'000'000;
    return line.begin() + std::clamp<std::int64_t>(
                              at, 0, static_cast<std::int64_t>(line.size()));
  };
  return {sample(events.front().time - 200ms),
          sample(events.back().time + 300ms)};
}

inline Samples heard(const std::string &voice, const std::string &text,
                     int words_per_minute = 160) {
  const auto sound = say(voice, words_per_minute, text);
  return speech_of(over_telephone(sound, 500).samples);
}

inline Samples wave(double seconds,
                    const std::function<double(double)> &value) {
  Samples samples(static_cast<std::size_t>(seconds * SphinxDecoder::kRate));
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i] = static_cast<std::int16_t>(
        value(static_cast<double>(i) / SphinxDecoder::kRate));
  return samples;
}

// "What is understood" is text that has `core` in it: what is around it ("it's
// ... please") is often swallowed and does not matter.
struct Line {
  const char *expected, *said, *core;
};
inline bool is_right(const Recognition &result, const char *core) {
  return result.understood() && result.text.find(core) != std::string::npos;
}

inline void check_understood(SphinxDecoder &decoder, const Samples &samples,
                             const Line &line, const char *who) {
  const auto result = decode(decoder, samples, grammar_of(line.expected));
  g_test_message("%s \"%s\": \"%s\", score %.1f, worst word %.1f", who,
                 line.said, result.text.c_str(), result.score,
                 result.worst_word);
  if (!is_right(result, line.core))
    g_test_fail_printf("%s said \"%s\", understood was \"%s\" (%.1f, %.1f)",
                       who, line.said, result.text.c_str(), result.score,
                       result.worst_word);
}

inline void check_refused(SphinxDecoder &decoder, const Samples &samples,
                          const char *expected, const char *what) {
  const auto result = decode(decoder, samples, grammar_of(expected));
  g_test_message("%s, %s: \"%s\", score %.1f, worst word %.1f", expected, what,
                 result.text.c_str(), result.score, result.worst_word);
  if (result.understood())
    g_test_fail_printf(
        "%s was understood as \"%s\" where %s is expected (%.1f, %.1f)", what,
        result.text.c_str(), expected, result.score, result.worst_word);
}

} // namespace patchcord::test
