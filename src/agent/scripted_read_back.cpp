// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/lists.hpp"
#include "agent/resumption.hpp"
#include "agent/scripted_mind.hpp"
#include "agent/scripted_words.hpp"
#include "base/text.hpp"

#include <glib.h>

#include <algorithm>

// What is read back to the caller, and what his yes to it is worth.
namespace patchcord::agent {
namespace {

std::string capital(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

// A text without what speaking changes of it: where sentences are put together
// anew, and where one was cut off, spaces and signs are others.
std::string letters(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (g_ascii_isalnum(c) || static_cast<unsigned char>(c) >= 0x80)
      out += c;
  return out;
}

// How much of `text`, from its beginning on, is at the end of `said`; all, if
// it is in it as a whole. Both are letters(); in bytes.
std::size_t heard_of(std::string_view text, std::string_view said) {
  if (said.find(text) != std::string_view::npos)
    return text.size();
  std::size_t n = std::min(text.size(), said.size());
  while (n > 0 && !said.ends_with(text.substr(0, n)))
    --n;
  return n;
}

} // namespace

Reply ScriptedMind::read_back() {
  state_.stage = Stage::kConfirmAll;
  state_.read.clear();
  constexpr std::string_view kPlace = "{fields}";
  std::string text = definition_->end.read_back;
  std::size_t at = text.find(kPlace);
  text.erase(at, kPlace.size());
  for (const Field &field : definition_->fields) {
    const auto found = state_.values.find(field.name);
    if (found == state_.values.end() || !applies(field, state_.values))
      continue;
    const std::string part = (state_.read.empty() ? "" : ", ") +
                             spoken_field(field, found->second, today_);
    text.insert(at, part);
    at += part.size();
    state_.read.push_back({&field, at});
  }
  return question(text);
}

Reply ScriptedMind::taken(const Field &field) {
  return field.confirm ? confirm(field) : go_on();
}

Reply ScriptedMind::confirm(const Field &field) {
  state_.stage = Stage::kConfirmField;
  state_.field = &field;
  state_.reprompts = 0;
  constexpr std::string_view kPlace = "{field}";
  const std::string part =
      capital(spoken_field(field, state_.values[field.name], today_));
  std::string text = definition_->phrases.confirm;
  const std::size_t at = text.find(kPlace);
  text.replace(at, kPlace.size(), part);
  state_.read = {{&field, at + part.size()}};
  return question(text);
}

// What the caller has heard of the read-back since he spoke last.
void ScriptedMind::note_heard(const History &history) {
  if (state_.stage != Stage::kConfirmField &&
      state_.stage != Stage::kConfirmAll)
    return;
  const std::string &question = state_.question;
  auto said = history.rbegin();
  if (said != history.rend() && said->who == Said::Who::kCaller)
    ++said; // what is to be answered
  for (; said != history.rend() && said->who == Said::Who::kAgent; ++said) {
    const std::size_t heard = heard_of(letters(question), letters(said->text));
    for (const auto &[field, end] : state_.read)
      if (const auto value = state_.values.find(field->name);
          value != state_.values.end() &&
          letters(question.substr(0, end)).size() <= heard)
        state_.told[field->name] = value->second;
  }
}

// Whether he knows what his yes is to.
bool ScriptedMind::knows_what_was_read() const {
  return std::all_of(
      state_.read.begin(), state_.read.end(), [&](const ReadBack &part) {
        const auto value = state_.values.find(part.field->name);
        const auto told = state_.told.find(part.field->name);
        return value != state_.values.end() && told != state_.told.end() &&
               told->second == value->second;
      });
}

Reply ScriptedMind::hear_field_confirmed(const std::string &caller,
                                         const Words &words) {
  const Field &field = *state_.field;
  const auto yes = yes_or_no(words);
  const auto confirmed = [&] {
    if (!knows_what_was_read())
      return question(state_.question);
    state_.rules.confirmed[field.name] = state_.values[field.name];
    return go_on();
  };
  if (merely_agrees(words) ||
      (yes == true && field.type == FieldType::kBoolean))
    return confirmed();
  // "No, four two one ...", "yes, but at three": the correction comes along.
  const Value before = state_.values[field.name];
  const bool one_value = !is_free_text(field) && field.type != FieldType::kList;
  const Taken answer =
      one_value ? take(field, caller, Asked::kYes) : Taken::kNo;
  if (answer == Taken::kYes && state_.values[field.name] != before) {
    state_.stage = Stage::kField;
    return hear_field(caller, words);
  }
  if (auto list = changed(field, caller)) {
    if (!is_valid(so_far(field), *list))
      return ask_again(refusal(field));
    state_.values[field.name] = *std::move(list);
    return short_list() == &field ? go_on() : taken(field);
  }
  if (yes == true && !reserves(words)) { // whatever else was in it
    state_.values[field.name] = before;
    state_.rejected.erase(field.name);
    return confirmed();
  }
  if (answer == Taken::kRefused)
    return refused(field);
  return yes ? ask_anew(field) : not_understood();
}

Reply ScriptedMind::hear_all_confirmed(const std::string &caller,
                                       const Words &words) {
  // "No, tomorrow", "yes, but tomorrow": whatever changes is read back again.
  if (!merely_agrees(words) && take_mentions(caller, nullptr))
    return go_on();
  const auto yes = merely_agrees(words) ? true : yes_or_no(words);
  if (yes == true && !reserves(words)) {
    if (!knows_what_was_read())
      return go_on(); // and reads it once more
    state_.rules.confirmed = state_.values;
    state_.goal_reached = true;
    return end(definition_->end.goodbye, "goal");
  }
  if (!yes)
    return not_understood();
  if (const Field *field = named(words)) // "no, the time is wrong"
    return ask_anew(*field);
  state_.stage = Stage::kWhich;
  state_.reprompts = 0;
  return question(definition_->phrases.which);
}

} // namespace patchcord::agent
