// SPDX-License-Identifier: LGPL-2.1-or-later
#include "recording/stereo.hpp"

#include "audio/mulaw.hpp"
#include "recording/wav_file.hpp"

#include <algorithm>
#include <fstream>
#include <unistd.h>

namespace patchcord::recording {
namespace {

// Longer ways would be a broken clock's.
constexpr std::int64_t kLongestWay = std::int64_t{8000} * 2;
// Under way at once. A peer that sends none back shall cost no memory.
constexpr std::size_t kMostMarks = 1000;

std::int64_t samples_of(Duration time) { return time / 125us; }

} // namespace

void WayMeter::take(const Event &event) {
  const std::int64_t now = samples_of(event.t);
  if (event.kind == Kind::kSent) {
    end_ = std::max(end_, now) + event.count;
  } else if (event.kind == Kind::kMark) {
    marks_.push_back({event.text, end_});
    if (marks_.size() > kMostMarks)
      marks_.pop_front();
  } else if (event.kind == Kind::kClear) {
    marks_.clear();
    end_ = std::min(end_, now);
  } else if (event.kind == Kind::kMarkBack) {
    const auto mark =
        std::find_if(marks_.begin(), marks_.end(),
                     [&](const Mark &m) { return m.name == event.text; });
    if (mark == marks_.end())
      return;
    // How far behind its due time it came back.
    const std::int64_t way = now - mark->due;
    if (way >= 0 && (way_ < 0 || way < way_))
      way_ = way;
    marks_.erase(marks_.begin(), mark + 1);
  }
}

std::int64_t WayMeter::samples() const {
  return way_ < 0 || way_ > kLongestWay ? 0 : way_;
}

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

bool StereoMixer::mix(Bytes &pcm, bool last) {
  const std::int64_t until =
      last ? std::max(end_of(left_), end_of(right_))
           : std::max(std::min(end_of(left_), now_), now_ - kMostLate);
  const auto append = [&pcm](std::uint8_t mulaw) {
    const auto value =
        static_cast<std::uint16_t>(audio::mulaw_to_linear(mulaw));
    pcm.push_back(static_cast<std::uint8_t>(value));
    pcm.push_back(static_cast<std::uint8_t>(value >> 8));
  };
  const std::int64_t stop = std::min(until, position_ + kMostAtOnce);
  for (; position_ < stop; ++position_) {
    append(sample(left_, position_));
    append(sample(right_, position_));
  }
  return stop < until;
}

namespace {

// Reads the samples that the events tell of.
class Sounds {
public:
  explicit Sounds(const std::string &folder)
      : caller_(folder + "/" + kCallerFile, std::ios::binary),
        agent_(folder + "/" + kAgentFile, std::ios::binary) {
    caller_.seekg(kWavHeader);
    agent_.seekg(kWavHeader);
  }
  // Silence where a file is shorter than the events say.
  ByteSpan of(const Event &event) {
    const bool has_audio =
        event.kind == Kind::kMedia || event.kind == Kind::kSent;
    audio_.assign(has_audio ? static_cast<std::size_t>(event.count) : 0U,
                  audio::kMulawSilence);
    if (has_audio)
      (event.kind == Kind::kMedia ? caller_ : agent_)
          .read(reinterpret_cast<char *>(audio_.data()), event.count);
    return audio_;
  }

private:
  std::ifstream caller_, agent_;
  Bytes audio_;
};

Result<> mix_into(WavFile &wav, const std::string &folder) {
  WayMeter way;
  auto read = for_each_event(folder, [&](const Event &event) {
    way.take(event);
    return ok();
  });
  if (!read)
    return read;
  StereoMixer mixer(way.samples());
  Sounds sounds(folder);
  Bytes pcm;
  const auto mix = [&](bool last) -> Result<> {
    constexpr std::size_t kBlock = std::size_t{1} << 16;
    for (bool more = true; more;) {
      more = mixer.mix(pcm, last);
      if (pcm.size() < kBlock && !last)
        continue;
      if (auto written = wav.write(pcm); !written)
        return written;
      pcm.clear();
    }
    return ok();
  };
  read = for_each_event(folder, [&](const Event &event) {
    mixer.take(event, sounds.of(event));
    return mix(false);
  });
  if (read)
    read = mix(true);
  return read ? wav.finish() : read;
}

} // namespace

Result<> write_stereo(const std::string &folder) {
  // Under its name when all of it is there.
  const std::string path = folder + "/" + kStereoFile, part = path + ".part";
  WavFile wav;
  if (auto made = wav.create(part, {WavFormat::kPcm, 2}); !made)
    return made;
  auto mixed = mix_into(wav, folder);
  if (mixed)
    mixed = wav.rename(path);
  if (!mixed)
    unlink(part.c_str());
  return mixed;
}

} // namespace patchcord::recording
