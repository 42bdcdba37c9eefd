// SPDX-License-Identifier: LGPL-2.1-or-later
#include "offline/espeak_voice.hpp"

#include "offline/espeak_library.hpp"

#include <algorithm>
#include <cstdlib>
#include <span>

namespace patchcord::offline {
namespace {

// Below this a sample counts as silence: -54 dBFS.
constexpr int kQuiet = 64;
// espeak ends a sentence with 300 to 340 ms of pause, a clause with 150. What
// stays is a pause between two sentences, and no wait after the last one.
constexpr std::size_t kTail = EspeakVoice::kRate * 15 / 100;
// Some voices start or end off zero: too short to hear, long enough not to
// click.
constexpr std::size_t kFade = EspeakVoice::kRate * 3 / 1000;
// A clause's pause comes before its first word's sound but after its event.
constexpr std::size_t kLongestPause = EspeakVoice::kRate * 4 / 10;

bool quiet(std::int16_t sample) { return std::abs(int{sample}) < kQuiet; }

void trim_and_fade(std::vector<std::int16_t> &samples) {
  const auto last =
      std::find_if_not(samples.rbegin(), samples.rend(), quiet).base();
  if (last == samples.begin()) {
    samples.clear();
    return;
  }
  const auto voiced = static_cast<std::size_t>(last - samples.begin());
  samples.resize(std::min(samples.size(), voiced + kTail));
  const std::size_t fade = std::min(kFade, samples.size() / 2);
  for (std::size_t i = 0; i < fade; ++i) {
    const auto scale = [&](std::int16_t &sample) {
      sample = static_cast<std::int16_t>(sample * static_cast<int>(i) /
                                         static_cast<int>(fade));
    };
    scale(samples[i]);
    scale(samples[samples.size() - 1 - i]);
  }
}

// Where the word that was said to begin at `ms` is first heard.
std::uint32_t audible_from(std::span<const std::int16_t> samples, int ms) {
  const auto at =
      static_cast<std::size_t>(std::int64_t{ms} * EspeakVoice::kRate / 1000);
  if (at >= samples.size())
    return static_cast<std::uint32_t>(ms);
  const auto pause =
      samples.subspan(at, std::min(kLongestPause, samples.size() - at));
  const auto sound = std::find_if_not(pause.begin(), pause.end(), quiet);
  if (sound == pause.end())
    return static_cast<std::uint32_t>(ms);
  return static_cast<std::uint32_t>(
      (at + static_cast<std::size_t>(sound - pause.begin())) * 1000 /
      EspeakVoice::kRate);
}

bool space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// espeak counts characters from 1 and, within numbers, gives one position
// several times or a position inside the number: only whole words are kept.
std::vector<EspeakVoice::Timing>
word_timings(const std::string &text, const EspeakRecording &recording) {
  std::vector<EspeakVoice::Timing> timings;
  std::size_t offset = 0;
  int position = 1;
  for (const auto &word : recording.words) {
    for (; position < word.position && offset < text.size(); ++position) {
      ++offset;
      while (offset < text.size() && (text[offset] & 0xC0) == 0x80)
        ++offset;
    }
    const auto at = static_cast<std::uint32_t>(offset);
    if (position != word.position || offset >= text.size() ||
        (offset > 0 && !space(text[offset - 1])) ||
        (!timings.empty() && timings.back().offset >= at))
      continue;
    std::uint32_t ms = audible_from(recording.samples, word.ms);
    if (!timings.empty())
      ms = std::max(ms, timings.back().ms);
    timings.push_back({at, ms});
  }
  return timings;
}

} // namespace

Result<EspeakVoice::Speech>
synthesize_espeak(const std::string &text,
                  const EspeakVoice::Settings &settings,
                  const std::atomic<bool> &cancelled) {
  auto recording = espeak_speak(text, settings, cancelled);
  if (!recording)
    return recording.error();
  EspeakVoice::Speech speech;
  speech.timings = word_timings(text, *recording);
  speech.samples = std::move(recording->samples);
  trim_and_fade(speech.samples);
  if (speech.samples.empty())
    speech.timings.clear();
  return speech;
}

EspeakVoice::EspeakVoice(std::shared_ptr<Worker> worker)
    : worker_(std::move(worker)) {}

void EspeakVoice::speak(std::string text, const Settings &settings, Done done) {
  auto job = std::make_shared<Job>();
  job->owner = this;
  job->done = std::move(done);
  jobs_.push_back(job);
  if (worker_->is_virtual()) {
    auto speech = synthesize_espeak(text, settings, job->cancelled);
    worker_->post([job, speech = std::move(speech)] { finish(job, speech); });
    return;
  }
  espeak_post([job, text = std::move(text), settings,
               home = std::weak_ptr<Worker>(worker_)] {
    if (job->cancelled)
      return;
    auto speech = synthesize_espeak(text, settings, job->cancelled);
    if (const auto worker = home.lock())
      worker->post([job, speech = std::move(speech)]() mutable {
        finish(job, std::move(speech));
      });
  });
}

void EspeakVoice::finish(const std::shared_ptr<Job> &job,
                         Result<Speech> speech) {
  if (job->cancelled)
    return;
  job->cancelled = true;
  const Done done = std::exchange(job->done, nullptr);
  job->owner->jobs_.remove(job);
  done(std::move(speech));
}

void EspeakVoice::cancel() {
  for (const auto &job : std::exchange(jobs_, {})) {
    job->cancelled = true;
    job->done = nullptr;
  }
}

Result<Unit> find_espeak_voice(const std::string &voice) {
  EspeakVoice::Settings settings;
  settings.voice = voice;
  return espeak_find(settings);
}

} // namespace patchcord::offline
