// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/suggest.hpp"
#include "base/text.hpp"
#include "config/config.hpp"

#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <optional>

namespace patchcord::config {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> from_environment(const char *variable) {
  const char *value = std::getenv(variable);
  if (value == nullptr || *value == '\0')
    return std::nullopt;
  return fs::path(value);
}

// The source tree when this library still lies in a build folder within it.
std::optional<fs::path> checkout() {
  std::error_code none;
  fs::path folder = library_folder();
  while (folder.has_relative_path()) {
    if (fs::exists(folder / "meson.build", none) &&
        fs::is_directory(folder / "pipelines", none) &&
        fs::is_directory(folder / "data", none) &&
        fs::is_directory(folder / "src" / "config", none))
      return folder;
    folder = folder.parent_path();
  }
  return std::nullopt;
}

std::vector<std::string> names_in(const fs::path &folder,
                                  const std::string &suffix) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto &entry : fs::directory_iterator(folder, none))
    if (entry.path().extension() == suffix)
      names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<fs::path> agent_folders() {
  std::vector<fs::path> folders;
  if (const auto data = from_environment("PATCHCORD_DATA_DIR"))
    folders.push_back(*data / "agents");
  if (const auto tree = checkout())
    folders.push_back(*tree / "data" / "agents");
  folders.push_back(fs::path(PATCHCORD_PKGDATADIR) / "agents");
  return folders;
}

Result<std::string> find(const std::string &what, const std::string &name,
                         const std::string &suffix,
                         const std::vector<fs::path> &folders) {
  std::error_code none;
  if (name.find('/') != std::string::npos || name.ends_with(suffix)) {
    if (fs::is_regular_file(name, none))
      return name;
    return make_error("not_found", name + ": no such file (" + what + ")");
  }
  std::vector<std::string> looked, known;
  for (const auto &folder : folders) {
    const fs::path path = folder / (name + suffix);
    if (fs::is_regular_file(path, none))
      return path.string();
    looked.push_back(folder.string());
    for (auto &found : names_in(folder, suffix))
      if (std::find(known.begin(), known.end(), found) == known.end())
        known.push_back(std::move(found));
  }
  return make_error("not_found",
                    "no " + what + " is called \"" + name + "\"" +
                        did_you_mean(name, known) + "; " +
                        (known.empty() ? "there are none"
                                       : "there are " + join(known, ", ")) +
                        " in " + join(looked, ", ") + ". A path to a " +
                        suffix + " file works too");
}

} // namespace

std::string library_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<void *>(&library_folder), &info) == 0 ||
      info.dli_fname == nullptr)
    return {};
  std::error_code none;
  // The main program's name is as it was typed.
  const bool program =
      std::string_view(info.dli_fname).find(".so") == std::string_view::npos;
  const fs::path path =
      fs::canonical(program ? "/proc/self/exe" : info.dli_fname, none);
  return path.parent_path().string();
}

Result<std::string> find_agent(const std::string &name) {
  return find("agent", name, ".toml", agent_folders());
}

std::vector<std::string> agent_names() {
  std::vector<std::string> names;
  for (const fs::path &folder : agent_folders())
    for (std::string &name : names_in(folder, ".toml"))
      if (std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(std::move(name));
  return names;
}

Result<std::string> find_pipeline(const std::string &name) {
  std::vector<fs::path> folders;
  if (const auto pipelines = from_environment("PATCHCORD_PIPELINE_DIR"))
    folders.push_back(*pipelines);
  if (const auto data = from_environment("PATCHCORD_DATA_DIR"))
    folders.push_back(*data / "pipelines");
  if (const auto tree = checkout())
    folders.push_back(*tree / "pipelines");
  folders.push_back(fs::path(PATCHCORD_PKGDATADIR) / "pipelines");
  return find("pipeline", name, ".launch", folders);
}

} // namespace patchcord::config
