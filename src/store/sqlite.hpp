// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace patchcord::store {

struct SqliteClose {
  void operator()(sqlite3 *database) const { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, SqliteClose>;

// Runs statements that give no rows and have nothing bound.
Result<Unit> execute(sqlite3 *database, const std::string &sql);

// A prepared statement: bind in order, step, read in order.
class Statement {
public:
  static Result<Statement> prepare(sqlite3 *database, const char *sql);

  Statement &bind(const std::string &text);
  Statement &bind(std::int64_t number);
  Statement &bind(bool truth) { return bind(std::int64_t{truth}); }
  Statement &bind(const std::optional<double> &number);

  // True when there is a row, false at the end.
  Result<bool> step();
  // Steps once, then is ready to be bound anew.
  Result<Unit> run();

  void rewind_columns() { column_ = 0; }
  std::string text();
  std::int64_t integer();
  std::optional<double> real();

private:
  struct Finalize {
    void operator()(sqlite3_stmt *statement) const {
      sqlite3_finalize(statement);
    }
  };
  explicit Statement(sqlite3_stmt *statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0, column_ = 0;
};

} // namespace patchcord::store
