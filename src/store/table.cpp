// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/table.hpp"

#include <set>

namespace patchcord::store {
namespace {

using Columns = std::vector<std::pair<std::string, std::string>>;

Result<Columns> missing_columns(sqlite3 *database, const std::string &table,
                                const Columns &wanted) {
  auto rows =
      Statement::prepare(database, "SELECT name FROM pragma_table_info(?)");
  if (!rows)
    return rows.error();
  rows->bind(table);
  std::set<std::string> present;
  for (;;) {
    const auto more = rows->step();
    if (!more)
      return more.error();
    if (!*more)
      break;
    present.insert(rows->text());
  }
  Columns missing;
  for (const auto &column : wanted)
    if (!present.contains(column.first))
      missing.push_back(column);
  return missing;
}

Error not_added(const std::string &table, const std::string &column,
                const Error &why) {
  return make_error("sqlite",
                    "column \"" + column + "\" of \"" + table +
                        "\" is missing and cannot be added: " + why.message);
}

Result<Unit> add(sqlite3 *database, const std::string &table,
                 const Columns &wanted) {
  const auto missing = missing_columns(database, table, wanted);
  if (!missing)
    return missing.error();
  for (const auto &[name, type] : *missing) {
    const auto added = execute(
        database, "ALTER TABLE " + table + " ADD COLUMN " + name + " " + type);
    if (!added)
      return not_added(table, name, added.error());
  }
  return ok();
}

} // namespace

Result<Unit> add_missing_columns(sqlite3 *database, const std::string &table,
                                 const Columns &wanted) {
  const auto missing = missing_columns(database, table, wanted);
  if (!missing)
    return missing.error();
  if (missing->empty())
    return ok();
  // Looked at again with the file to ourselves: another process may be adding
  // them at this moment. All of them or none.
  if (auto begun = execute(database, "BEGIN IMMEDIATE"); !begun)
    return not_added(table, missing->front().first, begun.error());
  auto added = add(database, table, wanted);
  if (added)
    added = execute(database, "COMMIT");
  if (!added)
    (void)execute(database, "ROLLBACK");
  return added;
}

} // namespace patchcord::store
