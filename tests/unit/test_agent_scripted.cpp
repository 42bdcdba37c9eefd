// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include "agent/scripted_mind.hpp"
#include "base/text.hpp"

#include <glib.h>

#include <initializer_list>

using namespace patchcord;
using namespace patchcord::agent;

namespace {

struct Line {
  const char *caller;
  const char *agent; // "ACTION EXPECTED: MESSAGE", or "REASON: MESSAGE"
};

// Plays the lines and returns the fields at the end.
std::string play(const std::shared_ptr<const Definition> &definition,
                 std::initializer_list<Line> lines) {
  ScriptedMind mind(definition, kWednesday);
  std::string heard = mind.open().message; // all of it, always
  for (const Line &line : lines) {
    const Thought thought =
        mind.answer(line.caller, {{Said::Who::kAgent, heard},
                                  {Said::Who::kCaller, line.caller}});
    const Reply &reply = std::get<Reply>(thought);
    heard = reply.message;
    const std::string is =
        (reply.action == "end_call"
             ? reply.end_reason + (mind.goal_reached() ? "!" : "")
             : reply.action + " " + to_string(reply.expect.kind)) +
        ": " + reply.message;
    if (is != line.agent)
      g_error("\"%s\": expected\n  %s\ngot\n  %s", line.caller, line.agent,
              is.c_str());
  }
  return to_json(*definition, applicable(*definition, mind.values()));
}

void test_room() {
  equal(play(shipped_agent("room-booking"),
             {{"book a room", "ask choice: In which office?"},
              {"Mountain View", "ask date: For which day?"},
              {"today", "ask time: At what time?"},
              {"two thirty p m", "ask choice: For how long?"},
              {"half an hour", "ask number: For how many people?"},
              {"two people",
               "confirm yes-no: So, book a room, in Mountain View, today, at "
               "2:30 PM, for half an hour, for 2 people. Is that right?"},
              {"yes", "goal!: All set. Goodbye."}}),
        R"({"request":"book","location":"Mountain View","date":"2026-04-29",)"
        R"("time":"14:30","duration":"30","people":2})");
}

void test_room_is_short() {
  // A caller hears 15 characters a second; the whole call is to fit in a
  // minute, with his own six answers of two seconds or so.
  ScriptedMind mind(shipped_agent("room-booking"), kWednesday);
  std::size_t characters = mind.open().message.size();
  for (const char *words :
       {"book a room", "Mountain View", "today", "two thirty p m",
        "half an hour", "two people", "yes"})
    characters += std::get<Reply>(mind.answer(words, {})).message.size();
  g_assert_cmpuint(characters / 15, <, 25);
}

void test_cancel_asks_less() {
  equal(play(shipped_agent("room-booking"),
             {{"I'd like to cancel", "ask choice: In which office?"},
              {"Sunnyvale", "ask date: For which day?"},
              {"tomorrow", "ask time: At what time?"},
              {"noon", "confirm yes-no: So, cancel a booking, in Sunnyvale, "
                       "tomorrow, at noon. Is that right?"},
              {"that's right", "goal!: All set. Goodbye."}}),
        R"({"request":"cancel","location":"Sunnyvale","date":"2026-04-30",)"
        R"("time":"12:00"})");
}

void test_all_at_once() {
  // What cannot be mistaken is taken; the rest is asked for.
  equal(play(shipped_agent("room-booking"),
             {{"I'd like to book a room in San Francisco for tomorrow at three "
               "p.m.",
               "ask choice: For how long?"},
              {"an hour and a half", "ask number: For how many people?"},
              {"twelve",
               "confirm yes-no: So, book a room, in San Francisco, tomorrow, "
               "at 3 PM, for an hour and a half, for 12 people. Is that "
               "right?"}}),
        R"({"request":"book","location":"San Francisco","date":"2026-04-30",)"
        R"("time":"15:00","duration":"90","people":12})");
}

void test_answer_to_another_question() {
  equal(play(shipped_agent("room-booking"),
             {{"in Sunnyvale", "ask choice: Would you like to book a room, or "
                               "cancel one?"},
              {"book", "ask date: For which day?"}}),
        R"({"request":"book","location":"Sunnyvale"})");
}

void test_not_understood() {
  const auto definition = shipped_agent("room-booking");
  const char *again = "ask choice: Sorry, I did not get that. Mountain View, "
                      "San Francisco, or Sunnyvale?";
  equal(play(definition,
             {{"book a room", "ask choice: In which office?"},
              {"the usual one", again},
              {"you know", again},
              {"well", "no_answer: I am sorry, I cannot help right now. Please "
                       "call again later."}}),
        R"({"request":"book"})");
  // The count is of one question.
  (void)play(definition,
             {{"book a room", "ask choice: In which office?"},
              {"the usual one", again},
              {"you know", again},
              {"Sunnyvale", "ask date: For which day?"},
              {"whenever", "ask date: Sorry, I did not get that. Say today, "
                           "tomorrow, or a day of the week."}});
}

void test_out_of_range() {
  (void)play(shipped_agent("room-booking"),
             {{"book a room in sunnyvale tomorrow at noon",
               "ask choice: For how long?"},
              {"two hours", "ask number: For how many people?"},
              {"fifty", "ask number: Rooms are for one to twenty. How many "
                        "people? Up to twenty."},
              {"fifteen",
               "confirm yes-no: So, book a room, in Sunnyvale, tomorrow, at "
               "noon, for two hours, for 15 people. Is that right?"}});
}

void test_repeat_help_goodbye() {
  const auto definition = shipped_agent("room-booking");
  (void)play(definition,
             {{"book a room", "ask choice: In which office?"},
              {"could you repeat that", "ask choice: In which office?"},
              {"pardon?", "ask choice: In which office?"},
              {"help", "ask choice: Mountain View, San Francisco, or "
                       "Sunnyvale?"},
              {"goodbye", "caller_goodbye: Thank you for calling. Goodbye."},
              {"wait", "caller_goodbye: Thank you for calling. Goodbye."}});
}

// What he says before he leaves counts; what is not asked any more is missing.
void test_answers_and_leaves() {
  const auto definition = shipped_agent("room-booking");
  const Line known = {"cancel sunnyvale tomorrow noon",
                      "confirm yes-no: So, cancel a booking, in Sunnyvale, "
                      "tomorrow, at noon. Is that right?"};
  for (const char *yes : {"yes, thank you, bye", "That's right. Good-bye!"})
    (void)play(definition, {known, {yes, "goal!: All set. Goodbye."}});
  equal(play(definition, {{"book a room", "ask choice: In which office?"},
                          {"In Sunnyvale, I have to hang up",
                           "caller_goodbye: Thank you for calling. Goodbye."}}),
        R"({"request":"book","location":"Sunnyvale"})");
  const char *const bye = "caller_goodbye: Thank you for calling. Goodbye.";
  (void)play(definition, {known, {"no, bye", bye}});
  for (const char *leaves :
       {"hang-up", "hang, up", "I hang  up", "he hangs up", "well. Good-bye"})
    (void)play(definition, {{leaves, bye}});
  // Nothing that was known is lost by what would have been asked anew.
  equal(play(definition, {known,
                          {"no", "ask choice: What should I change?"},
                          {"all right, never mind, bye", bye}}),
        R"({"request":"cancel","location":"Sunnyvale","date":"2026-04-30",)"
        R"("time":"12:00"})");
}

void test_corrections() {
  const auto definition = shipped_agent("room-booking");
  const char *which = "ask choice: What should I change?";
  const char *all = "confirm yes-no: So, cancel a booking, in Sunnyvale, "
                    "tomorrow, at noon. Is that right?";
  const Line known = {"cancel sunnyvale tomorrow noon", all};
  // By name, by value, by value at once, by name at once.
  equal(play(definition,
             {known,
              {"no", which},
              {"the time", "ask time: At what time?"},
              {"ten", "confirm yes-no: So, cancel a booking, in Sunnyvale, "
                      "tomorrow, at 10 AM. Is that right?"},
              {"no", which},
              {"Friday", "confirm yes-no: So, cancel a booking, in Sunnyvale, "
                         "Friday, May 1, at 10 AM. Is that right?"},
              {"no, Mountain View",
               "confirm yes-no: So, cancel a booking, in Mountain View, "
               "Friday, May 1, at 10 AM. Is that right?"},
              {"no the day is wrong", "ask date: For which day?"},
              {"today", "confirm yes-no: So, cancel a booking, in Mountain "
                        "View, today, at 10 AM. Is that right?"},
              {"perfect", "goal!: All set. Goodbye."}}),
        R"({"request":"cancel","location":"Mountain View",)"
        R"("date":"2026-04-29","time":"10:00"})");
  (void)play(definition,
             {known,
              {"no", which},
              {"everything", "ask choice: Would you like to book a room, or "
                             "cancel one?"}});
  (void)play(definition, {known,
                          {"maybe", "confirm yes-no: Sorry, I did not get "
                                    "that. So, cancel a booking, in "
                                    "Sunnyvale, tomorrow, at noon. Is that "
                                    "right?"},
                          {"yes", "goal!: All set. Goodbye."}});
}

// "Not today": what it is instead is asked for, if he does not say it.
void test_denials() {
  const auto definition = shipped_agent("room-booking");
  const Line known = {"cancel sunnyvale tomorrow noon",
                      "confirm yes-no: So, cancel a booking, in Sunnyvale, "
                      "tomorrow, at noon. Is that right?"};
  const struct {
    const char *said, *agent;
  } rows[] = {
      {"not tomorrow", "ask date: For which day?"},
      {"no, not tomorrow", "ask date: For which day?"},
      {"tomorrow doesn't work for me", "ask date: For which day?"},
      {"not at noon", "ask time: At what time?"},
      {"not Sunnyvale", "ask choice: In which office?"},
      {"not tomorrow, on Friday",
       "confirm yes-no: So, cancel a booking, in Sunnyvale, Friday, May 1, at "
       "noon. Is that right?"},
      {"not at noon but at two",
       "confirm yes-no: So, cancel a booking, in Sunnyvale, tomorrow, at 2 PM. "
       "Is that right?"},
      {"not tomorrow, and at two p.m.", "ask date: For which day?"},
      {"yes, but not at noon, at three",
       "confirm yes-no: So, cancel a booking, in Sunnyvale, tomorrow, at 3 PM. "
       "Is that right?"},
      {"yes, but at three",
       "confirm yes-no: So, cancel a booking, in Sunnyvale, tomorrow, at 3 PM. "
       "Is that right?"},
      {"not at twelve, at eleven",
       "confirm yes-no: So, cancel a booking, in Sunnyvale, tomorrow, at 11 "
       "AM. Is that right?"},
      // "No, Friday" of a recogniser that writes no commas.
      {"no friday",
       "confirm yes-no: So, cancel a booking, in Sunnyvale, Friday, May 1, at "
       "noon. Is that right?"},
      // What it was not he need not say.
      {"not today", "ask choice: What should I change?"},
      {"not like that", "ask choice: What should I change?"},
  };
  for (const auto &row : rows)
    (void)play(definition, {known, {row.said, row.agent}});
  equal(play(definition,
             {known,
              {"no", "ask choice: What should I change?"},
              {"not tomorrow", "ask date: For which day?"},
              {"not today", "ask date: Sorry, I did not get that. Say today, "
                            "tomorrow, or a day of the week."},
              {"no friday", "ask date: Sorry, I did not get that. Say today, "
                            "tomorrow, or a day of the week."},
              {"on Friday", "confirm yes-no: So, cancel a booking, in "
                            "Sunnyvale, Friday, May 1, at noon. Is that "
                            "right?"}}),
        R"({"request":"cancel","location":"Sunnyvale","date":"2026-05-01",)"
        R"("time":"12:00"})");
}

// What comes with a yes counts: it is read back before anything is done.
void test_yes_but() {
  const auto definition = shipped_agent("room-booking");
  const Line known[] = {
      {"book a room in Sunnyvale tomorrow at noon",
       "ask choice: For how long?"},
      {"one hour", "ask number: For how many people?"},
      {"two people",
       "confirm yes-no: So, book a room, in Sunnyvale, tomorrow, at noon, for "
       "one hour, for 2 people. Is that right?"}};
  const struct {
    const char *said, *changed;
  } rows[] = {
      {"okay, but on Tuesday", "in Sunnyvale, Tuesday, May 5, at noon, for one "
                               "hour, for 2 people"},
      {"yes, but at three p.m.", "in Sunnyvale, tomorrow, at 3 PM, for one "
                                 "hour, for 2 people"},
      {"right, but for four people", "in Sunnyvale, tomorrow, at noon, for one "
                                     "hour, for 4 people"},
      {"good, only make it Mountain View", "in Mountain View, tomorrow, at "
                                           "noon, for one hour, for 2 people"},
      {"yes, for two hours", "in Sunnyvale, tomorrow, at noon, for two hours, "
                             "for 2 people"},
  };
  for (const auto &row : rows) {
    const std::string again = std::string("confirm yes-no: So, book a room, ") +
                              row.changed + ". Is that right?";
    (void)play(definition, {known[0],
                            known[1],
                            known[2],
                            {row.said, again.c_str()},
                            {"yes, that's right", "goal!: All set. Goodbye."}});
  }
  const char *which = "ask choice: What should I change?";
  for (const char *said : {"yes, but not like that", "okay, except one thing"})
    (void)play(definition, {known[0], known[1], known[2], {said, which}});
  (void)play(definition,
             {known[0],
              known[1],
              known[2],
              {"yes, but the time is wrong", "ask time: At what time?"}});
  // What was known is no correction.
  for (const char *said : {"yes, tomorrow at noon", "yes, two people",
                           "that's correct, thank you", "sure, go ahead"})
    (void)play(
        definition,
        {known[0], known[1], known[2], {said, "goal!: All set. Goodbye."}});
}

// The same where one field is read back.
void test_yes_but_of_a_field() {
  auto parsed = parse_definition(R"(
name = "Desk"
greeting = "Hi."
instructions = "i"
[[fields]]
name = "day"
type = "date"
question = "Which day?"
confirm = true
say = "{value}"
[[fields]]
name = "side"
type = "choice"
question = "Which side?"
confirm = true
say = "{value}"
choices = [{ value = "left" }, { value = "right" }]
[[fields]]
name = "door"
type = "boolean"
question = "A door?"
confirm = true
say = "door: {value}"
[[fields]]
name = "code"
type = "digits"
question = "Which code?"
min_digits = 4
confirm = true
say = "{value}"
[end]
confirm = false
)",
                                 "desk.toml");
  g_assert_true(parsed.ok());
  const auto definition = std::make_shared<const Definition>(*parsed);
  equal(play(definition,
             {{"today", "confirm yes-no: Today. Is that right?"},
              {"yes, but tomorrow is better",
               "confirm yes-no: Tomorrow. Is that right?"},
              {"no friday", "confirm yes-no: Friday, May 1. Is that right?"},
              {"okay, but then again", "ask date: Which day?"},
              {"tomorrow", "confirm yes-no: Tomorrow. Is that right?"},
              {"yes tomorrow", "ask choice: Which side?"},
              {"left", "confirm yes-no: Left. Is that right?"},
              {"that's right", "ask yes-no: A door?"},
              {"no", "confirm yes-no: Door: no. Is that right?"},
              {"yes exactly", "ask digits: Which code?"},
              {"four seven one one", "confirm yes-no: 4 7 1 1. Is that right?"},
              {"yes, that is code number five, my friend",
               "goal!: Thank you. Goodbye."}}),
        R"({"day":"2026-04-30","side":"left","door":false,"code":"4711"})");
}

