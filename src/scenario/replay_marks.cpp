// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/replay_marks.hpp"

#include "scenario/replay.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <variant>

namespace patchcord::scenario {
namespace {

using recording::Event;
using recording::Kind;

constexpr Duration kSample = 125us; // 8 kHz
// Behind a cut that fell elsewhere all is so many samples further on.
constexpr std::int64_t kSamePlace = kSameCut / kSample;
// Audio that is played within this of when it was is in step.
constexpr Duration kInStep = 100ms;

bool near(TimePoint a, TimePoint b) {
  return a - b <= kInStep && b - a <= kInStep;
}

} // namespace

void ReplayMarks::Line::media(std::int64_t samples, TimePoint now) {
  place.samples += samples;
  end = played(now) + samples * kSample;
}

void ReplayMarks::Line::clear(TimePoint now) {
  place = {place.clears + 1, 0};
  end = now;
}

ReplayMarks::ReplayMarks(const std::vector<Event> &recorded) {
  read(recorded);
  for (const Then &then : then_)
    if (then.back && *then.back >= then.played)
      way_ = std::min(way_.value_or(Duration::max()), *then.back - then.played);
  if (!way_ && std::any_of(then_.begin(), then_.end(), [](const Then &then) {
        return then.back.has_value();
      }))
    way_ = Duration{}; // They were returned by clears, or unheard.
  // Those that were out when the recording ended came back no sooner; others
  // that did not come back were lost. Of those called the same one cannot tell.
  auto last = then_.end();
  for (; last != then_.begin() && !std::prev(last)->back; --last)
    std::prev(last)->back = std::max(
        std::prev(last)->played + way_.value_or(Duration{}), recorded.back().t);
  const auto lost =
      std::stable_partition(then_.begin(), last, [](const Then &then) {
        return then.back.has_value();
      });
  std::copy_if(lost, last, std::back_inserter(lost_),
               [](const Then &then) { return !then.has_namesake; });
  then_.erase(lost, last);
}

void ReplayMarks::read(const std::vector<Event> &recorded) {
  Line line;
  std::map<std::string, std::size_t> out;
  for (const Event &event : recorded) {
    if (event.kind == Kind::kSent) {
      line.media(event.count, event.t);
    } else if (event.kind == Kind::kClear) {
      line.clear(event.t);
      clears_.push_back(event.t);
    } else if (event.kind == Kind::kMark) {
      const auto [mark, is_new] = out.try_emplace(event.text, then_.size());
      if (!is_new)
        then_[std::exchange(mark->second, then_.size())].has_namesake = true;
      then_.push_back({line.place, line.played(event.t), {}, false});
    } else if (event.kind == Kind::kMarkBack) {
      if (const auto mark = out.extract(event.text))
        then_[mark.mapped()].back = event.t;
    }
  }
}

std::vector<ReplayMarks::Then>::const_iterator
ReplayMarks::first_from(const Place &place) const {
  return std::lower_bound(
      then_.begin(), then_.end(), place,
      [](const Then &then, const Place &at) { return then.place < at; });
}

// The recording's mark behind the same audio, as long as that was played when
// it was.
const ReplayMarks::Then *ReplayMarks::find(const Place &place,
                                           TimePoint played) const {
  const auto next = first_from(place);
  if (next != then_.end() && next->place.clears == place.clears &&
      near(played + (next->place.samples - place.samples) * kSample,
           next->played))
    return &*next;
  if (next == then_.begin())
    return nullptr;
  const auto before = std::prev(next);
  return before->place.clears == place.clears &&
                 before->place.samples + kSamePlace >= place.samples &&
                 near(played, before->played)
             ? &*before
             : nullptr;
}

// Whether the recording's mark there never came back.
bool ReplayMarks::was_lost(const Place &place, TimePoint played) const {
  const auto back = first_from(place);
  if (back != then_.end() && !(place < back->place))
    return false;
  return std::any_of(lost_.begin(), lost_.end(), [&](const Then &then) {
    return then.place.clears == place.clears &&
           then.place.samples == place.samples && near(played, then.played);
  });
}

// Whether a clear brought it back.
bool ReplayMarks::cleared(const Then &then) const {
  const auto clear = static_cast<std::size_t>(then.place.clears);
  return *then.back < then.played && clear < clears_.size() &&
         *then.back >= clears_[clear];
}

TimePoint ReplayMarks::due(const Now &mark, TimePoint played) const {
  if (!way_)
    return TimePoint::max();
  if (mark.then == nullptr || cleared(*mark.then))
    return played + *way_;
  const Then &then = *mark.then;
  const std::int64_t sooner =
      std::max<std::int64_t>(then.place.samples - mark.place.samples, 0);
  const TimePoint back = *then.back - sooner * kSample;
  // Only who returned marks unheard then does so now.
  return *then.back < then.played ? back : std::max(back, played);
}

void ReplayMarks::clear(TimePoint now) {
  const auto count = static_cast<std::size_t>(line_.place.clears);
  const bool as_then = count < clears_.size() && near(clears_[count], now);
  for (Now &mark : out_) {
    const auto next = first_from(mark.place);
    const bool known = as_then && mark.then != nullptr && next != then_.end();
    mark.due = std::min(mark.due, known ? std::max(now, *next->back)
                                        : now + way_.value_or(Duration{}));
  }
  line_.clear(now);
}

void ReplayMarks::sent(const twilio::peer::Message &message, TimePoint now) {
  using namespace twilio::peer;
  if (const auto *media = std::get_if<Media>(&message)) {
    line_.media(static_cast<std::int64_t>(media->mulaw.size()), now);
  } else if (std::holds_alternative<Clear>(message)) {
    clear(now);
  } else if (const auto *mark = std::get_if<Mark>(&message)) {
    const TimePoint played = line_.played(now);
    if (was_lost(line_.place, played))
      return;
    Now &out = out_.emplace_back();
    out.name = mark->name;
    out.place = line_.place;
    out.then = find(out.place, played);
    out.due = due(out, played);
  }
}

std::optional<TimePoint> ReplayMarks::due() const {
  return out_.empty() || !way_ ? std::nullopt : std::optional(out_.front().due);
}

std::vector<std::string> ReplayMarks::take(TimePoint now) {
  std::vector<std::string> names;
  for (; due() && *due() <= now; out_.pop_front())
    names.push_back(std::move(out_.front().name));
  return names;
}

} // namespace patchcord::scenario
