// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "store/record_store.hpp"

namespace patchcord::scenario {

// Keeps the record of the one call.
class LastRecord final : public store::RecordStore {
public:
  void put_call(const store::CallRecord &record) override { last = record; }
  void put_unanswered(const store::CallRecord &) override {}
  void put_turn(const std::string &, const store::TurnRecord &) override {}
  void
  get(const std::string &,
      std::function<void(Result<std::optional<store::CallRecord>>)>) override {}
  void
  list(int, int,
       std::function<void(Result<std::vector<store::CallRecord>>)>) override {}
  void check(std::function<void(Result<Unit>)>) override {}
  void flush() override {}
  std::uint64_t failed_writes() const override { return 0; }
  store::CallRecord last;
};

} // namespace patchcord::scenario
