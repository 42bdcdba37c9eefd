// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/handles.hpp"
#include "base/json.hpp"
#include "store/record_store.hpp"

#include "../support/check_text.hpp"
#include "../support/temp_dir.hpp"

#include <sqlite3.h>

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <sys/wait.h>
#include <unistd.h>

using namespace patchcord;
using namespace patchcord::store;
using test::TempDir;

// Waits for a result that comes on the store's thread.
template <typename T> class Waiter {
public:
  std::function<void(T)> callback() {
    return [this](T value) {
      const std::lock_guard lock(mutex_);
      value_.emplace(std::move(value));
      ready_.notify_one();
    };
  }
  T wait() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return value_.has_value(); });
    return std::move(*value_);
  }

private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::optional<T> value_;
};

static std::optional<CallRecord> get(RecordStore &records,
                                     const std::string &sid) {
  Waiter<Result<std::optional<CallRecord>>> waiter;
  records.get(sid, waiter.callback());
  auto result = waiter.wait();
  g_assert_true(result.ok());
  return *result;
}

static std::string file_in(const TempDir &dir) { return dir / "calls.db"; }
static std::string url_in(const TempDir &dir) {
  return "sqlite:" + file_in(dir);
}

static CallRecord sample() {
  CallRecord record;
  record.call_sid = "CA1";
  record.from = "+14155550100";
  record.status = "in-progress";
  record.created_ms = 1000;
  record.fields = R"({"room":"Mountain View"})";
  record.field_turns = R"({"room":3})";
  record.missing = R"(["day"])";
  record.invalid = R"(["people"])";
  return record;
}

static void test_keeps_a_call() {
  const TempDir dir;
  {
    auto records = RecordStore::open(url_in(dir));
    g_assert_true(records.ok());
    auto record = sample();
    (*records)->put_call(record);
    TurnRecord turn;
    turn.index = 1;
    turn.caller = "caf\xc3\xa9 'quoted'";
    turn.sent_ms = 12.5;
    (*records)->put_turn("CA1", turn);
    turn.heard = "cut at the";
    turn.heard_ms = 730;
    turn.interrupted = true;
    turn.tools = {{"rooms", "ok", 120}, {"book", "http_409", 80}};
    (*records)->put_turn("CA1", turn);
    record.status = "completed";
    record.goal_reached = true;
    (*records)->put_call(record);
    g_assert_false(get(**records, "CA2").has_value());
  }
  auto records = RecordStore::open(url_in(dir));
  const auto back = get(**records, "CA1");
  g_assert_true(back.has_value());
  CHECK_TEXT(back->status, "completed");
  g_assert_true(back->goal_reached);
  g_assert_cmpuint(back->turns.size(), ==, 1);
  CHECK_TEXT(back->turns[0].caller, "caf\xc3\xa9 'quoted'");
  CHECK_TEXT(back->turns[0].heard, "cut at the");
  g_assert_cmpint(back->turns[0].heard_ms, ==, 730);
  g_assert_cmpfloat(*back->turns[0].sent_ms, ==, 12.5);
  g_assert_false(back->turns[0].voice_ms.has_value());
  CHECK_TEXT(to_json(back->turns[0].tools),
             R"([{"name":"rooms","status":"ok","ms":120},)"
             R"({"name":"book","status":"http_409","ms":80}])");
  const auto json = JsonDocument::parse(to_json(*back));
  g_assert_true(json.ok());
  CHECK_TEXT(json->root()["fields"]["room"].string()->c_str(), "Mountain View");
  g_assert_cmpint(*json->root()["field_turns"]["room"].integer(), ==, 3);
  CHECK_TEXT(json->root()["missing"].at(0).string()->c_str(), "day");
  CHECK_TEXT(json->root()["invalid"].at(0).string()->c_str(), "people");
  g_assert_cmpint(*json->root()["turns"].at(0)["heard_ms"].integer(), ==, 730);
}

// Runs `sql` on the file as another program would.
static void change(const TempDir &dir, const char *sql) {
  sqlite3 *raw = nullptr;
  g_assert_cmpint(sqlite3_open(file_in(dir).c_str(), &raw), ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr), ==,
                  SQLITE_OK);
  sqlite3_close(raw);
}

