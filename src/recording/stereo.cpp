// SPDX-License-Identifier: LGPL-2.1-or-later
#include "recording/stereo.hpp"

#include "audio/mulaw.hpp"
#include "recording/wav_file.hpp"

#include <algorithm>
#include <fstream>

namespace patchcord::recording {
namespace {

// Longer ways would be a broken clock's.
constexpr std::int64_t kLongestWay = 8000 * 2;

std::int64_t samples_of(Duration time) { return time / 125us; }

// How far behind its due time the fastest mark came back.
std::int64_t shortest_way(const std::vector<Event> &events) {
  struct Mark {
    std::string name;
    std::int64_t due;
  };
  std::deque<Mark> marks;
  std::int64_t end = 0, way = kLongestWay + 1;
  for (const Event &event : events) {
    const std::int64_t now = samples_of(event.t);
    if (event.kind == Kind::kSent) {
      end = std::max(end, now) + event.count;
    } else if (event.kind == Kind::kMark) {
      marks.push_back({event.text, end});
    } else if (event.kind == Kind::kClear) {
      marks.clear();
      end = std::min(end, now);
    } else if (event.kind == Kind::kMarkBack) {
      const auto mark =
          std::find_if(marks.begin(), marks.end(),
                       [&](const Mark &m) { return m.name == event.text; });
      if (mark == marks.end())
        continue;
      if (now >= mark->due)
        way = std::min(way, now - mark->due);
      marks.erase(marks.begin(), mark + 1);
    }
  }
  return way > kLongestWay ? 0 : way;
}

} // namespace

StereoMixer::StereoMixer(const std::vector<Event> &events)
    : way_(shortest_way(events)) {}

void StereoMixer::take(const Event &event, ByteSpan audio) {
  now_ = samples_of(event.t);
  if (event.kind == Kind::kMedia) {
    const auto step = timeline_.push(event.number, audio);
    if (left_base_ < 0)
      left_base_ =
          std::max(now_ - static_cast<std::int64_t>(audio.size()), position_);
    if (!step.audio.empty())
      left_.push_back(
          {left_base_ + static_cast<std::int64_t>(step.position) + step.silence,
           Bytes(step.audio.begin(), step.audio.end())});
  } else if (event.kind == Kind::kSent) {
    right_end_ = std::max(right_end_, now_ + way_);
    right_.push_back({right_end_, Bytes(audio.begin(), audio.end())});
    right_end_ = right_.back().end();
  } else if (event.kind == Kind::kClear) {
    clear(now_ + way_);
  }
}

void StereoMixer::clear(std::int64_t position) {
  while (!right_.empty() && right_.back().end() > position) {
    Run &last = right_.back();
    if (last.begin < position) {
      last.audio.resize(static_cast<std::size_t>(position - last.begin));
      break;
    }
    right_.pop_back();
  }
  right_end_ = std::min(right_end_, position);
}

std::uint8_t StereoMixer::sample(Side &side, std::int64_t position) {
  while (!side.empty() && side.front().end() <= position)
    side.pop_front();
  if (side.empty() || position < side.front().begin)
    return audio::kMulawSilence;
  const Run &run = side.front();
  return run.audio[static_cast<std::size_t>(position - run.begin)];
}

void StereoMixer::mix(Bytes &pcm, bool last) {
  const std::int64_t until = last ? std::max(end_of(left_), end_of(right_))
                                  : std::min(end_of(left_), now_);
  const auto append = [&pcm](std::uint8_t mulaw) {
    const auto value =
        static_cast<std::uint16_t>(audio::mulaw_to_linear(mulaw));
    pcm.push_back(static_cast<std::uint8_t>(value));
    pcm.push_back(static_cast<std::uint8_t>(value >> 8));
  };
  for (; position_ < until; ++position_) {
    append(sample(left_, position_));
    append(sample(right_, position_));
  }
}

Result<> write_stereo(const std::string &folder) {
  constexpr std::size_t kBlock = std::size_t{1} << 16;
  const auto recording = read_recording(folder);
  if (!recording)
    return recording.error();
  std::ifstream caller(folder + "/" + kCallerFile, std::ios::binary);
  std::ifstream agent(folder + "/" + kAgentFile, std::ios::binary);
  caller.seekg(kWavHeader);
  agent.seekg(kWavHeader);
  // Under its name when all of it is there.
  const std::string path = folder + "/" + kStereoFile;
  WavFile wav;
  Result<> result = wav.create(path + ".part", {WavFormat::kPcm, 2});
  StereoMixer mixer(recording->events);
  Bytes audio, pcm;
  for (const Event &event : recording->events) {
    const bool has_audio =
        event.kind == Kind::kMedia || event.kind == Kind::kSent;
    audio.assign(has_audio ? static_cast<std::size_t>(event.count) : 0U, 0xff);
    auto *bytes = reinterpret_cast<char *>(audio.data());
    if (event.kind == Kind::kMedia)
      caller.read(bytes, event.count);
    else if (event.kind == Kind::kSent)
      agent.read(bytes, event.count);
    mixer.take(event, audio);
    mixer.mix(pcm, false);
    if (pcm.size() < kBlock)
      continue;
    if (result)
      result = wav.write(pcm);
    pcm.clear();
  }
  mixer.mix(pcm, true);
  if (result)
    result = wav.write(pcm);
  if (result)
    result = wav.finish();
  return result ? wav.rename(path) : result;
}

} // namespace patchcord::recording
