// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include "agent/scripted_mind.hpp"
#include "agent/values.hpp"

#include <glib.h>

#include <string>
#include <vector>

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

void test_yes_no() {
  const Row rows[] = {
      {"yes, thank you", "yes"},
      {"yes please, that would be great", "yes"},
      {"yeah that works for me", "yes"},
      {"of course", "yes"},
      {"absolutely", "yes"},
      {"I guess so", "yes"},
      {"I think so", "yes"},
      {"Yes, but I will be late", "yes"},
      {"not a problem", "yes"},
      {"no, I mean yes", "yes"},
      {"all right", "yes"},
      {"no, thank you", "no"},
      {"not at all", "no"},
      {"I don't think so", "no"},
      {"of course not", "no"},
      {"nobody", "no"},
      {"nobody's hurt", "no"},
      {"yes, I mean no", "no"},
      {"not that I know of", "no"},
      // Neither.
      {"I don't know", ""},
      {"I'm not so sure", ""},
      {"no idea", ""},
      {"I didn't get that", ""},
      {"yes and no", ""},
      {"everyone is fine", ""},
      {"I'm good, thanks", ""},
      {"no worries", ""},
      {"right now", ""},
      {"good morning", ""},
      {"correct the date please", ""},
      {"okay, hold on", ""},
      {"okay, what time was that", ""},
  };
  for (const Row &row : rows) {
    const auto answer = yes_or_no(to_words(row.spoken));
    check(row.spoken, !answer ? "" : *answer ? "yes" : "no", row.value);
  }
}

void test_numbers() {
  const Row rows[] = {
      {"two to three", ""},
      {"between five and ten", ""},
      {"at least five", "5"},
      {"about ten", "10"},
      {"five hundred or so", "500"},
      {"up to ten", "10"},
      {"no more than ten", "10"},
      {"more than five", ""},
      {"under ten", ""},
      {"a couple hundred", ""},
      {"half a dozen", "6"},
      {"twenty something", ""},
      {"me and two colleagues", ""},
      {"three including me", "3"},
      {"one sec, five", "5"},
  };
  for (const Row &row : rows) {
    const auto number = find_number(to_words(row.spoken));
    char text[40] = "";
    if (number)
      g_snprintf(text, sizeof text, "%g", *number);
    check(row.spoken, text, row.value);
  }
}

struct Call {
  const char *agent;
  std::vector<const char *> lines;
  const char *fields;  // JSON
  const char *message; // the last; nullptr: whatever it is
};

template <std::size_t N> void check_calls(const Call (&calls)[N]) {
  for (const Call &call : calls) {
    const auto definition = shipped_agent(call.agent);
    ScriptedMind mind(definition, kWednesday);
    std::string heard = mind.open().message;
    for (const char *line : call.lines)
      heard = std::get<Reply>(mind.answer(line, {{Said::Who::kAgent, heard},
                                                 {Said::Who::kCaller, line}}))
                  .message;
    check(call.lines.back(),
          to_json(*definition, applicable(*definition, mind.values())),
          call.fields);
    if (call.message != nullptr)
      check(call.lines.back(), heard, call.message);
  }
}

constexpr const char *kReminder = "appointment-reminder", *kIntake = "intake",
                     *kRoom = "room-booking";

void test_choices() {
  constexpr const char *kNone = R"({"danger":false})";
  constexpr const char *kWater = R"({"danger":false,"category":"water"})";
  constexpr const char *kOne =
      "Only one of them, please. Power, network, water, heating, or access?";
  const Call calls[] = {
      {kIntake, {"no", "power and water"}, kNone, kOne},
      {kIntake, {"no", "either power or water"}, kNone, kOne},
      {kIntake, {"no", "the lights or the water"}, kNone, kOne},
      {kIntake, {"no", "power, no, water"}, kWater, nullptr},
      {kIntake, {"no", "not power but water"}, kWater, nullptr},
      {kRoom,
       {"book a room or cancel"},
       "{}",
       "Sorry, I cannot take that. Would you like to book a room, or cancel "
       "one?"},
      {kRoom,
       {"I need to cancel my booking"},
       R"({"request":"cancel"})",
       nullptr},
      {kRoom,
       {"I have a booking that I'd like to cancel"},
       R"({"request":"cancel"})",
       nullptr},
      {kRoom,
       {"don't cancel anything, I want to book"},
       R"({"request":"book"})",
       nullptr},
      {kReminder,
       {"I can't come, can we move it"},
       R"({"answer":"move"})",
       nullptr},
      {kReminder, {"please don't cancel it"}, "{}", nullptr},
      {kReminder, {"no, don't cancel it"}, "{}", nullptr},
      {kReminder, {"I'm not sure I will come"}, "{}", nullptr},
      {kReminder, {"I don't know if I'll be there"}, "{}", nullptr},
      {kReminder, {"of course not"}, "{}", nullptr},
      {kReminder, {"absolutely"}, R"({"answer":"keep"})", nullptr},
      {kReminder, {"I guess so"}, R"({"answer":"keep"})", nullptr},
  };
  check_calls(calls);
}

