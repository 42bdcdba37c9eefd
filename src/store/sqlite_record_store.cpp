// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/log.hpp"
#include "store/record_store.hpp"
#include "store/table.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace patchcord::store {
namespace {

// WAL with synchronous=NORMAL: a killed process loses nothing that was
// committed; a power cut may lose the last moments, never the file.
constexpr char kPragmas[] = R"(
PRAGMA journal_mode=WAL;
PRAGMA synchronous=NORMAL;
PRAGMA busy_timeout=2000;
)";
constexpr char kIndex[] =
    "CREATE INDEX IF NOT EXISTS calls_by_time ON calls (created_ms)";

// To keep something more, add its line: files of before get the column, with
// its default for what is in them, when they are opened.
const Table<CallRecord> &calls() {
  using Call = CallRecord;
  static const Table<Call> table(
      "calls", "call_sid",
      {column<&Call::stream_sid>("stream_sid"),
       column<&Call::account_sid>("account_sid"),
       column<&Call::from>("from_number"),
       column<&Call::to>("to_number"),
       column<&Call::direction>("direction"),
       column<&Call::agent>("agent"),
       column<&Call::pipeline>("pipeline"),
       column<&Call::created_ms>("created_ms"),
       column<&Call::answered_ms>("answered_ms"),
       column<&Call::ended_ms>("ended_ms"),
       column<&Call::status>("status"),
       column<&Call::end_reason>("end_reason"),
       column<&Call::end_detail>("end_detail"),
       column<&Call::goal_reached>("goal_reached"),
       column<&Call::fields>("fields", kObject),
       column<&Call::field_turns>("field_turns", kObject),
       column<&Call::missing>("missing", kArray),
       column<&Call::invalid>("invalid", kArray),
       column<&Call::transfer_to>("transfer_to"),
       column<&Call::transfer_number>("transfer_number"),
       column<&Call::transfer_outcome>("transfer_outcome"),
       column<&Call::answered_by>("answered_by")});
  return table;
}
const Table<TurnRecord> &turns() {
  using Turn = TurnRecord;
  static const Table<Turn> table(
      "turns", "call_sid, turn",
      {column<&Turn::index>("turn"), column<&Turn::started_ms>("started_ms"),
       column<&Turn::caller>("caller"), column<&Turn::said>("said"),
       column<&Turn::heard>("heard"), column<&Turn::action>("action"),
       column<&Turn::extracted>("extracted", kObject),
       column<&Turn::interrupted>("interrupted"),
       column<&Turn::transcript_ms>("transcript_ms"),
       column<&Turn::decision_ms>("decision_ms"),
       column<&Turn::voice_ms>("voice_ms"), column<&Turn::sent_ms>("sent_ms"),
       column<&Turn::false_interruptions>("false_interruptions"),
       column<&Turn::tools>("tools"), column<&Turn::filler>("filler"),
       column<&Turn::preemptive>("preemptive"),
       column<&Turn::discarded>("discarded"),
       column<&Turn::heard_ms>("heard_ms")});
  return table;
}

CallRecord read_call(Statement &row) {
  auto [call_sid, record] = calls().read(row);
  record.call_sid = std::move(call_sid);
  return std::move(record);
}

Result<Unit> make_tables(sqlite3 *database) {
  if (auto set = execute(database, kPragmas); !set)
    return set;
  if (auto made = calls().make(database); !made)
    return made;
  if (auto made = turns().make(database); !made)
    return made;
  return execute(database, kIndex);
}

Result<std::optional<CallRecord>> find(sqlite3 *database,
                                       const std::string &call_sid) {
  auto statement = calls().select(database, "WHERE call_sid = ?");
  if (!statement)
    return statement.error();
  const auto row = statement->bind(call_sid).step();
  if (!row)
    return row.error();
  if (!*row)
    return std::optional<CallRecord>();
  CallRecord record = read_call(*statement);
  auto rows = turns().select(database, "WHERE call_sid = ? ORDER BY turn");
  if (!rows)
    return rows.error();
  rows->bind(call_sid);
  for (;;) {
    const auto more = rows->step();
    if (!more)
      return more.error();
    if (!*more)
      return std::optional<CallRecord>(std::move(record));
    record.turns.push_back(turns().read(*rows).second);
  }
}

Result<std::vector<CallRecord>> newest(sqlite3 *database, int limit,
                                       int offset) {
  auto statement = calls().select(
      database, "ORDER BY created_ms DESC, call_sid LIMIT ? OFFSET ?");
  if (!statement)
    return statement.error();
  statement->bind(std::int64_t{limit}).bind(std::int64_t{offset});
  std::vector<CallRecord> records;
  for (;;) {
    const auto more = statement->step();
    if (!more)
      return more.error();
    if (!*more)
      return records;
    records.push_back(read_call(*statement));
  }
}

// What a killed process may lose, of what it had to write.
constexpr std::chrono::milliseconds kGather{20};

