// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json.hpp"
#include "base/text.hpp"
#include "scenario/replay.hpp"

#include <algorithm>
#include <cstdlib>

namespace patchcord::scenario {
namespace {

std::string text_at(const JsonView &root, const char *key) {
  return root[key].string().value_or("");
}

std::string number_at(const JsonView &root, const char *key) {
  return std::to_string(root[key].integer().value_or(0));
}

std::string json_at(const JsonView &root, const char *key) {
  const JsonView value = root[key];
  return value ? value.dump() : "{}";
}

std::string quoted(const std::string &text) { return '"' + text + '"'; }

Told decision(const JsonView &root) {
  std::string text = "turn " + number_at(root, "turn") + ": ";
  if (const std::string caller = text_at(root, "caller"); !caller.empty())
    text += "to " + quoted(caller) + " ";
  text += text_at(root, "action") + " " + quoted(text_at(root, "message")) +
          ", found " + json_at(root, "extracted") + ", known " +
          json_at(root, "fields");
  return {0, "decision", std::move(text), false};
}

Told heard(const JsonView &root) {
  const std::string state = text_at(root, "state");
  return {0, "heard",
          "reply " + number_at(root, "utterance") + " " + state + ": " +
              text_at(root, "text"),
          state != "complete", root["heard_ms"].integer().value_or(-1)};
}

Told ended(const JsonView &root) {
  return {0, "end", text_at(root, "reason") + ", " + json_at(root, "fields"),
          false};
}

// A cut may fall a moment earlier or later: between two words, or between two
// pieces of words that the voice times as one ("in which").
bool same(const Told &a, const Told &b) {
  if (a.text == b.text)
    return true;
  if (!a.cut || !b.cut)
    return false;
  const std::string &shorter = a.text.size() < b.text.size() ? a.text : b.text;
  const std::string &longer = a.text.size() < b.text.size() ? b.text : a.text;
  if (!longer.starts_with(shorter))
    return false;
  if (a.heard_ms >= 0 && b.heard_ms >= 0 &&
      std::abs(a.heard_ms - b.heard_ms) <= kSameCut / 1ms)
    return true;
  const std::string_view rest =
      trim(std::string_view(longer).substr(shorter.size()));
  return rest.find(' ') == std::string_view::npos;
}

std::vector<Told> of_kind(const std::vector<Told> &all, const char *what) {
  std::vector<Told> found;
  for (const Told &told : all)
    if (told.what == what)
      found.push_back(told);
  return found;
}

} // namespace

std::vector<Told> told_of(const std::vector<std::string> &events) {
  std::vector<Told> all;
  for (const std::string &json : events) {
    const auto document = JsonDocument::parse(json);
    if (!document)
      continue;
    const JsonView root = document->root();
    const std::string event = text_at(root, "event");
    Told told;
    if (event == "decision")
      told = decision(root);
    else if (event == "heard" && text_at(root, "state") != "started")
      told = heard(root);
    else if (event == "conversation-ended")
      told = ended(root);
    else if (event == "call-ended")
      told = {0, "end", text_at(root, "reason"), false};
    else if (event == "provider-trouble")
      told = {0, "trouble",
              text_at(root, "provider") + ": " + text_at(root, "code"), false};
    else if (event == "transfer")
      told = {0, "transfer",
              text_at(root, "target") + ": " + text_at(root, "summary"), false};
    else if (event == "transfer-ended")
      told = {0, "transfer",
              text_at(root, "target") + ": " + text_at(root, "outcome"), false};
    else if (event == "answered-by")
      told = {0, "answer",
              text_at(root, "answered_by") + ": " + text_at(root, "outcome"),
              false};
    else if (event == "tool")
      told = {0, "tool", text_at(root, "name") + ": " + text_at(root, "status"),
              false};
    else
      continue;
    told.t_ms = root["t_ms"].integer().value_or(0);
    all.push_back(std::move(told));
  }
  return all;
}

// Kind by kind: two things that were told at one time may have changed places.
std::vector<Difference> compare(const std::vector<Told> &recorded,
                                const std::vector<Told> &now, bool complete) {
  std::vector<Difference> differences;
  for (const char *what :
       {"decision", "heard", "tool", "transfer", "answer", "trouble", "end"}) {
    const auto then = of_kind(recorded, what);
    const auto today = of_kind(now, what);
    const std::size_t count =
        complete ? std::max(then.size(), today.size()) : then.size();
    for (std::size_t i = 0; i < count; ++i) {
      const Told *a = i < then.size() ? &then[i] : nullptr;
      const Told *b = i < today.size() ? &today[i] : nullptr;
      if (a != nullptr && b != nullptr && same(*a, *b))
        continue;
      const Told none;
      const Told &left = a != nullptr ? *a : none,
                 &right = b != nullptr ? *b : none;
      differences.push_back(
          {(a != nullptr ? left : right).t_ms, what, left.text, right.text});
    }
  }
  std::stable_sort(
      differences.begin(), differences.end(),
      [](const Difference &a, const Difference &b) { return a.t_ms < b.t_ms; });
  return differences;
}

} // namespace patchcord::scenario
