// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "media_bench.hpp"

namespace patchcord::test {

inline const Bytes kFrame(160, 0x55);

struct Bench : MediaBench {
  Bench() : MediaBench("twiliosrc") { share_stream(); }
  void frames(int count, std::int64_t from_ms = 155) {
    for (int i = 0; i < count; ++i) {
      worker->run_for(20ms);
      stream->media(from_ms + i * std::int64_t{20}, kFrame);
    }
  }
};

// The tests that are not beside main().
void add_twiliosrc_states();
void add_twiliosrc_ceasing();
void add_twiliosrc_server();

} // namespace patchcord::test
