// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/log.hpp"
#include "store/record_store.hpp"
#include "store/sqlite.hpp"

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
constexpr char kSchema[] = R"(
PRAGMA journal_mode=WAL;
PRAGMA synchronous=NORMAL;
PRAGMA busy_timeout=2000;
CREATE TABLE IF NOT EXISTS calls (
  call_sid TEXT PRIMARY KEY, stream_sid TEXT NOT NULL,
  account_sid TEXT NOT NULL, from_number TEXT NOT NULL,
  to_number TEXT NOT NULL, direction TEXT NOT NULL, agent TEXT NOT NULL,
  pipeline TEXT NOT NULL, created_ms INTEGER NOT NULL,
  answered_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL,
  status TEXT NOT NULL, end_reason TEXT NOT NULL, end_detail TEXT NOT NULL,
  goal_reached INTEGER NOT NULL, fields TEXT NOT NULL,
  field_turns TEXT NOT NULL DEFAULT '{}', missing TEXT NOT NULL DEFAULT '[]',
  invalid TEXT NOT NULL DEFAULT '[]');
CREATE INDEX IF NOT EXISTS calls_by_time ON calls (created_ms);
CREATE TABLE IF NOT EXISTS turns (
  call_sid TEXT NOT NULL, turn INTEGER NOT NULL, started_ms INTEGER NOT NULL,
  caller TEXT NOT NULL, said TEXT NOT NULL, heard TEXT NOT NULL,
  action TEXT NOT NULL, extracted TEXT NOT NULL, interrupted INTEGER NOT NULL,
  transcript_ms REAL, decision_ms REAL, voice_ms REAL, sent_ms REAL,
  false_interruptions INTEGER NOT NULL DEFAULT 0,
  tools TEXT NOT NULL DEFAULT '[]',
  filler INTEGER NOT NULL DEFAULT 0, preemptive INTEGER NOT NULL DEFAULT 0,
  discarded INTEGER NOT NULL DEFAULT 0,
  heard_ms INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (call_sid, turn)) WITHOUT ROWID;
)";

// For files of before there was such a column; where there is one it fails.
constexpr const char *kAddColumns[] = {
    "ALTER TABLE turns ADD COLUMN "
    "false_interruptions INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE turns ADD COLUMN heard_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE calls ADD COLUMN field_turns TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE calls ADD COLUMN missing TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE calls ADD COLUMN invalid TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE turns ADD COLUMN tools TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE turns ADD COLUMN filler INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE turns ADD COLUMN preemptive INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE turns ADD COLUMN discarded INTEGER NOT NULL DEFAULT 0"};

constexpr char kPutCall[] = R"(
INSERT OR REPLACE INTO calls (call_sid, stream_sid, account_sid, from_number,
  to_number, direction, agent, pipeline, created_ms, answered_ms, ended_ms,
  status, end_reason, end_detail, goal_reached, fields, field_turns, missing,
  invalid)
  VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?))";
constexpr char kPutTurn[] = R"(
INSERT OR REPLACE INTO turns (call_sid, turn, started_ms, caller, said, heard,
  action, extracted, interrupted, transcript_ms, decision_ms, voice_ms, sent_ms,
  false_interruptions, tools, filler, preemptive, discarded, heard_ms)
  VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?))";
constexpr char kGetCall[] = "SELECT * FROM calls WHERE call_sid = ?";
// By their names: the columns of older files are in another order.
constexpr char kGetTurns[] = R"(
SELECT turn, started_ms, caller, said, heard, action, extracted, interrupted,
  transcript_ms, decision_ms, voice_ms, sent_ms, false_interruptions, tools,
  filler, preemptive, discarded, heard_ms FROM turns WHERE call_sid = ? ORDER BY turn)";
constexpr char kList[] =
    "SELECT * FROM calls ORDER BY created_ms DESC, call_sid LIMIT ? OFFSET ?";

CallRecord read_call(Statement &row) {
  CallRecord record;
  record.call_sid = row.text();
  record.stream_sid = row.text();
  record.account_sid = row.text();
  record.from = row.text();
  record.to = row.text();
  record.direction = row.text();
  record.agent = row.text();
  record.pipeline = row.text();
  record.created_ms = row.integer();
  record.answered_ms = row.integer();
  record.ended_ms = row.integer();
  record.status = row.text();
  record.end_reason = row.text();
  record.end_detail = row.text();
  record.goal_reached = row.integer() != 0;
  record.fields = row.text();
  record.field_turns = row.text();
  record.missing = row.text();
  record.invalid = row.text();
  return record;
}

