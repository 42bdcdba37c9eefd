// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/definition.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace patchcord::agent {

// Names of fields whose value was told and is not one that the definition
// allows.
using Rejected = std::set<std::string>;

// What is known, as JSON: the values of the fields that apply, the turn that
// each came from, required fields without a value, fields whose value is not
// right.
struct Found {
  std::string fields = "{}", turns = "{}", missing = "[]", invalid = "[]";
};

// What was found out in a call, and in which turns. A later answer corrects an
// earlier one.
class Findings {
public:
  explicit Findings(std::shared_ptr<const Definition> definition)
      : definition_(std::move(definition)) {}

  void begin_turn() { before_ = now_; }
  // The turn's answer was never heard.
  void take_back() { now_ = before_; }
  // All that is known now; what is new in it, or another value, is of `turn`.
  void update(const Values &values, const Rejected &rejected,
              std::uint32_t turn);

  // What was known before, in another media stream.
  void restore(const Values &values, const Rejected &rejected,
               const std::map<std::string, std::uint32_t> &turns);

  // The fields that `turn` brought, a JSON object.
  std::string of_turn(std::uint32_t turn) const;
  Found all() const;
  std::map<std::string, std::uint32_t> turns() const;

private:
  struct Known {
    Value value;
    std::uint32_t turn;
  };
  struct State {
    std::map<std::string, Known> known;
    Rejected rejected;
  };

  std::shared_ptr<const Definition> definition_;
  State now_, before_;
};

} // namespace patchcord::agent