class SqliteRecordStore final : public RecordStore {
public:
  SqliteRecordStore(Database database, std::string file)
      : database_(std::move(database)), file_(std::move(file)),
        thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "records");
  }

  ~SqliteRecordStore() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  void put_call(const CallRecord &record) override {
    write([record](sqlite3 *database) {
      return calls().put(database, record.call_sid, record);
    });
  }
  void put_unanswered(const CallRecord &record) override {
    write([record](sqlite3 *database) -> Result<Unit> {
      const auto known = find(database, record.call_sid);
      if (!known)
        return known.error();
      if (!*known)
        return calls().put(database, record.call_sid, record);
      CallRecord merged = **known;
      if (merged.answered_ms != 0 || merged.ended_ms != 0)
        return ok();
      merged.status = record.status;
      merged.end_reason = record.end_reason;
      merged.end_detail = record.end_detail;
      merged.ended_ms = record.ended_ms;
      return calls().put(database, merged.call_sid, merged);
    });
  }
  void put_turn(const std::string &call_sid, const TurnRecord &turn) override {
    write([call_sid, turn](sqlite3 *database) {
      return turns().put(database, call_sid, turn);
    });
  }
  void
  get(const std::string &call_sid,
      std::function<void(Result<std::optional<CallRecord>>)> done) override {
    enqueue({nullptr, [call_sid, done](sqlite3 *database) {
               done(find(database, call_sid));
             }});
  }
  void
  list(int limit, int offset,
       std::function<void(Result<std::vector<CallRecord>>)> done) override {
    enqueue({nullptr, [limit, offset, done](sqlite3 *database) {
               done(newest(database, limit, offset));
             }});
  }
  void check(std::function<void(Result<Unit>)> done) override {
    enqueue({nullptr, [this, done](sqlite3 *database) {
               // A write that changes nothing: finds a full disk, a folder
               // that went away, a file that became read-only.
               auto result = execute(database, "PRAGMA user_version=1");
               done(result ? ok()
                           : make_error("store",
                                        file_ + ": " + result.error().message));
             }});
  }
  void flush() override {
    std::mutex mutex;
    std::condition_variable ready;
    bool done = false;
    enqueue({nullptr, [&](sqlite3 *) {
               const std::lock_guard lock(mutex);
               done = true;
               ready.notify_one();
             }});
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return done; });
  }
  std::uint64_t failed_writes() const override { return failed_; }

private:
  struct Task {
    std::function<Result<Unit>(sqlite3 *)> write;
    std::function<void(sqlite3 *)> read;
  };

  void write(std::function<Result<Unit>(sqlite3 *)> task) {
    enqueue({std::move(task), nullptr});
  }
  void enqueue(Task task) {
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      wake = tasks_.empty() || task.read;
      asked_ = asked_ || task.read;
      tasks_.push_back(std::move(task));
    }
    if (wake)
      wake_.notify_one();
  }

  void run() {
    for (;;) {
      std::deque<Task> batch;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
        // Others' writes may follow; who reads does not wait for them.
        wake_.wait_for(lock, kGather, [&] { return stopping_ || asked_; });
        if (tasks_.empty())
          return;
        batch.swap(tasks_);
        asked_ = false;
      }
      // What waits together is committed together: one sync for many calls.
      std::size_t begin = 0;
      while (begin < batch.size()) {
        if (batch[begin].read) {
          batch[begin++].read(database_.get());
          continue;
        }
        std::size_t end = begin;
        while (end < batch.size() && batch[end].write)
          ++end;
        write_batch(batch, begin, end);
        begin = end;
      }
    }
  }

  void write_batch(const std::deque<Task> &batch, std::size_t begin,
                   std::size_t end) {
    if (try_batch(batch, begin, end))
      return;
    // Once more, each by itself, so that one bad write cannot take others with
    // it.
    for (std::size_t i = begin; i < end; ++i) {
      const auto written = batch[i].write(database_.get());
      if (!written) {
        ++failed_;
        log::error("a record was not written to " + file_ + ": " +
                   written.error().message);
      }
    }
  }

  bool try_batch(const std::deque<Task> &batch, std::size_t begin,
                 std::size_t end) {
    if (!execute(database_.get(), "BEGIN IMMEDIATE"))
      return false;
    for (std::size_t i = begin; i < end; ++i)
      if (!batch[i].write(database_.get())) {
        (void)execute(database_.get(), "ROLLBACK");
        return false;
      }
    if (execute(database_.get(), "COMMIT"))
      return true;
    (void)execute(database_.get(), "ROLLBACK");
    return false;
  }

  Database database_;
  const std::string file_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  bool stopping_ = false;
  bool asked_ = false; // there is a read among the tasks
  std::atomic<std::uint64_t> failed_{0};
  std::thread thread_; // last: it uses all of the above
};

} // namespace

Result<std::unique_ptr<RecordStore>> RecordStore::open(const std::string &url) {
  constexpr std::string_view kScheme = "sqlite:";
  if (!url.starts_with(kScheme) || url.size() == kScheme.size())
    return make_error("bad_store_url", "\"" + url +
                                           "\" is not a record store: expected "
                                           "\"sqlite:FILE\"");
  const std::string file = url.substr(kScheme.size());
  sqlite3 *raw = nullptr;
  const int code = sqlite3_open_v2(
      file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  Database database(raw);
  if (code != SQLITE_OK)
    return make_error("store", file + ": " + sqlite3_errmsg(raw));
  if (const auto made = make_tables(raw); !made)
    return make_error("store", file + ": " + made.error().message);
  return std::unique_ptr<RecordStore>(
      std::make_unique<SqliteRecordStore>(std::move(database), file));
}

} // namespace patchcord::store
