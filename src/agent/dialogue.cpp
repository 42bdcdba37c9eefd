// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/dialogue.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace patchcord::agent {

std::string Utterance::text() const { return join(clauses, " "); }

bool Utterance::is_filler(std::size_t clause) const {
  return std::find(fillers.begin(), fillers.end(), clause) != fillers.end();
}

std::size_t Utterance::begin_of(std::size_t clause) const {
  while (clause < clauses.size() && is_filler(clause))
    ++clause;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < clause && i < clauses.size(); ++i)
    begin += clauses[i].size() + 1;
  return begin;
}

std::string Utterance::reply(std::size_t from) const {
  std::vector<std::string> parts;
  for (std::size_t i = from; i < clauses.size(); ++i)
    if (!is_filler(i))
      parts.push_back(clauses[i]);
  return join(parts, " ");
}

std::string Utterance::heard_marked() const {
  if (fillers.empty() || !text().starts_with(heard))
    return heard;
  std::vector<std::string> parts;
  std::size_t at = 0;
  for (std::size_t i = 0; i < clauses.size() && at < heard.size(); ++i) {
    const std::string part = heard.substr(at, clauses[i].size());
    parts.push_back(is_filler(i) ? "(" + part + ")" : part);
    at += clauses[i].size() + 1;
  }
  return join(parts, " ");
}

Duration speech_length(std::string_view text) {
  // Voices speak 13 to 17 characters a second.
  return (text.size() + 1) * 70ms;
}

Duration Utterance::estimate() const {
  Duration length = 500ms;
  for (const std::string &clause : clauses)
    length += speech_length(clause);
  return length;
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

void Dialogue::restore(const History &history, std::uint32_t utterances) {
  for (const Said &said : history) {
    if (said.who == Said::Who::kCaller) {
      caller_said(said.text);
      continue;
    }
    Utterance &utterance = open(0, false, {});
    utterance.clauses = {said.text};
    utterance.heard = said.text;
    utterance.whole = utterance.started = true;
    utterance.over = utterance.closed = true;
  }
  // Of some nothing was heard.
  while (utterances_.size() < utterances) {
    Utterance &unheard = utterances_.emplace_back();
    unheard.id = static_cast<std::uint32_t>(utterances_.size());
    unheard.over = unheard.closed = true;
  }
}

History Dialogue::history() const {
  History history;
  for (const Entry &entry : entries_) {
    const bool agent = entry.utterance != 0;
    std::string text =
        agent ? utterances_[entry.utterance - 1].heard_marked() : entry.caller;
    if (!text.empty())
      history.push_back(
          {agent ? Said::Who::kAgent : Said::Who::kCaller, std::move(text)});
  }
  return history;
}

} // namespace patchcord::agent
