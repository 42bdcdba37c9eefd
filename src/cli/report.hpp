// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdio>
#include <string>

namespace patchcord::cli {

// What `patchcord check` found: one line an item, in the user's words.
class Report {
public:
  explicit Report(std::FILE *out = stdout) : out_(out) {}
  Report(const Report &) = delete;
  Report &operator=(const Report &) = delete;
  virtual ~Report() = default;
  void ok(const std::string &item, const std::string &text);
  void warn(const std::string &item, const std::string &text);
  void fail(const std::string &item, const std::string &text);

  int failures() const { return failures_; }
  int warnings() const { return warnings_; }

protected:
  enum class Verdict { kOk, kWarn, kFail };
  virtual void tell(Verdict verdict, const std::string &item,
                    const std::string &text);

private:
  std::FILE *const out_; // the caller's
  int failures_ = 0, warnings_ = 0;
};

} // namespace patchcord::cli
