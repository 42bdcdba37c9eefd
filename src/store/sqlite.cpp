// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/sqlite.hpp"

namespace patchcord::store {

Result<Unit> execute(sqlite3 *database, const std::string &sql) {
  if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) !=
      SQLITE_OK)
    return make_error("sqlite", sqlite3_errmsg(database));
  return ok();
}

Result<Statement> Statement::prepare(sqlite3 *database, const char *sql) {
  sqlite3_stmt *statement = nullptr;
  if (sqlite3_prepare_v2(database, sql, -1, &statement, nullptr) != SQLITE_OK)
    return make_error("sqlite", sqlite3_errmsg(database));
  return Statement(statement);
}

Statement &Statement::bind(const std::string &text) {
  sqlite3_bind_text(statement_.get(), ++bound_, text.data(),
                    static_cast<int>(text.size()), SQLITE_TRANSIENT);
  return *this;
}
Statement &Statement::bind(std::int64_t number) {
  sqlite3_bind_int64(statement_.get(), ++bound_, number);
  return *this;
}
Statement &Statement::bind(const std::optional<double> &number) {
  if (number)
    sqlite3_bind_double(statement_.get(), ++bound_, *number);
  else
    sqlite3_bind_null(statement_.get(), ++bound_);
  return *this;
}

Result<bool> Statement::step() {
  column_ = 0;
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW)
    return true;
  if (code == SQLITE_DONE)
    return false;
  return make_error("sqlite",
                    sqlite3_errmsg(sqlite3_db_handle(statement_.get())));
}

Result<Unit> Statement::run() {
  const auto stepped = step();
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  bound_ = 0;
  if (!stepped)
    return stepped.error();
  return ok();
}

std::string Statement::text() {
  const int column = column_++;
  const auto *text = sqlite3_column_text(statement_.get(), column);
  if (text == nullptr)
    return {};
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {reinterpret_cast<const char *>(text), static_cast<std::size_t>(size)};
}
std::int64_t Statement::integer() {
  return sqlite3_column_int64(statement_.get(), column_++);
}
std::optional<double> Statement::real() {
  const int column = column_++;
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL)
    return std::nullopt;
  return sqlite3_column_double(statement_.get(), column);
}

} // namespace patchcord::store
