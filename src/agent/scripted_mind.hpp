// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/mind.hpp"
#include "agent/values.hpp"

#include <memory>
#include <optional>

namespace patchcord::agent {

// A mind without a model: asks for each field in the order of the definition,
// takes more than one from an answer where that is safe, asks again when it did
// not understand, reads all back at the end when told to, and says goodbye.
class ScriptedMind final : public Mind {
public:
  ScriptedMind(std::shared_ptr<const Definition> definition, Date today);

  Reply open() override;
  const RuleState &rules() const override { return state_.rules; }
  void recall_rules(const RuleState &rules) override { state_.rules = rules; }
  Reply reopen(const Values &known, const Rejected &rejected,
               const History &history) override;
  Thought answer(const std::string &caller, const History &history) override;
  void take_back() override { state_ = before_; }
  void take_back_end() override { take_back(); } // it says nothing before it
  void model_begin() override {}
  std::string model_text(std::string_view) override { return {}; }
  bool model_message_complete() const override { return false; }
  Thought model_done(std::string_view, std::string_view,
                     std::string_view) override {
    return Reply{};
  }
  // Takes over from another mind, in the middle of a call: what the caller says
  // next answers no question of ours. What rules() is stays.
  void resume(const Values &known, const Rejected &rejected);
  std::string reminder() const override { return state_.question; }
  Expectation expectation() const override;
  const Values &values() const override { return state_.values; }
  const Rejected &rejected() const override { return state_.rejected; }
  bool goal_reached() const override { return state_.goal_reached; }
  std::string summary() const override;

private:
  enum class Stage {
    kResumed,      // nothing asked yet
    kField,        // asked for state_.field
    kMore,         // anything else in the list?
    kConfirmField, // read it back
    kConfirmAll,   // read all back
    kWhich,        // what is to be changed
    kOver,
  };
  struct ReadBack {
    const Field *field;
    std::size_t end; // of its value in the question, in bytes
  };
  struct State {
    Stage stage = Stage::kField;
    const Field *field = nullptr;
    int reprompts = 0;          // of the question that stands
    std::string question;       // as it was asked last
    std::vector<ReadBack> read; // in it, when it reads back
    Values told;                // what the caller heard of what was read back
    Values values;
    Rejected rejected;
    std::vector<const Field *> skipped;
    bool goal_reached = false;
    RuleState rules;
  };

  Reply hear(const std::string &caller);
  Reply hear_field(const std::string &caller, const Words &words);
  Reply hear_more(const std::string &caller, const Words &words);
  Reply hear_which(const std::string &caller, const Words &words);
  // Asks for the next field that is missing, or reads all back, or ends.
  Reply go_on();
  Reply ask(const Field &field);
  Reply refused(const Field &field);
  const std::string &refusal(const Field &field) const;
  Reply ask_anew(const Field &field);
  const Field *named(const Words &words) const;
  Reply not_understood();
  Reply ask_again(const std::string &lead);
  Reply end(const std::string &text, const std::string &reason);
  Reply hand_over(const TransferTarget &target) const;
  // What a rule for the end makes of it.
  Reply ruled(Reply reply);
  Reply as_asked(Reply reply) const;
  std::string again() const;
  Reply question(const std::string &text, const std::string &lead = {});
  // Takes what was said for fields that were not asked for; whether there was
  // anything.
  bool take_mentions(const std::string &caller, const Field *asked);
  enum class Taken { kNo, kRefused, kYes };
  Taken take(const Field &field, const std::string &caller, Asked asked);

  // What follows from other answers: scripted_implied.cpp.
  Taken take_answer(const Field &field, const std::string &caller,
                    const Words &words);
  bool reserves(const Words &words) const;
  std::optional<std::string> implied_choice(const Field &field,
                                            const std::string &caller,
                                            const Words &words) const;
  void take_implied_times(const Field &field, const std::string &caller);
  const Field *take_its_list(const Field &field, const std::string &caller);

  // Reading back: scripted_read_back.cpp.
  Reply read_back();
  // The field that was asked for has a value: what comes of it.
  Reply taken(const Field &field);
  Reply confirm(const Field &field);
  void note_heard(const History &history);
  bool knows_what_was_read() const;
  Reply hear_field_confirmed(const std::string &caller, const Words &words);
  Reply hear_all_confirmed(const std::string &caller, const Words &words);

  // Lists: scripted_lists.cpp. `words`: what brought the last part.
  Reply ask_for_more(const Field &field, const Words &words);
  Reply take_list(const Field &field, const List &list);
  // What he changes of a list that he has given; nullopt: nothing.
  std::optional<List> changed(const Field &field,
                              const std::string &caller) const;
  bool change_lists(const std::string &caller);
  // A list that was corrected may lack something.
  const Field *short_list() const;

  bool is_missing(const Field &field) const;
  const Field *next_missing() const;

  std::shared_ptr<const Definition> definition_;
  Date today_;
  State state_, before_;
};

} // namespace patchcord::agent
