// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include "agent/values.hpp"

#include <glib.h>

#include <string>

// What callers say on the phone, where a wrong value was taken once: to ask
// again costs them less.
using namespace patchcord;
using namespace patchcord::agent;

namespace {

struct Row {
  const char *spoken;
  const char *value; // "" is none
};

void check(const char *spoken, const std::string &is, const char *expected) {
  if (is == expected)
    return;
  g_printerr("\"%s\": expected \"%s\", got \"%s\"\n", spoken, expected,
             is.c_str());
  g_test_fail(); // and the other rows
}

template <std::size_t N> void check_dates(const Row (&rows)[N]) {
  for (const Row &row : rows) {
    const auto found = find_date(row.spoken, kWednesday);
    check(row.spoken, found ? iso_date(found->date) : "", row.value);
  }
}

constexpr const char *kFriday = "2026-05-01", *kMonday = "2026-05-04";

void test_days_refused() {
  const Row rows[] = {
      // Doubted.
      {"I'm not sure Friday works", ""},
      {"I'm not sure about Friday", ""},
      {"I'm not so sure if I can do Friday", ""},
      {"I doubt Friday works", ""},
      {"I doubt I can make Friday", ""},
      {"I don't know if Friday works", ""},
      {"I don't know about Friday", ""},
      {"Friday I doubt it", ""},
      {"I didn't say Friday, I said Monday", kMonday},
      // By nobody, or not by all.
      {"neither of us can do Friday", ""},
      {"nobody can do Friday", ""},
      {"no one can do Friday", ""},
      {"none of us is free on Friday", ""},
      {"we can't both make Friday", ""},
      {"Friday nobody can", ""},
      {"today and tomorrow I can't", ""},
      // Of what does not work.
      {"it won't work on Friday", ""},
      {"it doesn't suit me on Friday", ""},
      {"it's not possible on Friday", ""},
      {"I don't have time on Friday", ""},
      {"I have no time on Friday", ""},
      {"I'm busy on Friday", ""},
      {"I have to work on Friday", ""},
      {"I can't tomorrow, Friday maybe", kFriday},
      {"Friday might not work", ""},
      {"Friday is bad", ""},
      {"Friday would be hard", ""},
      {"tomorrow's too soon, Friday", kFriday},
      {"Friday I have to work", ""},
      // What is meant all the same.
      {"I'm not sure, maybe tomorrow", "2026-04-30"},
      {"I'm sure Friday works", kFriday},
      {"no doubt Friday", kFriday},
      {"I don't know, Friday", kFriday},
      {"everybody can do Friday", kFriday},
      {"I can't make it, Friday works", kFriday},
      {"that doesn't work for me, Friday", kFriday},
      {"that doesn't work, Friday please", kFriday},
      {"tomorrow doesn't work Friday does", kFriday},
      {"I'm busy tomorrow, Friday is fine", kFriday},
      {"I have time on Friday", kFriday},
      {"we have a meeting on Friday", kFriday},
      {"would Friday be too soon", kFriday},
  };
  check_dates(rows);
}

void test_no_single_day() {
  const Row rows[] = {
      {"next week", ""},
      {"some time next week", ""},
      {"this week", ""},
      {"at the weekend", ""},
      {"the week of May fourth", ""},
      {"Monday the week after next", "2026-05-11"},
      {"next week Friday", "2026-05-08"},
      {"Monday to Friday", ""},
      {"between Monday and Wednesday", ""},
      {"Monday and Wednesday", ""},
      {"Friday maybe Saturday", ""},
      {"tomorrow or the day after", ""},
      {"by Friday", ""},
      {"after Friday", ""},
      {"Friday at the latest", ""},
      {"I'm away until Monday, so Tuesday", "2026-05-05"},
      {"Friday before noon", kFriday},
      {"move it from tomorrow to Friday", kFriday},
      {"in one or two days", ""},
      {"in three to five days", ""},
      {"in the next two weeks", ""},
      {"in about two weeks", "2026-05-13"},
      {"the first Monday in June", ""},
      {"the last Friday of May", ""},
      {"the Monday after next", ""},
      {"one second please", ""},
      {"first thing Monday", kMonday},
  };
  check_dates(rows);
}

void test_days_counted() {
  const Row rows[] = {
      {"two weeks from Monday", "2026-05-18"},
      {"a week on Friday", "2026-05-08"},
      {"Friday week", "2026-05-08"},
      {"in two weeks on Monday", "2026-05-11"},
      {"a week from tomorrow", "2026-05-07"},
      {"a week today", "2026-05-06"},
      {"three days after Friday", kMonday},
      {"Monday the eleventh", "2026-05-11"},
      {"next Tuesday, the twelfth", "2026-05-12"},
      {"Monday the fourth of May", kMonday},
      {"May fourth, that's a Monday", kMonday},
      // There is no such day.
      {"Friday the third", ""},
      {"Monday May third", ""},
  };
  check_dates(rows);
}

void test_times() {
  const Row rows[] = {
      {"from ten to eleven", ""},
      {"from two to four p.m.", ""},
      {"between ten and eleven a.m.", ""},
      {"ten thirty to eleven thirty", ""},
      {"10:30-11:30", ""},
      {"ten to eleven", "10:50"},
      {"at two for five to six people", "14:00"},
      {"at two, maybe three", ""},
      {"before noon", ""},
      {"after three p.m.", ""},
      {"until noon", ""},
      {"I need to leave before five, so at three", "15:00"},
      {"ten after three", "15:10"},
      {"a quarter before three", "14:45"},
      {"three p.m. is too late", ""},
      {"I'm not sure about three p.m.", ""},
      {"nobody can do three p.m.", ""},
      {"three p.m. is good", "15:00"},
      {"um, two, I guess", "14:00"},
      {"well, how about eleven", "11:00"},
  };
  for (const Row &row : rows) {
    const auto found = find_time(row.spoken);
    check(row.spoken, found ? clock_time(*found) : "", row.value);
  }
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"refuse-days", test_days_refused},
      {"may-name-no-single-day", test_no_single_day},
      {"count-from-days", test_days_counted},
      {"name-times-and-ranges", test_times},
  };
  for (const auto &test : tests)
    g_test_add_func(("/callers/" + std::string(test.name)).c_str(), test.test);
  return g_test_run();
}
