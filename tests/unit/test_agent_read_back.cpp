// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include "../support/add_tests.hpp"
#include "../support/check_text.hpp"

#include "agent/clause_splitter.hpp"
#include "agent/scripted_mind.hpp"
#include "base/text.hpp"

#include <glib.h>

// What a yes to what was read back is worth.
using namespace patchcord;
using namespace patchcord::agent;

namespace {

// As the conversation says it: sentence by sentence.
std::string as_spoken(const std::string &message) {
  return join(split_sentences(message), " ");
}

// Where the caller speaks into the read-back, and what comes of it.
void test_yes_is_worth_what_was_heard() {
  const struct {
    const char *heard, *caller, *then;
  } rows[] = {
      {"", "yes", "again"},
      {"So,", "yes", "again"},
      {"So, cancel a booking, in Sunnyvale, tomorrow, at", "yes", "again"},
      {"So, cancel a booking, in Sunnyvale, tomorrow, at", "that's right",
       "again"},
      {"So, cancel a booking, in Sunnyvale, tomorrow, at", "yes at noon",
       "again"},
      {"So, cancel a booking, in Sunnyvale, tomorrow, at noon.", "yes", "end"},
      {"So, cancel a booking, in Sunnyvale, tomorrow, at noon", "yes", "end"},
      {"So, cancel a booking, in Sunnyvale, tomorrow, at noon. Is that", "yes",
       "end"},
      {"So, cancel a booking, in Sunnyvale, tomorrow, at noon. Is that right?",
       "yes", "end"},
      {"Are you still there? So, cancel a booking, in Sunnyvale, tomorrow, at "
       "noon.",
       "yes", "end"},
      {"Are you still there? So, cancel a", "yes", "again"},
      {"So,", "no", "What should I change?"},
      {"So,", "no, Mountain View",
       "So, cancel a booking, in Mountain View, tomorrow, at noon. Is that "
       "right?"},
      {"So,", "no, the time is wrong", "At what time?"},
  };
  const std::string again = "So, cancel a booking, in Sunnyvale, tomorrow, at "
                            "noon. Is that right?";
  for (const auto &row : rows) {
    ScriptedMind mind(shipped_agent("room-booking"), kWednesday);
    (void)mind.open();
    (void)mind.answer("cancel a booking in Sunnyvale tomorrow at noon", {});
    History history;
    if (*row.heard != '\0')
      history.push_back({Said::Who::kAgent, row.heard});
    history.push_back({Said::Who::kCaller, row.caller});
    const Reply reply = std::get<Reply>(mind.answer(row.caller, history));
    const std::string is = reply.action == "end_call" ? "end"
                           : reply.message == again   ? "again"
                                                      : reply.message;
    if (is != row.then)
      g_error("\"%s\" into \"%s|\": expected\n  %s\ngot\n  %s", row.caller,
              row.heard, row.then, is.c_str());
  }
}

// However the agent's file writes it: what is spoken has other spaces.
void test_layout_is_no_matter() {
  const struct {
    const char *read_back, *say;
  } rows[] = {
      {"So I have this: {fields}.\\nIs that right?", "{value}"},
      {"So:\\t{fields}\\n\\nIs that right?", "city:\\n{value}"},
      {"{fields}\u3002Is that right?", "{value}"},
      {"Is it {fields}?", "{value}"},
  };
  for (const auto &row : rows) {
    const std::string file = std::string(R"(
name = "Trip"
greeting = "Hello."
instructions = "i"
[[fields]]
name = "city"
type = "choice"
question = "Which city?"
choices = [{ value = "Rome" }, { value = "Oslo" }]
say = ")") + row.say + "\"\n[end]\nread_back = \"" +
                             row.read_back + "\"\n";
    const auto parsed = parse_definition(file, "trip.toml");
    if (!parsed)
      g_error("%s", parsed.error().message.c_str());
    ScriptedMind mind(std::make_shared<const Definition>(*parsed), kWednesday);
    (void)mind.open();
    const Reply read = std::get<Reply>(mind.answer("Rome", {}));
    const std::string whole = as_spoken(read.message);
    // Nothing of the value, then all.
    const auto answer = [&](const std::string &heard) {
      return std::get<Reply>(mind.answer(
          "yes", {{Said::Who::kAgent, heard}, {Said::Who::kCaller, "yes"}}));
    };
    CHECK_TEXT(answer(whole.substr(0, whole.find("Rome"))).message,
               read.message);
    CHECK_TEXT(answer(whole).action, "end_call");
    g_assert_true(mind.goal_reached());
  }
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  test::add_tests({{"/scripted/a-yes-is-worth-what-was-heard",
                    test_yes_is_worth_what_was_heard},
                   {"/scripted/the-layout-of-a-read-back-is-no-matter",
                    test_layout_is_no_matter}});
  return g_test_run();
}