void test_take_back() {
  ScriptedMind mind(shipped_agent("room-booking"), kWednesday);
  (void)mind.open();
  (void)mind.answer("book a room", {});
  mind.take_back();
  g_assert_true(mind.values().empty());
  const Thought thought = mind.answer("book a room in Sunnyvale", {});
  equal(std::get<Reply>(thought).message, "For which day?");
}

void test_intake() {
  equal(
      play(shipped_agent("intake"),
           {{"no", "ask choice: What is it about: power, network, water, "
                   "heating, or access?"},
            {"the lights are out",
             "ask choice: What has no power: the lights, the sockets, the "
             "machines, or the elevator?"},
            {"the lights and the elevator", "ask choice: Anything else?"},
            {"no that's all", "ask choice: In which building: north, south, "
                              "or the warehouse?"},
            {"the north building", "ask number: On which floor? Say zero for "
                                   "the ground floor."},
            {"three", "ask choice: Is it urgent, or can it wait until "
                      "tomorrow?"},
            {"it can wait", "ask digits: What is your badge number? You may "
                            "key it in."},
            {"oh four seven", "ask digits: A badge has four to six digits. "
                              "The four to six digits on your badge."},
            {"oh four seven one", "ask digits: Which number may we call back?"},
            {"four one five five five five oh one double oh",
             "confirm yes-no: Call back at 4 1 5, 5 5 5, 0 1 0 0. Is that "
             "right?"},
            {"no", "ask digits: Which number may we call back?"},
            {"four one five", "ask digits: Sorry, I did not get that. Please "
                              "say the phone number, digit by digit."},
            {"415 555 0101", "confirm yes-no: Call back at 4 1 5, 5 5 5, 0 1 "
                             "0 1. Is that right?"},
            {"no it's 415 555 0102",
             "confirm yes-no: Call back at 4 1 5, 5 5 5, 0 1 0 2. Is that "
             "right?"},
            {"yes", "confirm yes-no: I have: danger: no, power, "
                    "affected: the lights and the elevator, north "
                    "building, floor 3, it can wait, badge 0 4 7 1, call "
                    "back at 4 1 5, 5 5 "
                    "5, 0 1 0 2. Is that right?"},
            {"yes", "goal!: Thank you, a technician will call you. "
                    "Goodbye."}}),
      R"({"danger":false,"category":"power",)"
      R"("affected":["lights","elevator"],"building":"north","floor":3,)"
      R"("severity":"normal","badge":"0471","callback":"4155550102"})");
}