// What is told of a call that nobody answers; and late, of one that was.
static void test_unanswered() {
  const TempDir folder;
  auto records = RecordStore::open(url_in(folder));
  g_assert_true(records.ok());
  const auto tell = [&](const char *status, const char *reason,
                        std::int64_t ended_ms) {
    CallRecord told;
    told.call_sid = "CA1";
    told.agent = "reminder";
    told.created_ms = 2000;
    told.status = status;
    told.end_reason = reason;
    told.ended_ms = ended_ms;
    (*records)->put_unanswered(told);
    return *get(**records, "CA1");
  };
  CHECK_TEXT(tell("ringing", "", 0).status, "ringing");
  const auto busy = tell("completed", "busy", 9000);
  CHECK_TEXT(busy.end_reason, "busy");
  CHECK_TEXT(busy.agent, "reminder");
  // It is over: what comes late changes nothing.
  CHECK_TEXT(tell("ringing", "", 0).end_reason, "busy");
  CHECK_TEXT(tell("completed", "no-answer", 9500).end_reason, "busy");

  CallRecord answered = sample();
  answered.answered_ms = 1500;
  answered.transfer_to = "desk";
  answered.transfer_number = "+14155550111";
  answered.transfer_outcome = "busy";
  answered.answered_by = "human";
  (*records)->put_call(answered);
  const auto kept = tell("failed", "error", 9900);
  CHECK_TEXT(kept.status, "in-progress");
  CHECK_TEXT(kept.end_reason, answered.end_reason);
  CHECK_TEXT(kept.transfer_to, "desk");
  CHECK_TEXT(kept.transfer_number, "+14155550111");
  CHECK_TEXT(kept.transfer_outcome, "busy");
  CHECK_TEXT(kept.answered_by, "human");
}

static void test_older_files() {
  // Of versions that did not count false interruptions, keep tools or count
  // milliseconds, or tell where values came from.
  const TempDir dir;
  {
    auto records = RecordStore::open(url_in(dir));
    (*records)->put_call(sample());
    TurnRecord turn;
    turn.caller = "hello";
    (*records)->put_turn("CA1", turn);
  }
  change(dir, "ALTER TABLE turns DROP COLUMN heard_ms;"
              "ALTER TABLE turns DROP COLUMN false_interruptions;"
              "ALTER TABLE turns DROP COLUMN tools;"
              "ALTER TABLE calls DROP COLUMN field_turns;"
              "ALTER TABLE calls DROP COLUMN missing;"
              "ALTER TABLE calls DROP COLUMN invalid");
  auto records = RecordStore::open(url_in(dir));
  g_assert_true(records.ok());
  TurnRecord turn;
  turn.index = 1;
  turn.false_interruptions = 2;
  turn.heard_ms = 1200;
  (*records)->put_turn("CA1", turn);
  const auto back = get(**records, "CA1");
  g_assert_cmpuint(back->turns.size(), ==, 2);
  CHECK_TEXT(back->turns[0].caller, "hello");
  CHECK_TEXT(back->field_turns, "{}");
  CHECK_TEXT(back->missing, "[]");
  g_assert_cmpint(back->turns[0].false_interruptions, ==, 0);
  g_assert_cmpint(back->turns[1].false_interruptions, ==, 2);
  g_assert_cmpint(back->turns[0].heard_ms, ==, 0);
  g_assert_cmpint(back->turns[1].heard_ms, ==, 1200);
}

// Columns stand where their version put them, and a newer version may have
// added some that this one does not know.
static void test_columns_in_another_order() {
  const TempDir dir;
  g_assert_true(RecordStore::open(url_in(dir)).ok());
  change(dir, "ALTER TABLE calls DROP COLUMN from_number;"
              "ALTER TABLE calls ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'");
  {
    auto records = RecordStore::open(url_in(dir));
    g_assert_true(records.ok());
    (*records)->put_call(sample());
  }
  const auto back = get(**RecordStore::open(url_in(dir)), "CA1");
  CHECK_TEXT(back->from, "+14155550100");
  CHECK_TEXT(back->status, "in-progress");
  CHECK_TEXT(back->invalid, R"(["people"])");
}

// A file that cannot be completed is not opened: each write to it would fail.
static void test_columns_that_cannot_be_added() {
  const TempDir dir;
  g_assert_true(RecordStore::open(url_in(dir)).ok());
  change(dir, "DROP TABLE turns;"
              "CREATE VIEW turns AS SELECT call_sid FROM calls");
  const auto records = RecordStore::open(url_in(dir));
  g_assert_false(records.ok());
  const std::string &message = records.error().message;
  for (const char *part : {"/calls.db", "\"turn\"", "\"turns\"", "view"})
    if (message.find(part) == std::string::npos)
      g_error("no %s in: %s", part, message.c_str());
}

