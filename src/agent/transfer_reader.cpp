// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/transfer_reader.hpp"

#include "base/phone_number.hpp"

#include <algorithm>

namespace patchcord::agent {
namespace {

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

} // namespace

TransferTarget read_transfer_target(TomlReader::File &file,
                                    const toml::table &table,
                                    const std::string &path,
                                    const std::vector<TransferTarget> &others) {
  TomlReader reader(file, table, path);
  TransferTarget target;
  int timeout_s = static_cast<int>(target.timeout / 1s);
  reader.read("name", target.name, true);
  reader.read("number", target.number, true);
  reader.read("when", target.when, true);
  reader.read("phrases", target.phrases);
  reader.read("message", target.message);
  reader.read("summary", target.summary);
  reader.read("timeout_s", timeout_s, 5, 600);
  reader.finish();
  target.timeout = std::chrono::seconds(timeout_s);
  if (reader.failed())
    return target;
  if (!is_name(target.name))
    reader.fail("name", "lower-case letters, digits and _");
  else if (std::any_of(others.begin(), others.end(),
                       [&](const TransferTarget &other) {
                         return other.name == target.name;
                       }))
    reader.fail("name", "a name that no other transfer target has");
  else if (!is_e164(target.number))
    reader.fail("number", "a number such as +14155550100");
  return target;
}

} // namespace patchcord::agent
