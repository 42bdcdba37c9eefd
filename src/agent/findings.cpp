// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/findings.hpp"

#include "agent/values.hpp"
#include "base/json.hpp"

namespace patchcord::agent {

void Findings::update(const Values &values, const Rejected &rejected,
                      std::uint32_t turn) {
  std::erase_if(now_.known, [&](const auto &entry) {
    return !values.contains(entry.first);
  });
  for (const auto &[name, value] : values) {
    const auto known = now_.known.find(name);
    if (known == now_.known.end() || known->second.value != value)
      now_.known.insert_or_assign(name, Known{value, turn});
  }
  now_.rejected = rejected;
}

void Findings::restore(const Values &values, const Rejected &rejected,
                       const std::map<std::string, std::uint32_t> &turns) {
  for (const auto &[name, value] : values) {
    const auto turn = turns.find(name);
    now_.known.insert_or_assign(
        name, Known{value, turn == turns.end() ? 0 : turn->second});
  }
  now_.rejected = rejected;
  before_ = now_;
}

std::map<std::string, std::uint32_t> Findings::turns() const {
  std::map<std::string, std::uint32_t> turns;
  for (const auto &[name, known] : now_.known)
    turns.emplace(name, known.turn);
  return turns;
}

std::string Findings::of_turn(std::uint32_t turn) const {
  Values values;
  for (const auto &[name, known] : now_.known)
    if (known.turn == turn)
      values.emplace(name, known.value);
  return to_json(*definition_, values);
}

Found Findings::all() const {
  Values values;
  for (const auto &[name, known] : now_.known)
    values.emplace(name, known.value);
  JsonWriter turns, missing, invalid;
  turns.begin_object();
  missing.begin_array();
  invalid.begin_array();
  for (const Field &field : definition_->fields) {
    if (!applies(field, values))
      continue;
    const auto known = now_.known.find(field.name);
    const bool has_value = known != now_.known.end();
    if (has_value)
      turns.member(field.name, std::int64_t{known->second.turn});
    if (has_value ? !is_valid(field, known->second.value)
                  : now_.rejected.contains(field.name))
      invalid.value(field.name);
    else if (!has_value && field.required)
      missing.value(field.name);
  }
  return {to_json(*definition_, applicable(*definition_, values)),
          turns.end_object().take(), missing.end_array().take(),
          invalid.end_array().take()};
}

} // namespace patchcord::agent
