// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/toml_reader.hpp"
#include "agent/transfer.hpp"

namespace patchcord::agent {

// A [[transfer]] table; whether it went well, the file's error says.
TransferTarget read_transfer_target(TomlReader::File &file,
                                    const toml::table &table,
                                    const std::string &path,
                                    const std::vector<TransferTarget> &others);

} // namespace patchcord::agent
