// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/definition_file.hpp"

#include "base/guarded.hpp"

#include <sys/stat.h>
#include <time.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

namespace patchcord::agent {
namespace {

// By which a changed file is known.
struct FileState {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const FileState &) const = default;
};

std::optional<FileState> state_of(const std::string &path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0)
    return std::nullopt;
  return FileState{found.st_dev, found.st_ino, found.st_size,
                   std::int64_t{found.st_mtim.tv_sec} * 1'000'000'000 +
                       found.st_mtim.tv_nsec};
}

struct Loaded {
  FileState state;
  std::shared_ptr<const Definition> definition;
};

// By path: as many as there are agents.
Guarded<std::map<std::string, Loaded>> &loaded() {
  static Guarded<std::map<std::string, Loaded>> all;
  return all;
}

} // namespace

Result<std::shared_ptr<const Definition>>
load_definition(const std::string &path) {
  const auto state = state_of(path);
  auto known = loaded().with([&](const auto &all) {
    const auto it = all.find(path);
    return it != all.end() && it->second.state == state ? it->second.definition
                                                        : nullptr;
  });
  if (known)
    return known;
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file)
    return make_error("bad_agent", path + ": cannot be read");
  auto definition = parse_definition(text.str(), path);
  if (!definition)
    return definition.error();
  known = std::make_shared<const Definition>(*std::move(definition));
  // What was written meanwhile has another state by the next call; but for what
  // is written twice within a tick of the file system's clock.
  struct timespec now {};
  clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t age_ns =
      state ? std::int64_t{now.tv_sec} * 1'000'000'000 - state->changed_ns : 0;
  if (state && age_ns > 1'000'000'000)
    loaded().with([&](auto &all) { all[path] = {*state, known}; });
  return known;
}

} // namespace patchcord::agent
