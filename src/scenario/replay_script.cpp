// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/replay_script.hpp"

#include "base/url.hpp"

#include <algorithm>
#include <iterator>

namespace patchcord::scenario {

using recording::Event;
using recording::Kind;

void ReplayScript::load(const std::vector<Event> &events) {
  events_ = events;
  for (const Event &event : events_) {
    if (event.kind == Kind::kSay)
      texts_[event.number].push_back(event.text);
    else if (event.kind == Kind::kMouthOver)
      mouth_over_ = event.t;
  }
}

void ReplayScript::start() {
  origin_ = worker_.now();
  run();
}

void ReplayScript::stop() {
  timer_.cancel();
  peer = ears = mouth = http = operating = nullptr;
}

const std::vector<std::string> &
ReplayScript::texts(std::int64_t utterance) const {
  static const std::vector<std::string> none;
  const auto found = texts_.find(utterance);
  return found == texts_.end() ? none : found->second;
}

std::vector<Event> ReplayScript::take_request(const std::string &method,
                                              std::string_view resource) {
  std::vector<Event> found;
  for (const Event &event : events_) {
    const bool is_it = found.empty() && event.kind == Kind::kRequest &&
                       event.code == method &&
                       url_resource(event.detail) == resource &&
                       taken_.insert(event.number).second;
    const bool is_answer =
        !found.empty() && event.number == found.front().number &&
        (event.kind == Kind::kResponse || event.kind == Kind::kData ||
         event.kind == Kind::kResponseOver);
    if (is_it || is_answer)
      found.push_back(event);
  }
  return found;
}

// A recogniser that has nothing to wait for is through with it in the call that
// told it, or in the next: the graph is not there for much longer.
std::vector<Event> ReplayScript::take_last_words() {
  constexpr Duration kAtOnce = 50ms;
  const auto is_heard = [](const Event &event) {
    return event.kind >= Kind::kSpeechStarted && event.kind <= Kind::kEarsOver;
  };
  const auto begin = events_.begin() + static_cast<std::ptrdiff_t>(next_);
  auto end = std::find_if(begin, events_.end(), [](const Event &event) {
    return event.kind == Kind::kEarsOver;
  });
  if (end == events_.end() || end->t > now() + kAtOnce)
    return {};
  ++end;
  std::vector<Event> words;
  std::copy_if(begin, end, std::back_inserter(words), is_heard);
  events_.erase(std::remove_if(begin, end, is_heard), end);
  return words;
}

void ReplayScript::run() {
  while (next_ < events_.size() && events_[next_].t <= now())
    tell(events_[next_++]);
  if (next_ < events_.size())
    timer_ = worker_.at(origin_ + events_[next_].t, [this] { run(); });
}

void ReplayScript::tell(const Event &event) const {
  const auto to = [&event](const Due &due) {
    if (due)
      Due{due}(event); // A copy: it may be replaced meanwhile.
  };
  switch (event.kind) {
  case Kind::kStreamStart:
  case Kind::kMedia:
  case Kind::kDigit:
  case Kind::kMarkBack:
  case Kind::kStreamEnd:
    return to(peer);
  case Kind::kSpeechStarted:
  case Kind::kSpeechStopped:
  case Kind::kPartial:
  case Kind::kWords:
  case Kind::kEarsFailed:
  case Kind::kEarsOver:
    return to(ears);
  case Kind::kUtterance:
  case Kind::kSpoken:
  case Kind::kVoice:
  case Kind::kUtteranceEnd:
  case Kind::kMouthFailed:
  case Kind::kMouthOver:
    return to(mouth);
  case Kind::kResponse:
  case Kind::kData:
  case Kind::kResponseOver:
    return to(http);
  case Kind::kEnd:
  case Kind::kAnsweredBy:
  case Kind::kTransferEnded:
    return to(operating);
  case Kind::kSent:
  case Kind::kMark:
  case Kind::kClear:
  case Kind::kSay:
  case Kind::kRequest:
  case Kind::kTold:
    return; // what the call did
  }
}

} // namespace patchcord::scenario
