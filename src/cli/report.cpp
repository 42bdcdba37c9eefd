// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/report.hpp"

#include <cstdio>

namespace patchcord::cli {
namespace {

void print(const char *verdict, const std::string &item,
           const std::string &text) {
  std::printf("%-4s  %-13s ", verdict, item.c_str());
  // Further lines stand below the first.
  for (const char c : text) {
    std::putchar(c);
    if (c == '\n')
      std::printf("%20s", "");
  }
  std::putchar('\n');
  std::fflush(stdout); // the next item may take a while
}

} // namespace

void Report::ok(const std::string &item, const std::string &text) {
  print("ok", item, text);
}
void Report::warn(const std::string &item, const std::string &text) {
  ++warnings_;
  print("warn", item, text);
}
void Report::fail(const std::string &item, const std::string &text) {
  ++failures_;
  print("FAIL", item, text);
}

} // namespace patchcord::cli
