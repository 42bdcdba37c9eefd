// SPDX-License-Identifier: LGPL-2.1-or-later
#include "worker/timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace patchcord {
namespace {

constexpr std::uint16_t kNowhere = 0xffff; // on the list that is being run

constexpr std::int64_t kTick = 250'000; // ns

std::uint64_t tick_at_or_after(TimePoint time) {
  return static_cast<std::uint64_t>((time.count() + kTick - 1) / kTick);
}
std::uint64_t tick_before(TimePoint time) {
  return static_cast<std::uint64_t>(time.count() / kTick);
}
TimePoint time_of(std::uint64_t tick) {
  return TimePoint(static_cast<std::int64_t>(tick) * kTick);
}

} // namespace

void TimerWheel::Entry::disarm() {
  if (wheel_ != nullptr)
    wheel_->unlink(*this);
}

TimerWheel::TimerWheel(TimePoint now) : tick_(tick_before(now)) {}

TimerWheel::~TimerWheel() {
  for (Entry *&head : heads_)
    while (head != nullptr)
      unlink(*head);
  while (running_ != nullptr)
    unlink(*running_);
}

void TimerWheel::arm(Entry &entry, TimePoint deadline) {
  entry.disarm();
  entry.deadline_ = deadline;
  entry.tick_ = std::max(tick_at_or_after(deadline), tick_ + 1);
  entry.order_ = ++order_;
  place(entry);
  ++armed_;
}

// A timer sits on the level of the highest base-64 digit in which its tick
// differs from the current one: it comes down a level each time that digit is
// reached, and fires from level 0.
void TimerWheel::place(Entry &entry) {
  const std::uint64_t differ = entry.tick_ ^ tick_;
  unsigned level =
      static_cast<unsigned>(63 - std::countl_zero(differ | 1)) / kBits;
  auto slot =
      static_cast<unsigned>(entry.tick_ >> (kBits * level)) & (kSlots - 1);
  if (level >= kLevels) {
    // Past the top wheel's turn, 12 days: parked in its slot 0, which is
    // reached when the wheel has turned and placed anew from there.
    level = kLevels - 1;
    slot = 0;
  }
  const unsigned index = level * kSlots + slot;
  entry.wheel_ = this;
  entry.slot_ = static_cast<std::uint16_t>(index);
  entry.previous_ = nullptr;
  entry.next_ = heads_[index];
  if (entry.next_ != nullptr)
    entry.next_->previous_ = &entry;
  heads_[index] = &entry;
  occupied_[level] |= std::uint64_t{1} << slot;
}

void TimerWheel::unlink(Entry &entry) {
  if (entry.previous_ != nullptr)
    entry.previous_->next_ = entry.next_;
  else if (entry.slot_ == kNowhere)
    running_ = entry.next_;
  else
    heads_[entry.slot_] = entry.next_;
  if (entry.next_ != nullptr)
    entry.next_->previous_ = entry.previous_;
  if (entry.slot_ != kNowhere && heads_[entry.slot_] == nullptr)
    occupied_[entry.slot_ / kSlots] &=
        ~(std::uint64_t{1} << (entry.slot_ % kSlots));
  entry.wheel_ = nullptr;
  entry.previous_ = entry.next_ = nullptr;
  --armed_;
}

void TimerWheel::cascade(unsigned level) {
  const auto slot =
      static_cast<unsigned>(tick_ >> (kBits * level)) & (kSlots - 1);
  Entry *entry = std::exchange(heads_[level * kSlots + slot], nullptr);
  occupied_[level] &= ~(std::uint64_t{1} << slot);
  while (entry != nullptr) {
    Entry *next = entry->next_;
    place(*entry);
    entry = next;
  }
}

std::size_t TimerWheel::run_slot(unsigned slot) {
  // The list grows at its head; sort by order of arming. Lists are short.
  Entry *list = std::exchange(heads_[slot], nullptr);
  occupied_[0] &= ~(std::uint64_t{1} << slot);
  Entry *sorted = nullptr;
  while (list != nullptr) {
    Entry *entry = std::exchange(list, list->next_);
    Entry **at = &sorted;
    Entry *before = nullptr;
    while (*at != nullptr && (*at)->order_ < entry->order_) {
      before = *at;
      at = &(*at)->next_;
    }
    entry->next_ = *at;
    entry->previous_ = before;
    entry->slot_ = kNowhere;
    if (entry->next_ != nullptr)
      entry->next_->previous_ = entry;
    *at = entry;
  }
  running_ = sorted;
  std::size_t ran = 0;
  while (running_ != nullptr) {
    Entry &entry = *running_;
    unlink(entry);
    ++ran;
    // A copy: the callback may destroy or re-arm its own entry.
    const auto fire = entry.fire;
    if (fire)
      fire();
  }
  return ran;
}

std::size_t TimerWheel::advance(TimePoint now) {
  const std::uint64_t target = tick_before(now);
  std::size_t ran = 0;
  while (tick_ < target) {
    // Jump over empty ticks: to the next occupied slot or the next turn of the
    // lowest wheel, whichever comes first.
    const unsigned position = tick_ & (kSlots - 1);
    const std::uint64_t later =
        position == kSlots - 1 ? 0 : occupied_[0] >> (position + 1);
    const std::uint64_t step =
        later != 0 ? static_cast<std::uint64_t>(std::countr_zero(later)) + 1
                   : kSlots - position;
    if (armed_ == 0 || tick_ + step > target) {
      if (armed_ == 0) {
        tick_ = target;
        break;
      }
      tick_ = target;
      // Not across a turn: step would have reached it.
      break;
    }
    tick_ += step;
    for (unsigned level = kLevels - 1; level >= 1; --level)
      if ((tick_ & ((std::uint64_t{1} << (kBits * level)) - 1)) == 0)
        cascade(level);
    ran += run_slot(static_cast<unsigned>(tick_ & (kSlots - 1)));
  }
  return ran;
}

std::optional<TimePoint> TimerWheel::next() const {
  if (armed_ == 0)
    return std::nullopt;
  for (unsigned level = 0; level < kLevels; ++level) {
    const unsigned shift = kBits * level;
    const auto position = static_cast<unsigned>(tick_ >> shift) & (kSlots - 1);
    const std::uint64_t later =
        position == kSlots - 1 ? 0 : occupied_[level] >> (position + 1);
    if (later == 0)
      continue;
    const auto ahead = static_cast<std::uint64_t>(std::countr_zero(later)) + 1;
    return time_of(((tick_ >> shift) + ahead) << shift);
  }
  // Only what is parked past the top wheel's turn.
  constexpr unsigned kShift = kBits * kLevels;
  return time_of(((tick_ >> kShift) + 1) << kShift);
}

} // namespace patchcord