// Every column that an older file may lack comes back with its default.
static void test_any_column_may_be_missing() {
  for (const char *column :
       {"stream_sid", "pipeline", "ended_ms", "goal_reached", "fields"}) {
    const TempDir dir;
    {
      auto records = RecordStore::open(url_in(dir));
      (*records)->put_call(sample());
    }
    change(dir,
           (std::string("ALTER TABLE calls DROP COLUMN ") + column).c_str());
    auto records = RecordStore::open(url_in(dir));
    g_assert_true(records.ok());
    const auto back = get(**records, "CA1");
    g_assert_true(back.has_value());
    CHECK_TEXT(back->status, "in-progress");
    g_assert_true(JsonDocument::parse(back->fields).ok());
  }
}

static void test_lists_newest_first() {
  auto records = RecordStore::open("sqlite::memory:");
  for (int i = 0; i < 5; ++i) {
    auto record = sample();
    record.call_sid = "CA" + std::to_string(i);
    record.created_ms = i;
    (*records)->put_call(record);
  }
  Waiter<Result<std::vector<CallRecord>>> waiter;
  (*records)->list(2, 1, waiter.callback());
  const auto page = waiter.wait();
  g_assert_cmpuint(page->size(), ==, 2);
  CHECK_TEXT((*page)[0].call_sid, "CA3");
}

static void test_bad_urls() {
  for (const char *url :
       {"", "sqlite:", "mysql:x", "sqlite:/nonexistent-folder/calls.db"}) {
    const auto records = RecordStore::open(url);
    g_assert_false(records.ok());
    g_test_message("%s -> %s", url, records.error().message.c_str());
  }
  g_assert_nonnull(
      strstr(RecordStore::open("sqlite:/nonexistent-folder/calls.db")
                 .error()
                 .message.c_str(),
             "/nonexistent-folder/calls.db"));
}

// What was flushed is there after SIGKILL.
static void test_survives_a_kill() {
  const TempDir dir;
  int pipe_fds[2];
  g_assert_cmpint(pipe(pipe_fds), ==, 0);
  const pid_t child = fork();
  if (child == 0) {
    auto records = RecordStore::open(url_in(dir));
    (*records)->put_call(sample());
    TurnRecord turn;
    turn.said = "Hello.";
    (*records)->put_turn("CA1", turn);
    (*records)->flush();
    (void)!write(pipe_fds[1], "x", 1);
    for (;;)
      pause();
  }
  char byte = 0;
  g_assert_cmpint(read(pipe_fds[0], &byte, 1), ==, 1);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  auto records = RecordStore::open(url_in(dir));
  const auto back = get(**records, "CA1");
  g_assert_true(back.has_value());
  CHECK_TEXT(back->turns.at(0).said, "Hello.");
  close(pipe_fds[0]);
  close(pipe_fds[1]);
}

// A write that fails is counted and said; later ones go on.
static void test_failed_writes_are_counted() {
  const TempDir dir;
  auto records = RecordStore::open(url_in(dir));
  (*records)->flush();
  // Another connection takes the table away.
  const std::string drop = "sqlite3 " + file_in(dir) + " 'DROP TABLE turns'";
  if (!GCharPtr(g_find_program_in_path("sqlite3"))) {
    g_test_skip("no sqlite3 program");
    return;
  }
  g_assert_cmpint(system(drop.c_str()), ==, 0);
  (*records)->put_call(sample());
  (*records)->put_turn("CA1", TurnRecord{});
  (*records)->flush();
  g_assert_cmpuint((*records)->failed_writes(), ==, 1);
  Waiter<Result<Unit>> waiter;
  (*records)->check(waiter.callback());
  g_assert_true(waiter.wait().ok());
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/store/an-answered-call-is-not-overwritten",
                  test_unanswered);
  g_test_add_func("/store/keeps-a-call-as-it-goes", test_keeps_a_call);
  g_test_add_func("/store/reads-older-files", test_older_files);
  g_test_add_func("/store/columns-may-stand-in-another-order",
                  test_columns_in_another_order);
  g_test_add_func("/store/refuses-a-file-that-cannot-be-completed",
                  test_columns_that_cannot_be_added);
  g_test_add_func("/store/any-column-may-be-missing",
                  test_any_column_may_be_missing);
  g_test_add_func("/store/lists-newest-first", test_lists_newest_first);
  g_test_add_func("/store/refuses-bad-urls-naming-the-file", test_bad_urls);
  g_test_add_func("/store/survives-a-kill", test_survives_a_kill);
  g_test_add_func("/store/failed-writes-are-counted",
                  test_failed_writes_are_counted);
  return g_test_run();
}
