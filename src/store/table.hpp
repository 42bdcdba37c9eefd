// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "store/record.hpp"
#include "store/sqlite.hpp"

#include <string>
#include <utility>
#include <vector>

namespace patchcord::store {

// How a member of a record lies in a column. Every type has a default, for a
// column may be added to a file that has rows already.
template <typename T> struct Stored;
inline constexpr const char *kObject = "TEXT NOT NULL DEFAULT '{}'"; // JSON
inline constexpr const char *kArray = "TEXT NOT NULL DEFAULT '[]'";
template <> struct Stored<std::string> {
  static constexpr const char *kType = "TEXT NOT NULL DEFAULT ''";
  static void bind(Statement &to, const std::string &text) { to.bind(text); }
  static std::string read(Statement &row) { return row.text(); }
};
template <> struct Stored<std::int64_t> {
  static constexpr const char *kType = "INTEGER NOT NULL DEFAULT 0";
  static void bind(Statement &to, std::int64_t number) { to.bind(number); }
  static std::int64_t read(Statement &row) { return row.integer(); }
};
template <> struct Stored<int> : Stored<std::int64_t> {
  static int read(Statement &row) { return static_cast<int>(row.integer()); }
};
template <> struct Stored<bool> : Stored<std::int64_t> {
  static bool read(Statement &row) { return row.integer() != 0; }
};
template <> struct Stored<std::optional<double>> {
  static constexpr const char *kType = "REAL";
  static void bind(Statement &to, const std::optional<double> &number) {
    to.bind(number);
  }
  static std::optional<double> read(Statement &row) { return row.real(); }
};
template <> struct Stored<std::vector<ToolRecord>> {
  static constexpr const char *kType = kArray;
  static void bind(Statement &to, const std::vector<ToolRecord> &tools) {
    to.bind(to_json(tools));
  }
  static std::vector<ToolRecord> read(Statement &row) {
    return tools_of_json(row.text());
  }
};

template <typename Record> struct Column {
  std::string name;
  std::string type; // as SQL declares it
  void (*bind)(Statement &, const Record &);
  void (*read)(Statement &, Record &);
};

// The column `name` that keeps a member.
template <auto Member, typename Record, typename T>
Column<Record> column_of(T Record::*, const char *name, const char *type) {
  return {name, type,
          [](Statement &to, const Record &record) {
            Stored<T>::bind(to, record.*Member);
          },
          [](Statement &row, Record &record) {
            record.*Member = Stored<T>::read(row);
          }};
}
template <auto Member> auto column(const char *name) {
  const auto typed = [&]<typename Record, typename T>(T Record::*member) {
    return column_of<Member>(member, name, Stored<T>::kType);
  };
  return typed(Member);
}
template <auto Member> auto column(const char *name, const char *type) {
  return column_of<Member>(Member, name, type);
}

// The columns that `database` lacks of `table` are added. Fails, naming the
// column, when one cannot be.
Result<Unit> add_missing_columns(
    sqlite3 *database, const std::string &table,
    const std::vector<std::pair<std::string, std::string>> &names_and_types);

// A table whose rows are records of a call, with `call_sid` before the columns
// below. All its SQL names the columns: those of an older file are in another
// order, and a newer file may have more.
template <typename Record> class Table {
public:
  // `key` are the names that tell rows apart.
  Table(std::string name, std::string key, std::vector<Column<Record>> columns)
      : name_(std::move(name)), key_(std::move(key)),
        columns_(std::move(columns)) {
    std::string marks = "?";
    names_ = "call_sid";
    for (const auto &column : columns_) {
      names_ += ", " + column.name;
      marks += ",?";
    }
    put_ = "INSERT OR REPLACE INTO " + name_ + " (" + names_ + ") VALUES (" +
           marks + ")";
  }

  // Makes the table, or completes that of an older version.
  Result<Unit> make(sqlite3 *database) const {
    std::string sql =
        "CREATE TABLE IF NOT EXISTS " + name_ + " (call_sid TEXT NOT NULL";
    std::vector<std::pair<std::string, std::string>> declared;
    for (const auto &column : columns_) {
      sql += ", " + column.name + " " + column.type;
      declared.emplace_back(column.name, column.type);
    }
    sql += ", PRIMARY KEY (" + key_ + ")) WITHOUT ROWID";
    if (auto made = execute(database, sql); !made)
      return made;
    return add_missing_columns(database, name_, declared);
  }

  Result<Unit> put(sqlite3 *database, const std::string &call_sid,
                   const Record &record) const {
    auto statement = Statement::prepare(database, put_.c_str());
    if (!statement)
      return statement.error();
    statement->bind(call_sid);
    for (const auto &column : columns_)
      column.bind(*statement, record);
    return statement->run();
  }

  // "SELECT the columns FROM the table" with `rest`; read() reads its rows.
  Result<Statement> select(sqlite3 *database, const char *rest) const {
    return Statement::prepare(
        database, ("SELECT " + names_ + " FROM " + name_ + " " + rest).c_str());
  }
  // The row that was stepped to. The call SID comes first.
  std::pair<std::string, Record> read(Statement &row) const {
    std::pair<std::string, Record> result{row.text(), Record{}};
    for (const auto &column : columns_)
      column.read(row, result.second);
    return result;
  }

private:
  const std::string name_, key_;
  const std::vector<Column<Record>> columns_;
  std::string names_, put_;
};

} // namespace patchcord::store
