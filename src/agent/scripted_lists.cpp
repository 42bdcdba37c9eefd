// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/lists.hpp"
#include "agent/scripted_mind.hpp"
#include "agent/scripted_words.hpp"

#include <utility>

// How a list grows, and how it is corrected.
namespace patchcord::agent {

// The list goes on until that is all of it.
Reply ScriptedMind::hear_more(const std::string &caller, const Words &words) {
  const Field &field = *state_.field;
  const List known = std::get<List>(state_.values[field.name]);
  const auto list = edited_list(field, caller, known);
  // "No, a phone" goes on, "no, I think not" is no part of a list of texts.
  const bool goes_on =
      list && *list != known &&
      (!is_free_text(field) || ends_list(words) || lacks_any(*list, known));
  if (says_all(words) && !goes_on)
    return is_valid(field, known) ? taken(field) : ask_again(refusal(field));
  if (!list)
    return yes_or_no(words) == true ? question(field.question)
                                    : not_understood();
  if (!is_valid(so_far(field), *list))
    return ask_again(refusal(field));
  state_.values[field.name] = *list;
  return ask_for_more(field, words);
}

Reply ScriptedMind::ask_for_more(const Field &field, const Words &words) {
  const auto &list = std::get<List>(state_.values[field.name]);
  if (ends_list(words) ||
      (field.max && static_cast<double>(list.size()) >= *field.max))
    return take_list(field, list);
  state_.stage = Stage::kMore;
  state_.reprompts = 0;
  return question(definition_->phrases.more);
}

// Of texts only what is in it: his other words are no parts of it.
std::optional<List> ScriptedMind::changed(const Field &field,
                                          const std::string &caller) const {
  const auto known = state_.values.find(field.name);
  if (field.type != FieldType::kList || known == state_.values.end())
    return std::nullopt;
  const auto &before = std::get<List>(known->second);
  auto after = edited_list(field, caller, before);
  if (after && has_any(to_words(caller), {"only", "just"}) &&
      !lacks_any(*after, before) && !is_free_text(field))
    after = edited_list(field, caller, {});
  if (!after || *after == before ||
      (is_free_text(field) && !lacks_any(*after, before)))
    return std::nullopt;
  return after;
}

bool ScriptedMind::change_lists(const std::string &caller) {
  bool any = false;
  for (const Field &field : definition_->fields)
    if (auto list = changed(field, caller);
        list && is_valid(so_far(field), *list)) {
      state_.values[field.name] = *std::move(list);
      any = true;
    }
  return any;
}

const Field *ScriptedMind::short_list() const {
  for (const Field &field : definition_->fields)
    if (const auto known = state_.values.find(field.name);
        field.type == FieldType::kList && known != state_.values.end() &&
        applies(field, state_.values) && !is_valid(field, known->second))
      return &field;
  return nullptr;
}

// All of it.
Reply ScriptedMind::take_list(const Field &field, const List &list) {
  state_.values[field.name] = list;
  if (is_valid(field, list))
    return taken(field);
  state_.values.erase(field.name);
  state_.rejected.insert(field.name);
  return refused(field);
}

} // namespace patchcord::agent
