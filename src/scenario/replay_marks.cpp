// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/replay_marks.hpp"

#include <algorithm>
#include <variant>

namespace patchcord::scenario {

using recording::Kind;

void ReplayMarks::recorded(const recording::Event &event) {
  if (event.kind == Kind::kSent)
    then_.samples += event.count;
  else if (event.kind == Kind::kClear)
    then_ = {then_.clears + 1, 0};
  else if (event.kind == Kind::kMark)
    recorded_[event.text] = then_;
  else if (event.kind == Kind::kMarkBack) {
    if (const auto mark = recorded_.extract(event.text))
      heard_ = std::max(heard_, mark.mapped());
  }
}

void ReplayMarks::sent(const twilio::peer::Message &message) {
  using namespace twilio::peer;
  if (const auto *media = std::get_if<Media>(&message))
    now_.samples += static_cast<std::int64_t>(media->mulaw.size());
  else if (std::holds_alternative<Clear>(message))
    now_ = {now_.clears + 1, 0};
  else if (const auto *mark = std::get_if<twilio::peer::Mark>(&message))
    out_.push_back({mark->name, now_});
}

std::vector<std::string> ReplayMarks::take() {
  std::vector<std::string> names;
  for (; due(); out_.pop_front())
    names.push_back(std::move(out_.front().name));
  return names;
}

} // namespace patchcord::scenario
