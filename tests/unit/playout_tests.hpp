// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "playout_line.hpp"

namespace patchcord::test {

// A line that is open, with this many ms there and as many back.
inline void open_line(twilio::Line &line, int way = 30) {
  line.peer.there = line.peer.back = [way] { return way; };
  line.playout.open(line.now());
}

// The tests that are not beside main().
void add_playout_pacing();
void add_playout_marks();
void add_playout_text();
void add_playout_calls();

} // namespace patchcord::test
