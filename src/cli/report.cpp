// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/report.hpp"

namespace patchcord::cli {

void Report::tell(Verdict verdict, const std::string &item,
                  const std::string &text) {
  const char *word = verdict == Verdict::kOk     ? "ok"
                     : verdict == Verdict::kWarn ? "warn"
                                                 : "FAIL";
  std::fprintf(out_, "%-4s  %-13s ", word, item.c_str());
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
  tell(Verdict::kOk, item, text);
}
void Report::warn(const std::string &item, const std::string &text) {
  ++warnings_;
  tell(Verdict::kWarn, item, text);
}
void Report::fail(const std::string &item, const std::string &text) {
  ++failures_;
  tell(Verdict::kFail, item, text);
}

} // namespace patchcord::cli
