// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/words.hpp"
#include "worker/time.hpp"

#include <string>
#include <vector>

// Handing the caller over to a person.
namespace patchcord::agent {

struct TransferTarget {
  std::string name;                 // [a-z0-9_]: for a model and the record
  std::string number;               // E.164
  std::string when;                 // for a model: who it is, and when
  std::vector<std::string> phrases; // how callers call it: "reservations"
  std::string message;              // before it; empty: phrases.transfer
  bool summary = false;   // what is known is told to who takes it, before all
  Duration timeout = 30s; // of ringing
};

// Whom the caller asks to speak to: one of the targets by a phrase or its name,
// or, when he asks for "a person" or "the operator", the first. Null: nobody.
// English.
const TransferTarget *asked_for(const Words &words,
                                const std::vector<TransferTarget> &targets);

// Sentences that ask for one of them, for recognisers that need to be told.
std::vector<std::string>
transfer_phrases(const std::vector<TransferTarget> &targets);

} // namespace patchcord::agent
