// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/handles.hpp"

#include <glib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace patchcord::test {

// A folder for one test, which goes with all that is in it.
class TempDir {
public:
  TempDir()
      : path_(GCharPtr(g_dir_make_tmp("patchcord-XXXXXX", nullptr)).get()) {}
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir &) = delete;
  TempDir &operator=(const TempDir &) = delete;

  const std::string &path() const { return path_; }
  std::string operator/(const std::string &name) const {
    return path_ + "/" + name;
  }

private:
  const std::string path_;
};

inline std::string contents(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

} // namespace patchcord::test