void test_reminder() {
  const auto definition = shipped_agent("appointment-reminder");
  const char *done = "goal!: Thank you, I have noted it. Goodbye.";
  equal(play(definition, {{"yes I will", done}}), R"({"answer":"keep"})");
  equal(play(definition, {{"another day please", "ask date: Which day suits "
                                                 "you?"},
                          {"next Monday", "ask time: And at what time?"},
                          {"nine", done}}),
        R"({"answer":"move","new_date":"2026-05-04","new_time":"09:00"})");
  // An optional question that is not answered is left.
  equal(play(definition,
             {{"I can't come", "ask yes-no: Should the practice call you?"},
              {"hmm", "ask yes-no: Sorry, I did not get that. Should the "
                      "practice call you?"},
              {"well", "ask yes-no: Sorry, I did not get that. Should the "
                       "practice call you?"},
              {"so", done}}),
        R"({"answer":"cancel"})");
  equal(play(definition, {{"cancel", "ask yes-no: Should the practice call "
                                     "you?"},
                          {"no", done}}),
        R"({"answer":"cancel","callback":false})");
}

void test_free_text() {
  auto parsed = parse_definition(R"(
name = "Names"
greeting = "Hi."
instructions = "i"
[[fields]]
name = "name"
type = "string"
question = "Your name?"
confirm = true
say = "{value}"
[[fields]]
name = "note"
type = "string"
question = "A note?"
required = false
[[fields]]
name = "day"
type = "date"
question = "Which day?"
[end]
confirm = false
)",
                                 "names.toml");
  g_assert_true(parsed.ok());
  const auto definition = std::make_shared<const Definition>(*parsed);
  // No date is read out of a note, and "bye" is no goodbye within a sentence.
  equal(play(definition,
             {{"My name is Anna Today.",
               "confirm yes-no: Anna Today. Is that right?"},
              {"no", "ask anything: Your name?"},
              {"Anna Tudor", "confirm yes-no: Anna Tudor. Is that right?"},
              {"yes", "ask anything: A note?"},
              {"Say bye to Tom on Friday", "ask date: Which day?"},
              {"today", "goal!: Thank you. Goodbye."}}),
        R"({"name":"Anna Tudor","note":"Say bye to Tom on Friday",)"
        R"("day":"2026-04-29"})");
  equal(play(definition, {{"Bo", "confirm yes-no: Bo. Is that right?"},
                          {"yes", "ask anything: A note?"},
                          {"no thanks", "ask date: Which day?"},
                          {"bye", "caller_goodbye: Goodbye."}}),
        R"({"name":"Bo"})");
}

