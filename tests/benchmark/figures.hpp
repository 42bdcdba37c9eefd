// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ctime>
#include <string>
#include <sys/resource.h>

#include <cstdio>

// "  2.31 us  receive and send" and so on: the figure, its unit, its meaning.
inline void print_figure(double figure, const char *unit,
                         const std::string &meaning) {
  std::printf("%9.2f %-4s %s\n", figure, unit, meaning.c_str());
  std::fflush(stdout);
}

inline double thread_cpu_seconds() {
  std::timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) / 1e9;
}

inline double process_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval &time) {
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}
