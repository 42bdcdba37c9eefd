// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/fifo.hpp"
#include "worker/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace patchcord::openai {

// The items (pieces of the caller's speech) of one Realtime session and what
// became of them. Results are given in the order of the commits, whatever the
// order in which they arrive: a later item waits until those before it are
// completed, have failed, or are past their deadline.
class ItemLedger {
public:
  struct Item {
    std::string id, previous;
    std::string partial; // the deltas, added up
    std::string text;    // once it is done
    bool committed = false, done = false;
    bool expired = false;  // done by its deadline
    bool failed = false;   // its text is what there was by then
    bool has_stop = false; // the server told the end of its speech
    // Audio positions of the speech in bytes; -1: unknown.
    std::int64_t start = -1, end = -1;
    std::int64_t commit_at = -1; // of the client's own commit
    TimePoint deadline{};        // once committed
  };

  // The item of this name, made by whichever event names it first; null when
  // it is over already (or the server names more than any call can have).
  Item *find_or_add(const std::string &id);
  // Puts it in its place: behind `previous` when that is known, else behind
  // the items committed so far.
  void commit(Item &item, const std::string &previous, TimePoint deadline);
  // The first item that is not committed, or null.
  Item *first_uncommitted();

  // Ends the items whose deadline has passed with their deltas' text.
  void expire(TimePoint now);
  // All of them, at once.
  void expire_all();
  // The next item in order, when it is done.
  std::optional<Item> pop();

  // The words of all items that are not given yet, in order.
  std::string partial() const;
  std::optional<TimePoint> deadline() const;
  bool empty() const { return items_.empty(); }
  const std::vector<Item> &items() const { return items_; }
  // Forgets the items; events that still come for them are ignored.
  void abandon();
  // A new session: its ids have nothing to do with those before.
  void reset();

private:
  static constexpr std::size_t kRemembered = 64, kMaxItems = 256;
  void remember(const std::string &id);

  // Committed ones in order, then the others.
  std::vector<Item> items_;
  Fifo<std::string> over_;
};

} // namespace patchcord::openai
