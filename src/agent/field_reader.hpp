// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/definition.hpp"
#include "agent/toml_reader.hpp"

#include <optional>
#include <string>

namespace patchcord::agent {

// Reads one of a definition's fields; `before` holds those before it. Errors go
// to the file.
std::optional<Field> read_field(TomlReader::File &file,
                                const toml::table &table,
                                const std::string &path,
                                const Definition &before);

} // namespace patchcord::agent
