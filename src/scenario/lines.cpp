// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/speech_loader.hpp"
#include "scenario/phone.hpp"

#include <algorithm>
#include <charconv>

namespace patchcord::scenario {
namespace {

// The caller's words are marked with numbers of which nobody takes note.
constexpr std::uint32_t kNoNumber = 0;

// Words at even distances over `length`: of a recording nobody knows better.
std::vector<WordAt> spread(const std::string &text, Samples length) {
  auto words = speak(text, Timbre::kCaller, kNoNumber).words;
  const auto count = static_cast<Samples>(words.size());
  for (Samples i = 0; i < count; ++i) {
    auto &word = words[static_cast<std::size_t>(i)];
    word.begin = length * i / count;
    word.end = length * (i + 1) / count;
  }
  return words;
}

Result<Unit> record(PreparedLine &line) {
  const bool wav = line.line.what == Line::What::kWav;
  auto speech = wav ? phone::load_wav(line.line.text)
                    : phone::speak(line.line.text, line.line.voice);
  if (!speech)
    return make_error(speech.error().code,
                      line.line.where + speech.error().message);
  line.mulaw = (*speech)->mulaw;
  line.voiced_end = (*speech)->voiced_end;
  return ok();
}

void synthesise(PreparedLine &line) {
  Sound sound = speak(line.line.text, Timbre::kCaller, kNoNumber);
  line.mulaw = std::move(sound.mulaw);
  line.voiced_end = sound.words.empty() ? 0 : sound.words.back().end;
  // Behind the last word there is nothing more to say.
  line.mulaw.resize(static_cast<std::size_t>(line.voiced_end));
  if (!line.line.heard)
    line.heard = std::move(sound.words);
}

} // namespace

std::string missed(const Cue &cue) {
  const auto number = [](double value) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value);
    return std::string(text, end.ptr);
  };
  const std::string ms = number(to_ms(cue.time));
  const std::string seconds = number(to_ms(cue.time) / 1000);
  switch (cue.kind) {
  case Cue::Kind::kReply:
    return "reply_ms = " + ms +
           ": the agent did not answer and then say nothing for so long";
  case Cue::Kind::kWord:
    return "at_word = " + std::to_string(cue.word) +
           ": the agent said no so many words behind the line before";
  case Cue::Kind::kAt:
    return "at_s = " + seconds + ": the call was over before";
  case Cue::Kind::kAfter:
    return "after_s = " + seconds + ": the call was over before";
  case Cue::Kind::kSilence:
    return "silence_s = " + seconds + ": nobody was silent for so long";
  }
  return "";
}

Result<std::vector<PreparedLine>> prepare(const Scenario &scenario) {
  std::vector<PreparedLine> lines;
  for (const Line &each : scenario.lines) {
    PreparedLine line;
    line.line = each;
    switch (each.what) {
    case Line::What::kSay:
    case Line::What::kWav:
      if (each.what == Line::What::kWav || !each.voice.empty()) {
        if (auto recorded = record(line); !recorded)
          return recorded.error();
      } else {
        synthesise(line);
      }
      if (line.heard.empty())
        line.heard =
            spread(each.heard ? *each.heard : each.text, line.voiced_end);
      break;
    case Line::What::kNoise:
      line.mulaw = noise(phone::to_samples(each.length));
      line.voiced_end = static_cast<Samples>(line.mulaw.size());
      break;
    case Line::What::kDtmf:
    case Line::What::kHangUp:
      break;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

} // namespace patchcord::scenario