// An hour is asked for, of half an hour, one, one and a half, and two.
void test_amounts() {
  const Field &duration = *shipped_agent(kRoom)->field("duration");
  const Row rows[] = {
      {"about an hour", "60"},
      {"one and a half hours", "90"},
      {"two hours, two people", "120"},
      {"two hours twelve people", "120"},
      {"two and a half hours", ""},
      {"a quarter of an hour", ""},
      {"an hour and fifteen minutes", ""},
      {"an hour thirty", ""},
      {"half an hour or an hour", ""},
      {"one or two hours", ""},
      {"less than an hour", ""},
  };
  for (const Row &row : rows) {
    const auto found = find_choice(to_words(row.spoken), duration.choices);
    check(row.spoken, found ? duration.choices[*found].value : "", row.value);
  }
}

void test_yes_but() {
  constexpr const char *kKeep = R"({"answer":"keep"})";
  const Call reminder[] = {
      {kReminder, {"Yes, but I will be late"}, kKeep, nullptr},
      {kReminder, {"yes, but please be quick"}, kKeep, nullptr},
      {kReminder,
       {"yes, but on Tuesday"},
       R"({"answer":"move","new_date":"2026-05-05"})",
       nullptr},
      {kReminder, {"yes, but later"}, "{}", nullptr},
      {kReminder, {"yes, but I can't make ten"}, "{}", nullptr},
      {kReminder, {"yes, but I'd prefer the afternoon"}, "{}", nullptr},
      {kReminder, {"yes, but could I come a bit later"}, "{}", nullptr},
  };
  check_calls(reminder);
  const struct {
    const char *said, *message;
  } rows[] = {
      {"yes, but I will be late", "All set. Goodbye."},
      {"everything's fine", "All set. Goodbye."},
      {"yes, but there will be three of us", "What should I change?"},
      {"yes, but earlier", "What should I change?"},
      {"okay, hold on",
       "Sorry, I did not get that. So, cancel a booking, in Sunnyvale, "
       "tomorrow, at noon. Is that right?"},
  };
  for (const auto &row : rows) {
    const Call calls[] = {{kRoom,
                           {"cancel sunnyvale tomorrow noon", row.said},
                           R"({"request":"cancel","location":"Sunnyvale",)"
                           R"("date":"2026-04-30","time":"12:00"})",
                           row.message}};
    check_calls(calls);
  }
}

void test_several_answers() {
  constexpr const char *kUrgent =
      R"({"danger":false,"category":"water","building":"north","floor":2,)"
      R"("severity":"urgent"})";
  const Call calls[] = {
      // The floor is told by its name.
      {kIntake,
       {"no", "water in the north building, second floor",
        "it's urgent, it can't wait until tomorrow"},
       kUrgent,
       nullptr},
      {kIntake,
       {"no", "water", "north", "floor two, room five", "can't wait"},
       kUrgent,
       nullptr},
      {kIntake,
       {"no", "water", "north", "between the second and third floor"},
       R"({"danger":false,"category":"water","building":"north"})",
       nullptr},
      {kIntake,
       {"no", "water", "north", "two", "it's not really urgent"},
       R"({"danger":false,"category":"water","building":"north","floor":2})",
       nullptr},
      // Nothing was said of the answer.
      {kReminder, {"I'm on vacation until Friday"}, "{}", nullptr},
      {kReminder,
       {"move it", "Tuesday", "no, Thursday, at ten"},
       R"({"answer":"move","new_date":"2026-04-30","new_time":"10:00"})",
       nullptr},
      {kReminder,
       {"cancel", "I'm good, thanks"},
       R"({"answer":"cancel"})",
       nullptr},
  };
  check_calls(calls);
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"/callers/refuse-days", test_days_refused},
      {"/callers/may-name-no-single-day", test_no_single_day},
      {"/callers/count-from-days", test_days_counted},
      {"/callers/name-times-and-ranges", test_times},
      {"/callers/agree-and-do-not", test_yes_no},
      {"/callers/count-about", test_numbers},
      {"/callers/choose-one-or-are-asked-again", test_choices},
      {"/callers/tell-amounts-that-are-no-choice", test_amounts},
      {"/callers/say-yes-but", test_yes_but},
      {"/callers/answer-more-than-was-asked", test_several_answers},
  };
  for (const auto &test : tests)
    g_test_add_func(test.name, test.test);
  return g_test_run();
}
