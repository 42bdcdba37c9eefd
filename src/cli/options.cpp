// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/options.hpp"

#include "base/suggest.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace patchcord::cli {

int print_version() {
  std::puts("patchcord " PATCHCORD_VERSION);
  return kDone;
}

Options::Options(std::string command, std::string help)
    : command_(std::move(command)), help_(std::move(help)) {}

Options &Options::flag(const std::string &name, bool &set) {
  options_.push_back({name, &set, nullptr});
  return *this;
}

Options &Options::text(const std::string &name, std::string &value) {
  options_.push_back({name, nullptr, &value});
  return *this;
}

Options &Options::rest(std::vector<std::string> &words) {
  rest_ = &words;
  return *this;
}

int Options::refuse(const std::string &problem) const {
  std::fprintf(stderr, "patchcord %s: %s\nTry: patchcord %s --help\n",
               command_.c_str(), problem.c_str(), command_.c_str());
  return kUsage;
}

std::optional<int> Options::parse(int argc, char **argv) const {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      std::fputs(help_.c_str(), stdout);
      return kDone;
    }
    if (argument == "--version" || argument == "-V")
      return print_version();
    if (rest_ != nullptr && !argument.starts_with('-')) {
      rest_->emplace_back(argument);
      continue;
    }
    const auto equals = argument.find('=');
    const std::string name(argument.substr(0, equals));
    const auto option =
        std::find_if(options_.begin(), options_.end(),
                     [&](const Option &each) { return each.name == name; });
    if (option == options_.end()) {
      std::vector<std::string> known = {"--help", "--version"};
      for (const Option &each : options_)
        known.push_back(each.name);
      return refuse((argument.starts_with('-') ? "unknown option "
                                               : "unexpected argument ") +
                    name + did_you_mean(name, known));
    }
    const bool has_value = equals != std::string_view::npos;
    if (option->flag != nullptr) {
      if (has_value)
        return refuse(name + " takes no value");
      *option->flag = true;
    } else if (has_value) {
      *option->text = argument.substr(equals + 1);
    } else if (i + 1 < argc) {
      *option->text = argv[++i];
    } else {
      return refuse(name + " wants a value");
    }
  }
  return std::nullopt;
}

} // namespace patchcord::cli
