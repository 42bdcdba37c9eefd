// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "worker/time.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

namespace patchcord {

// A hierarchical timer wheel (Varghese and Lauck 1987): arming and disarming
// cost the same with ten timers as with ten thousand. Ticks are 250 us; a timer
// fires at or after its deadline, never before. Timers of the same tick fire in
// the order in which they were armed, so that virtual time is reproducible.
class TimerWheel {
public:
  // The link of an armed timer. Owned by whoever armed it; disarms itself when
  // destroyed. Must not move while armed.
  class Entry {
  public:
    Entry() = default;
    Entry(const Entry &) = delete;
    Entry &operator=(const Entry &) = delete;
    ~Entry() { disarm(); }
    bool armed() const { return wheel_ != nullptr; }
    TimePoint deadline() const { return deadline_; }
    void disarm();
    std::function<void()> fire;

  private:
    friend class TimerWheel;
    TimerWheel *wheel_ = nullptr;
    Entry *previous_ = nullptr, *next_ = nullptr;
    std::uint64_t tick_ = 0;
    std::uint64_t order_ = 0;
    std::uint16_t slot_ = 0;
    TimePoint deadline_{};
  };

  explicit TimerWheel(TimePoint now);
  ~TimerWheel();
  TimerWheel(const TimerWheel &) = delete;
  TimerWheel &operator=(const TimerWheel &) = delete;

  void arm(Entry &entry, TimePoint deadline);
  // Runs all that is due at `now`, including what those callbacks arm as due.
  // Returns how many ran.
  std::size_t advance(TimePoint now);
  // The earliest time at which advance() has something to do: exact for timers
  // within 16 ms, a lower bound further out. Nothing armed: nullopt.
  std::optional<TimePoint> next() const;
  std::size_t armed() const { return armed_; }

private:
  static constexpr unsigned kBits = 6, kSlots = 1U << kBits, kLevels = 5;

  void place(Entry &entry);
  void unlink(Entry &entry);
  void cascade(unsigned level);
  std::size_t run_slot(unsigned slot);

  std::array<Entry *, std::size_t{kSlots} * kLevels> heads_{};
  std::array<std::uint64_t, kLevels> occupied_{}; // a bit a slot
  Entry *running_ = nullptr;
  std::uint64_t tick_; // all ticks up to and including this one have run
  std::uint64_t order_ = 0;
  std::size_t armed_ = 0;
};

} // namespace patchcord
