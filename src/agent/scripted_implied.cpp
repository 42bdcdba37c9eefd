// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/lists.hpp"
#include "agent/scripted_mind.hpp"
#include "agent/scripted_words.hpp"
#include "base/text.hpp"

#include <algorithm>

// Answers that are told by what depends on them: a day that is asked for only
// when an appointment moves, things that are without power only where that is
// what it is about.
namespace patchcord::agent {
namespace {

// Without what says but yes or no.
Words without_yes_and_no(Words words) {
  std::erase_if(words, [](const std::string &word) {
    return is_one_of(word, {"yes", "yeah", "yep", "yup", "yea", "aye", "sure",
                            "ok", "okay", "no", "nope", "nah", "nay"});
  });
  return words;
}

bool depends_on(const Field &field, const Field &choice) {
  return field.only_if_field == choice.name;
}

} // namespace

// Whether a yes is no plain one: "yes, but not so early". What follows the
// "but" of "yes, but I will be late" is no answer to anything.
bool ScriptedMind::reserves(const Words &words) const {
  if (!has_reservation(words))
    return false;
  const auto aside = aside_of(words);
  return !aside || named(*aside) != nullptr ||
         std::any_of(definition_->fields.begin(), definition_->fields.end(),
                     [&](const Field &field) {
                       return parse_value(field, join(*aside, " "), today_,
                                          Asked::kNo);
                     });
}

// "Could we do Monday?": the one choice that all it names is asked for with.
std::optional<std::string>
ScriptedMind::implied_choice(const Field &field, const std::string &caller,
                             const Words &words) const {
  if (!proposes(words))
    return std::nullopt;
  std::optional<std::string> implied;
  for (const Field &other : definition_->fields) {
    if (!depends_on(other, field))
      continue;
    const auto value = parse_value(other, caller, today_, Asked::kNo);
    if (!value)
      continue;
    // "I can come tomorrow": that is the day that the agent spoke of.
    const bool known =
        parse_value(other, definition_->greeting, today_, Asked::kNo) ==
            value ||
        parse_value(other, field.question, today_, Asked::kNo) == value;
    if (known || (implied && *implied != other.only_if_value))
      return std::nullopt;
    implied = other.only_if_value;
  }
  return implied;
}

// "At nine" beside a day is a time, if only one is wanted.
void ScriptedMind::take_implied_times(const Field &field,
                                      const std::string &caller) {
  const Field *time = nullptr;
  for (const Field &other : definition_->fields)
    if (other.type == FieldType::kTime && depends_on(other, field) &&
        applies(other, state_.values) && is_missing(other)) {
      if (time != nullptr)
        return;
      time = &other;
    }
  if (time != nullptr && has_any(to_words(caller), {"at"}))
    (void)take(*time, caller, Asked::kYes);
}

ScriptedMind::Taken ScriptedMind::take_answer(const Field &field,
                                              const std::string &caller,
                                              const Words &words) {
  if (field.type != FieldType::kChoice)
    return take(field, caller, Asked::kYes);
  const auto told = parse_value(field, caller, today_, Asked::kYes);
  if (const auto implied = implied_choice(field, caller, words)) {
    // "Yes, how about Friday" is both.
    if (told && *told != Value(*implied) && !reserves(words) &&
        !declines(words))
      return Taken::kNo;
    state_.values[field.name] = *implied;
    take_implied_times(field, caller);
    return Taken::kYes;
  }
  // "No, but ..." is no plain no, and what it is instead was not understood.
  const bool plain =
      told && !find_choice(without_yes_and_no(words), field.choices);
  if (plain && (reserves(words) || (declines(words) && proposes(words))))
    return Taken::kNo;
  // "Power and water" is understood, and not what the field may hold.
  const auto named = named_choices(words, field.choices);
  if (named.size() > 1) {
    state_.rejected.insert(field.name);
    return Taken::kRefused;
  }
  // "Absolutely" is the "yes" of a choice that has one.
  const bool agrees = named.empty() && merely_agrees(words);
  return take(field, agrees ? "yes" : caller, Asked::kYes);
}

// "The power is out, the lights and the elevator": two things or more are the
// answer to the list that the choice asks for next. One may be but the word by
// which the choice was told.
const Field *ScriptedMind::take_its_list(const Field &field,
                                         const std::string &caller) {
  const Field *next = next_missing();
  if (field.type != FieldType::kChoice || field.confirm || next == nullptr ||
      next->type != FieldType::kList || next->choices.empty() ||
      !depends_on(*next, field))
    return nullptr;
  auto list = edited_list(*next, caller, {});
  if (!list || list->size() < 2 || !is_valid(so_far(*next), *list))
    return nullptr;
  state_.field = next;
  state_.values[next->name] = *std::move(list);
  return next;
}

} // namespace patchcord::agent
