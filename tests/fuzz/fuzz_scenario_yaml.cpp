// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/scenario.hpp"
#include "scenario/yaml_table.hpp"

#include <algorithm>
#include <cstdlib>

using namespace patchcord;

static void check_lines(const toml::node &node,
                        const agent::TomlReader::Lines &lines,
                        std::uint32_t last) {
  const auto is_line = [last](std::uint32_t line) {
    return line >= 1 && line <= last;
  };
  const auto found = lines.find(&node);
  if (found == lines.end() || !is_line(found->second))
    std::abort();
  if (const toml::table *table = node.as_table())
    for (const auto &[key, value] : *table) {
      if (!is_line(key.source().begin.line))
        std::abort();
      check_lines(value, lines, last);
    }
  if (const toml::array *array = node.as_array())
    for (const toml::node &element : *array)
      check_lines(element, lines, last);
}

// A scenario in YAML, from users: each node has a line of the file, or the file
// is refused with one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  const std::string file = "fuzz.yaml";
  toml::table root;
  agent::TomlReader::Lines lines;
  if (scenario::read_yaml(text, file, root, lines))
    check_lines(root, lines,
                1 + static_cast<std::uint32_t>(
                        std::count(text.begin(), text.end(), '\n')));
  const auto scenario = scenario::parse_scenario(text, file);
  if (!scenario) {
    const std::string &error = scenario.error().message;
    if (!error.starts_with(file + ":") || error.size() <= file.size() + 1 ||
        error[file.size() + 1] < '1' || error[file.size() + 1] > '9')
      std::abort();
  }
  return 0;
}
