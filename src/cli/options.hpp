// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace patchcord::cli {

// Exit codes, as the man page lists them.
inline constexpr int kDone = 0, kFailed = 1, kUsage = 2;

// What --version says, of the program and of each command; kDone.
int print_version();

// The options of one command: "--name VALUE", "--name=VALUE" and "--flag".
class Options {
public:
  // `help` is what --help prints.
  Options(std::string command, std::string help);

  Options &flag(const std::string &name, bool &set);
  Options &text(const std::string &name, std::string &value);

  // What is no option; without this there may be none.
  Options &rest(std::vector<std::string> &words);

  // Reads them. An exit code when there is nothing more to do: after --help or
  // --version, or after an error, which has been told with the option's likely
  // name.
  std::optional<int> parse(int argc, char **argv) const;

private:
  struct Option {
    std::string name; // "--config"
    bool *flag = nullptr;
    std::string *text = nullptr;
  };
  int refuse(const std::string &problem) const;

  const std::string command_, help_;
  std::vector<Option> options_;
  std::vector<std::string> *rest_ = nullptr;
};

} // namespace patchcord::cli