void test_expectations() {
  ScriptedMind mind(shipped_agent("room-booking"), kWednesday);
  const Reply reply = mind.open();
  g_assert_true(reply.expect.kind == Expectation::Kind::kChoice);
  equal(join(reply.expect.phrases, "|"),
        "book a room|book|booking|reserve|reservation|i need a room|cancel a "
        "booking|cancel|cancel one|cancellation|cancel my booking|cancel my "
        "reservation");
  equal(join(reply.expect.also, "|"), "repeat|help|goodbye");
  const Thought thought =
      mind.answer("book a room in sunnyvale tomorrow at noon", {});
  g_assert_true(std::get<Reply>(thought).expect.kind ==
                Expectation::Kind::kChoice);
  const Thought people = mind.answer("one hour", {});
  equal(join(std::get<Reply>(people).expect.phrases, "|"),
        "people|persons|person");
}

// Two numbers in one answer, each with the word for what it counts; and answers
// that are none.
void test_taxi() {
  auto parsed = parse_definition(R"(
name = "Taxi"
greeting = "Taxi."
instructions = "i"
[[fields]]
name = "name"
type = "string"
question = "Your name?"
[[fields]]
name = "people"
type = "integer"
question = "How many people?"
phrases = ["people"]
[[fields]]
name = "bags"
type = "integer"
question = "How many bags?"
phrases = ["bags", "suitcases"]
[[fields]]
name = "note"
type = "string"
question = "A note?"
required = false
[[fields]]
name = "time"
type = "time"
question = "When?"
say = "at {value}"
[end]
read_back = "{fields}?"
)",
                                 "taxi.toml");
  g_assert_true(parsed.ok());
  const auto definition = std::make_shared<const Definition>(*parsed);
  const char *whose = "ask anything: Sorry, I did not get that. Your name?";
  equal(play(definition,
             {{"I don't want to tell you", whose},
              {"I'd rather not say", whose},
              {"Anna Tell", "ask number: How many people?"},
              {"two people with three bags", "ask anything: A note?"},
              {"I prefer not to say", "ask time: When?"},
              {"at eight in the evening",
               "confirm yes-no: name: Anna Tell, people: 2, bags: 3, at 8 PM?"},
              // It was 8 PM that he said.
              {"no, not at eight, at nine p.m.",
               "confirm yes-no: name: Anna Tell, people: 2, bags: 3, at 9 PM?"},
              {"no, not at nine", "ask time: When?"}}),
        R"({"name":"Anna Tell","people":2,"bags":3})");
  // A refusal is short: whoever tells a story may use its words.
  equal(play(definition,
             {{"I would rather not say it to you, but it is Anna Maria Miller",
               "ask number: How many people?"}}),
        R"({"name":"I would rather not say it to you, but it is Anna Maria )"
        R"(Miller"})");
}

