// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/caller.hpp"

#include <algorithm>
#include <utility>

namespace patchcord::phone {
namespace {

// A finger on a keypad: a key every 250 ms.
constexpr Samples kKeySpacing = kRate / 4;
// A pause shorter than this lies within what a speaker is saying.
constexpr Samples kPause = kRate * 7 / 10;

} // namespace

Caller::Caller(std::shared_ptr<const Plan> plan, std::size_t first)
    : plan_(std::move(plan)), index_(std::min(first, plan_->size())) {}

void Caller::agent_started(Samples at) {
  agent_speaking_ = true;
  if (agent_until_ == 0 || at - agent_until_ >= kPause ||
      last_line_end_ > agent_until_)
    agent_since_ = at;
}

void Caller::agent_stopped(Samples at, bool cut) {
  agent_speaking_ = false;
  agent_until_ = at;
  // What fell silent while the caller spoke was interrupted: not an answer.
  if (!cut && !speaking_ && at > last_line_end_)
    agent_has_replied_ = true;
}

bool Caller::cue_has_come(const Cue &cue, Samples now) const {
  const Samples amount = to_samples(cue.amount);
  const auto answered = [&](Samples quiet) {
    return agent_has_replied_ && !agent_speaking_ &&
           now - agent_until_ >= quiet;
  };
  switch (cue.kind) {
  case Cue::Kind::kReply:
    return answered(amount);
  case Cue::Kind::kBargeIn:
    // Speech that was over before the moment came gets an ordinary answer.
    return answered(kPause) ||
           (agent_speaking_ &&
            now - std::max(agent_since_, last_line_end_) >= amount);
  case Cue::Kind::kSilence:
    return !agent_speaking_ &&
           now - std::max(agent_until_, last_line_end_) >= amount;
  case Cue::Kind::kWait:
    return now - last_line_end_ >= amount;
  }
  return false;
}

void Caller::end_line(Samples voiced_end, Samples line_end, Step &step) {
  step.ended = index_;
  step.voiced_end = voiced_end;
  step.line_end = line_end;
  ++index_;
  speaking_ = false;
  agent_has_replied_ = false;
  last_line_end_ = line_end;
}

void Caller::speak(Samples now, Step &step) {
  const Speech &speech = *(*plan_)[index_].speech;
  const auto said = static_cast<std::size_t>(now - begun_);
  step.audio =
      ByteSpan(speech.mulaw).subspan(std::min(said, speech.mulaw.size()));
  if (step.audio.size() > static_cast<std::size_t>(kFrame)) {
    step.audio = step.audio.first(static_cast<std::size_t>(kFrame));
    return;
  }
  end_line(begun_ + speech.voiced_end,
           begun_ + static_cast<Samples>(speech.mulaw.size()), step);
}

void Caller::press(Samples now, Step &step) {
  const std::string &keys = (*plan_)[index_].line.text;
  if (now - begun_ < static_cast<Samples>(keys_pressed_) * kKeySpacing)
    return;
  step.key = keys[keys_pressed_++];
  if (keys_pressed_ == keys.size())
    end_line(now, now, step);
}

Caller::Step Caller::next(Samples now) {
  Step step;
  if (done())
    return step;
  const PlannedLine &planned = (*plan_)[index_];
  if (!speaking_) {
    if (!cue_has_come(planned.line.cue, now))
      return step;
    if (planned.line.what == Line::What::kHangUp) {
      step.hang_up = true;
      ++index_;
      return step;
    }
    speaking_ = true;
    begun_ = now;
    keys_pressed_ = 0;
    step.started = index_;
  }
  if (planned.line.what == Line::What::kDtmf)
    press(now, step);
  else
    speak(now, step);
  return step;
}

} // namespace patchcord::phone
