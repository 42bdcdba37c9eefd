// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/report.hpp"

namespace patchcord::cli {

void Report::print(const char *verdict, const std::string &item,
                   const std::string &text) {
  std::fprintf(out_, "%-4s  %-13s ", verdict, item.c_str());
  // Further lines stand below the first.
  for (const char c : text) {
    std::fputc(c, out_);
    if (c == '\n')
      std::fprintf(out_, "%20s", "");
  }
  std::fputc('\n', out_);
  std::fflush(out_); // the next item may take a while
}

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
