// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/dialogue.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace patchcord::agent {

std::string Utterance::text() const { return join(clauses, " "); }

Duration Utterance::estimate() const {
  // Voices speak 13 to 17 characters a second.
  std::size_t characters = 0;
  for (const std::string &clause : clauses)
    characters += clause.size() + 1;
  return 500ms + characters * 70ms;
}

std::string Utterance::spoken_after(Duration elapsed) const {
  std::string all = text();
  const double part = to_seconds(elapsed) / to_seconds(estimate());
  if (part >= 1)
    return all;
  const auto end = static_cast<std::size_t>(static_cast<double>(all.size()) *
                                            std::max(part, 0.0));
  const std::size_t space = all.find_last_of(' ', end);
  all.resize(space == std::string::npos ? 0 : space);
  return all;
}

void Dialogue::caller_said(const std::string &text) {
  entries_.push_back({text, 0});
}

void Dialogue::caller_corrected(const std::string &text) {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry)
    if (entry->utterance == 0) {
      entry->caller = text;
      return;
    }
  caller_said(text);
}

Utterance &Dialogue::open(std::uint32_t turn, bool interruptible,
                          TimePoint now) {
  Utterance &utterance = utterances_.emplace_back();
  utterance.id = static_cast<std::uint32_t>(utterances_.size());
  utterance.turn = turn;
  utterance.interruptible = interruptible;
  utterance.sent = now;
  entries_.push_back({{}, utterance.id});
  return utterance;
}

Utterance *Dialogue::find(std::uint32_t id) {
  return id >= 1 && id <= utterances_.size() ? &utterances_[id - 1] : nullptr;
}

Utterance *Dialogue::current() {
  return utterances_.empty() || utterances_.back().over ? nullptr
                                                        : &utterances_.back();
}

History Dialogue::history() const {
  History history;
  for (const Entry &entry : entries_) {
    const bool agent = entry.utterance != 0;
    const std::string &text =
        agent ? utterances_[entry.utterance - 1].heard : entry.caller;
    if (!text.empty())
      history.push_back({agent ? Said::Who::kAgent : Said::Who::kCaller, text});
  }
  return history;
}

} // namespace patchcord::agent