TurnRecord read_turn(Statement &row) {
  TurnRecord turn;
  turn.index = static_cast<int>(row.integer());
  turn.started_ms = row.integer();
  turn.caller = row.text();
  turn.said = row.text();
  turn.heard = row.text();
  turn.action = row.text();
  turn.extracted = row.text();
  turn.interrupted = row.integer() != 0;
  turn.transcript_ms = row.real();
  turn.decision_ms = row.real();
  turn.voice_ms = row.real();
  turn.sent_ms = row.real();
  turn.false_interruptions = static_cast<int>(row.integer());
  turn.tools = tools_of_json(row.text());
  turn.filler = row.integer() != 0;
  turn.preemptive = row.integer() != 0;
  turn.discarded = static_cast<int>(row.integer());
  turn.heard_ms = row.integer();
  return turn;
}

Result<Unit> put(sqlite3 *database, const CallRecord &record) {
  auto statement = Statement::prepare(database, kPutCall);
  if (!statement)
    return statement.error();
  return statement->bind(record.call_sid)
      .bind(record.stream_sid)
      .bind(record.account_sid)
      .bind(record.from)
      .bind(record.to)
      .bind(record.direction)
      .bind(record.agent)
      .bind(record.pipeline)
      .bind(record.created_ms)
      .bind(record.answered_ms)
      .bind(record.ended_ms)
      .bind(record.status)
      .bind(record.end_reason)
      .bind(record.end_detail)
      .bind(record.goal_reached)
      .bind(record.fields)
      .bind(record.field_turns)
      .bind(record.missing)
      .bind(record.invalid)
      .run();
}

Result<Unit> put(sqlite3 *database, const std::string &call_sid,
                 const TurnRecord &turn) {
  auto statement = Statement::prepare(database, kPutTurn);
  if (!statement)
    return statement.error();
  return statement->bind(call_sid)
      .bind(std::int64_t{turn.index})
      .bind(turn.started_ms)
      .bind(turn.caller)
      .bind(turn.said)
      .bind(turn.heard)
      .bind(turn.action)
      .bind(turn.extracted)
      .bind(turn.interrupted)
      .bind(turn.transcript_ms)
      .bind(turn.decision_ms)
      .bind(turn.voice_ms)
      .bind(turn.sent_ms)
      .bind(std::int64_t{turn.false_interruptions})
      .bind(to_json(turn.tools))
      .bind(turn.filler)
      .bind(turn.preemptive)
      .bind(std::int64_t{turn.discarded})
      .bind(turn.heard_ms)
      .run();
}

Result<std::optional<CallRecord>> find(sqlite3 *database,
                                       const std::string &call_sid) {
  auto statement = Statement::prepare(database, kGetCall);
  if (!statement)
    return statement.error();
  const auto row = statement->bind(call_sid).step();
  if (!row)
    return row.error();
  if (!*row)
    return std::optional<CallRecord>();
  CallRecord record = read_call(*statement);
  auto turns = Statement::prepare(database, kGetTurns);
  if (!turns)
    return turns.error();
  turns->bind(call_sid);
  for (;;) {
    const auto more = turns->step();
    if (!more)
      return more.error();
    if (!*more)
      return std::optional<CallRecord>(std::move(record));
    record.turns.push_back(read_turn(*turns));
  }
}

Result<std::vector<CallRecord>> newest(sqlite3 *database, int limit,
                                       int offset) {
  auto statement = Statement::prepare(database, kList);
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

Result<Unit> execute(sqlite3 *database, const char *sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return make_error("sqlite", sqlite3_errmsg(database));
  return ok();
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
    write([record](sqlite3 *database) { return put(database, record); });
  }
  void put_turn(const std::string &call_sid, const TurnRecord &turn) override {
    write([call_sid, turn](sqlite3 *database) {
      return put(database, call_sid, turn);
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
  if (const auto made = execute(raw, kSchema); !made)
    return make_error("store", file + ": " + made.error().message);
  for (const char *column : kAddColumns)
    (void)execute(raw, column);
  return std::unique_ptr<RecordStore>(
      std::make_unique<SqliteRecordStore>(std::move(database), file));
}

} // namespace patchcord::store
