// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config/secret.hpp"

#include "base/text.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace patchcord::config {
namespace {

constexpr std::uintmax_t kLongest = std::uintmax_t{8} << 10;

} // namespace

Result<std::string> read_secret(const std::string &variable,
                                const std::string &file) {
  std::string text;
  std::string where = file;
  if (!variable.empty()) {
    where = "the environment variable " + variable;
    const char *value = std::getenv(variable.c_str());
    if (value == nullptr)
      return make_error("bad_setting", where + " is not set");
    text = value;
  } else {
    std::error_code problem;
    const auto size = std::filesystem::file_size(file, problem);
    if (problem)
      return make_error("bad_setting", file + ": " + problem.message());
    if (size > kLongest)
      return make_error("bad_setting", file + " is too long for a secret");
    std::ifstream in(file);
    std::stringstream content;
    content << in.rdbuf();
    if (!in)
      return make_error("bad_setting", file + " cannot be read");
    text = content.str();
  }
  text = std::string(trim(text));
  if (text.empty() || !valid_utf8(text) ||
      text.find_first_of("\r\n") != std::string::npos)
    return make_error("bad_setting", where + " is not one line of text");
  return text;
}

} // namespace patchcord::config
