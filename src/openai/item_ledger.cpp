// SPDX-License-Identifier: LGPL-2.1-or-later
#include "openai/item_ledger.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <utility>

namespace patchcord::openai {

ItemLedger::Item *ItemLedger::find_or_add(const std::string &id) {
  const auto known = std::find_if(items_.begin(), items_.end(),
                                  [&](const Item &i) { return i.id == id; });
  if (known != items_.end())
    return &*known;
  if (id.empty() || items_.size() >= kMaxItems ||
      std::find(over_.begin(), over_.end(), id) != over_.end())
    return nullptr;
  Item &item = items_.emplace_back();
  item.id = id;
  return &item;
}

void ItemLedger::commit(Item &item, const std::string &previous,
                        TimePoint deadline) {
  if (item.committed)
    return;
  item.committed = true;
  item.previous = previous;
  item.deadline = deadline;
  const auto at = items_.begin() + (&item - items_.data());
  const auto committed_end =
      std::find_if(items_.begin(), items_.end(),
                   [&](const Item &i) { return !i.committed || &i == &item; });
  auto place = committed_end;
  for (auto other = items_.begin(); other != committed_end; ++other) {
    if (other->previous == item.id) { // it came before its predecessor
      place = other;
      break;
    }
    if (other->id == previous)
      place = other + 1;
  }
  std::rotate(place, at, at + 1);
}

ItemLedger::Item *ItemLedger::first_uncommitted() {
  const auto item = std::find_if(items_.begin(), items_.end(),
                                 [](const Item &i) { return !i.committed; });
  return item != items_.end() ? &*item : nullptr;
}

void ItemLedger::expire(TimePoint now) {
  for (Item &item : items_)
    if (item.committed && !item.done && item.deadline <= now) {
      item.done = item.expired = true;
      item.text = item.partial;
    }
}

void ItemLedger::expire_all() {
  for (Item &item : items_)
    if (!std::exchange(item.done, true)) {
      item.committed = true;
      item.text = item.partial;
    }
}

std::optional<ItemLedger::Item> ItemLedger::pop() {
  if (items_.empty() || !items_.front().committed || !items_.front().done)
    return std::nullopt;
  Item item = std::move(items_.front());
  items_.erase(items_.begin());
  remember(item.id);
  return item;
}

std::string ItemLedger::partial() const {
  std::string text;
  for (const Item &item : items_) {
    const auto words = trim(item.done ? item.text : item.partial);
    if (words.empty())
      continue;
    if (!text.empty())
      text += ' ';
    text += words;
  }
  return text;
}

std::optional<TimePoint> ItemLedger::deadline() const {
  std::optional<TimePoint> first;
  for (const Item &item : items_)
    if (item.committed && !item.done && (!first || item.deadline < *first))
      first = item.deadline;
  return first;
}

void ItemLedger::remember(const std::string &id) {
  over_.push_back(id);
  if (over_.size() > kRemembered)
    over_.pop_front();
}

void ItemLedger::abandon() {
  for (const Item &item : items_)
    remember(item.id);
  items_.clear();
}

void ItemLedger::reset() {
  items_.clear();
  over_.clear();
}

} // namespace patchcord::openai
