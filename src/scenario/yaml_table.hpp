// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/toml_reader.hpp"

#include <string>
#include <string_view>

namespace patchcord::scenario {

bool is_yaml(const std::string &file); // *.yaml, *.yml

// Reads YAML into the TOML table that says the same, so that one reader judges
// both. toml++ lets nobody but its own parser set where a node stands; TOML
// text made of the YAML and parsed again would have places, but those of
// another file, and each text and key quoted anew. So the table is made by
// hand, and `lines` has the line in the YAML of each node, `root` among them: a
// value of a mapping stands where its key does.
//
// Errors ("bad_definition") are "FILE:LINE: key: expected ...". Refused besides
// what is no YAML: what a TOML table has no place for (null, keys that are no
// texts, a second document), keys that are there twice, anchors and aliases,
// tags of one's own, and what is too large or too deep.
Result<Unit> read_yaml(std::string_view text, const std::string &file,
                       toml::table &root, agent::TomlReader::Lines &lines);

} // namespace patchcord::scenario
