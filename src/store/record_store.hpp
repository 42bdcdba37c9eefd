// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "store/record.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace patchcord::store {

// Where calls are kept. Every method returns at once and may be called from any
// thread; writes happen in order on the store's own thread, so that no worker
// waits for a disk. A write that fails is logged and counted, and tried again
// once; the call goes on.
class RecordStore {
public:
  // "sqlite:FILE" or "sqlite::memory:". The error names the file.
  static Result<std::unique_ptr<RecordStore>> open(const std::string &url);
  virtual ~RecordStore() = default; // after all writes are on disk

  // Inserts, or updates all but the turns.
  virtual void put_call(const CallRecord &record) = 0;
  // What is told of a call that nobody has answered (yet): inserts it, or
  // updates its status and its end. The record of one that was answered, or
  // that is over, stays as it is.
  virtual void put_unanswered(const CallRecord &record) = 0;
  // Inserts or replaces turn `turn.index` of the call.
  virtual void put_turn(const std::string &call_sid,
                        const TurnRecord &turn) = 0;

  // `done` runs on the store's thread.
  virtual void
  get(const std::string &call_sid,
      std::function<void(Result<std::optional<CallRecord>>)> done) = 0;
  // Newest first, without turns.
  virtual void
  list(int limit, int offset,
       std::function<void(Result<std::vector<CallRecord>>)> done) = 0;
  // `done` gets an error when the store cannot be written: for /readyz.
  virtual void check(std::function<void(Result<Unit>)> done) = 0;
  virtual void flush() = 0; // blocks until all that was put is written
  virtual std::uint64_t failed_writes() const = 0;
};

} // namespace patchcord::store
