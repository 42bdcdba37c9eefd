// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/definition.hpp"
#include "agent/toml_reader.hpp"

#include <string>

namespace patchcord::agent {

// An [[end.rules]] table; whether it went well, the file's error says.
// `definition`: with its fields and transfer targets; null: these are not
// right.
EndRule read_end_rule(TomlReader::File &file, const toml::table &table,
                      const std::string &path, const Definition *definition);

} // namespace patchcord::agent
