// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <glib.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

namespace patchcord::test {

// What this process writes to stderr while it lives: the daemon's log, of tests
// whose standard error is no journal.
class CapturedLog {
public:
  CapturedLog() : file_(std::tmpfile(), &std::fclose) {
    g_assert_nonnull(file_.get());
    std::fflush(stderr);
    before_ = dup(STDERR_FILENO);
    g_assert_cmpint(before_, >=, 0);
    g_assert_cmpint(dup2(fileno(file_.get()), STDERR_FILENO), >=, 0);
  }
  ~CapturedLog() {
    std::fflush(stderr);
    dup2(before_, STDERR_FILENO);
    close(before_);
  }
  CapturedLog(const CapturedLog &) = delete;
  CapturedLog &operator=(const CapturedLog &) = delete;

  std::string text() const {
    std::fflush(stderr);
    std::string all;
    std::array<char, 4096> piece{};
    for (off_t at = 0;;) {
      const ssize_t got =
          pread(fileno(file_.get()), piece.data(), piece.size(), at);
      if (got <= 0)
        return all;
      all.append(piece.data(), static_cast<std::size_t>(got));
      at += got;
    }
  }
  std::size_t count(const std::string &words) const {
    const std::string all = text();
    std::size_t found = 0;
    for (std::size_t at = 0; (at = all.find(words, at)) != std::string::npos;
         at += words.size())
      ++found;
    return found;
  }

private:
  std::unique_ptr<std::FILE, int (*)(std::FILE *)> file_;
  int before_ = -1;
};

} // namespace patchcord::test
