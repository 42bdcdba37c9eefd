// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/scenario.hpp"
#include "scenario/yaml_table.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace patchcord::scenario {

namespace fs = std::filesystem;

Result<Scenario> read_scenario(const std::string &file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  if (!in)
    return make_error("bad_definition", file + ": cannot be read");
  return parse_scenario(text.str(), file);
}

Result<std::vector<std::string>>
find_scenarios(const std::vector<std::string> &paths) {
  std::vector<std::string> files;
  const auto add = [&files](const std::string &file) {
    if (std::find(files.begin(), files.end(), file) == files.end())
      files.push_back(file);
  };
  for (const std::string &path : paths) {
    std::error_code none;
    if (!fs::is_directory(path, none)) {
      if (!fs::is_regular_file(path, none))
        return make_error("not_found", path + ": no such file or folder");
      add(path);
      continue;
    }
    std::vector<std::string> found;
    for (const auto &entry : fs::recursive_directory_iterator(path, none))
      if (entry.path().extension() == ".toml" || is_yaml(entry.path().string()))
        found.push_back(entry.path().string());
    if (found.empty())
      return make_error("not_found",
                        path + ": no *.toml, *.yaml or *.yml in it");
    std::sort(found.begin(), found.end());
    for (const std::string &file : found)
      add(file);
  }
  return files;
}

} // namespace patchcord::scenario
