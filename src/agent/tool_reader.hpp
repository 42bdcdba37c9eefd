// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/toml_reader.hpp"
#include "agent/tool.hpp"

namespace patchcord::agent {

// Reads one [[tools]] of an agent file. `others`: the tools before it.
Tool read_tool(TomlReader::File &file, const toml::table &table,
               const std::string &path, const std::vector<Tool> &others);

} // namespace patchcord::agent
