// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/conversation.hpp"
#include "agent/dates.hpp"

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// An agent of data/agents.
std::shared_ptr<const patchcord::agent::Definition>
shipped_agent(const std::string &name);

// Plays a conversation as a table of what happens when and what is done about
// it. Inputs: "start", "speech", "quiet", "speech@MS", "quiet@MS" (told late:
// it began or ceased at MS), "words:TEXT", "words@MS:TEXT" (audio that ended at
// MS), "partial:TEXT", "mumble", "key:5", "started:1", "progress:1:TEXT",
// "held:1:TEXT", "ended:1", "cut:1:TEXT", "model:TEXT", "old-model:TEXT" (of
// the request before), "model-done[:REASON]", "model-refuses:TEXT",
// "calls:NAME(ARGUMENTS)" (the answer calls tools, with "; " between), "tool:1:
// STATUS:BODY", "tool-failed:1:CODE", "model-failed:CODE", "model-broken:CODE"
// (worth another try), "deaf:CODE", "mute:CODE", "gone", "answered:WHO" (by the
// network's word), and "wait". Timers that are due by then fire first, unless
// it is "first:INPUT".
class ConversationScript {
public:
  struct Step {
    int ms;
    std::string input;
    std::string actions; // with "; " between
  };

  // `shown`: what to compare beside speech and calls: "decided", "heard",
  // "latency", "expect", "request" (the body of requests), "found" (in
  // decisions and ends: turns, missing and invalid fields), "state" (of
  // transfers).
  // `definition`: the mind's, if it is not the trip's.
  explicit ConversationScript(
      std::unique_ptr<patchcord::agent::Mind> mind, std::string shown = {},
      std::shared_ptr<const patchcord::agent::Definition> definition = {});
  static std::unique_ptr<ConversationScript> scripted(std::string shown = {},
                                                      const char *more = "");
  // `more`: of the definition, behind the trip.
  static std::unique_ptr<ConversationScript> model(std::string shown = {},
                                                   const char *more = "");
  // With a model: the greeting was heard, and request 1 is out for "Rome".
  static std::unique_ptr<ConversationScript> asked(std::string shown = {},
                                                   const char *more = "");

  void show(std::string shown) { shown_ = std::move(shown); }
  // Closing words begin to sound as soon as they are said, from now on.
  void hear_closing() { hears_closing_ = true; }
  void run(std::initializer_list<Step> steps);
  // One step, and what it does.
  std::string step(int ms, const std::string &input);
  // One step; the body of the request that it makes.
  std::string request_body(int ms, const std::string &input);
  // What the last step did.
  std::string actions() const;
  // "agent: Hello. | caller: Rome"
  std::string history() const;
  patchcord::agent::Conversation &conversation() { return *conversation_; }

private:
  void advance(int ms, const std::string &input);
  patchcord::agent::Actions perform(const std::string &input);
  patchcord::agent::Actions tool(const std::string &what,
                                 const std::string &rest);
  patchcord::agent::PlayoutReport report(const std::string &what,
                                         const std::string &rest) const;
  void take(const patchcord::agent::Actions &actions);
  std::string text_of(const patchcord::agent::Action &action) const;
  bool shows(const char *what) const;
  std::string found_text(const patchcord::agent::Found &found) const;

  std::unique_ptr<patchcord::agent::Conversation> conversation_;
  std::string shown_;
  bool hears_closing_ = false;
  patchcord::TimePoint now_{};
  std::optional<patchcord::TimePoint> timer_;
  std::uint32_t request_ = 0;
  std::string body_; // of the last request
  std::vector<std::string> done_;
};

// Which city (Rome or Oslo), which day; "Done. Bye." without confirmation.
std::shared_ptr<const patchcord::agent::Definition>
trip_definition(const char *more = "");
constexpr patchcord::agent::Date kWednesday{std::chrono::year(2026) / 4 / 29};

void equal(const std::string &is, const std::string &expected);

// An agent of nothing but fields, tables of TOML, which asks at the end whether
// all is right, or does not. "Done. Bye." is its goodbye.
std::shared_ptr<const patchcord::agent::Definition>
with_fields(const std::string &fields, bool confirm = false);
// A list of choices, one of two to four texts, and a code of four to six
// digits.
extern const char *const kEquipment;
extern const char *const kGuests;
extern const char *const kCode;

// What a scripted mind answers to each line of a caller. The fields at the end.
struct Line {
  const char *caller, *agent;
};
std::string play_lines(
    const std::shared_ptr<const patchcord::agent::Definition> &definition,
    std::initializer_list<Line> lines);