void test_announcement() {
  auto parsed = parse_definition(R"(
name = "Notice"
greeting = "We are closed today. Goodbye."
instructions = "i"
)",
                                 "notice.toml");
  g_assert_true(parsed.ok());
  ScriptedMind mind(std::make_shared<const Definition>(*parsed), kWednesday);
  const Reply reply = mind.open();
  equal(reply.message, "We are closed today. Goodbye.");
  equal(reply.action, "end_call");
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"books-a-room", test_room},
      {"books-a-room-within-a-minute", test_room_is_short},
      {"asks-only-what-applies", test_cancel_asks_less},
      {"takes-several-answers-at-once", test_all_at_once},
      {"takes-an-answer-to-another-question", test_answer_to_another_question},
      {"asks-again-and-then-gives-up", test_not_understood},
      {"refuses-what-is-out-of-range", test_out_of_range},
      {"answers-and-leaves", test_answers_and_leaves},
      {"repeats-helps-and-says-goodbye", test_repeat_help_goodbye},
      {"changes-what-was-wrong", test_corrections},
      {"asks-anew-for-what-is-denied", test_denials},
      {"reads-back-what-came-with-a-yes", test_yes_but},
      {"reads-a-field-back-that-changed-with-a-yes", test_yes_but_of_a_field},
      {"forgets-what-was-not-heard", test_take_back},
      {"takes-an-incident", test_intake},
      {"reminds-of-an-appointment", test_reminder},
      {"keeps-free-text-as-it-is", test_free_text},
      {"counts-two-things-at-once-and-takes-no-refusal", test_taxi},
      {"tells-what-it-expects", test_expectations},
      {"without-questions-is-an-announcement", test_announcement},
  };
  for (const auto &test : tests)
    g_test_add_func(("/scripted/" + std::string(test.name)).c_str(), test.test);
  return g_test_run();
}
