// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include "agent/scripted_mind.hpp"

#include <glib.h>

#include <cstring>
#include <initializer_list>

// What callers say to the agents of data/agents in their own words, and what
// these make of it without a model.
using namespace patchcord;
using namespace patchcord::agent;

namespace {

struct Outcome {
  std::string fields;  // JSON
  std::string message; // the last
};

Outcome outcome(const std::shared_ptr<const Definition> &definition,
                std::initializer_list<const char *> lines) {
  ScriptedMind mind(definition, kWednesday);
  Outcome out;
  out.message = mind.open().message;
  for (const char *line : lines)
    out.message = std::get<Reply>(mind.answer(line, {})).message;
  out.fields = to_json(*definition, applicable(*definition, mind.values()));
  return out;
}

// What the first answer of the reminder comes to, and what is asked then: of
// one that decides it, no more.
void test_reminder_in_own_words() {
  constexpr const char *kKeep = R"({"answer":"keep"})";
  constexpr const char *kCancel = R"({"answer":"cancel"})";
  constexpr const char *kMove =
      R"({"answer":"move","new_date":"2026-05-01","new_time":"10:00"})";
  constexpr const char *kMonday =
      R"({"answer":"move","new_date":"2026-05-04","new_time":"09:00"})";
  constexpr const char *kFriday =
      R"({"answer":"move","new_date":"2026-05-01"})";
  constexpr const char *kNone = "{}";
  const struct {
    const char *caller;
    const char *fields;
  } rows[] = {
      {"yes, no problem, I'll be there", kKeep},
      {"yes, no problem", kKeep},
      {"no problem", kKeep},
      {"yes, I can", kKeep},
      {"yes, I can come tomorrow at ten", kKeep},
      {"sure, I'll come", kKeep},
      {"I'll be there, but I may be late", kKeep},
      {"could we do next Monday at nine?", kMonday},
      {"no, but I could come on Friday at ten", kMove},
      {"no, could we do Friday at ten", kMove},
      {"I can't come tomorrow, could we do Friday at ten?", kMove},
      {"yes, but on Friday at ten", kMove},
      {"not tomorrow, but Friday at ten", kMove},
      {"I can't make it, is Friday at ten possible?", kMove},
      {"how about Friday", kFriday},
      {"Friday would be better", kFriday},
      {"move it to Friday at ten", kFriday},
      {"no", kCancel},
      {"no, I can't come", kCancel},
      {"no, please cancel it", kCancel},
      {"cancel it, but thanks", kCancel},
      {"I can't make it", kCancel},
      {"sorry, I can't make it tomorrow", kCancel},
      {"I won't be able to make it", kCancel},
      {"I will not be able to come", kCancel},
      {"I'm not coming", kCancel},
      {"I am not coming tomorrow", kCancel},
      {"I won't come", kCancel},
      {"I won't make it at ten", kCancel},
      {"I can't make it on Friday, could we do Monday at nine", kMonday},
      {"I can't make it tomorrow, how about Monday at nine", kMonday},
      {"I won't be able to make it, could we do Friday", kFriday},
      {"I'm not coming, could we do Friday", kFriday},
      {"I'm not coming tomorrow, could we do Friday", kFriday},
      {"I will not be able to come, is Friday possible", kFriday},
      {"I can make it", kKeep},
      {"I'll make it", kKeep},
      {"I can't come, I can call you on Friday", kCancel},
      {"I'll be there, but I fly on Friday", kKeep},
      // Not known: asked again.
      {"no, but what does it cost", kNone},
      {"no, but I will call you on Friday", kNone},
      {"yes, but Friday is bad", kNone},
      {"could we do tomorrow", kNone},
      {"no, could we do tomorrow at eleven", kNone},
      {"yes, how about Friday", kNone},
      {"I'll be there, how about Friday for my son", kNone},
      {"I can't do Friday", kNone},
      {"I could, but not on Friday", kNone},
  };
  const auto definition = shipped_agent("appointment-reminder");
  for (const auto &row : rows) {
    const std::string is = outcome(definition, {row.caller}).fields;
    if (is != row.fields)
      g_error("\"%s\": expected %s, got %s", row.caller, row.fields,
              is.c_str());
  }
}

void test_what_the_room_implies() {
  const auto is =
      outcome(shipped_agent("room-booking"), {"could we have half an hour"});
  equal(is.message, "In which office?");
  equal(is.fields, R"({"request":"book","duration":"30"})");
}

void test_intake() {
  const auto intake = shipped_agent("intake");
  // Nobody waits for an operator that there is not.
  g_assert_nonnull(std::strstr(outcome(intake, {}).message.c_str(),
                               "hang up and call the emergency services"));
  const auto is = outcome(intake, {"yes! somebody is hurt"});
  equal(is.fields, R"({"danger":true})");
  equal(is.message,
        "Please hang up now and call the emergency services. Goodbye.");
}

void test_a_list_with_its_kind() {
  const auto intake = shipped_agent("intake");
  auto is =
      outcome(intake, {"no", "the power is out, the lights and the elevator"});
  equal(is.message, "Anything else?");
  equal(is.fields, R"({"danger":false,"category":"power",)"
                   R"("affected":["lights","elevator"]})");
  is = outcome(intake, {"no", "no power, lights and sockets, that's all"});
  equal(is.message, "In which building: north, south, or the warehouse?");
  // One thing may be but the word that told what it is about.
  is = outcome(intake, {"no", "the lights are out"});
  equal(is.message, "What has no power: the lights, the sockets, the machines, "
                    "or the elevator?");
  equal(is.fields, R"({"danger":false,"category":"power"})");
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/examples/reminder-in-own-words",
                  test_reminder_in_own_words);
  g_test_add_func("/examples/half-an-hour-is-a-booking",
                  test_what_the_room_implies);
  g_test_add_func("/examples/somebody-is-hurt", test_intake);
  g_test_add_func("/examples/list-comes-with-its-kind",
                  test_a_list_with_its_kind);
  return g_test_run();
}
